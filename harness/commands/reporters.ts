/**
 * The options that say how a command tells what goes on, and the reporter that they stand for.
 */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createCampaignReporter } from '../../reports/campaign/reporters.ts'
import type { CampaignReporter } from '../../reports/campaign/events.ts'
import { createReporter, defaultReporter, reporterNames, type ReporterName, type ReporterOptions } from '../../reports/reporters.ts'
import type { Reporter } from '../../reports/events.ts'
import { choose, type Arguments, type Option } from '../command.ts'
import { UsageError } from '../usage-error.ts'

/** For every command that runs something. */
export const reporterOptions: Readonly<Record<string, Option>> = {
  reporter: { value: 'LIST', describes: `how to tell what goes on: ${reporterNames.join(', ')}, or several of them`, default: 'line on a terminal, github in GitHub Actions, else plain' },
  junit: { value: 'FILE', describes: 'write JUnit XML, a test case for each judgement' },
}

/** The reporter of runs that the command line asks for. Throws UsageError. */
export function reporterFrom(args: Arguments, title: string): Reporter {
  const { names, options } = wantedFrom(args, title)
  return createReporter(names, options)
}

/** The reporter of a campaign that the command line asks for. Throws UsageError. */
export function campaignReporterFrom(args: Arguments, title: string): CampaignReporter {
  const { names, options } = wantedFrom(args, title)
  return createCampaignReporter(names, options)
}

function wantedFrom(args: Arguments, title: string): { readonly names: readonly ReporterName[]; readonly options: ReporterOptions } {
  const stream = process.stdout
  const list = args.text('reporter')
  const names = list === undefined ? [defaultReporter({ stream, env: process.env })] : list.split(',').map((name) => choose('reporter', name.trim(), reporterNames))
  const junitFile = args.text('junit')
  const written = <T>(write: (file: string, text: string) => T) => (file: string, text: string): T => {
    try {
      return write(file, text)
    } catch (error) {
      throw new UsageError(`${file} cannot be written: ${(error as Error).message}.`)
    }
  }
  const options: ReporterOptions = {
    stream,
    env: process.env,
    nowMs: () => performance.now(),
    written: () => new Date().toISOString(),
    every(ms, callback) {
      const timer = setInterval(callback, ms)
      timer.unref()
      return () => clearInterval(timer)
    },
    writeFile: written((file, text) => {
      mkdirSync(path.dirname(file), { recursive: true })
      writeFileSync(file, text)
    }),
    appendFile: written((file, text) => appendFileSync(file, text)),
    ...(junitFile === undefined ? {} : { junitFile }),
    title,
  }
  return { names, options }
}

/** The words of a command line without those that only say how to tell about it. */
export function withoutReporter(words: readonly string[]): string[] {
  const names = Object.keys(reporterOptions).map((name) => `--${name}`)
  return words.filter((word, index) => !names.includes(word) && !names.some((name) => word.startsWith(`${name}=`)) && !names.includes(words[index - 1] ?? ''))
}
