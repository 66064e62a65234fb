/**
 * Objects over a key-value store: a set, a counter, a queue, a table of rows is one value under one key, which an
 * operation reads, changes, and puts back.
 *
 * With compare-and-set that is atomic: the value is replaced only if it is still the one that was read, and otherwise
 * the operation begins again. Without, it is written back, and what another client wrote in between is lost: that is
 * what the object's judgement then finds. Nothing is tried again after an answer that leaves open what happened.
 */
import type { Completion, Invocation, Json } from '../checker/history/index.ts'
import type { Client } from '../cluster/system.ts'
import type { Store } from './workload.ts'

/** How often an operation begins again when another client was faster. */
const ATTEMPTS_MAX = 12

/** What an operation does to the object: its new value (`next` absent: it only looked), and its result. */
export interface Change {
  readonly next?: Json
  readonly result?: Json
}

/** Whether objects over this store change atomically. */
export function isAtomic({ functions }: Store): boolean {
  return functions.has('cas') || functions.has('txn')
}

/** Carries out one change of the object under `key`; `change` returns null when the object as it is refuses it. */
export async function changeObject(client: Client, store: Store, key: Json, change: (held: Json) => Change | null): Promise<Completion> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const read = await client.invoke({ f: 'read', key })
    // A read has no effect: whatever became of it, the operation certainly did not happen.
    if (read.type !== 'ok') return { type: 'fail', ...(read.error === undefined ? {} : { error: read.error }) }
    const held = read.value ?? null
    const changed = change(held)
    if (changed === null) return { type: 'fail', error: 'REFUSED_BY_OBJECT' }
    const { next, result } = changed
    const value = result === undefined ? {} : { value: result }
    if (next === undefined) return { type: 'ok', ...value }
    const put = await client.invoke(store.functions.has('cas') ? { f: 'cas', key, value: [held, next] } : { f: 'write', key, value: next })
    if (put.type === 'ok') return { type: 'ok', ...value }
    if (put.type === 'info' || !store.functions.has('cas') || put.error !== 'MISMATCH') return { type: put.type, ...(put.error === undefined ? {} : { error: put.error }) }
  }
  return { type: 'fail', error: 'CONTENDED' }
}

/** A micro-operation of a transaction: `["r", key, null]`, `["w", key, value]`, `["append", key, value]`. */
export type MicroOperation = readonly [f: string, key: string, value: Json]

/** The key of the table in which transactions keep all rows where the store has none of its own. */
const TABLE = 'table'

/** Carries out a transaction: as one of the store's own, or on a table that is one object. */
export function transact(client: Client, store: Store, operation: Invocation): Promise<Completion> {
  if (store.functions.has('txn')) return client.invoke(operation)
  const micros = operation.value as unknown as readonly MicroOperation[]
  return changeObject(client, store, TABLE, (held) => {
    const rows: Record<string, Json> = { ...(held as Readonly<Record<string, Json>> | null) }
    const result = micros.map(([f, key, value]): Json => {
      if (f === 'r') return [f, key, rows[key] ?? null]
      rows[key] = f === 'w' ? value : [...((rows[key] ?? []) as readonly Json[]), value]
      return [f, key, value]
    })
    return micros.every(([f]) => f === 'r') ? { result } : { next: rows, result }
  })
}

/** The keys under which transactions keep their rows. */
export function tableKeys(store: Store, rows: readonly string[]): readonly string[] {
  return store.functions.has('txn') ? rows : [TABLE]
}
