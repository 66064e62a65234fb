/**
 * The reporters of `run` for campaigns, under the same names: a live table on a terminal, lines for people elsewhere,
 * the events as JSON, GitHub's annotations and job summary with the matrix, JUnit XML with a test case for each cell.
 */
import { data, markdown, fenced, property } from '../github.ts'
import { formatNoun, formatShare, shortened } from '../format.ts'
import { renderCampaignJunit } from '../junit.ts'
import { terminalAbilities } from '../terminal.ts'
import { renderCampaignComparison } from './compare.ts'
import { countsOf, createCampaignLines } from './lines.ts'
import { createLiveTable } from './live.ts'
import { cellName, verdictOf } from './summary.ts'
import type { ReporterName, ReporterOptions } from '../reporters.ts'
import type { CampaignEnd, CampaignReporter } from './events.ts'

/** One reporter out of several names, and of the JUnit file where one is asked for. */
export function createCampaignReporter(names: readonly ReporterName[], options: ReporterOptions): CampaignReporter {
  const wanted = new Set<ReporterName>([...names, ...(options.junitFile === undefined ? [] : (['junit'] as const))])
  const reporters = [...wanted].map((name) => reporterNamed(name, options))
  return { on: (event) => reporters.forEach((reporter) => reporter.on(event)) }
}

function reporterNamed(name: ReporterName, options: ReporterOptions): CampaignReporter {
  const { stream, nowMs, every } = options
  const write = (text: string): void => void stream.write(text)
  switch (name) {
    case 'line':
      return createLiveTable({ write, colour: terminalAbilities(stream, options.env).colour, columns: () => stream.columns || 80, rows: () => stream.rows || 24, nowMs, every })
    case 'plain':
      return createCampaignLines({ write, nowMs })
    case 'json':
      return { on: (event) => write(`${JSON.stringify(event)}\n`) }
    case 'github':
      return githubReporter(options)
    case 'junit':
      return atEnd((end) => {
        const xml = renderCampaignJunit(end, end.summary)
        if (options.junitFile === undefined) write(xml)
        else options.writeFile(options.junitFile, xml)
      })
  }
}

const atEnd = (conclude: (end: CampaignEnd) => void): CampaignReporter => ({ on: (event) => void (event.type === 'end' && conclude(event)) })

/** Plain lines; at the end the annotations, and the summary where GitHub wants it. */
function githubReporter({ stream, nowMs, env, appendFile }: ReporterOptions): CampaignReporter {
  const lines = createCampaignLines({ write: (text) => void stream.write(text), nowMs })
  const annotations = atEnd((end) => {
    stream.write(renderCampaignAnnotations(end))
    const file = env['GITHUB_STEP_SUMMARY']
    if (file !== undefined && file !== '') appendFile(file, renderCampaignSummary(end))
  })
  return {
    on(event) {
      lines.on(event)
      annotations.on(event)
    },
  }
}

/** Workflow commands: an error for each cell that was violated, with its smallest run; a warning where something is unknown. */
function renderCampaignAnnotations({ summary }: CampaignEnd): string {
  return summary.cells.filter((cell) => cell.impossible === null && verdictOf(cell) !== 'holds').map((cell) => {
    const { smallest } = cell
    const message = [countsOf(cell), ...(smallest === null ? [] : [smallest.sentence, ...smallest.findings.slice(0, 1).map(({ explanation }) => explanation), `Repeat: ${smallest.repeat}`])].join('\n')
    return `::${cell.violated > 0 ? 'error' : 'warning'} title=${property(cellName(cell))}::${data(message)}\n`
  }).join('')
}

/** The job summary: the matrix as a table, and what was found with the commands that repeat it. */
function renderCampaignSummary({ name, summary, comparison, cut, repeat }: CampaignEnd): string {
  const words = { holds: '✅', violated: '🔴', unknown: '⚠️' } as const
  const cellOf = (configuration: string, nemesis: string): string => {
    const cell = summary.cells.find((one) => one.configuration === configuration && one.nemesis === nemesis)
    if (cell === undefined || cell.impossible !== null) return 'not run'
    const interval = cell.decided === 0 ? '' : ` (${formatShare(cell.interval.low)} to ${formatShare(cell.interval.high)})`
    return `${words[verdictOf(cell)]} ${countsOf(cell)}${interval}`
  }
  const rows = [['configuration', ...summary.nemeses.map(markdown)], ['---', ...summary.nemeses.map(() => '---')], ...summary.configurations.map((one) => [markdown(one), ...summary.nemeses.map((nemesis) => cellOf(one, nemesis))])]
  const parts = [
    `## ${markdown(name)}`,
    rows.map((row) => `| ${row.join(' | ')} |`).join('\n'),
    'Runs that were violated, of those with a verdict, and the 95 % interval of that share.',
    ...summary.cells.flatMap((cell) => (cell.impossible === null ? [] : [`- ${markdown(cellName(cell))}: not run. ${markdown(cell.impossible)}`])),
    ...summary.findings.map((finding) => `### ${markdown(finding.fingerprint)}\n\n${formatNoun(finding.runs, 'run')} of ${finding.of}. ${markdown(shortened(finding.explanation, 600))}\n\n${fenced(finding.smallest.repeat)}`),
    ...(comparison === null ? [] : [`### Against the baseline\n\n${fenced(renderCampaignComparison(comparison).trimEnd())}`]),
    ...(cut === null ? [] : [markdown(cut)]),
    `To repeat all of it:\n\n${fenced(repeat)}`,
  ]
  return `${parts.join('\n\n')}\n`
}
