/**
 * Zones straight over the columns of a history: accepts a large history of registers in four passes, or says nothing.
 *
 * The rules are those of zones.ts, with two differences that save time and memory. No operation is copied: a row is its
 * own rank, because rows are in order of time (otherwise this does not apply), and ranks of all keys together order
 * the events of each. And all keys go at once: clusters are numbered by the value alone, which is exact as long as
 * every value is met on one key only; each key has an initial cluster of its own. Anything that zones cannot decide,
 * and any doubt, is left to the algorithms that know how to explain it: the answer is then null.
 */
import { FAIL, INVOKE, OK } from './history.ts'
import { rowsInTimeOrder } from './order.ts'
import { CAS, functionKinds, NEVER, READ, WRITE } from './register.ts'
import { NIL } from './values.ts'
import type { History } from './history.ts'
import type { Model, RegisterRules } from './model.ts'

/** A key that is linearizable. */
export interface AcceptedKey {
  /** Code of the key in `history.values`. */
  readonly key: number
  readonly operations: number
  /** How many of its events prove something. */
  readonly events: number
}

const NOBODY = -2
const INITIAL = -1
/** A writer at or below this crashed: CRASHED - row. */
const CRASHED = -3
/** A `firstReturn` at or below this is the head's of another cluster's chain: LINK - head. */
const LINK = -2
const NO_CLUSTER = -1
/** Keys are told apart by their distance from the smallest code, which is exact and fast but needs codes that lie close together. */
const KEYS_MAX = 0xfffe

/** All keys of the history, if every one of them is certainly linearizable; null: ask another algorithm. */
export function acceptZones(history: History, model: Model, rules: RegisterRules, initial: number): AcceptedKey[] | null {
  if (rowsInTimeOrder(history) !== null) return null
  const kinds = functionKinds(history, model)
  const { valueMax, keyMin, keyMax } = survey(history)
  const valuesEnd = Math.max(history.values.largestPairPart, valueMax) + 1
  if (valuesEnd > 2 * history.length + 1024 || keyMax - keyMin >= KEYS_MAX) return null
  const clusters = emptyClusters(valuesEnd, keyMin, keyMax - keyMin + 1, initial)
  const keys = gather(history, kinds, rules, clusters)
  if (keys === null || !consumeForCrashed(history, kinds, clusters) || !formZones(history, kinds, clusters) || !sweep(history, kinds, clusters)) return null
  return keys
}

/** The bounds of the codes of values and keys. */
function survey({ key, value, length }: History): { readonly valueMax: number; readonly keyMin: number; readonly keyMax: number } {
  let valueMax = 0
  let keyMin = key[0]!
  let keyMax = key[0]!
  for (let row = 0; row < length; row++) {
    if (value[row]! > valueMax) valueMax = value[row]!
    if (key[row]! < keyMin) keyMin = key[row]!
    if (key[row]! > keyMax) keyMax = key[row]!
  }
  return { valueMax, keyMin, keyMax }
}

/** Clusters by value; behind them the initial one of every key. */
interface Clusters {
  /** The code of key 0. */
  readonly keyMin: number
  readonly keyCount: number
  readonly initial: number
  readonly valuesEnd: number
  readonly count: number
  /** Row of the invocation that made the value; INITIAL, NOBODY, CRASHED - row. */
  readonly writer: Int32Array
  /** Earliest response and latest invocation of the reads; later, at the head of a chain, of all of it. */
  readonly firstReturn: Int32Array
  readonly lastInvoke: Int32Array
  /** The cluster made by the effective CAS that consumes the value; -1. */
  readonly next: Int32Array
  /** Index + 1 of the key on which a value was met; empty when there is one key only. */
  readonly owner: Uint16Array
}

function emptyClusters(valuesEnd: number, keyMin: number, keyCount: number, initial: number): Clusters {
  const count = valuesEnd + keyCount
  const writer = new Int32Array(count).fill(NOBODY, 0, valuesEnd).fill(INITIAL, valuesEnd)
  const owner = new Uint16Array(keyCount > 1 ? valuesEnd : 0)
  return { keyMin, keyCount, initial, valuesEnd, count, writer, firstReturn: new Int32Array(count).fill(NEVER), lastInvoke: new Int32Array(count).fill(-1), next: new Int32Array(count).fill(-1), owner }
}

