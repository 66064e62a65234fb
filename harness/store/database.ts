/**
 * The campaign store's connection: porsager's client to the server that the user named or to the embedded one. A
 * server that goes away while a campaign goes on is waited for, with a clear line; every piece of work that is handed
 * to `run` or `transaction` may therefore be carried out twice and must say the same the second time.
 */
import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import type { Clock } from '../env.ts'
import { sleep } from '../clock.ts'
import { UsageError } from '../usage-error.ts'
import { EMBEDDED_USER, embeddedDir, runningServer, startEmbedded, stopEmbedded, type EmbeddedServer } from './embedded.ts'
import { DatabaseError, isAway, isConflict, sentenceOf } from './errors.ts'
import { migrate, refuseOtherSchema } from './migrate.ts'
import { transact } from './transact.ts'

export type Sql = postgres.Sql<{ bigint: number }>
/** Inside a transaction. */
export type Transaction = postgres.TransactionSql<{ bigint: number }>

/** How a database is opened. */
export interface DatabaseOptions {
  /** postgres://user:password@host:port/name; undefined: the embedded one. */
  readonly url: string | undefined
  readonly clock: Clock
  /** Hears when the database went away and when it is back. */
  readonly tell: (line: string) => void
  /** Whether tables may be made or brought up to date: not for those who only read, nor for workers, whose role need not have the right. */
  readonly migrates: boolean
  /** Connections at most. */
  readonly connections?: number
}

/** An open database. */
export interface Database {
  /** The server's address, without the password. */
  readonly where: string
  readonly embedded: boolean
  /** Carries out work that may be repeated, waiting while the server is away. Rejects with DatabaseError. */
  run<T>(work: (sql: Sql) => Promise<T>): Promise<T>
  /** The same in one transaction. */
  transaction<T>(work: (sql: Transaction) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** PostgreSQL 13 is the oldest that the job queue takes. */
const OLDEST = 130_000
const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 2_000
const CONNECT_SECONDS = 15

/** Opens the database. Rejects with DatabaseError or UsageError: no server, wrong version, no rights, no campaigns yet. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const dir = embeddedDir()
  const where = options.url === undefined ? dir : describeUrl(options.url)
  const sql = await connect(options, dir)
  const explain = (error: unknown): unknown => {
    const sentence = sentenceOf(error, where)
    return sentence === undefined ? error : new DatabaseError(sentence, { cause: error })
  }
  const close = async (): Promise<void> => {
    const alone = options.url === undefined && (await isAlone(sql))
    await sql.end({ timeout: 5 })
    if (alone) await stopEmbedded(dir)
  }
  try {
    await refuseOldServer(sql, where)
    await (options.migrates ? migrate(sql) : refuseOtherSchema(sql))
  } catch (error) {
    await close().catch(() => undefined)
    throw explain(error)
  }
  const patiently = patience(options, explain, options.url === undefined ? () => startEmbedded(dir).then(() => undefined) : undefined)
  return {
    where,
    embedded: options.url === undefined,
    run: (work) => patiently(() => work(sql)),
    transaction: (work) => patiently(() => transact(sql, work)),
    close,
  }
}

async function connect({ url, connections = 4 }: DatabaseOptions, dir: string): Promise<Sql> {
  const common = {
    max: connections,
    connect_timeout: CONNECT_SECONDS,
    // The waiting is done here, in `patience`.
    backoff: () => 0,
    onnotice: () => undefined,
    connection: { application_name: `splitbrain ${randomUUID().slice(0, 8)}` },
    types: {
      // Ids and counts stay far below 2^53.
      bigint: { to: 20, from: [20], parse: Number, serialize: String },
      // A string is JSON text already, as the job queue hands it over.
      json: { to: 114, from: [114, 3802], parse: (text: string) => JSON.parse(text) as unknown, serialize: (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)) },
    },
  }
  return url === undefined ? embedded(await startEmbedded(dir), common) : postgres(url, common)
}

const embedded = <T extends Record<string, postgres.PostgresType>>({ socket }: EmbeddedServer, options: postgres.Options<T>) => postgres({ ...options, path: socket, user: EMBEDDED_USER, database: 'postgres' })

/** Ends the embedded server of the working directory when nobody uses it. Resolves to what was ended. */
export async function sweepEmbedded(): Promise<string[]> {
  const dir = embeddedDir()
  const server = await runningServer(dir)
  if (server === undefined) return []
  const sql = embedded(server, { max: 1, connect_timeout: CONNECT_SECONDS, connection: { application_name: 'splitbrain clean' } })
  const alone = await isAlone(sql)
  await sql.end({ timeout: 5 })
  return alone && (await stopEmbedded(dir)) ? [`embedded database ${dir}`] : []
}

/** The address for people: no password. Throws UsageError for what is no address. */
function describeUrl(text: string): string {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw new UsageError(`--database takes an address as in postgres://user:password@host:5432/name, not "${text}".`)
  }
  if (!['postgres:', 'postgresql:'].includes(url.protocol)) throw new UsageError(`--database takes a PostgreSQL server as in postgres://user:password@host:5432/name, not ${url.protocol}//...`)
  return `${url.host || 'localhost'}${url.pathname}`
}

async function refuseOldServer(sql: Sql, where: string): Promise<void> {
  const [row] = await sql<{ number: string; version: string }[]>`select current_setting('server_version_num') as number, current_setting('server_version') as version`
  if (Number(row!.number) < OLDEST) throw new DatabaseError(`The server at ${where} is PostgreSQL ${row!.version}; campaigns need 13 or newer.`)
}

/** Whether nobody else uses the embedded server: every process has a name of its own there. What cannot be asked is not ended. */
async function isAlone(sql: postgres.Sql): Promise<boolean> {
  try {
    const [row] = await sql<{ others: number }[]>`select count(*)::int as others from pg_stat_activity where backend_type = 'client backend' and application_name <> current_setting('application_name')`
    return row!.others === 0
  } catch {
    return false
  }
}

/** Repeats work until the server answers, and tells once that it went and once that it is back. */
function patience({ clock, tell }: DatabaseOptions, explain: (error: unknown) => unknown, revive?: () => Promise<void>) {
  let awaySince: number | undefined
  return async <T>(work: () => Promise<T>): Promise<T> => {
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
      try {
        const result = await work()
        if (awaySince !== undefined) tell(`The database answers again after ${Math.round((clock.now() - awaySince) / 1e9)} s.`)
        awaySince = undefined
        return result
      } catch (error) {
        if (!isAway(error) && !isConflict(error)) throw explain(error)
        if (isAway(error) && awaySince === undefined) {
          awaySince = clock.now()
          tell(`The database does not answer (${error instanceof Error ? error.message : String(error)}); waiting for it. Nothing is lost.`)
        }
        await sleep(clock, waitMs)
        if (isAway(error)) await revive?.()
      }
    }
  }
}
