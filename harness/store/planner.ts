/**
 * Hands out runs: whoever has time (every worker does this) fills the queue with the runs that teach most, a few ahead
 * of the workers and no more, so that what was just learned decides what comes next. One at a time for each campaign.
 */
import { randomUUID } from 'node:crypto'
import { chooseCell, type CellState } from '../campaign/choose.ts'
import { STOP_MS } from '../campaign/task.ts'
import type { Database, Transaction } from './database.ts'
import { queueOf, type NewJob, type Queue } from './queue.ts'
import { SILENCE_S } from './workers.ts'

/** Runs that wait or go on for each run that can go on at once. */
const AHEAD = 3
const AHEAD_MIN = 16
/** What a job's lease is longer than the longest run: until that is stopped, and recorded. */
const LEASE_SLACK_MS = STOP_MS + 15_000

interface CellRow {
  readonly id: number
  readonly class_id: number
  readonly limit_ms: number
  readonly expected_ms: number
  readonly next_seed: number
  readonly decided: number
  readonly violated: number
  readonly unknown: number
  readonly pending: number
  readonly stopped_at: number | null
}

/** Fills a campaign's queue, or ends the campaign when nothing is left to do. Does nothing while somebody else does it. */
export function fillQueue(database: Database, queue: Queue, campaign: number): Promise<void> {
  return database.transaction(async (tx) => {
    const [lock] = await tx<{ mine: boolean }[]>`select pg_try_advisory_xact_lock(${campaign}) as mine`
    if (!lock!.mine) return
    const [row] = await tx<{ seeds: number | null; left_ms: number | null }[]>`select seeds, (extract(epoch from deadline - now()) * 1000)::float8 as left_ms from splitbrain.campaigns where id = ${campaign} and state = 'open'`
    if (row === undefined) return
    const cells = await cellsOf(tx, campaign)
    const pending = cells.reduce((sum, one) => sum + one.pending, 0)
    const wanted = await backlog(tx)
    // It is filled when half of it is gone: filling costs as much for one run as for many.
    if (pending > wanted / 2) return
    const seeds = row.seeds ?? Infinity
    const leftMs = row.left_ms ?? Infinity
    const chosen = choose(cells, leftMs, seeds, wanted - pending)
    if (chosen.length > 0) return handOut(tx, queue, campaign, cells, chosen)
    if (pending > 0) return
    const cut = cells.some((cell) => cell.stopped_at === null && cell.decided + cell.unknown < seeds) ? 'budget' : null
    await tx`update splitbrain.campaigns set state = 'finished', cut = ${cut}, ended_at = now() where id = ${campaign}`
  })
}

function cellsOf(tx: Transaction, campaign: number): Promise<readonly CellRow[]> {
  return tx<CellRow[]>`
    select id, class_id, limit_ms, expected_ms, next_seed, decided, violated, unknown, stopped_at,
      (select count(*) from splitbrain.assignments a where a.cell_id = l.id) as pending
    from splitbrain.cells l where campaign_id = ${campaign} and impossible is null order by position`
}

async function backlog(tx: Transaction): Promise<number> {
  const [row] = await tx<{ slots: number }[]>`select coalesce(sum(concurrency), 0)::bigint as slots from splitbrain.workers where left_at is null and seen_at > now() - ${SILENCE_S} * interval '1 second'`
  return Math.max(AHEAD_MIN, AHEAD * row!.slots)
}

/** Which cells the next runs are of, the most important first, and what each is worth. */
function choose(cells: readonly CellRow[], leftMs: number, seeds: number, count: number): { readonly index: number; readonly worth: number }[] {
  const states = cells.map((cell): CellState & { pending: number } => ({ decided: cell.decided, violated: cell.violated, unknown: cell.unknown, pending: cell.pending, expectedMs: cell.expected_ms, stopped: cell.stopped_at !== null }))
  const chosen: { index: number; worth: number }[] = []
  while (chosen.length < count) {
    const next = chooseCell(states, leftMs, seeds)
    if (next === undefined) break
    states[next.index]!.pending++
    chosen.push(next)
  }
  return chosen
}

async function handOut(tx: Transaction, queue: Queue, campaign: number, cells: readonly CellRow[], chosen: readonly { readonly index: number; readonly worth: number }[]): Promise<void> {
  const jobs: NewJob[] = []
  for (const index of new Set(chosen.map((one) => one.index))) {
    const cell = cells[index]!
    const worths = chosen.filter((one) => one.index === index).map(({ worth }) => worth)
    const seeds = await freeSeeds(tx, cell, worths.length)
    jobs.push(...seeds.map((seed, at) => ({ id: randomUUID(), queue: queueOf(cell.class_id), priority: Math.round(1e6 * worths[at]!), leaseSeconds: Math.ceil((cell.limit_ms + LEASE_SLACK_MS) / 1000), campaign, cell: cell.id, seed })))
    await tx`update splitbrain.cells set next_seed = ${seeds.at(-1)! + 1} where id = ${cell.id}`
  }
  await tx`insert into splitbrain.assignments ${tx(jobs.map(({ cell, seed, id }) => ({ cell_id: cell, seed, job_id: id })))}`
  await queue.insert(jobs, tx)
}

/** The first seeds that were neither handed out nor recorded. */
async function freeSeeds(tx: Transaction, { id, next_seed: from }: CellRow, count: number): Promise<number[]> {
  const rows = await tx<{ seed: number }[]>`
    with taken as (select seed from splitbrain.runs where cell_id = ${id} and seed >= ${from} union all select seed from splitbrain.assignments where cell_id = ${id} and seed >= ${from})
    select s.seed from generate_series(${from}::int, ${from}::int + ${count} - 1 + (select count(*)::int from taken)) s(seed) where s.seed not in (select seed from taken) order by s.seed limit ${count}`
  return rows.map(({ seed }) => seed)
}