/** The cluster of a value on a key; NO_CLUSTER for values that are no integers. */
function clusterOf({ initial, valuesEnd }: Clusters, code: number, k: number): number {
  return code === initial ? valuesEnd + k : code < 0 ? NO_CLUSTER : code
}

/** As clusterOf, for an operation that took effect or may have; NO_CLUSTER also if the value was met on another key. */
function claim(clusters: Clusters, code: number, k: number): number {
  const c = clusterOf(clusters, code, k)
  const { owner } = clusters
  if (c < 0 || c >= owner.length) return c
  if (owner[c] === 0) owner[c] = k + 1
  return owner[c] === k + 1 ? c : NO_CLUSTER
}

/** Enters every operation into its clusters; returns the keys in order of their first invocation. */
function gather(history: History, kinds: Int8Array, { failedCas, nilReads }: RegisterRules, clusters: Clusters): AcceptedKey[] | null {
  const { type, process, pair, f, key, value, length } = history
  const { keyMin, keyCount, firstReturn, lastInvoke } = clusters
  const operations = new Int32Array(keyCount)
  const events = new Int32Array(keyCount)
  const order: number[] = []
  for (let row = 0; row < length; row++) {
    if (process[row]! < 0) continue
    const other = pair[row]!
    const t = type[row]!
    const at = t === INVOKE ? row : other
    const k = key[at]! - keyMin
    if (t === INVOKE) {
      if (operations[k] === 0) order.push(k)
      operations[k]!++
      if (other >= 0) continue
    }
    const kind = kinds[f[row]!]!
    if (at < 0 || kind < 0) return null
    if (t === FAIL) {
      if (kind === CAS && failedCas !== 'drop') return null
      continue
    }
    const crashed = t !== OK
    if (kind !== READ) {
      if (!enter(history, kind, clusters, at, k, crashed)) return null
      events[k]! += crashed ? 1 : 2
    } else if (!crashed && (value[row] !== NIL || nilReads !== 'unknown')) {
      const c = claim(clusters, value[row]!, k)
      if (c < 0) return null
      if (firstReturn[c] === NEVER) firstReturn[c] = row
      if (at > lastInvoke[c]!) lastInvoke[c] = at
      events[k]! += 2
    }
  }
  return order.map((k) => ({ key: k + keyMin, operations: operations[k]!, events: events[k]! }))
}

/** Enters a write or a compare-and-set; false when its value has another writer, or another CAS consumed what it expects. */
function enter({ value, values }: History, kind: number, clusters: Clusters, at: number, k: number, crashed: boolean): boolean {
  const { writer, next } = clusters
  const code = value[at]!
  if (kind === CAS && !values.isPair(code)) return false
  const to = claim(clusters, kind === WRITE ? code : values.second(code), k)
  if (to < 0 || writer[to] !== NOBODY) return false
  writer[to] = crashed ? CRASHED - at : at
  if (kind === WRITE || crashed) return true
  const from = claim(clusters, values.first(code), k)
  if (from < 0 || next[from]! >= 0) return false
  next[from] = to
  return true
}

/** A crashed CAS whose value somebody saw took effect: it consumes its expected value, which somebody saw thereby. */
function consumeForCrashed(history: History, kinds: Int8Array, clusters: Clusters): boolean {
  const { f, key, value, values } = history
  const { keyMin, count, writer, firstReturn, next } = clusters
  for (let first = 0; first < count; first++) {
    let c = first
    while (firstReturn[c] !== NEVER || next[c]! >= 0) {
      const w = writer[c]!
      if (w === NOBODY) return false
      if (w > CRASHED || kinds[f[CRASHED - w]!] !== CAS) break
      const at = CRASHED - w
      const from = claim(clusters, values.first(value[at]!), key[at]! - keyMin)
      if (from < 0) return false
      if (next[from] === c) break
      if (next[from]! >= 0) return false
      next[from] = c
      c = from
    }
  }
  return true
}

