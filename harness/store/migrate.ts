/**
 * Brings the store's tables up to date: numbered steps of plain SQL, each in the transaction that notes it, one
 * process at a time (an advisory lock). Steps are only ever added.
 */
import { UsageError } from '../usage-error.ts'
import type { Sql, Transaction } from './database.ts'
import { DatabaseError } from './errors.ts'
import { transact } from './transact.ts'
import { campaignsMigration } from './migrations/0001-campaigns.ts'
import { viewsMigration } from './migrations/0002-views.ts'

/** One step: its number is its place here, from 1. */
export interface Migration {
  readonly name: string
  readonly sql: string
}

const migrations: readonly Migration[] = [campaignsMigration, viewsMigration]

/** Any number that nothing else in the database uses as an advisory lock: "splitbrain" in letters' places, cut short. */
const LOCK = 1_916_129_402

/** Makes or updates the tables. Rejects with DatabaseError when a newer splitbrain made them. */
export async function migrate(sql: Sql): Promise<void> {
  if (await versionOf(sql) === migrations.length) return
  await transact(sql, async (tx) => {
    await tx`select pg_advisory_xact_lock(${LOCK})`
    await tx`create schema if not exists splitbrain`
    await tx`create table if not exists splitbrain.migrations (version int primary key, name text not null, applied_at timestamptz not null default now())`
    const applied = await versionOf(tx)
    refuseNewer(applied)
    for (const [index, { name, sql: text }] of migrations.entries()) {
      if (index < applied) continue
      await tx.unsafe(text)
      await tx`insert into splitbrain.migrations (version, name) values (${index + 1}, ${name})`
    }
  })
}

/** For those who make no tables. Rejects unless they are exactly this version's: with UsageError when there are none yet, otherwise with DatabaseError. */
export async function refuseOtherSchema(sql: Sql): Promise<void> {
  const version = await versionOf(sql)
  refuseNewer(version)
  if (version === 0) throw new UsageError('There are no campaigns in this database yet: splitbrain campaign run makes what it needs.')
  if (version < migrations.length) throw new DatabaseError('The tables in this database were made by an older splitbrain; splitbrain campaign run brings them up to date.')
}

async function versionOf(sql: Sql | Transaction): Promise<number> {
  const [{ exists } = { exists: false }] = await sql<{ exists: boolean }[]>`select to_regclass('splitbrain.migrations') is not null as exists`
  if (!exists) return 0
  const [row] = await sql<{ version: number }[]>`select coalesce(max(version), 0) as version from splitbrain.migrations`
  return row!.version
}

function refuseNewer(version: number): void {
  if (version > migrations.length) throw new DatabaseError(`The tables in this database were made by a newer splitbrain (step ${version}; this one knows ${migrations.length}): update splitbrain here.`)
}
