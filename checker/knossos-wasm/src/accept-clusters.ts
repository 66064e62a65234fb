/**
 * The first pass of accept-zones.ts: every operation of a history enters the cluster of its value.
 *
 * It is a loop over millions of operations whose kinds and outcomes come in no order, so what costs most is the
 * processor's wrong guesses at branches, and lines of memory that are not at hand. Rows are therefore sorted, block by block and
 * by arithmetic, into those that do the same; what is known of a cluster lies side by side; and nothing is known where memory
 * is zero, so that it need not be filled.
 */
import { FAIL, INFO, OK } from './history.ts'
import { CAS, NEVER, READ, WRITE } from './register.ts'
import { NIL } from './values.ts'
import type { History } from './history.ts'
import type { RegisterRules } from './model.ts'

/** A key's part of the history. */
export interface KeyCounts {
  /** Code of the key in `history.values`. */
  readonly key: number
  readonly operations: number
  /** How many of its events prove something. */
  readonly events: number
}

// What stands in the four places of a cluster.
/** NOBODY, INITIAL, or who made the value: see makerOf. */
export const WRITER = 0
/** How long before NEVER the earliest response on the value came; 0 without one. */
export const EARLY = 1
/** The row of the latest invocation on the value, and one more; 0 without one. */
export const LATE = 2
/** The cluster made by the effective CAS that consumes the value, and one more; 0 without one. */
export const NEXT = 3

export const NOBODY = 0
const INITIAL = 1
const NO_CLUSTER = -1
const BLOCK = 2048

/** Twice the row of the invocation, one more for a compare-and-set, behind NOBODY and INITIAL; negative when it crashed. */
const makerOf = (row: number, isCas: number, crashed: boolean): number => (crashed ? -2 - row * 2 - isCas : 2 + row * 2 + isCas)
/** The row of the invocation that made a value; -1 of the initial one. */
export const rowOf = (writer: number): number => (Math.abs(writer) - 2) >> 1

/** Clusters by value; behind them the initial one of every key. */
export interface Clusters {
  /** The code of key 0. */
  readonly keyMin: number
  readonly keyCount: number
  readonly initial: number
  readonly valuesEnd: number
  /** Four places by cluster. */
  readonly table: Int32Array
  /** Clusters made by compare-and-sets that crashed. */
  readonly crashedCas: number[]
  /** Index + 1 of the key on which a value was met; empty when there is one key only. */
  readonly owner: Uint16Array
}

export function emptyClusters(valuesEnd: number, keyMin: number, keyCount: number, initial: number): Clusters {
  const table = new Int32Array((valuesEnd + keyCount) * 4)
  for (let c = valuesEnd; c < valuesEnd + keyCount; c++) table[c * 4 + WRITER] = INITIAL
  return { keyMin, keyCount, initial, valuesEnd, table, crashedCas: [], owner: new Uint16Array(keyCount > 1 ? valuesEnd : 0) }
}

/** The cluster of a value on a key; NO_CLUSTER for values that are no integers. */
function clusterOf({ initial, valuesEnd }: Clusters, code: number, k: number): number {
  return code === initial ? valuesEnd + k : code < 0 ? NO_CLUSTER : code
}

/** As clusterOf, for an operation that took effect or may have; NO_CLUSTER also if the value was met on another key. */
export function claim(clusters: Clusters, code: number, k: number): number {
  const c = clusterOf(clusters, code, k)
  const { owner } = clusters
  if (c < 0 || c >= owner.length) return c
  if (owner[c] === 0) owner[c] = k + 1
  return owner[c] === k + 1 ? c : NO_CLUSTER
}

/** The larger of two integers whose difference is one of 32 bits, without a branch. */
export const larger = (a: number, b: number): number => a ^ ((a ^ b) & ((a - b) >> 31))

function widen(table: Int32Array, c: number, response: number, invocation: number): void {
  table[c * 4 + EARLY] = larger(table[c * 4 + EARLY]!, NEVER - response)
  table[c * 4 + LATE] = larger(table[c * 4 + LATE]!, invocation + 1)
}

/** Enters every operation into its cluster; returns the keys in order of their first invocation, or null when zones cannot decide. */
export function gather(history: History, kinds: Int8Array, rules: RegisterRules, clusters: Clusters): KeyCounts[] | null {
  const { type, length } = history
  const entry = new Entry(history, kinds, rules, clusters)
  const rows = new Int32Array(BLOCK)
  for (let from = 0; from < length; from += BLOCK) {
    const to = Math.min(length, from + BLOCK)
    let invocations = 0
    for (let row = from; row < to; row++) {
      rows[invocations] = row
      // One for INVOKE (0), nothing for the others.
      invocations += (type[row]! - 1) >>> 31
    }
    if (!entry.enter(rows, invocations)) return null
  }
  return entry.keys()
}

/** Where rows of a block go that do the same: four outcomes of each kind. */
const CLASSES = 12
const classOf = (kind: number, outcome: number): number => kind * 4 + outcome