/** Walks every chain from the write (or the initial value) at its head, and leaves the zone's ends there; false when one is impossible by itself. */
function formZones(history: History, kinds: Int8Array, clusters: Clusters): boolean {
  const { f } = history
  const { count, writer, firstReturn, next } = clusters
  let chained = 0
  for (let c = 0; c < count; c++) {
    const w = writer[c]!
    if (w === NOBODY) continue
    const observed = firstReturn[c] !== NEVER || next[c]! >= 0
    if (!observed && w < 0) continue
    if (w !== INITIAL && kinds[f[w < 0 ? CRASHED - w : w]!] === CAS) {
      chained++
      continue
    }
    const links = walkChain(history, clusters, c)
    if (links < 0) return false
    chained -= links
  }
  // Effective compare-and-sets that no chain reaches stand in a ring.
  return chained === 0
}

/** Returns how many compare-and-sets the chain holds; -1 when their order contradicts real time. */
function walkChain(history: History, { writer, firstReturn, lastInvoke, next }: Clusters, head: number): number {
  const { pair } = history
  const w = writer[head]!
  let latest = w <= CRASHED ? CRASHED - w : w
  let f = w === INITIAL ? -1 : w < 0 ? NEVER : pair[w]!
  let links = 0
  for (let c = head; ; links++) {
    const reads = firstReturn[c]!
    if (reads < latest) return -1
    if (reads < f) f = reads
    if (lastInvoke[c]! > latest) latest = lastInvoke[c]!
    if (c !== head) firstReturn[c] = LINK - head
    c = next[c]!
    if (c < 0) break
    const cas = writer[c]!
    const begun = cas < 0 ? CRASHED - cas : cas
    const ended = cas < 0 ? NEVER : pair[cas]!
    if (ended < latest) return -1
    if (ended < f) f = ended
    if (begun > latest) latest = begun
  }
  firstReturn[head] = f
  lastInvoke[head] = latest
  return links
}

/**
 * Goes over the rows once: a forward zone comes at its earliest response, a backward one at its latest invocation.
 * Both are rows of operations of the zone, so that nothing need be sorted.
 */
function sweep(history: History, kinds: Int8Array, clusters: Clusters): boolean {
  const { type, process, pair, f, key, length } = history
  const { initial, keyMin, keyCount, valuesEnd, firstReturn, lastInvoke } = clusters
  // By key: the forward zone that reaches furthest; at first the initial value's, which begins before every row.
  const openFrom = new Int32Array(keyCount).fill(-1)
  const openTo = lastInvoke.slice(valuesEnd)
  for (let row = 0; row < length; row++) {
    const t = type[row]!
    if (t > OK || process[row]! < 0) continue
    const other = pair[row]!
    const code = t === INVOKE ? valueMet(history, kinds[f[row]!]!, row, other) : valueMet(history, kinds[f[row]!]!, other, row)
    if (code < 0 || code === initial) continue
    const own = firstReturn[code]!
    const h = own <= LINK ? LINK - own : code
    if (row !== (t === INVOKE ? lastInvoke[h] : firstReturn[h])) continue
    const from = firstReturn[h]!
    const to = lastInvoke[h]!
    const forward = from < to
    // The other end of the zone: it came or comes in its turn.
    if (forward === (t === INVOKE)) continue
    const k = key[t === INVOKE ? row : other]! - keyMin
    if (from < openTo[k]! && openFrom[k]! < to) return false
    if (forward && to > openTo[k]!) {
      openFrom[k] = from
      openTo[k] = to
    }
  }
  return true
}

/** The value that an operation read or made; -2 when there is none. */
function valueMet({ value, values }: History, kind: number, at: number, end: number): number {
  if (kind === READ) return end < 0 ? -2 : value[end]!
  return kind === WRITE ? value[at]! : values.second(value[at]!)
}
