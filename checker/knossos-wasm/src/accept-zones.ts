/**
 * Zones straight over the columns of a history: accepts a large history of registers in three passes, or says nothing.
 *
 * The rules are those of zones.ts, with two differences that save time and memory. No operation is copied: a row is its
 * own rank, because rows are in order of time (otherwise this does not apply), and ranks of all keys together order
 * the events of each. And all keys go at once: clusters are numbered by the value alone, which is exact as long as
 * every value is met on one key only; each key has an initial cluster of its own. Anything that zones cannot decide,
 * and any doubt, is left to the algorithms that know how to explain it: the answer is then null.
 */
import { claim, EARLY, emptyClusters, gather, larger, LATE, NEXT, NOBODY, rowOf, WRITER } from './accept-clusters.ts'
import { INVOKE } from './history.ts'
import { DELETE, functionKinds, NEVER, READ } from './register.ts'
import type { Clusters, KeyCounts } from './accept-clusters.ts'
import type { History } from './history.ts'
import type { Model, RegisterRules } from './model.ts'

/** An EARLY below 0 is the head's of another cluster's chain: LINK - head. */
const LINK = -1
/** Keys are told apart by their distance from the smallest code, which is exact and fast but needs codes that lie close together. */
const KEYS_MAX = 0xfffe
/** Twice a row, and a little, must be an integer of 32 bits. */
const ROWS_MAX = (1 << 30) - 1
/** So many clusters are near in memory, and so many chains walked together that the few that are long do not matter. */
const BLOCK = 1 << 14

/** All keys of the history, if every one of them is certainly linearizable; null: ask another algorithm. */
export function acceptZones(history: History, model: Model, rules: RegisterRules, initial: number): KeyCounts[] | null {
  if (!history.inTimeOrder) return null
  const kinds = functionKinds(history, model)
  // What is deleted was written twice, mostly.
  if (kinds.includes(DELETE)) return null
  const { largestValue, keyMin, keyMax } = history
  const valuesEnd = Math.max(history.values.largestPairPart, largestValue) + 1
  if (valuesEnd > 2 * history.length + 1024 || keyMax - keyMin >= KEYS_MAX || history.length > ROWS_MAX) return null
  const clusters = emptyClusters(valuesEnd, keyMin, keyMax - keyMin + 1, initial)
  const keys = gather(history, kinds, rules, clusters)
  if (keys === null || !consumeForCrashed(history, clusters)) return null
  const marks = new Int32Array((history.length >> 5) + 1)
  return formZones(clusters, marks) && sweep(history, kinds, clusters, marks) ? keys : null
}

/** Whether somebody saw the value of a cluster. */
const isObserved = (table: Int32Array, c: number): boolean => (table[c * 4 + EARLY]! | table[c * 4 + NEXT]!) !== 0

/** A crashed CAS whose value somebody saw took effect: it consumes its expected value, which somebody saw thereby. */
function consumeForCrashed({ key, value, values }: History, clusters: Clusters): boolean {
  const { keyMin, table, crashedCas } = clusters
  const crashed = new Set(crashedCas)
  for (const first of crashedCas) {
    for (let c = first; crashed.has(c) && isObserved(table, c); ) {
      const at = rowOf(table[c * 4 + WRITER]!)
      const from = claim(clusters, values.first(value[at]!), key[at]! - keyMin)
      if (from < 0) return false
      if (table[from * 4 + NEXT] === c + 1) break
      if (table[from * 4 + NEXT] !== 0) return false
      table[from * 4 + NEXT] = c + 1
      c = from
    }
  }
  return true
}

/**
 * Walks every chain from the write (or the initial value) at its head, and leaves the zone's ends there; false when one is
 * impossible by itself. `marks`: where zones come, see sweep.
 */
function formZones({ valuesEnd, keyCount, table }: Clusters, marks: Int32Array): boolean {
  const walk: Walk = { heads: new Int32Array(BLOCK), going: new Int32Array(BLOCK), places: new Int32Array(BLOCK) }
  const { heads } = walk
  let [chained, unwritten] = [0, 0]
  for (let from = 0; from < valuesEnd; from += BLOCK) {
    const to = Math.min(valuesEnd, from + BLOCK)
    let n = 0
    for (let c = from; c < to; c++) {
      // Bits instead of branches, which nobody can guess.
      const w = table[c * 4 + WRITER]!
      const seen = table[c * 4 + EARLY]! | table[c * 4 + NEXT]!
      const observed = (seen | -seen) >>> 31
      const made = (w | -w) >>> 31
      unwritten |= observed & (made ^ 1)
      chained += observed & w & 1
      heads[n] = c
      n += observed & made & ~w
    }
    const links = walkChains(table, walk, n)
    if (links < 0) return false
    chained -= links
    for (let i = 0; i < n; i++) {
      const c = heads[i]!
      const row = Math.min(NEVER - table[c * 4 + EARLY]!, table[c * 4 + LATE]! - 1)
      marks[row >> 5]! |= 1 << (row & 31)
    }
  }
  if (unwritten !== NOBODY) return false
  for (let from = valuesEnd; from < valuesEnd + keyCount; from += BLOCK) {
    const to = Math.min(valuesEnd + keyCount, from + BLOCK)
    let n = 0
    for (let c = from; c < to; c++) if (isObserved(table, c)) heads[n++] = c
    const links = walkChains(table, walk, n)
    if (links < 0) return false
    chained -= links
  }
  // Effective compare-and-sets that no chain reaches stand in a ring.
  return chained === 0
}

