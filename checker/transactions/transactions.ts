/**
 * A history read as transactions: which transactions there were, what became of them, and their micro-operations, in
 * columns.
 *
 * `txn` operations carry a list of micro-operations `["r", key, result]`, `["w", key, value]`, `["append", key, value]`
 * (Elle's notation). What a transaction read counts when it committed (`ok`); what it wrote counts as possible when
 * nobody knows how it ended, and as forbidden to be seen when it certainly failed.
 */
import { FAIL, INVOKE, OK } from '../history/index.ts'
import { NEVER, rowsByTime } from '../registers.ts'
import type { History, Json } from '../history/index.ts'

/** `status` of a transaction. */
export const COMMITTED = 0
export const UNKNOWN = 1
export const ABORTED = 2

/** `kind` of a micro-operation. */
export const READ = 0
export const WRITE = 1

/** Lists that are appended to, or registers that are overwritten. */
export type TransactionModel = 'list-append' | 'rw-register'

/** Transactions, numbered in order of invocation. */
export interface Transactions {
  readonly model: TransactionModel
  readonly count: number
  /** The row of the invocation. */
  readonly row: Int32Array
  /** Ranks of invocation and completion (NEVER when it has none): `a` precedes `b` in real time if end[a] < start[b]. */
  readonly start: Int32Array
  readonly end: Int32Array
  /** Session, by process, from 0. */
  readonly session: Int32Array
  readonly sessions: number
  readonly status: Uint8Array
  /** Micro-operations of t: first[t] to first[t + 1]. Reads of transactions that did not commit are left out. */
  readonly first: Int32Array
  readonly kind: Uint8Array
  /** Index into `keys`. */
  readonly key: Int32Array
  readonly keys: readonly Json[]
  /** For a write, and a read of a register: the code of the value in the history's values. For a read of a list: an index into `lists`. */
  readonly value: Int32Array
  readonly lists: readonly (readonly Json[])[]
  /** Why the history cannot be judged as transactions, or undefined. */
  readonly foreign: string | undefined
}

/** Micro-operations under construction. */
class MicroOperations {
  count = 0
  kind = new Uint8Array(1024)
  key = new Int32Array(1024)
  value = new Int32Array(1024)

  push(kind: number, key: number, value: number): void {
    if (this.count === this.kind.length) this.#grow()
    this.kind[this.count] = kind
    this.key[this.count] = key
    this.value[this.count++] = value
  }

  #grow(): void {
    const size = this.count * 2
    const [kind, key, value] = [new Uint8Array(size), new Int32Array(size), new Int32Array(size)]
    kind.set(this.kind)
    key.set(this.key)
    value.set(this.value)
    Object.assign(this, { kind, key, value })
  }
}

const NOTHING: readonly Json[] = []

/** The transactions of a history. Linear. */
export function transactionsOf(history: History): Transactions {
  const rank = rankOf(history)
  const rows: number[] = []
  const txn = history.functions.indexOf('txn')
  const others = new Set<number>()
  for (let row = 0; row < history.length; row++) {
    if (history.type[row] !== INVOKE || history.process[row]! < 0) continue
    if (history.f[row] === txn) rows.push(row)
    else others.add(history.f[row]!)
  }
  const count = rows.length
  const columns = { row: Int32Array.from(rows), start: new Int32Array(count), end: new Int32Array(count), session: new Int32Array(count), status: new Uint8Array(count), first: new Int32Array(count + 1) }
  const micro = new MicroOperations()
  const reader = new MicroReader(history, micro)
  const sessions = new Map<number, number>()
  for (let t = 0; t < count; t++) {
    const row = rows[t]!
    const done = history.pair[row]!
    const outcome = done < 0 ? -1 : history.type[done]!
    columns.status[t] = outcome === OK ? COMMITTED : outcome === FAIL ? ABORTED : UNKNOWN
    columns.start[t] = rank(row)
    columns.end[t] = outcome === OK ? rank(done) : NEVER
    const process = history.process[row]!
    let session = sessions.get(process)
    if (session === undefined) sessions.set(process, (session = sessions.size))
    columns.session[t] = session
    columns.first[t] = micro.count
    reader.read(history.values.decode(history.value[outcome === OK ? done : row]!), outcome === OK)
  }
  columns.first[count] = micro.count
  const { kind, key, value } = micro
  return { ...columns, count, sessions: sessions.size, kind, key, value, keys: reader.keys, lists: reader.lists, ...reader.conclusion([...others].map((f) => history.functions[f]!)) }
}

