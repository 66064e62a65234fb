/**
 * A history read as transactions: which transactions there were, what became of them, and their micro-operations, in
 * columns.
 *
 * `txn` operations carry a list of micro-operations `["r", key, result]`, `["w", key, value]`, `["append", key, value]`
 * (Elle's notation). What a transaction read counts when it committed (`ok`); what it wrote counts as possible when
 * nobody knows how it ended, and as forbidden to be seen when it certainly failed.
 */
import { FAIL, INVOKE, OK, rowsInTimeOrder } from '../history/index.ts'
import { NEVER } from '../registers.ts'
import type { History, Json, Values } from '../history/index.ts'

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
  /** The code of the value, or of the list that was read, in `values`. */
  readonly value: Int32Array
  readonly values: Values
  /** Why the history cannot be judged as transactions, or undefined. */
  readonly foreign: string | undefined
}

/** Micro-operations under construction. */
class MicroOperations {
  count = 0
  kind: Uint8Array
  key: Int32Array
  value: Int32Array

  constructor(expected: number) {
    const size = Math.max(expected, 1024)
    this.kind = new Uint8Array(size)
    this.key = new Int32Array(size)
    this.value = new Int32Array(size)
  }

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

/** The transactions of a history. Linear. */
export function transactionsOf(history: History): Transactions {
  const rank = rankOf(history)
  const { row, others } = invocationsOf(history)
  const count = row.length
  const columns = { row, start: new Int32Array(count), end: new Int32Array(count), session: new Int32Array(count), status: new Uint8Array(count), first: new Int32Array(count + 1) }
  const reader = new MicroReader(history.values, count * 2)
  const sessions = new Map<number, number>()
  for (let t = 0; t < count; t++) {
    const invoked = row[t]!
    const done = history.pair[invoked]!
    const outcome = done < 0 ? -1 : history.type[done]!
    columns.status[t] = outcome === OK ? COMMITTED : outcome === FAIL ? ABORTED : UNKNOWN
    columns.start[t] = rank(invoked)
    columns.end[t] = outcome === OK ? rank(done) : NEVER
    const process = history.process[invoked]!
    let session = sessions.get(process)
    if (session === undefined) sessions.set(process, (session = sessions.size))
    columns.session[t] = session
    reader.read(history.value[outcome === OK ? done : invoked]!, outcome === OK)
    columns.first[t + 1] = reader.micro.count
  }
  const { kind, key, value } = reader.micro
  return { ...columns, count, sessions: sessions.size, kind, key, value, values: history.values, keys: reader.keys, ...reader.conclusion(others) }
}

/** The rows at which clients began transactions, and what else they did. */
function invocationsOf(history: History): { row: Int32Array; others: string[] } {
  const row = new Int32Array(history.length)
  const txn = history.functions.indexOf('txn')
  const others = new Set<number>()
  let count = 0
  for (let at = 0; at < history.length; at++) {
    if (history.type[at] !== INVOKE || history.process[at]! < 0) continue
    if (history.f[at] === txn) row[count++] = at
    else others.add(history.f[at]!)
  }
  return { row: row.slice(0, count), others: [...others].map((f) => history.functions[f]!) }
}

function rankOf(history: History): (row: number) => number {
  const rowAt = rowsInTimeOrder(history)
  if (rowAt === null) return (row) => row
  const rank = new Int32Array(rowAt.length)
  for (let at = 0; at < rowAt.length; at++) rank[rowAt[at]!] = at
  return (row) => rank[row]!
}

/** Reads the micro-operations of one transaction after the other. */
class MicroReader {
  readonly keys: Json[] = []
  readonly micro: MicroOperations
  readonly #values: Values
  /** Index of a key by its code. */
  readonly #known = new Map<number, number>()
  readonly #codes: { readonly r: number; readonly append: number; readonly w: number }
  #appends = false
  #writes = false
  #listRead = false
  #registerRead = false
  #foreign: string | undefined

  constructor(values: Values, expected: number) {
    this.micro = new MicroOperations(expected)
    this.#values = values
    this.#codes = { r: values.encode('r'), append: values.encode('append'), w: values.encode('w') }
  }

  read(code: number, committed: boolean): void {
    const length = this.#values.length(code)
    if (length < 0) this.#foreign ??= `an operation is no list of micro-operations: ${this.#text(code)}`
    for (let at = 0; at < length; at++) this.#one(this.#values.at(code, at), committed)
  }

  #one(code: number, committed: boolean): void {
    const values = this.#values
    const length = values.length(code)
    if (length < 2) {
      this.#foreign ??= `not a micro-operation: ${this.#text(code)}`
      return
    }
    const f = values.at(code, 0)
    const key = values.at(code, 1)
    const value = length > 2 ? values.at(code, 2) : -1
    if (f === this.#codes.r) {
      if (!committed) return
      if (values.length(value) >= 0) this.#listRead = true
      else if (value !== -1) this.#registerRead = true
      this.micro.push(READ, this.#key(key), value)
    } else if (f === this.#codes.append || f === this.#codes.w) {
      if (f === this.#codes.append) this.#appends = true
      else this.#writes = true
      this.micro.push(WRITE, this.#key(key), value)
    } else this.#foreign ??= `${JSON.stringify(values.decode(f))} is no micro-operation; there are r, w and append`
  }

  #text(code: number): string {
    return JSON.stringify(this.#values.decode(code)).slice(0, 80)
  }

  #key(code: number): number {
    let index = this.#known.get(code)
    if (index === undefined) this.#known.set(code, (index = this.keys.push(this.#values.decode(code)) - 1))
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
export function listRead({ values, value }: Transactions, micro: number): readonly Json[] {
  return value[micro] === -1 ? [] : (values.decode(value[micro]!) as readonly Json[])
}

/** The length of the list that a micro-operation read. */
export function listLength({ values, value }: Transactions, micro: number): number {
  return value[micro] === -1 ? 0 : values.length(value[micro]!)
}
