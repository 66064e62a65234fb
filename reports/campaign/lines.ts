/**
 * A campaign in lines for people: what a run came to, the cells and findings at the end, and the reporter for places
 * where lines cannot be rewritten.
 */
import { formatMs, formatNoun, shortened, visible } from '../format.ts'
import { marks } from '../terminal.ts'
import { renderCampaignComparison } from './compare.ts'
import { createPace, paceWords } from './pace.ts'
import { cellName, verdictOf, type CellCounts } from './summary.ts'
import type { CampaignEnd, CampaignEvent, CampaignReporter } from './events.ts'
import type { Result } from './results.ts'

/** "3/10 violated, 1 unknown", or why there is nothing to count. */
export function countsOf({ violated, decided, unknown, pending, impossible, stopped }: CellCounts): string {
  if (impossible !== null) return `not run. ${impossible}`
  if (decided + unknown === 0) return pending === 0 ? 'not run yet' : `${pending} going on`
  return `${violated}/${decided} violated${unknown === 0 ? '' : `, ${unknown} unknown`}${stopped ? ', enough is known' : ''}`
}

/** "◆ abd · kill, seed 7: violated Not linearizable during kill (1.25 s)". */
export function resultLine(result: Result): string {
  const why = result.verdict === 'holds' ? '' : ` ${shortened(visible(result.reason ?? result.findings[0]?.fingerprint ?? result.sentence), 100)}`
  return `${marks[result.verdict]} ${visible(cellName(result))}, seed ${result.seed}: ${result.verdict}${why} (${formatMs(result.elapsed_ms)})`
}

/** Everything that is said when it is over. */
export function endLines({ summary, comparison, cut, report, repeat }: CampaignEnd): string {
  const lines = [
    '',
    ...summary.cells.map((cell) => `${cell.impossible === null ? marks[verdictOf(cell)] : '–'} ${visible(cellName(cell)).padEnd(44)} ${visible(countsOf(cell))}`),
    ...summary.findings.map((finding) => `\n${visible(finding.fingerprint)}: ${formatNoun(finding.runs, 'run')} of ${finding.of}${finding.rare ? ' (rare)' : ''}\n  ${shortened(visible(finding.explanation), 300)}\n  ${visible(finding.smallest.repeat)}`),
    ...(comparison === null ? [] : [`\nagainst the baseline\n${renderCampaignComparison(comparison).trimEnd()}`]),
    `\nreport  ${visible(report)}\nrepeat  ${visible(repeat)}`,
    ...(cut === null ? [] : [visible(cut)]),
  ]
  return `${lines.join('\n')}\n`
}

const saidEveryMs = 10_000

/** A line for each run that did not hold, and every ten seconds how far it is. */
export function createCampaignLines({ write, nowMs }: { write(text: string): void; nowMs(): number }): CampaignReporter {
  const pace = createPace()
  let saidAt = Number.NEGATIVE_INFINITY
  let waiting: string | null = null
  const on = (event: CampaignEvent): void => {
    switch (event.type) {
      case 'warning':
        return write(`${visible(event.message)}\n`)
      case 'result':
        pace.tell(event.done, nowMs())
        if (event.result.verdict !== 'holds') write(`[${event.done}${event.total === null ? '' : `/${event.total}`}] ${resultLine(event.result)}\n`)
        return
      case 'progress': {
        pace.tell(event.done, nowMs())
        if (event.waiting === waiting && nowMs() - saidAt < saidEveryMs) return
        saidAt = nowMs()
        waiting = event.waiting
        return write(`${paceWords(event, pace.perSecond(nowMs()))}${talliesOf(event.cells)}\n`)
      }
      case 'end':
        return write(endLines(event))
    }
  }
  return { on }
}

function talliesOf(cells: readonly CellCounts[]): string {
  const sum = (pick: 'violated' | 'unknown'): number => cells.reduce((total, cell) => total + cell[pick], 0)
  return `; ${sum('violated')} violated, ${sum('unknown')} unknown so far`
}
