/**
 * The weak levels, decided exactly in polynomial time: monotonic atomic view (read committed, as Biswas and Enea call
 * it), read atomic, and causal consistency. Biswas and Enea, "On the Complexity of Checking Transactional Consistency"
 * (OOPSLA 2019), definitions 2.3 and theorem 4.1; the bounds are those of AWDIT (PLDI 2025).
 *
 * A history satisfies such a level if there is a commit order that contains what was read from whom (and the order of
 * sessions), such that no read skips a version that it should have seen: whenever t3 reads x from t1, and t2 wrote x
 * and is *visible* to t3, t2 commits before t1. What is visible (the level) does not depend on the commit order, so
 * these precedences are forced, and the level holds exactly if everything together has no cycle.
 */
import { NO_SOURCE } from './analysis.ts'
import { READ, WRITE, type Transactions } from './transactions.ts'

/** Which writes a read should have seen: those read from before in the transaction; of all transactions read from; of everything that happened before. */
export type Visibility = 'monotonic-atomic-view' | 'read-atomic' | 'causal'

/** `reader` read `key` from `before` (INITIAL: nobody), and `after` was visible to it and wrote the key: `after` commits before `before`. */
export interface Forced {
  readonly after: number
  readonly before: number
  readonly key: number
  readonly reader: number
}

/** Who read from whom. */
interface Sources {
  readonly happened: Uint8Array
  readonly source: Int32Array
  readonly precedes?: (a: number, b: number, key: number) => boolean
}

/** More clock entries than this are not kept: the level stays undecided. */
const CLOCKS_MAX = 50_000_000

/** All forced precedences; `complete` is false when memory would not suffice, `cyclic` when causality itself goes in a circle. */
export interface Saturation {
  readonly forced: readonly Forced[]
  readonly complete: boolean
  readonly cyclic: boolean
}

/** What to saturate. */
export interface SaturationOptions {
  readonly visibility: Visibility
  /** Earlier transactions of a session are visible too. */
  readonly sessions: boolean
  /** Look at the reads of these alone. Default: of all. */
  readonly readers?: readonly number[] | undefined
}

/** What is forced under a level and not known already. O(reads x predecessors), causal O(n x sessions). */
export function saturate(transactions: Transactions, sources: Sources, options: SaturationOptions): Saturation {
  const { count } = transactions
  const readers = options.readers ?? Int32Array.from({ length: count }, (_, t) => t)
  if (readers.length === 0) return { forced: [], complete: true, cyclic: false }
  const forced = new ForcedPrecedences(transactions, sources, readers)
  switch (options.visibility) {
    case 'monotonic-atomic-view':
      for (const t of readers) byEarlierReads(transactions, t, forced)
      break
    case 'read-atomic':
      for (const t of readers) byDirectReads(transactions, t, forced)
      if (options.sessions) bySessions(transactions, readers, forced)
      break
    case 'causal':
      return byHappenedBefore(transactions, sources, readers, forced)
  }
  return { forced: forced.found, complete: true, cyclic: false }
}

/** Collects what reads force. */
class ForcedPrecedences {
  readonly found: Forced[] = []
  readonly sources: Sources
  readonly #transactions: Transactions
  readonly #readers: Iterable<number>
  #writers: ReadonlyMap<number, ReadonlyMap<number, readonly number[]>> | undefined

  constructor(transactions: Transactions, sources: Sources, readers: Iterable<number>) {
    this.#transactions = transactions
    this.#readers = readers
    this.sources = sources
  }

  /** Who wrote a key that some reader read: by session, in order. */
  writers(key: number): ReadonlyMap<number, readonly number[]> {
    this.#writers ??= writersBySession(this.#transactions, this.sources.happened, this.#readers)
    return this.#writers.get(key)!
  }

  /** `reader` read `key` from `before`, and `after` is visible to it: if that wrote the key as well, it commits first. */
  add(after: number, before: number, key: number, reader: number): void {
    if (after < 0 || after === before || !this.#wrote(after, key)) return
    if (before >= 0 && this.sources.precedes?.(after, before, key) === true) return
    this.found.push({ after, before, key, reader })
  }

  /** What a micro-operation that takes part in this read, or NO_SOURCE. */
  source(t: number, micro: number): number {
    return this.#transactions.kind[micro] === READ && this.sources.happened[t] === 1 ? this.sources.source[micro]! : NO_SOURCE
  }

  #wrote(t: number, on: number): boolean {
    const { first, kind, key } = this.#transactions
    if (this.sources.happened[t] === 0) return false
    for (let micro = first[t]!; micro < first[t + 1]!; micro++) if (kind[micro] === WRITE && key[micro] === on) return true
    return false
  }
}

function byEarlierReads({ first, key }: Transactions, t: number, forced: ForcedPrecedences): void {
  for (let later = first[t]!; later < first[t + 1]!; later++) {
    const before = forced.source(t, later)
    if (before === NO_SOURCE) continue
    for (let earlier = first[t]!; earlier < later; earlier++) forced.add(forced.source(t, earlier), before, key[later]!, t)
  }
}

