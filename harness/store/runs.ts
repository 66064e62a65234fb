/** Records what a run came to, exactly once for each seed of a cell, whoever carried it out and however often. */
import type { RunRecord } from '../../reports/campaign/results.ts'
import { narrowEnough, type Until } from '../campaign/choose.ts'
import type { Plan } from '../plan.ts'
import type { Database, Transaction } from './database.ts'
import type { Queue, TakenJob } from './queue.ts'

/** A file that was kept of a run. */
export interface ArtifactRow {
  /** Its path in the run's folder. */
  readonly name: string
  readonly sha256: string
  readonly bytes: number
  readonly stored_bytes: number
  readonly place: string
}

/** A run and all that is kept of it. */
export interface RecordedRun {
  readonly job: TakenJob
  readonly record: RunRecord
  /** null when it could not even be planned. */
  readonly plan: Plan | null
  readonly artifacts: readonly ArtifactRow[]
  readonly workerId: string
  readonly environmentId: number
  readonly version: string
  readonly commit: string | null
  readonly startedAt: Date
}

/** How a campaign decides that enough is known of a cell; null: all seeds are wanted. */
interface Rule {
  readonly until: Until | null
  readonly failFast: boolean
}

/** Records a run and completes its job. Resolves to whether it was the first to be recorded. */
export function recordRun(database: Database, queue: Queue, recorded: RecordedRun): Promise<boolean> {
  const run: RecordedRun = { ...recorded, record: storable(recorded.record), plan: storable(recorded.plan) }
  return database.transaction(async (tx) => {
    const { job } = run
    // Locks the cell: what is decided below depends on all of its runs.
    const [cell] = await tx<{ stopped_at: number | null }[]>`select stopped_at from splitbrain.cells where id = ${job.cell} for update`
    const surplus = cell === undefined || (cell.stopped_at !== null && job.seed >= cell.stopped_at)
    const id = surplus ? undefined : await insertRun(tx, run)
    if (id !== undefined) {
      await Promise.all([insertDetails(tx, id, run), insertArtifacts(tx, id, run)])
      await count(tx, run)
    }
    await forget(tx, queue, job)
    return id !== undefined
  })
}

/** Drops a job that is no longer wanted: its campaign ended or was paused, its cell is known well enough, or the run is recorded. Its seed may be handed out again. */
export function dropJob(database: Database, queue: Queue, job: TakenJob): Promise<void> {
  return database.transaction(async (tx) => {
    await tx`update splitbrain.cells set next_seed = least(next_seed, ${job.seed}) where id = ${job.cell}`
    await forget(tx, queue, job)
  })
}

/** PostgreSQL's text holds no NUL and no half of a surrogate pair, which nodes' words may: they become U+FFFD. */
function storable<T>(value: T): T {
  if (typeof value === 'string') return Buffer.from(value).toString().replaceAll('\0', '\uFFFD') as T
  if (Array.isArray(value)) return value.map(storable) as T
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([name, one]) => [storable(name), storable(one)])) as T
  return value
}

/** Whether a job's run is still wanted: nobody recorded it, and it would end within its campaign's budget. */
export async function isWanted(database: Database, { campaign, cell, seed }: TakenJob): Promise<boolean> {
  const [row] = await database.run((sql) => sql<{ wanted: boolean }[]>`
    select c.state = 'open' and (l.stopped_at is null or ${seed} < l.stopped_at)
      and (c.deadline is null or now() + l.expected_ms * interval '1 millisecond' <= c.deadline)
      and not exists (select from splitbrain.runs r where r.cell_id = l.id and r.seed = ${seed}) as wanted
    from splitbrain.cells l join splitbrain.campaigns c on c.id = l.campaign_id where c.id = ${campaign} and l.id = ${cell}`)
  return row?.wanted ?? false
}

async function forget(tx: Transaction, queue: Queue, job: TakenJob): Promise<void> {
  await tx`delete from splitbrain.assignments where cell_id = ${job.cell} and seed = ${job.seed} and job_id = ${job.id}`
  await queue.complete(job, tx)
}

async function insertRun(tx: Transaction, { job, record, plan, workerId, environmentId, version, commit, startedAt }: RecordedRun): Promise<number | undefined> {
  const [row] = await tx<{ id: number }[]>`
    insert into splitbrain.runs ${tx({
      campaign_id: job.campaign,
      cell_id: job.cell,
      seed: job.seed,
      verdict: record.verdict,
      reason: record.reason,
      failed: record.failed,
      vacuous: record.vacuous,
      sentence: record.sentence,
      strongest: record.strongest,
      operations: record.operations,
      majority: record.majority,
      minority: record.minority,
      p50_ms: record.p50_ms,
      p99_ms: record.p99_ms,
      repeat: record.repeat,
      plan: plan === null ? null : JSON.stringify(plan),
      elapsed_ms: Math.round(record.elapsed_ms),
      attempt: job.retries + 1,
      worker_id: workerId,
      environment_id: environmentId,
      version,
      commit,
      started_at: startedAt,
    })} on conflict (cell_id, seed) do nothing returning id`
  return row?.id
}

