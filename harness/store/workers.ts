/** Machines and workers as the store knows them: who is there, what it is, what it does. */
import { createHash } from 'node:crypto'
import os from 'node:os'
import { thisMachine } from '../machine.ts'
import type { Database } from './database.ts'
import type { Queue } from './queue.ts'

/** A worker that was silent for so long counts as dead. */
export const SILENCE_S = 30

/** A worker that is there. */
export interface NewWorker {
  readonly id: string
  readonly environmentId: number
  readonly pid: number
  /** Runs at once. */
  readonly concurrency: number
}

/** A worker as others see it. */
export interface WorkerRow {
  readonly host: string
  readonly pid: number
  readonly concurrency: number
  /** Runs that go on: campaign/cell/seed. */
  readonly doing: readonly string[]
  /** Seconds since its last sign of life. */
  readonly silentS: number
}

/** The row of this machine. */
export async function machineId(database: Database): Promise<number> {
  const machine = { host: os.hostname(), ...thisMachine() }
  const fingerprint = createHash('sha256').update(JSON.stringify(machine)).digest('hex')
  const find = () => database.run((sql) => sql<{ id: number }[]>`select id from splitbrain.environments where fingerprint = ${fingerprint}`)
  await database.run((sql) => sql`insert into splitbrain.environments ${sql({ fingerprint, ...machine })} on conflict do nothing`)
  return (await find())[0]!.id
}

/** Notes that a worker is there. */
export async function signIn(database: Database, { id, environmentId, pid, concurrency }: NewWorker): Promise<void> {
  await database.run((sql) => sql`insert into splitbrain.workers ${sql({ id, environment_id: environmentId, pid, concurrency })} on conflict do nothing`)
}

/** A sign of life, with what it does. */
export async function sign(database: Database, id: string, doing: readonly string[]): Promise<void> {
  await database.run((sql) => sql`update splitbrain.workers set seen_at = now(), left_at = null, doing = ${[...doing]} where id = ${id}`)
}

/** Notes that a worker left of its own accord. */
export async function signOff(database: Database, id: string): Promise<void> {
  await database.run((sql) => sql`update splitbrain.workers set left_at = now(), doing = '{}' where id = ${id}`)
}

/**
 * Gives back what dead workers were doing: at once what they had signed for, the rest when its lease runs out. One that
 * was only cut off goes on, and if it still records its run first, that is the one that counts.
 */
export async function buryWorkers(database: Database, queue: Queue): Promise<void> {
  await database.transaction(async (tx) => {
    const dead = await tx<{ id: string; doing: string[] }[]>`select id, doing from splitbrain.workers where left_at is null and seen_at < now() - ${SILENCE_S} * interval '1 second' for update skip locked`
    if (dead.length === 0) return
    await tx`update splitbrain.workers set left_at = now() where id in ${tx(dead.map(({ id }) => id))}`
    const jobs = await tx<{ id: string; queue: string }[]>`select id, name as queue from splitbrain_jobs.job where state = 'active' and concat_ws('/', data ->> 'campaign', data ->> 'cell', data ->> 'seed') in ${tx(['', ...dead.flatMap(({ doing }) => doing)])}`
    for (const job of jobs) await queue.release(job, 'its worker died', tx)
  })
  await queue.maintain()
}

/** Workers that are there, the most recently seen first. */
export async function presentWorkers(database: Database): Promise<WorkerRow[]> {
  const rows = await database.run((sql) => sql<{ host: string; pid: number; concurrency: number; doing: string[]; silent: number }[]>`
    select e.host, w.pid, w.concurrency, w.doing, extract(epoch from now() - w.seen_at)::float8 as silent
    from splitbrain.workers w join splitbrain.environments e on e.id = w.environment_id where w.left_at is null and w.seen_at > now() - ${SILENCE_S} * interval '1 second' order by w.seen_at desc limit 100`)
  return rows.map(({ silent, ...row }) => ({ ...row, silentS: silent }))
}
