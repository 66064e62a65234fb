/**
 * The queue of runs: pg-boss on the campaign store's own connection. A job is one seed of one cell. Each class of
 * machines (`classes`) has a queue of its own, so that a worker takes only what it can carry out. A job whose worker
 * died comes back when its lease runs out, if not before (`workers.ts`); whoever records it second finds it recorded.
 */
import PgBoss from 'pg-boss'
import { z } from 'zod'
import type { Database, Sql, Transaction } from './database.ts'
import { isAway } from './errors.ts'

/** What a job says. */
export const jobSchema = z.strictObject({ campaign: z.int(), cell: z.int(), seed: z.int() })
export type RunJob = z.infer<typeof jobSchema>

/** A job that was taken. */
export interface TakenJob extends RunJob {
  readonly id: string
  readonly queue: string
  /** How often it was taken before. */
  readonly retries: number
}

/** A job to be handed out. */
export interface NewJob extends RunJob {
  readonly id: string
  readonly queue: string
  /** Higher ones are taken first. */
  readonly priority: number
  /** Seconds after which its worker counts as dead. */
  readonly leaseSeconds: number
}

/** The queue of a store. */
export interface Queue {
  /** Makes a class's queue unless it is there. Takes the right to make tables. */
  create(queue: string): Promise<void>
  insert(jobs: readonly NewJob[], tx: Transaction): Promise<void>
  /** At most `count` jobs, the most important first. */
  take(queue: string, count: number): Promise<TakenJob[]>
  complete(job: TakenJob, tx: Transaction): Promise<void>
  /** Gives a job back to be taken again. */
  release(job: Pick<TakenJob, 'id' | 'queue'>, reason: string, tx?: Transaction): Promise<void>
  /** Removes a queue and all that is in it. Takes the right to make tables. */
  destroy(queue: string): Promise<void>
  /** Gives jobs back whose leases ran out, and forgets old ones. */
  maintain(): Promise<void>
}

export const QUEUE_SCHEMA = 'splitbrain_jobs'
/** Deaths of workers are not the job's fault: it is taken again until somebody records it. */
const RETRIES = 10_000

/** The name of a class's queue. */
export const queueOf = (classId: number): string => `class-${classId}`

/** Opens the queue; `migrates` makes or updates its tables. */
export async function openQueue(database: Database, migrates: boolean): Promise<Queue> {
  const boss = new PgBoss({ db: adapter((work) => database.run(work)), schema: QUEUE_SCHEMA, supervise: false, schedule: false, migrate: migrates })
  // Every answer reaches us through its call; what is emitted besides would end the process when nobody listened.
  boss.on('error', () => undefined)
  await boss.start()
  return {
    create: (queue) => boss.createQueue(queue),
    async insert(jobs, tx) {
      const rows = jobs.map(({ id, queue, priority, leaseSeconds, campaign, cell, seed }) => ({ id, name: queue, priority, expireInSeconds: leaseSeconds, retryLimit: RETRIES, data: { campaign, cell, seed } }))
      await boss.insert(rows, { db: within(tx) })
    },
    async take(queue, count) {
      // pg-boss takes an error for an empty queue, and would have a worker without rights wait forever.
      let refused: Error | undefined
      const db = adapter((work) => database.run(work).catch((error: Error) => {
        refused = error
        throw error
      }))
      const jobs = await boss.fetch<RunJob>(queue, { batchSize: count, includeMetadata: true, db })
      if (refused !== undefined) throw refused
      return jobs.map(({ id, retryCount, data }) => ({ ...jobSchema.parse(data), id, queue, retries: retryCount }))
    },
    complete: (job, tx) => boss.complete(job.queue, job.id, {}, { db: within(tx) }),
    release: ({ queue, id }, reason, tx) => boss.fail(queue, id, { reason }, tx === undefined ? {} : { db: within(tx) }),
    async destroy(queue) {
      // pg-boss removes no queue that holds jobs, not even done ones.
      await database.run((sql) => sql`delete from splitbrain_jobs.job where name = ${queue}`)
      await boss.deleteQueue(queue)
    },
    maintain: () => boss.maintain(),
  }
}

/** pg-boss's view of a database. */
function adapter(run: <T>(work: (sql: Sql) => Promise<T>) => Promise<T>): PgBoss.Db {
  return { executeSql: (text, values) => run(async (sql) => ({ rows: values === undefined ? await script(sql, text) : await statement(sql, text, values) })) }
}

const within = (tx: Transaction): PgBoss.Db => adapter((work) => work(tx as unknown as Sql))

/** One statement. `undefined` is what pg-boss says for null. */
async function statement(sql: Sql, text: string, values: readonly unknown[]): Promise<unknown[]> {
  return sql.unsafe(text, values.map((value) => (value === undefined ? null : value)) as never[])
}

/** Several statements, a transaction among them: they need a connection to themselves, which is left as it was found unless it is lost. */
async function script(sql: Sql, text: string): Promise<unknown[]> {
  const connection = await sql.reserve()
  try {
    const rows = await connection.unsafe(text)
    connection.release()
    return rows
  } catch (error) {
    if (isAway(error)) throw error
    await connection`rollback`
    connection.release()
    throw error
  }
}
