/**
 * `report.html` of a run's folder: verdict and history, and what stands beside them there (the nodes' logs, the
 * machine, the raw files), for one run or several configurations in folders of their own.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { readFile, readdir } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import type { History } from '../checker/history/index.ts'
import type { VerdictDocument } from '../checker/verdict.ts'
import { renderReport } from '../reports/html/page.ts'
import type { SeedRuns } from '../reports/html/seeds.ts'
import type { Surroundings } from '../reports/html/data.ts'
import type { Clock } from './env.ts'
import { thisMachine } from './machine.ts'
import { save } from './run-folder.ts'

/** A judged run in its folder. */
export interface JudgedRun {
  readonly name: string
  readonly dir: string
  readonly document: VerdictDocument
  readonly history: History
}

/** What a report says about itself. */
export interface ReportOptions {
  /** Where `report.html` goes: a folder that holds the runs' own, or is the only one's. */
  readonly dir: string
  readonly title: string
  readonly repeat: string
  /** ISO 8601. */
  readonly generated: string
  /** All runs of each configuration, where there were several. */
  readonly seeds?: readonly SeedRuns[]
}

const environmentSchema = z.strictObject({
  schema: z.literal('splitbrain-environment/1'),
  clock_zero: z.string().describe("ISO 8601: when the history's clock read zero"),
  node: z.string(),
  platform: z.string(),
  processors: z.string(),
  memory_mb: z.int(),
})

/** Writes `environment.json`: when the history's clock, which is at zero now, began, and on what machine. At once, because a simulation must not wait for a disk. */
export function saveEnvironment(dir: string, clock: Pick<Clock, 'wall'>): void {
  const environment: z.infer<typeof environmentSchema> = {
    schema: 'splitbrain-environment/1',
    clock_zero: new Date(clock.wall()).toISOString(),
    ...thisMachine(),
  }
  writeFileSync(path.join(dir, 'environment.json'), `${JSON.stringify(environment, null, 2)}\n`)
}

/** Writes the report and returns its path. */
export async function writeReport(runs: readonly JudgedRun[], { dir, ...about }: ReportOptions): Promise<string> {
  const withSurroundings = await Promise.all(runs.map(async (run) => ({ name: run.name, document: run.document, history: run.history, surroundings: await surroundingsOf(run.dir, dir) })))
  await save(dir, 'report.html', renderReport({ ...about, runs: withSurroundings }))
  return path.join(dir, 'report.html')
}

async function surroundingsOf(dir: string, from: string): Promise<Surroundings> {
  const place = path.join(dir, 'nodes')
  const names = existsSync(place) ? (await readdir(place)).filter((name) => name.endsWith('.log')).sort((a, b) => a.localeCompare(b, 'en', { numeric: true })) : []
  const logs = await Promise.all(names.map(async (name) => ({ node: name.slice(0, -'.log'.length), text: await readFile(path.join(place, name), 'utf8') })))
  const parsed = environmentSchema.safeParse(JSON.parse(await readFile(path.join(dir, 'environment.json'), 'utf8').catch(() => 'null')))
  const files = ['plan.json', 'history.jsonl', 'verdict.json', ...names.map((name) => `nodes/${name}`)].filter((name) => existsSync(path.join(dir, name)))
  const machine = parsed.success ? ([['Node.js', parsed.data.node], ['Machine', parsed.data.platform], ['Processors', parsed.data.processors], ['Memory', `${parsed.data.memory_mb.toLocaleString('en-US')} MB`]] as const) : []
  return { logs, clockZero: parsed.success ? parsed.data.clock_zero : null, machine, files: files.map((name) => path.join(path.relative(from, dir), name).split(path.sep).map(encodeURIComponent).join('/')) }
}
