/**
 * Two campaigns, before and after: which findings are new, resolved, still there, or so rare that seeing them once and
 * not the other time says nothing.
 */
import { visible } from '../format.ts'
import { wilson } from '../wilson.ts'
import { cellName, summarize, type FindingSummary } from './summary.ts'
import type { Result } from './results.ts'

/** What became of one finding. `rare`: seen on one side only, in no more runs than chance explains. */
export interface FindingChange {
  readonly fingerprint: string
  readonly change: 'new' | 'resolved' | 'still there' | 'rare'
  /** Runs in which it was seen, of the runs of those cells. */
  readonly before: { readonly runs: number; readonly of: number }
  readonly after: { readonly runs: number; readonly of: number }
  readonly explanation: string
  readonly repeat: string
}

/** The whole comparison. */
export interface CampaignComparison {
  readonly findings: readonly FindingChange[]
  /** Cells that only one of them has. */
  readonly onlyBefore: readonly string[]
  readonly onlyAfter: readonly string[]
}

/** Compares two campaigns on the cells that both have. */
export function compareCampaigns(before: readonly Result[], after: readonly Result[]): CampaignComparison {
  const [had, have] = [new Set(before.map(cellName)), new Set(after.map(cellName))]
  const common = (results: readonly Result[]): Result[] => results.filter((one) => had.has(cellName(one)) && have.has(cellName(one)))
  const [was, is] = [common(before), common(after)]
  const [found, finds] = [summarize(was).findings, summarize(is).findings]
  const prints = new Set([...finds, ...found].map(({ fingerprint }) => fingerprint))
  return {
    findings: [...prints].map((print) => changeOf(print, found.find((one) => one.fingerprint === print), finds.find((one) => one.fingerprint === print), was, is)),
    onlyBefore: [...had].filter((cell) => !have.has(cell)),
    onlyAfter: [...have].filter((cell) => !had.has(cell)),
  }
}

function changeOf(fingerprint: string, found: FindingSummary | undefined, finds: FindingSummary | undefined, was: readonly Result[], is: readonly Result[]): FindingChange {
  const cells = new Set([...(found?.cells ?? []), ...(finds?.cells ?? [])])
  const tried = (results: readonly Result[]): number => results.filter((one) => one.verdict !== 'unknown' && cells.has(cellName(one))).length
  const before = { runs: found?.runs ?? 0, of: tried(was) }
  const after = { runs: finds?.runs ?? 0, of: tried(is) }
  const [past, present] = [wilson(before.runs, before.of), wilson(after.runs, after.of)]
  const apart = past.high < present.low || present.high < past.low
  const change = before.runs > 0 && after.runs > 0 ? 'still there' : !apart ? 'rare' : before.runs === 0 ? 'new' : 'resolved'
  const example = finds ?? found!
  return { fingerprint, change, before, after, explanation: example.explanation, repeat: example.smallest.repeat }
}

/** The comparison in lines for a terminal. */
export function renderCampaignComparison({ findings, onlyBefore, onlyAfter }: CampaignComparison): string {
  const lines = findings.flatMap(({ change, fingerprint, before, after, repeat }) => [`${change.padEnd(12)}${visible(fingerprint)}: in ${before.runs} of ${before.of} runs before, in ${after.runs} of ${after.of} now`, `            ${visible(repeat)}`])
  if (findings.length === 0) lines.push('Neither of them found anything that breaks a promise.')
  for (const [cells, side] of [[onlyBefore, 'before'], [onlyAfter, 'after']] as const) if (cells.length > 0) lines.push(`only ${side}: ${cells.map(visible).join('; ')}`)
  return `${lines.join('\n')}\n`
}
