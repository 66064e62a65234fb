/**
 * A campaign in numbers: the matrix of configurations and faults, findings grouped by what they look like, runs of
 * which nothing is known, and the slowest. Computed from the lines of `results.jsonl` alone.
 */
import { wilson, type Interval } from '../wilson.ts'
import type { Result } from './results.ts'

/** One configuration under one nemesis. */
export interface CellSummary {
  readonly configuration: string
  readonly nemesis: string
  /** Runs with a verdict: holds or violated. */
  readonly decided: number
  readonly violated: number
  readonly unknown: number
  /** Of violated / decided. */
  readonly interval: Interval
  /** The failing run with the smallest witness. */
  readonly smallest: Result | null
}

/** Violations that look alike. */
export interface FindingSummary {
  readonly fingerprint: string
  readonly judgement: string
  readonly runs: number
  /** Runs of the cells in which it was seen. */
  readonly of: number
  readonly cells: readonly string[]
  /** Fewer than one in twenty. */
  readonly rare: boolean
  readonly smallest: Result
  readonly explanation: string
}

/** Runs of which nothing is known, by reason. */
export interface UnknownSummary {
  readonly reason: string
  readonly runs: number
  readonly cells: readonly string[]
  readonly example: Result
}

/** The whole campaign. */
export interface CampaignSummary {
  readonly configurations: readonly string[]
  readonly nemeses: readonly string[]
  readonly cells: readonly CellSummary[]
  readonly findings: readonly FindingSummary[]
  readonly unknowns: readonly UnknownSummary[]
  readonly slowest: readonly Result[]
  readonly runs: number
  readonly violated: number
  readonly unknown: number
  readonly elapsed_ms: number
}

const RARE = 0.05
const SLOWEST = 5

/** The name of a cell. */
export const cellName = ({ configuration, nemesis }: Pick<Result, 'configuration' | 'nemesis'>): string => `${configuration} · ${nemesis}`

/** Everything that is shown of these runs. */
export function summarize(results: readonly Result[]): CampaignSummary {
  const cells = [...grouped(results, cellName).values()].map(cellSummary)
  return {
    configurations: unique(results.map(({ configuration }) => configuration)),
    nemeses: unique(results.map(({ nemesis }) => nemesis)),
    cells,
    findings: findingsOf(results),
    unknowns: [...grouped(results.filter(({ verdict }) => verdict === 'unknown'), ({ reason }) => reason ?? '').entries()].map(([reason, runs]) => ({ reason, runs: runs.length, cells: unique(runs.map(cellName)), example: runs[0]! })).sort((a, b) => b.runs - a.runs),
    slowest: results.toSorted((a, b) => b.elapsed_ms - a.elapsed_ms).slice(0, SLOWEST),
    runs: results.length,
    violated: results.filter(({ verdict }) => verdict === 'violated').length,
    unknown: results.filter(({ verdict }) => verdict === 'unknown').length,
    elapsed_ms: results.reduce((sum, { elapsed_ms }) => sum + elapsed_ms, 0),
  }
}

function cellSummary(runs: readonly Result[]): CellSummary {
  const { configuration, nemesis } = runs[0]!
  const violated = runs.filter(({ verdict }) => verdict === 'violated')
  const decided = runs.filter(({ verdict }) => verdict !== 'unknown').length
  return { configuration, nemesis, decided, violated: violated.length, unknown: runs.length - decided, interval: wilson(violated.length, decided), smallest: smallestOf(violated) }
}

/** The failing run whose smallest witness is smallest; then the one with the fewest operations. */
function smallestOf(runs: readonly Result[], fingerprint?: string): Result | null {
  const size = (run: Result): number => Math.min(...run.findings.filter((one) => fingerprint === undefined || one.fingerprint === fingerprint).map((one) => one.size))
  return runs.toSorted((a, b) => size(a) - size(b) || a.operations - b.operations || a.seed - b.seed)[0] ?? null
}

function findingsOf(results: readonly Result[]): FindingSummary[] {
  const runsOf = grouped(results.filter(({ verdict }) => verdict !== 'unknown'), cellName)
  const byPrint = new Map<string, Result[]>()
  for (const run of results) {
    for (const print of unique(run.findings.map(({ fingerprint }) => fingerprint))) byPrint.set(print, [...(byPrint.get(print) ?? []), run])
  }
  return [...byPrint].map(([fingerprint, runs]): FindingSummary => {
    const smallest = smallestOf(runs, fingerprint)!
    const finding = smallest.findings.find((one) => one.fingerprint === fingerprint)!
    const cells = unique(runs.map(cellName))
    const of = cells.reduce((sum, cell) => sum + (runsOf.get(cell)?.length ?? 0), 0)
    return { fingerprint, judgement: finding.judgement, runs: runs.length, of, cells, rare: runs.length / of < RARE, smallest, explanation: finding.explanation }
  }).sort((a, b) => b.runs - a.runs)
}

function grouped<T>(list: readonly T[], by: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const one of list) groups.set(by(one), [...(groups.get(by(one)) ?? []), one])
  return groups
}

const unique = <T>(list: readonly T[]): T[] => [...new Set(list)]