function byDirectReads({ first, key }: Transactions, t: number, forced: ForcedPrecedences): void {
  for (let micro = first[t]!; micro < first[t + 1]!; micro++) {
    const before = forced.source(t, micro)
    if (before === NO_SOURCE) continue
    for (let other = first[t]!; other < first[t + 1]!; other++) forced.add(forced.source(t, other), before, key[micro]!, t)
  }
}

/** By the last transaction of the reader's own session that wrote the key. */
function bySessions({ first, key, session }: Transactions, readers: Iterable<number>, forced: ForcedPrecedences): void {
  for (const t of readers) {
    for (let micro = first[t]!; micro < first[t + 1]!; micro++) {
      const before = forced.source(t, micro)
      if (before !== NO_SOURCE) forced.add(lastUpTo(forced.writers(key[micro]!).get(session[t]!) ?? [], t - 1), before, key[micro]!, t)
    }
  }
}

/** Causal consistency: per session and key the last write that happened before the reader, by vector clocks. */
function byHappenedBefore(transactions: Transactions, sources: Sources, readers: Iterable<number>, forced: ForcedPrecedences): Saturation {
  const { count, sessions, first, key, session } = transactions
  if (count * sessions > CLOCKS_MAX) return { forced: [], complete: false, cyclic: false }
  const clocks = clocksOf(transactions, sources)
  if (clocks === undefined) return { forced: [], complete: true, cyclic: true }
  for (const t of readers) {
    for (let micro = first[t]!; micro < first[t + 1]!; micro++) {
      const before = forced.source(t, micro)
      if (before === NO_SOURCE) continue
      for (const [other, list] of forced.writers(key[micro]!)) forced.add(lastUpTo(list, other === session[t] ? t - 1 : clocks[t * sessions + other]!), before, key[micro]!, t)
    }
  }
  return { forced: forced.found, complete: true, cyclic: false }
}

/** Clock entry [t * sessions + s]: the last transaction of session s that happened before t, -1 when none did. */
function clocksOf({ count, sessions, first, kind, session }: Transactions, { happened, source }: Sources): Int32Array | undefined {
  const clocks = new Int32Array(count * sessions).fill(-1)
  const previous = new Int32Array(count).fill(-1)
  const last = new Int32Array(sessions).fill(-1)
  const state = new Uint8Array(count)
  for (let t = 0; t < count; t++) {
    if (happened[t] === 0) continue
    previous[t] = last[session[t]!]!
    last[session[t]!] = t
  }
  const join = (t: number, from: number): void => {
    for (let s = 0; s < sessions; s++) if (clocks[from * sessions + s]! > clocks[t * sessions + s]!) clocks[t * sessions + s] = clocks[from * sessions + s]!
    if (from > clocks[t * sessions + session[from]!]!) clocks[t * sessions + session[from]!] = from
  }
  const pending: number[] = []
  // What must be known before t: pushes what is not; false when that waits for t itself.
  const need = (from: number): boolean => {
    if (from >= 0 && state[from] !== 2) pending.push(from)
    return from < 0 || state[from] !== 1
  }
  for (let root = 0; root < count; root++) {
    if (happened[root] === 0 || state[root] === 2) continue
    pending.push(root)
    while (pending.length > 0) {
      const at = pending.length
      const t = pending[at - 1]!
      if (state[t] === 2) {
        pending.pop()
        continue
      }
      state[t] = 1
      if (!need(previous[t]!)) return undefined
      for (let micro = first[t]!; micro < first[t + 1]!; micro++) if (kind[micro] === READ && !need(source[micro]!)) return undefined
      if (pending.length > at) continue
      if (previous[t]! >= 0) join(t, previous[t]!)
      for (let micro = first[t]!; micro < first[t + 1]!; micro++) if (kind[micro] === READ && source[micro]! >= 0) join(t, source[micro]!)
      state[t] = 2
      pending.pop()
    }
  }
  return clocks
}

/** By key that these readers read: for each session that wrote it, its writers in order. */
function writersBySession({ count, first, kind, key, session }: Transactions, happened: Uint8Array, readers: Iterable<number>): Map<number, Map<number, number[]>> {
  const writers = new Map<number, Map<number, number[]>>()
  for (const t of readers) for (let micro = first[t]!; micro < first[t + 1]!; micro++) if (kind[micro] === READ && !writers.has(key[micro]!)) writers.set(key[micro]!, new Map())
  for (let t = 0; t < count; t++) {
    if (happened[t] === 0) continue
    for (let micro = first[t]!; micro < first[t + 1]!; micro++) {
      const bySession = kind[micro] === WRITE ? writers.get(key[micro]!) : undefined
      const list = bySession?.get(session[t]!)
      if (list === undefined) bySession?.set(session[t]!, [t])
      else if (list.at(-1) !== t) list.push(t)
    }
  }
  return writers
}

/** The last of a sorted list that is at most `bound`; -1 when there is none. */
function lastUpTo(list: readonly number[], bound: number): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (list[middle]! <= bound) low = middle + 1
    else high = middle
  }
  return low === 0 ? -1 : list[low - 1]!
}