class Entry {
  readonly #history: History
  readonly #kinds: Int8Array
  readonly #rules: RegisterRules
  readonly #clusters: Clusters
  /** By key. */
  readonly #operations: Int32Array
  readonly #events: Int32Array
  readonly #order: number[] = []
  /** By class, a block each, and how many rows are in it. */
  readonly #sorted = new Int32Array(CLASSES * BLOCK)
  readonly #counts = new Int32Array(CLASSES)

  constructor(history: History, kinds: Int8Array, rules: RegisterRules, clusters: Clusters) {
    this.#history = history
    this.#kinds = kinds
    this.#rules = rules
    this.#clusters = clusters
    this.#operations = new Int32Array(clusters.keyCount)
    this.#events = new Int32Array(clusters.keyCount)
  }

  keys(): KeyCounts[] {
    return this.#order.map((k) => ({ key: k + this.#clusters.keyMin, operations: this.#operations[k]!, events: this.#events[k]! }))
  }

  /** Enters the operations of some invocations; false when zones cannot decide. */
  enter(rows: Int32Array, n: number): boolean {
    if (!this.#sort(rows, n)) return false
    const failedCas = this.#counts[classOf(CAS, FAIL)] === 0 || this.#rules.failedCas === 'drop'
    return failedCas && this.#enterReads() && this.#enterWrites(OK) && this.#enterWrites(INFO) && this.#enterCas(OK) && this.#enterCas(INFO)
  }

  #rowsOf(kind: number, outcome: number): Int32Array {
    const c = classOf(kind, outcome)
    return this.#sorted.subarray(c * BLOCK, c * BLOCK + this.#counts[c]!)
  }

  /** Sorts rows into classes; false when a function is not known. */
  #sort(rows: Int32Array, n: number): boolean {
    const { type, process, pair, f, key } = this.#history
    const { keyMin } = this.#clusters
    const [kinds, operations, sorted, counts] = [this.#kinds, this.#operations, this.#sorted, this.#counts]
    counts.fill(0)
    for (let i = 0; i < n; i++) {
      const row = rows[i]!
      if (process[row]! < 0) continue
      const k = key[row]! - keyMin
      if (operations[k] === 0) this.#order.push(k)
      operations[k]!++
      const kind = kinds[f[row]!]!
      if (kind < 0) return false
      const end = pair[row]!
      const c = classOf(kind, end < 0 ? INFO : type[end]!)
      const at = counts[c]!
      sorted[c * BLOCK + at] = row
      counts[c] = at + 1
    }
    return true
  }

  #enterReads(): boolean {
    const { pair, key, value } = this.#history
    const clusters = this.#clusters
    const { keyMin, table } = clusters
    const events = this.#events
    const skipped = this.#rules.nilReads === 'unknown'
    const rows = this.#rowsOf(READ, OK)
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      const end = pair[row]!
      const code = value[end]!
      if (skipped && code === NIL) continue
      const k = key[row]! - keyMin
      const c = claim(clusters, code, k)
      if (c < 0) return false
      widen(table, c, end, row)
      events[k]! += 2
    }
    return true
  }

  /** Writes; false when a value has another writer. */
  #enterWrites(outcome: number): boolean {
    const { pair, key, value } = this.#history
    const clusters = this.#clusters
    const { keyMin, table } = clusters
    const events = this.#events
    const crashed = outcome === INFO
    const rows = this.#rowsOf(WRITE, outcome)
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      const k = key[row]! - keyMin
      const c = claim(clusters, value[row]!, k)
      if (c < 0 || table[c * 4 + WRITER] !== NOBODY) return false
      table[c * 4 + WRITER] = makerOf(row, 0, crashed)
      widen(table, c, crashed ? NEVER : pair[row]!, row)
      events[k]! += crashed ? 1 : 2
    }
    return true
  }

  /** Compare-and-sets; false when a value has another writer, or another of them consumed what one expects. */
  #enterCas(outcome: number): boolean {
    const { pair, key, value, values } = this.#history
    const clusters = this.#clusters
    const { keyMin, table } = clusters
    const events = this.#events
    const crashed = outcome === INFO
    const rows = this.#rowsOf(CAS, outcome)
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      const code = value[row]!
      if (!values.isPair(code)) return false
      const k = key[row]! - keyMin
      const to = claim(clusters, values.second(code), k)
      if (to < 0 || table[to * 4 + WRITER] !== NOBODY) return false
      table[to * 4 + WRITER] = makerOf(row, 1, crashed)
      widen(table, to, crashed ? NEVER : pair[row]!, row)
      events[k]! += crashed ? 1 : 2
      if (crashed) {
        clusters.crashedCas.push(to)
        continue
      }
      const from = claim(clusters, values.first(code), k)
      if (from < 0 || table[from * 4 + NEXT] !== 0) return false
      table[from * 4 + NEXT] = to + 1
    }
    return true
  }
}