function rankOf(history: History): (row: number) => number {
  const rowAt = rowsByTime(history)
  if (rowAt === null) return (row) => row
  const rank = new Int32Array(rowAt.length)
  for (let at = 0; at < rowAt.length; at++) rank[rowAt[at]!] = at
  return (row) => rank[row]!
}

/** Reads the micro-operations of one transaction after the other. */
class MicroReader {
  readonly keys: Json[] = []
  readonly lists: (readonly Json[])[] = []
  readonly #history: History
  readonly #micro: MicroOperations
  readonly #known = new Map<Json, number>()
  #appends = false
  #writes = false
  #listRead = false
  #registerRead = false
  #foreign: string | undefined

  constructor(history: History, micro: MicroOperations) {
    this.#history = history
    this.#micro = micro
  }

  read(value: Json, committed: boolean): void {
    if (!Array.isArray(value)) {
      this.#foreign ??= `an operation is no list of micro-operations: ${JSON.stringify(value).slice(0, 80)}`
      return
    }
    for (const one of value as readonly Json[]) this.#one(one, committed)
  }

  #one(one: Json, committed: boolean): void {
    if (!Array.isArray(one) || one.length < 2) {
      this.#foreign ??= `not a micro-operation: ${JSON.stringify(one).slice(0, 80)}`
      return
    }
    const [f, key, value = null] = one as readonly Json[]
    if (f === 'r') {
      if (committed) this.#micro.push(READ, this.#key(key!), this.#seen(value))
    } else if (f === 'append' || f === 'w') {
      if (f === 'append') this.#appends = true
      else this.#writes = true
      this.#micro.push(WRITE, this.#key(key!), this.#history.values.encode(value))
    } else this.#foreign ??= `${JSON.stringify(f)} is no micro-operation; there are r, w and append`
  }

  /** Lists are kept as they are; nothing is the empty one, until it is known that registers are meant. */
  #seen(value: Json): number {
    if (value === null) return -1
    if (Array.isArray(value)) {
      this.#listRead = true
      return this.lists.push(value as readonly Json[]) - 1
    }
    this.#registerRead = true
    return this.#history.values.encode(value)
  }

  #key(key: Json): number {
    const name = typeof key === 'object' && key !== null ? JSON.stringify(key) : key
    let index = this.#known.get(name)
    if (index === undefined) this.#known.set(name, (index = this.keys.push(key) - 1))
    return index
  }

  /** What is known when everything was read. */
  conclusion(others: readonly string[]): Pick<Transactions, 'model' | 'foreign'> {
    const model = this.#appends || (this.#listRead && !this.#writes) ? 'list-append' : 'rw-register'
    const mixed = (this.#appends && this.#writes) || (this.#listRead && this.#registerRead) || (this.#appends && this.#registerRead) || (this.#writes && this.#listRead)
    return { model, foreign: (others.length > 0 ? `not a history of transactions alone: ${others.join(', ')}` : undefined) ?? this.#foreign ?? (mixed ? 'appends to lists and writes of registers are mixed' : undefined) }
  }
}

/** The list that a micro-operation read; nothing is the empty one. */
export function listRead({ lists, value }: Transactions, micro: number): readonly Json[] {
  return value[micro]! < 0 ? NOTHING : lists[value[micro]!]!
}