async function insertDetails(tx: Transaction, id: number, { job, record }: RecordedRun): Promise<void> {
  const { findings, judgements, windows } = record
  if (judgements.length > 0) await tx`insert into splitbrain.judgements ${tx(judgements.map((one) => ({ run_id: id, ...one })))}`
  if (windows.length > 0) await tx`insert into splitbrain.windows ${tx(windows.map((one, position) => ({ run_id: id, position, ...one, targets: [...one.targets] })))}`
  if (findings.length > 0) await tx`insert into splitbrain.findings ${tx(findings.map((one) => ({ run_id: id, campaign_id: job.campaign, cell_id: job.cell, operations: record.operations, seed: job.seed, ...one, witness: one.witness === null ? null : JSON.stringify(one.witness) })))} on conflict do nothing`
}

async function insertArtifacts(tx: Transaction, id: number, { artifacts }: RecordedRun): Promise<void> {
  if (artifacts.length > 0) await tx`insert into splitbrain.artifacts ${tx(artifacts.map((one) => ({ run_id: id, ...one })))}`
}

/** Keeps the cell's counts, ends a cell of which enough is known, and the campaign at the first violation when it asked for that. */
async function count(tx: Transaction, { job, record }: RecordedRun): Promise<void> {
  const unknown = record.verdict === 'unknown' ? 1 : 0
  const violated = record.verdict === 'violated' ? 1 : 0
  const elapsed = Math.round(record.elapsed_ms)
  await tx`
    update splitbrain.cells set decided = decided + ${1 - unknown}, violated = violated + ${violated}, unknown = unknown + ${unknown}, elapsed_ms = elapsed_ms + ${elapsed},
      expected_ms = case when decided + unknown = 0 then ${elapsed} * 5 / 4 else greatest(expected_ms, ${elapsed} * 5 / 4) end
    where id = ${job.cell}`
  const { until, failFast } = await ruleOf(tx, job.campaign)
  if (until !== null) await judgePrefix(tx, job.cell, until)
  if (failFast && violated === 1) await tx`update splitbrain.campaigns set state = 'finished', cut = 'fail-fast', ended_at = now() where id = ${job.campaign} and state = 'open'`
}

async function ruleOf(tx: Transaction, campaign: number): Promise<Rule> {
  const [row] = await tx<{ until_confidence: number | null; until_width: number | null; fail_fast: boolean }[]>`select until_confidence, until_width, fail_fast from splitbrain.campaigns where id = ${campaign}`
  const { until_confidence: confidence, until_width: width, fail_fast: failFast } = row!
  return { until: confidence === null || width === null ? null : { confidence, width }, failFast }
}

/**
 * Where a cell ends depends on its runs in the order of their seeds, not on the order in which they ended: so the
 * same seeds count whatever was interrupted and however many workers there were.
 */
async function judgePrefix(tx: Transaction, cell: number, until: Until): Promise<void> {
  const [state] = await tx<{ judged_to: number; judged_decided: number; judged_violated: number; stopped_at: number | null }[]>`select judged_to, judged_decided, judged_violated, stopped_at from splitbrain.cells where id = ${cell}`
  if (state!.stopped_at !== null) return
  let { judged_to: to, judged_decided: decided, judged_violated: violated } = state!
  let stop: number | null = null
  const runs = await tx<{ seed: number; verdict: string }[]>`select seed, verdict from splitbrain.runs where cell_id = ${cell} and seed >= ${to} order by seed`
  for (const { seed, verdict } of runs) {
    if (seed !== to || stop !== null) break
    to++
    if (verdict !== 'unknown') decided++
    if (verdict === 'violated') violated++
    if (narrowEnough(violated, decided, until)) stop = to
  }
  await tx`update splitbrain.cells set judged_to = ${to}, judged_decided = ${decided}, judged_violated = ${violated}, stopped_at = ${stop} where id = ${cell}`
  if (stop === null) return
  await tx`delete from splitbrain.runs where cell_id = ${cell} and seed >= ${stop}`
  await tx`update splitbrain.cells set decided = judged_decided, violated = judged_violated, (unknown, elapsed_ms) = (select count(*) filter (where verdict = 'unknown'), sum(elapsed_ms) from splitbrain.runs where cell_id = ${cell}) where id = ${cell}`
}
