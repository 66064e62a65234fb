/**
 * The first pass of accept-zones.ts: every operation of a history enters the cluster of its value.
 *
 * It is a loop over millions of operations whose kinds and outcomes come in no order, so what costs most is the
 * processor's wrong guesses at branches, and lines of memory that are not at hand. Rows of invocations are therefore picked
 * out by arithmetic, block by block, and what is known of a cluster lies side by side.
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
/** Twice the row of the invocation that made the value, one more for a compare-and-set; INITIAL, NOBODY, or CRASHED minus that. */
export const WRITER = 0
/** Earliest response on the value; NEVER. */
export const FIRST = 1
/** Latest invocation on the value. */
export const LAST = 2
/** The cluster made by the effective CAS that consumes the value; -1. */
export const NEXT = 3

export const NOBODY = -2
export const INITIAL = -1
/** A writer at or below this crashed. */
const CRASHED = -3
const NO_CLUSTER = -1
const BLOCK = 4096

/** What WRITER says, of those that made a value: the row, and whether they are compare-and-sets. */
export const rowOf = (writer: number): number => (writer <= CRASHED ? CRASHED - writer : writer) >> 1
export const isCas = (writer: number): boolean => ((writer <= CRASHED ? CRASHED - writer : writer) & 1) === 1

/** Clusters by value; behind them the initial one of every key. */
export interface Clusters {
  /** The code of key 0. */
  readonly keyMin: number
  readonly keyCount: number
  readonly initial: number
  readonly valuesEnd: number
  readonly count: number
  /** Four places by cluster. */
  readonly table: Int32Array
  /** Clusters made by compare-and-sets that crashed. */
  readonly crashedCas: number[]
  /** Index + 1 of the key on which a value was met; empty when there is one key only. */
  readonly owner: Uint16Array
}

export function emptyClusters(valuesEnd: number, keyMin: number, keyCount: number, initial: number): Clusters {
  const count = valuesEnd + keyCount
  const table = new Int32Array(count * 4)
  for (let c = 0; c < count; c++) {
    table[c * 4 + WRITER] = c < valuesEnd ? NOBODY : INITIAL
    table[c * 4 + FIRST] = NEVER
    table[c * 4 + LAST] = -1
    table[c * 4 + NEXT] = -1
  }
  return { keyMin, keyCount, initial, valuesEnd, count, table, crashedCas: [], owner: new Uint16Array(keyCount > 1 ? valuesEnd : 0) }
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

/** Enters every operation into its cluster; returns the keys in order of their first invocation, or null when zones cannot decide. */
export function gather(history: History, kinds: Int8Array, rules: RegisterRules, clusters: Clusters): KeyCounts[] | null {
  const { type, length } = history
  const { keyMin, keyCount } = clusters
  const counts: Counts = { operations: new Int32Array(keyCount), events: new Int32Array(keyCount), order: [] }
  const rows = new Int32Array(BLOCK)
  for (let from = 0; from < length; from += BLOCK) {
    const to = Math.min(length, from + BLOCK)
    let invocations = 0
    for (let row = from; row < to; row++) {
      rows[invocations] = row
      // One for INVOKE (0), nothing for the others.
      invocations += (type[row]! - 1) >>> 31
    }
    if (!enterAll(history, kinds, rules, clusters, rows.subarray(0, invocations), counts)) return null
  }
  return counts.order.map((k) => ({ key: k + keyMin, operations: counts.operations[k]!, events: counts.events[k]! }))
}

/** By key. */
interface Counts {
  readonly operations: Int32Array
  readonly events: Int32Array
  readonly order: number[]
}

function enterAll(history: History, kinds: Int8Array, { failedCas, nilReads }: RegisterRules, clusters: Clusters, rows: Int32Array, { operations, events, order }: Counts): boolean {
  const { type, process, pair, f, key, value } = history
  const { keyMin, table } = clusters
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    if (process[row]! < 0) continue
    const k = key[row]! - keyMin
    if (operations[k] === 0) order.push(k)
    operations[k]!++
    const kind = kinds[f[row]!]!
    const end = pair[row]!
    const outcome = end < 0 ? INFO : type[end]!
    if (kind === READ) {
      if (outcome !== OK || (nilReads === 'unknown' && value[end] === NIL)) continue
      const c = claim(clusters, value[end]!, k)
      if (c < 0) return false
      widen(table, c, end, row)
      events[k]! += 2
    } else if (outcome === FAIL) {
      if (kind < 0 || (kind === CAS && failedCas !== 'drop')) return false
    } else {
      if (kind < 0 || !enter(history, kind, clusters, row, outcome === OK ? end : NEVER, k)) return false
      events[k]! += outcome === OK ? 2 : 1
    }
  }
  return true
}

function widen(table: Int32Array, c: number, response: number, invocation: number): void {
  if (response < table[c * 4 + FIRST]!) table[c * 4 + FIRST] = response
  if (invocation > table[c * 4 + LAST]!) table[c * 4 + LAST] = invocation
}

/** Enters a write or a compare-and-set; false when its value has another writer, or another CAS consumed what it expects. */
function enter({ value, values }: History, kind: number, clusters: Clusters, at: number, response: number, k: number): boolean {
  const { table } = clusters
  const code = value[at]!
  if (kind === CAS && !values.isPair(code)) return false
  const to = claim(clusters, kind === WRITE ? code : values.second(code), k)
  if (to < 0 || table[to * 4 + WRITER] !== NOBODY) return false
  const crashed = response === NEVER
  const writer = at * 2 + (kind === CAS ? 1 : 0)
  table[to * 4 + WRITER] = crashed ? CRASHED - writer : writer
  widen(table, to, response, at)
  if (kind === WRITE) return true
  if (crashed) {
    clusters.crashedCas.push(to)
    return true
  }
  const from = claim(clusters, values.first(code), k)
  if (from < 0 || table[from * 4 + NEXT]! >= 0) return false
  table[from * 4 + NEXT] = to
  return true
}
