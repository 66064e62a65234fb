/**
 * Zones straight over the columns of a history: accepts a large history of registers in four passes, or says nothing.
 *
 * The rules are those of zones.ts, with two differences that save time and memory. No operation is copied: a row is its
 * own rank, because rows are in order of time (otherwise this does not apply), and ranks of all keys together order
 * the events of each. And all keys go at once: clusters are numbered by the value alone, which is exact as long as
 * every value is met on one key only; each key has an initial cluster of its own. Anything that zones cannot decide,
 * and any doubt, is left to the algorithms that know how to explain it: the answer is then null.
 */
import { claim, emptyClusters, FIRST, gather, INITIAL, isCas, LAST, NEXT, NOBODY, rowOf, WRITER } from './accept-clusters.ts'
import { INVOKE } from './history.ts'
import { functionKinds, NEVER, READ, WRITE } from './register.ts'
import type { Clusters, KeyCounts } from './accept-clusters.ts'
import type { History } from './history.ts'
import type { Model, RegisterRules } from './model.ts'

/** A FIRST at or below this is the head's of another cluster's chain: LINK - head. */
const LINK = -2
/** Keys are told apart by their distance from the smallest code, which is exact and fast but needs codes that lie close together. */
const KEYS_MAX = 0xfffe
/** Twice a row must be an integer of 32 bits. */
const ROWS_MAX = 1 << 30

/** All keys of the history, if every one of them is certainly linearizable; null: ask another algorithm. */
export function acceptZones(history: History, model: Model, rules: RegisterRules, initial: number): KeyCounts[] | null {
  if (!history.inTimeOrder) return null
  const kinds = functionKinds(history, model)
  const { largestValue, keyMin, keyMax } = history
  const valuesEnd = Math.max(history.values.largestPairPart, largestValue) + 1
  if (valuesEnd > 2 * history.length + 1024 || keyMax - keyMin >= KEYS_MAX || history.length > ROWS_MAX) return null
  const clusters = emptyClusters(valuesEnd, keyMin, keyMax - keyMin + 1, initial)
  const keys = gather(history, kinds, rules, clusters)
  if (keys === null || !consumeForCrashed(history, clusters)) return null
  const marks = new Int32Array((history.length >> 5) + 1)
  return formZones(clusters, marks) && sweep(history, kinds, clusters, marks) ? keys : null
}

/** A crashed CAS whose value somebody saw took effect: it consumes its expected value, which somebody saw thereby. */
function consumeForCrashed({ key, value, values }: History, clusters: Clusters): boolean {
  const { keyMin, table, crashedCas } = clusters
  const crashed = new Set(crashedCas)
  for (const first of crashedCas) {
    for (let c = first; crashed.has(c) && (table[c * 4 + FIRST] !== NEVER || table[c * 4 + NEXT]! >= 0); ) {
      const at = rowOf(table[c * 4 + WRITER]!)
      const from = claim(clusters, values.first(value[at]!), key[at]! - keyMin)
      if (from < 0) return false
      if (table[from * 4 + NEXT] === c) break
      if (table[from * 4 + NEXT]! >= 0) return false
      table[from * 4 + NEXT] = c
      c = from
    }
  }
  return true
}

/**
 * Walks every chain from the write (or the initial value) at its head, and leaves the zone's ends there; false when one is
 * impossible by itself. `marks`: where zones come, see sweep.
 */
function formZones({ count, table }: Clusters, marks: Int32Array): boolean {
  let chained = 0
  for (let c = 0; c < count; c++) {
    const w = table[c * 4 + WRITER]!
    const observed = table[c * 4 + FIRST] !== NEVER || table[c * 4 + NEXT]! >= 0
    if (!observed) continue
    if (w === NOBODY) return false
    if (w !== INITIAL && isCas(w)) {
      chained++
      continue
    }
    const links = walkChain(table, c)
    if (links < 0) return false
    chained -= links
    if (w === INITIAL) continue
    const row = Math.min(table[c * 4 + FIRST]!, table[c * 4 + LAST]!)
    marks[row >> 5]! |= 1 << (row & 31)
  }
  // Effective compare-and-sets that no chain reaches stand in a ring.
  return chained === 0
}

/** Returns how many compare-and-sets the chain holds; -1 when their order contradicts real time. */
function walkChain(table: Int32Array, head: number): number {
  let earliest = table[head * 4 + WRITER] === INITIAL ? -1 : NEVER
  let latest = -1
  let links = 0
  for (let c = head; ; links++) {
    const w = table[c * 4 + WRITER]!
    const first = table[c * 4 + FIRST]!
    if (first < latest || first < rowOf(w)) return -1
    if (first < earliest) earliest = first
    if (table[c * 4 + LAST]! > latest) latest = table[c * 4 + LAST]!
    if (c !== head) table[c * 4 + FIRST] = LINK - head
    c = table[c * 4 + NEXT]!
    if (c < 0) break
  }
  table[head * 4 + FIRST] = earliest
  table[head * 4 + LAST] = latest
  return links
}

/**
 * Goes over the zones by the rows at which they come: a forward zone at its earliest response, a backward one at its
 * latest invocation. Both are rows of operations of the zone, so that nothing need be sorted: the rows are marked in a set
 * of bits.
 */
function sweep(history: History, kinds: Int8Array, clusters: Clusters, marks: Int32Array): boolean {
  const { type, pair, f, key } = history
  const { keyMin, keyCount, valuesEnd, table } = clusters
  // By key: the forward zone that reaches furthest; at first the initial value's, which begins before every row.
  const openFrom = new Int32Array(keyCount).fill(-1)
  const openTo = new Int32Array(keyCount)
  for (let k = 0; k < keyCount; k++) openTo[k] = table[(valuesEnd + k) * 4 + LAST]!
  for (let word = 0; word < marks.length; word++) {
    for (let left = marks[word]!; left !== 0; left &= left - 1) {
      const row = (word << 5) + 31 - Math.clz32(left & -left)
      const begins = type[row] === INVOKE
      const at = begins ? row : pair[row]!
      const c = valueMet(history, kinds[f[at]!]!, at, begins ? pair[row]! : row)
      const own = table[c * 4 + FIRST]!
      const head = own <= LINK ? LINK - own : c
      const from = table[head * 4 + FIRST]!
      const to = table[head * 4 + LAST]!
      const k = key[at]! - keyMin
      if (from < openTo[k]! && openFrom[k]! < to) return false
      if (from < to && to > openTo[k]!) {
        openFrom[k] = from
        openTo[k] = to
      }
    }
  }
  return true
}

/** The value that an operation read or made. */
function valueMet({ value, values }: History, kind: number, at: number, end: number): number {
  return kind === READ ? value[end]! : kind === WRITE ? value[at]! : values.second(value[at]!)
}
