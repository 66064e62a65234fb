/** Machines and workers as the store knows them: who is there, what it is, what it does. */
import { createHash } from 'node:crypto'
import os from 'node:os'
import { thisMachine } from '../machine.ts'
import type { Database } from './database.ts'

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
  await database.run((sql) => sql`update splitbrain.workers set seen_at = now(), doing = ${[...doing]} where id = ${id}`)
}

/** Notes that a worker left of its own accord. */
export async function signOff(database: Database, id: string): Promise<void> {
  await database.run((sql) => sql`update splitbrain.workers set left_at = now(), doing = '{}' where id = ${id}`)
}

/** Workers that have not left, the most recently seen first. */
export async function presentWorkers(database: Database, silenceS: number): Promise<WorkerRow[]> {
  const rows = await database.run((sql) => sql<{ host: string; pid: number; concurrency: number; doing: string[]; silent: number }[]>`
    select e.host, w.pid, w.concurrency, w.doing, extract(epoch from now() - w.seen_at)::float8 as silent
    from splitbrain.workers w join splitbrain.environments e on e.id = w.environment_id where w.left_at is null and w.seen_at > now() - ${silenceS} * interval '1 second' order by w.seen_at desc limit 100`)
  return rows.map(({ silent, ...row }) => ({ ...row, silentS: silent }))
}
