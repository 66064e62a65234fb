/**
 * The reporters by name: what `--reporter` may say. All of them consume the same events; several may run side by side.
 *
 * `line` rewrites a line per configuration, `plain` writes lines, `json` writes the events themselves, one a line,
 * `github` is `plain` with annotations and a job summary, `junit` writes XML at the end. Without a choice it is `line`
 * on a terminal, `github` in GitHub Actions, and `plain` in every other pipe.
 */
import { renderAnnotations, renderSummary } from './github.ts'
import { renderJunit } from './junit.ts'
import { createTerminal, terminalAbilities } from './terminal.ts'
import type { NamedDocument } from './junit.ts'
import type { Reporter, RunEvent } from './events.ts'
import type { TerminalOptions } from './terminal.ts'

/** What `--reporter` may say. */
export const reporterNames = ['line', 'plain', 'json', 'github', 'junit'] as const
export type ReporterName = (typeof reporterNames)[number]

/** Where reports go. */
export interface ReporterOptions {
  readonly stream: { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number; write(text: string): unknown }
  readonly env: Readonly<Record<string, string | undefined>>
  nowMs(): number
  /** Now by the wall clock, ISO 8601. */
  written(): string
  every(ms: number, callback: () => void): () => void
  /** Writes a whole file (the JUnit XML). */
  writeFile(file: string, text: string): void
  /** Adds to a file that others write too (the job summary). */
  appendFile(file: string, text: string): void
  /** Where the JUnit XML goes; without it, `junit` writes to the stream. */
  readonly junitFile?: string
  readonly title: string
}

/** The reporter that suits where we are. */
export function defaultReporter({ stream, env }: Pick<ReporterOptions, 'stream' | 'env'>): ReporterName {
  if (env['GITHUB_ACTIONS'] === 'true') return 'github'
  return terminalAbilities(stream, env).live ? 'line' : 'plain'
}

/** One reporter out of several names, and of the JUnit file where one is asked for. */
export function createReporter(names: readonly ReporterName[], options: ReporterOptions): Reporter {
  const wanted = new Set<ReporterName>([...names, ...(options.junitFile === undefined ? [] : (['junit'] as const))])
  const reporters = [...wanted].map((name) => reporterNamed(name, options))
  return { on: (event) => reporters.forEach((reporter) => reporter.on(event)) }
}

function reporterNamed(name: ReporterName, options: ReporterOptions): Reporter {
  switch (name) {
    case 'line':
    case 'plain':
      return createTerminal(terminalOptions(options, name === 'line'))
    case 'json':
      return { on: (event) => void options.stream.write(`${JSON.stringify(event)}\n`) }
    case 'github':
      return githubReporter(options)
    case 'junit':
      return collecting(({ runs, crashes }) => {
        const xml = renderJunit(runs, { written: options.written(), crashes })
        if (options.junitFile === undefined) options.stream.write(xml)
        else options.writeFile(options.junitFile, xml)
      })
  }
}

function terminalOptions({ stream, env, nowMs, every }: ReporterOptions, live: boolean): TerminalOptions {
  const { colour } = terminalAbilities(stream, env)
  return { live, colour, write: (text) => void stream.write(text), columns: () => stream.columns || 80, nowMs, every }
}

/** What a run left for those who speak only at its end. */
interface Collected {
  readonly runs: readonly NamedDocument[]
  readonly crashes: readonly { readonly name: string; readonly message: string }[]
  readonly end: Extract<RunEvent, { type: 'end' }>
}

function collecting(conclude: (collected: Collected) => void): Reporter {
  const runs: NamedDocument[] = []
  const crashes: { name: string; message: string }[] = []
  return {
    on(event) {
      if (event.type === 'verdict') runs.push({ name: event.run, document: event.document })
      else if (event.type === 'crash') crashes.push({ name: event.run, message: event.message })
      else if (event.type === 'end') conclude({ runs, crashes, end: event })
    },
  }
}

/** Plain lines; at the end the annotations, and the summary where GitHub wants it. */
function githubReporter(options: ReporterOptions): Reporter {
  const lines = createTerminal(terminalOptions(options, false))
  const atEnd = collecting(({ runs, crashes, end }) => {
    options.stream.write(renderAnnotations(runs, crashes))
    const file = options.env['GITHUB_STEP_SUMMARY']
    if (file !== undefined && file !== '') options.appendFile(file, renderSummary(runs, { title: options.title, repeat: end.repeat }))
  })
  return {
    on(event) {
      lines.on(event)
      atEnd.on(event)
    },
  }
}
