/**
 * What a campaign tells while it goes on, and the reporters of `run` for it under the same names: lines for people,
 * the events as JSON, GitHub's annotations and job summary with the matrix, JUnit XML with a test case for each cell.
 */
import { data, markdown, fenced, property } from '../github.ts'
import { formatMs, formatNoun, formatShare, shortened } from '../format.ts'
import { renderCampaignJunit } from '../junit.ts'
import { renderCampaignComparison, type CampaignComparison } from './compare.ts'
import { cellName, type CampaignSummary, type CellSummary } from './summary.ts'
import type { ReporterName, ReporterOptions } from '../reporters.ts'
import type { Result } from './results.ts'

/** One step of a campaign. */
export type CampaignEvent =
  /** A run of a cell ended, the `done`th of `total`; a budget has no total. */
  | { readonly type: 'result'; readonly done: number; readonly total: number | null; readonly result: Result }
  /** Something a person should know that does not end the campaign. */
  | { readonly type: 'warning'; readonly message: string }
  | CampaignEnd

/** Everything is over. */
export interface CampaignEnd {
  readonly type: 'end'
  readonly name: string
  /** ISO 8601. */
  readonly started: string
  readonly summary: CampaignSummary
  /** Cells that this machine cannot run. */
  readonly impossible: readonly { readonly cell: string; readonly reason: string }[]
  /** Against the baseline, where one was named. */
  readonly comparison: CampaignComparison | null
  /** Why it ended early and how to go on; null when it did not. */
  readonly cut: string | null
  readonly report: string
  readonly repeat: string
}

/** A consumer of a campaign's events. */
export interface CampaignReporter {
  on(event: CampaignEvent): void
}

/** One reporter out of several names, and of the JUnit file where one is asked for. */
export function createCampaignReporter(names: readonly ReporterName[], options: ReporterOptions): CampaignReporter {
  const wanted = new Set<ReporterName>([...names, ...(options.junitFile === undefined ? [] : (['junit'] as const))])
  const reporters = [...wanted].map((name) => reporterNamed(name, options))
  return { on: (event) => reporters.forEach((report) => report(event)) }
}

function reporterNamed(name: ReporterName, options: ReporterOptions): (event: CampaignEvent) => void {
  const write = (text: string): void => void options.stream.write(text)
  switch (name) {
    case 'line':
    case 'plain':
      return (event) => write(linesOf(event))
    case 'json':
      return (event) => write(`${JSON.stringify(event)}\n`)
    case 'github':
      return (event) => {
        write(linesOf(event))
        if (event.type !== 'end') return
        write(renderCampaignAnnotations(event))
        const file = options.env['GITHUB_STEP_SUMMARY']
        if (file !== undefined && file !== '') options.appendFile(file, renderCampaignSummary(event))
      }
    case 'junit':
      return (event) => {
        if (event.type !== 'end') return
        const xml = renderCampaignJunit(event, event.summary)
        if (options.junitFile === undefined) write(xml)
        else options.writeFile(options.junitFile, xml)
      }
  }
}

const marks = { holds: '●', violated: '◆', unknown: '○' } as const

const verdictOf = (cell: CellSummary): keyof typeof marks => (cell.violated > 0 ? 'violated' : cell.unknown > 0 || cell.decided === 0 ? 'unknown' : 'holds')

const countsOf = (cell: CellSummary): string => `${cell.violated}/${cell.decided} violated${cell.unknown === 0 ? '' : `, ${cell.unknown} unknown`}`

function linesOf(event: CampaignEvent): string {
  switch (event.type) {
    case 'warning':
      return `${event.message}\n`
    case 'result': {
      const { result } = event
      const why = result.verdict === 'holds' ? '' : ` ${shortened(result.reason ?? result.findings[0]?.fingerprint ?? result.sentence, 100)}`
      return `[${event.done}${event.total === null ? '' : `/${event.total}`}] ${marks[result.verdict]} ${cellName(result)}, seed ${result.seed}: ${result.verdict}${why} (${formatMs(result.elapsed_ms)})\n`
    }
    case 'end':
      return endLines(event)
  }
}

function endLines({ summary, impossible, comparison, cut, report, repeat }: CampaignEnd): string {
  const lines = [
    '',
    ...summary.cells.map((cell) => `${marks[verdictOf(cell)]} ${cellName(cell).padEnd(44)}${countsOf(cell)}`),
    ...impossible.map(({ cell, reason }) => `  ${cell}: not run. ${reason}`),
    ...summary.findings.map((finding) => `\n${finding.fingerprint}: ${formatNoun(finding.runs, 'run')} of ${finding.of}${finding.rare ? ' (rare)' : ''}\n  ${shortened(finding.explanation, 300)}\n  ${finding.smallest.repeat}`),
    ...(comparison === null ? [] : [`\nagainst the baseline\n${renderCampaignComparison(comparison).trimEnd()}`]),
    `\nreport  ${report}\nrepeat  ${repeat}`,
    ...(cut === null ? [] : [cut]),
  ]
  return `${lines.join('\n')}\n`
}

/** Workflow commands: an error for each cell that broke its promise, with its smallest run; a warning where something is unknown. */
function renderCampaignAnnotations({ summary }: CampaignEnd): string {
  return summary.cells.filter((cell) => verdictOf(cell) !== 'holds').map((cell) => {
    const { smallest } = cell
    const message = [countsOf(cell), ...(smallest === null ? [] : [smallest.sentence, ...smallest.findings.slice(0, 1).map(({ explanation }) => explanation), `Repeat: ${smallest.repeat}`])].join('\n')
    return `::${cell.violated > 0 ? 'error' : 'warning'} title=${property(cellName(cell))}::${data(message)}\n`
  }).join('')
}

/** The job summary: the matrix as a table, and what was found with the commands that repeat it. */
function renderCampaignSummary({ name, summary, impossible, comparison, cut, repeat }: CampaignEnd): string {
  const words = { holds: '✅', violated: '🔴', unknown: '⚠️' } as const
  const cellOf = (configuration: string, nemesis: string): string => {
    const cell = summary.cells.find((one) => one.configuration === configuration && one.nemesis === nemesis)
    if (cell === undefined) return 'not run'
    const interval = cell.decided === 0 ? '' : ` (${formatShare(cell.interval.low)} to ${formatShare(cell.interval.high)})`
    return `${words[verdictOf(cell)]} ${countsOf(cell)}${interval}`
  }
  const rows = [['configuration', ...summary.nemeses.map(markdown)], ['---', ...summary.nemeses.map(() => '---')], ...summary.configurations.map((one) => [markdown(one), ...summary.nemeses.map((nemesis) => cellOf(one, nemesis))])]
  const parts = [
    `## ${markdown(name)}`,
    rows.map((row) => `| ${row.join(' | ')} |`).join('\n'),
    'Runs that broke their promise of those with a verdict, and the 95 % interval of that share.',
    ...impossible.map(({ cell, reason }) => `- ${markdown(cell)}: not run. ${markdown(reason)}`),
    ...summary.findings.map((finding) => `### ${markdown(finding.fingerprint)}\n\n${formatNoun(finding.runs, 'run')} of ${finding.of}. ${markdown(shortened(finding.explanation, 600))}\n\n${fenced(finding.smallest.repeat)}`),
    ...(comparison === null ? [] : [`### Against the baseline\n\n${fenced(renderCampaignComparison(comparison).trimEnd())}`]),
    ...(cut === null ? [] : [markdown(cut)]),
    `To repeat all of it:\n\n${fenced(repeat)}`,
  ]
  return `${parts.join('\n\n')}\n`
}
