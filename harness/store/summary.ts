/**
 * The queries behind everything that is shown of a campaign. Each walks an index, so that a campaign of a hundred
 * thousand runs is summed up in a fraction of a second: counts stand in the cells, and what is shown of runs is a few.
 */
import type { Model } from '../../checker/verdict.ts'
import type { Result, ResultFinding } from '../../reports/campaign/results.ts'
import { cellName, RARE, type CampaignSummary, type CellCounts, type CellSummary, type FindingSummary, type UnknownSummary } from '../../reports/campaign/summary.ts'
import { wilson } from '../../reports/wilson.ts'
import type { Database, Sql } from './database.ts'

/** How many of the slowest runs are shown. */
const SLOWEST = 5
/** How many findings and how many reasons are shown. */
const GROUPS = 200

interface CellRow extends CellCounts {
  readonly id: number
  readonly elapsed_ms: number
  readonly smallest: number | null
}

interface FindingRow {
  readonly fingerprint: string
  readonly cell_ids: number[]
  readonly counts: number[]
  readonly judgement: string
  readonly explanation: string
  readonly smallest: number
}

interface UnknownRow {
  readonly reason: string | null
  readonly runs: number
  readonly cell_ids: number[]
  readonly example: number
}

/** The queries, by name: each takes a campaign's number. A test looks at their plans. */
export const summaryQueries = {
  cells: (sql: Sql, campaign: number) => sql<CellRow[]>`
    select l.id, l.configuration, l.nemesis, l.decided, l.violated, l.unknown, l.elapsed_ms, l.stopped_at is not null as stopped, l.impossible,
      (select count(*) from splitbrain.assignments a join splitbrain.campaigns c on c.id = l.campaign_id and c.state = 'open' where a.cell_id = l.id) as pending,
      case when l.violated > 0 then (select f.run_id from splitbrain.findings f where f.cell_id = l.id order by f.size, f.operations, f.seed limit 1) end as smallest
    from splitbrain.cells l where l.campaign_id = ${campaign} order by l.position`,
  findings: (sql: Sql, campaign: number) => sql<FindingRow[]>`
    with counted as (select fingerprint, cell_id, count(*) as runs from splitbrain.findings where campaign_id = ${campaign} group by fingerprint, cell_id),
    grouped as (select fingerprint, array_agg(cell_id order by cell_id) as cell_ids, array_agg(runs::int order by cell_id) as counts, sum(runs) as total from counted group by fingerprint order by total desc, fingerprint limit ${GROUPS})
    select g.fingerprint, g.cell_ids, g.counts, s.judgement, s.explanation, s.run_id as smallest from grouped g
    cross join lateral (select judgement, explanation, run_id from splitbrain.findings f where f.campaign_id = ${campaign} and f.fingerprint = g.fingerprint order by f.size, f.operations, f.seed, f.cell_id limit 1) s
    order by g.total desc, g.fingerprint`,
  unknowns: (sql: Sql, campaign: number) => sql<UnknownRow[]>`
    with counted as (select reason, cell_id, count(*) as runs, min(seed) as seed from splitbrain.runs where campaign_id = ${campaign} and verdict = 'unknown' group by reason, cell_id),
    grouped as (select reason, array_agg(cell_id order by cell_id) as cell_ids, sum(runs)::bigint as runs, (array_agg(seed order by cell_id))[1] as seed from counted group by reason order by runs desc, reason limit ${GROUPS})
    select g.reason, g.cell_ids, g.runs, r.id as example from grouped g join splitbrain.runs r on r.cell_id = g.cell_ids[1] and r.seed = g.seed order by g.runs desc, g.reason`,
  slowest: (sql: Sql, campaign: number) => sql<{ id: number }[]>`
    select id from splitbrain.runs where campaign_id = ${campaign} order by elapsed_ms desc, cell_id, seed limit ${SLOWEST}`,
  trend: (sql: Sql, campaign: number) => sql<{ id: number; started: Date; runs: number; violated: number; unknown: number }[]>`
    select c.id, c.created_at as started, t.runs, t.violated, t.unknown from splitbrain.campaigns me join splitbrain.campaigns c on c.name = me.name and c.id <= me.id
    cross join lateral (select coalesce(sum(decided + unknown), 0)::bigint as runs, coalesce(sum(violated), 0)::bigint as violated, coalesce(sum(unknown), 0)::bigint as unknown from splitbrain.cells where campaign_id = c.id) t
    where me.id = ${campaign} order by c.created_at desc, c.id desc limit 50`,
} as const

