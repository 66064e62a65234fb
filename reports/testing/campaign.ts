/**
 * Campaigns made up for tests: the numbers of each cell are given, and the rest of the summary is what the store would
 * make of runs with those numbers.
 */
import { cellName, RARE, type CampaignSummary, type CellCounts, type CellSummary, type FindingSummary } from '../campaign/summary.ts'
import { wilson } from '../wilson.ts'
import type { Result } from '../campaign/results.ts'

/** A cell: counts that are left out are none. */
export type FakeCell = Pick<CellCounts, 'configuration' | 'nemesis'> & Partial<CellCounts> & {
  /** What all its violated runs look like; by default, all violations under one nemesis look alike. */
  readonly fingerprint?: string
}

/** One run of a cell. */
export function fakeResult({ configuration, nemesis }: Pick<CellCounts, 'configuration' | 'nemesis'>, change: Partial<Result> = {}): Result {
  return { configuration, nemesis, seed: 1, verdict: 'holds', reason: null, sentence: 'All of 1000 operations fit.', strongest: 'regular', operations: 1000, majority: 1, minority: 0, p50_ms: 1, p99_ms: 9, elapsed_ms: 1200, findings: [], repeat: `npx splitbrain run --name '${configuration}' --nemesis '${nemesis}' --seed 1`, dir: null, ...change }
}

const countsOf = ({ configuration, nemesis, decided = 0, violated = 0, unknown = 0, pending = 0, stopped = false, impossible = null }: FakeCell): CellCounts => ({ configuration, nemesis, decided, violated, unknown, pending, stopped, impossible })

const fingerprintOf = ({ nemesis, fingerprint = `Not linearizable during ${nemesis}` }: FakeCell): string => fingerprint

function violatedRun(cell: FakeCell): Result {
  const fingerprint = fingerprintOf(cell)
  return fakeResult(cell, { verdict: 'violated', sentence: 'It is not linearizable.', findings: [{ judgement: 'linearizable', fingerprint, size: 3, explanation: `Three operations contradict each other: ${fingerprint}` }], dir: 'cells/1' })
}

function findingOf(fingerprint: string, cells: readonly FakeCell[]): FindingSummary {
  const mine = cells.filter((cell) => (cell.violated ?? 0) > 0 && fingerprintOf(cell) === fingerprint)
  const sum = (pick: (cell: FakeCell) => number | undefined): number => mine.reduce((total, cell) => total + (pick(cell) ?? 0), 0)
  const [runs, of] = [sum(({ violated }) => violated), sum(({ decided }) => decided)]
  const smallest = violatedRun(mine[0]!)
  return { fingerprint, judgement: 'linearizable', runs, of, cells: mine.map((cell) => ({ cell: cellName(cell), runs: cell.violated! })), rare: runs / of < RARE, smallest, explanation: smallest.findings[0]!.explanation }
}

/** The summary of a campaign with these cells. */
export function fakeSummary(cells: readonly FakeCell[]): CampaignSummary {
  const counts = cells.map(countsOf)
  const sum = (pick: (cell: CellCounts) => number): number => counts.reduce((total, cell) => total + pick(cell), 0)
  const unknown = counts.filter((cell) => cell.unknown > 0)
  const runs = sum((cell) => cell.decided + cell.unknown)
  return {
    configurations: [...new Set(cells.map(({ configuration }) => configuration))],
    nemeses: [...new Set(cells.map(({ nemesis }) => nemesis))],
    cells: cells.map((cell, index): CellSummary => ({ ...counts[index]!, interval: wilson(cell.violated ?? 0, cell.decided ?? 0), smallest: (cell.violated ?? 0) > 0 ? violatedRun(cell) : null })),
    findings: [...new Set(cells.filter(({ violated = 0 }) => violated > 0).map(fingerprintOf))].map((fingerprint) => findingOf(fingerprint, cells)),
    unknowns: unknown.length === 0 ? [] : [{ reason: 'vacuous: no fault bit', runs: sum((cell) => cell.unknown), cells: unknown.map(cellName), example: fakeResult(unknown[0]!, { verdict: 'unknown', reason: 'vacuous: no fault bit' }) }],
    slowest: counts.filter(({ decided }) => decided > 0).slice(0, 5).map((cell) => fakeResult(cell)),
    runs,
    violated: sum((cell) => cell.violated),
    unknown: sum((cell) => cell.unknown),
    elapsed_ms: runs * 1200,
  }
}