/** A block's chains: their heads; the heads of those that go on, and where each of these is. */
interface Walk {
  readonly heads: Int32Array
  readonly going: Int32Array
  readonly places: Int32Array
}

/**
 * Leaves the earliest response and latest invocation of each of n chains at its head; returns how many compare-and-sets they hold,
 * -1 when the order of one contradicts real time. The links of a chain are far from each other in memory, and only one tells where
 * the next is: chains are walked together, a step in each, so that no link is waited for alone.
 */
function walkChains(table: Int32Array, walk: Walk, n: number): number {
  const { heads, going, places } = walk
  for (let i = 0; i < n; i++) {
    const head = heads[i]!
    if (NEVER - table[head * 4 + EARLY]! < rowOf(table[head * 4 + WRITER]!)) return -1
    going[i] = head
    places[i] = head
  }
  let links = 0
  for (let left = step(table, walk, n); left !== 0; left = step(table, walk, left)) {
    if (left < 0) return -1
    links += left
  }
  return links
}

/** Takes the first n chains to their next links; returns how many had one, -1 when one contradicts real time. */
function step(table: Int32Array, { going, places }: Walk, n: number): number {
  let left = 0
  for (let i = 0; i < n; i++) {
    // Where a chain ends is what nobody can guess, either.
    const next = table[places[i]! * 4 + NEXT]!
    going[left] = going[i]!
    places[left] = next - 1
    left += -next >>> 31
  }
  for (let i = 0; i < left; i++) {
    const head = going[i]!
    const c = places[i]!
    const own = table[c * 4 + EARLY]!
    const late = table[head * 4 + LATE]!
    // One may not end before another on an earlier value begins, nor a read of the value before what made it.
    if (NEVER - own < late - 1 || NEVER - own < rowOf(table[c * 4 + WRITER]!)) return -1
    table[head * 4 + EARLY] = larger(table[head * 4 + EARLY]!, own)
    table[head * 4 + LATE] = larger(late, table[c * 4 + LATE]!)
    table[c * 4 + EARLY] = LINK - head
  }
  return left
}

/**
 * Goes over the zones by the rows at which they come: a forward zone at its earliest response, a backward one at its
 * latest invocation. Both are rows of operations of the zone, so that nothing need be sorted: the rows are marked in a set
 * of bits.
 */
function sweep(history: History, kinds: Int8Array, clusters: Clusters, marks: Int32Array): boolean {
  const { type, pair, f, key, value, values } = history
  const { keyMin, keyCount, valuesEnd, table } = clusters
  // By key: the forward zone that reaches furthest; at first the initial value's, which begins before every row.
  const openFrom = new Int32Array(keyCount).fill(-1)
  const openTo = new Int32Array(keyCount)
  for (let k = 0; k < keyCount; k++) openTo[k] = table[(valuesEnd + k) * 4 + LATE]! - 1
  for (let word = 0; word < marks.length; word++) {
    for (let left = marks[word]!; left !== 0; left &= left - 1) {
      const row = (word << 5) + 31 - Math.clz32(left & -left)
      const at = type[row] === INVOKE ? row : pair[row]!
      // The value that the operation read or made: a compare-and-set's is the second of a pair.
      const code = value[kinds[f[at]!] === READ ? pair[at]! : at]!
      const c = code < 0 ? values.second(code) : code
      const own = table[c * 4 + EARLY]!
      const head = own < 0 ? LINK - own : c
      const from = NEVER - table[head * 4 + EARLY]!
      const to = table[head * 4 + LATE]! - 1
      const k = key[at]! - keyMin
      if (from < openTo[k]! && openFrom[k]! < to) return false
      // Forward zones that do not overlap come in order of their ends.
      if (from < to) {
        openFrom[k] = from
        openTo[k] = to
      }
    }
  }
  return true
}