/** Sums a campaign up. */
export async function summarize(database: Database, campaign: number): Promise<CampaignSummary> {
  const cells = await database.run((sql) => summaryQueries.cells(sql, campaign))
  const findings = await database.run((sql) => summaryQueries.findings(sql, campaign))
  const unknowns = await database.run((sql) => summaryQueries.unknowns(sql, campaign))
  const slowest = await database.run((sql) => summaryQueries.slowest(sql, campaign))
  const shown = await resultsOf(database, [...cells.flatMap(({ smallest }) => smallest ?? []), ...findings.map((one) => one.smallest), ...unknowns.map(({ example }) => example), ...slowest.map(({ id }) => id)])
  const cellOf = new Map(cells.map((cell) => [cell.id, cell]))
  const sum = (pick: (cell: CellRow) => number): number => cells.reduce((total, cell) => total + pick(cell), 0)
  return {
    configurations: [...new Set(cells.map(({ configuration }) => configuration))],
    nemeses: [...new Set(cells.map(({ nemesis }) => nemesis))],
    cells: cells.map((cell) => cellSummary(cell, shown)),
    findings: findings.map((one) => findingSummary(one, cellOf, shown)),
    unknowns: unknowns.map((one): UnknownSummary => ({ reason: one.reason ?? '', runs: one.runs, cells: one.cell_ids.map((id) => cellName(cellOf.get(id)!)), example: shown.get(one.example)! })),
    slowest: slowest.map(({ id }) => shown.get(id)!),
    runs: sum((cell) => cell.decided + cell.unknown),
    violated: sum((cell) => cell.violated),
    unknown: sum((cell) => cell.unknown),
    elapsed_ms: sum((cell) => cell.elapsed_ms),
  }
}

function cellSummary(cell: CellRow, shown: ReadonlyMap<number, Result>): CellSummary {
  const { configuration, nemesis, decided, violated, unknown, pending, stopped, impossible, smallest } = cell
  return { configuration, nemesis, decided, violated, unknown, pending, stopped, impossible, interval: wilson(violated, decided), smallest: smallest === null ? null : shown.get(smallest)! }
}

function findingSummary({ fingerprint, judgement, explanation, cell_ids, counts, smallest }: FindingRow, cellOf: ReadonlyMap<number, CellRow>, shown: ReadonlyMap<number, Result>): FindingSummary {
  const runs = counts.reduce((sum, one) => sum + one, 0)
  const of = cell_ids.reduce((sum, id) => sum + cellOf.get(id)!.decided, 0)
  return { fingerprint, judgement, runs, of, cells: cell_ids.map((id, index) => ({ cell: cellName(cellOf.get(id)!), runs: counts[index]! })), rare: runs / of < RARE, smallest: shown.get(smallest)!, explanation }
}

interface RunRow extends Omit<Result, 'findings' | 'dir' | 'strongest'> {
  readonly id: number
  readonly strongest: string | null
  readonly findings: ResultFinding[]
}

/** Runs by their numbers, as people see them. Numbers that are no runs are left out. */
async function resultsOf(database: Database, ids: readonly number[]): Promise<Map<number, Result>> {
  const rows = await database.run((sql) => sql<RunRow[]>`
    select r.id, l.configuration, l.nemesis, r.seed, r.verdict, r.reason, r.sentence, r.strongest, r.operations, r.majority, r.minority, r.p50_ms, r.p99_ms, r.elapsed_ms, r.repeat,
      coalesce((select json_agg(json_build_object('judgement', f.judgement, 'fingerprint', f.fingerprint, 'size', f.size, 'explanation', f.explanation) order by f.size, f.fingerprint) from splitbrain.findings f where f.run_id = r.id), '[]') as findings
    from splitbrain.runs r join splitbrain.cells l on l.id = r.cell_id where r.id = any(${[...new Set(ids)]}::bigint[])`)
  return new Map(rows.map(({ id, strongest, ...row }) => [id, { ...row, strongest: strongest as Model | null, dir: null }]))
}
