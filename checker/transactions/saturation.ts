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
}

/** More clock entries than this are not kept: the level stays undecided. */
const CLOCKS_MAX = 50_000_000

/** All forced precedences; `complete` is false when memory would not suffice, `cyclic` when causality itself goes in a circle. */
export interface Saturation {
  readonly forced: readonly Forced[]
  readonly complete: boolean
  readonly cyclic: boolean
}

/** What is forced under a level. With `sessions` earlier transactions of a session are visible too. O(reads x predecessors), causal O(n x sessions). */
export function saturate(transactions: Transactions, sources: Sources, visibility: Visibility, sessions: boolean): Saturation {
  switch (visibility) {
    case 'monotonic-atomic-view':
      return { forced: byEarlierReads(transactions, sources), complete: true, cyclic: false }
    case 'read-atomic':
      return { forced: byDirectReads(transactions, sources, sessions), complete: true, cyclic: false }
    case 'causal':
      return byHappenedBefore(transactions, sources)
  }
}

/** Who wrote which key, as a set of pairs. */
class WrittenKeys {
  readonly #pairs = new Set<number>()
  readonly #keys: number

  constructor({ count, first, kind, key, keys }: Transactions, happened: Uint8Array) {
    this.#keys = keys.length
    for (let t = 0; t < count; t++) {
      if (happened[t] === 0) continue
      for (let micro = first[t]!; micro < first[t + 1]!; micro++) if (kind[micro] === WRITE) this.#pairs.add(t * this.#keys + key[micro]!)
    }
  }

  has(transaction: number, key: number): boolean {
    return this.#pairs.has(transaction * this.#keys + key)
  }
}

function byEarlierReads(transactions: Transactions, { happened, source }: Sources): Forced[] {
  const { count, first, kind, key } = transactions
  const written = new WrittenKeys(transactions, happened)
  const forced: Forced[] = []
  for (let t = 0; t < count; t++) {
    for (let later = first[t]!; later < first[t + 1]!; later++) {
      const before = source[later]!
      if (kind[later] !== READ || before === NO_SOURCE) continue
      for (let earlier = first[t]!; earlier < later; earlier++) {
        const after = source[earlier]!
        if (kind[earlier] === READ && after >= 0 && after !== before && written.has(after, key[later]!)) forced.push({ after, before, key: key[later]!, reader: t })
      }
    }
  }
  return forced
}

function byDirectReads(transactions: Transactions, { happened, source }: Sources, sessions: boolean): Forced[] {
  const { count, first, kind, key, session } = transactions
  const written = new WrittenKeys(transactions, happened)
  const lastInSession = new Map<number, number>()
  const forced: Forced[] = []
  for (let t = 0; t < count; t++) {
    if (happened[t] === 0) continue
    for (let micro = first[t]!; micro < first[t + 1]!; micro++) {
      const before = source[micro]!
      if (kind[micro] !== READ || before === NO_SOURCE) continue
      const on = key[micro]!
      for (let other = first[t]!; other < first[t + 1]!; other++) {
        const after = source[other]!
        if (kind[other] === READ && after >= 0 && after !== before && written.has(after, on)) forced.push({ after, before, key: on, reader: t })
      }
      const own = sessions ? lastInSession.get(session[t]! * transactions.keys.length + on) : undefined
      if (own !== undefined && own !== before) forced.push({ after: own, before, key: on, reader: t })
    }
    if (sessions) for (let micro = first[t]!; micro < first[t + 1]!; micro++) if (kind[micro] === WRITE) lastInSession.set(session[t]! * transactions.keys.length + key[micro]!, t)
  }
  return forced
}

/** Causal consistency: per session and key the last write that happened before the reader, by vector clocks. */
function byHappenedBefore(transactions: Transactions, sources: Sources): Saturation {
  const { count, sessions, first, kind, key, session } = transactions
  if (count * sessions > CLOCKS_MAX) return { forced: [], complete: false, cyclic: false }
  const clocks = clocksOf(transactions, sources)
  if (clocks === undefined) return { forced: [], complete: true, cyclic: true }
  const writers = writersBySession(transactions, sources.happened)
  const forced: Forced[] = []
  for (let t = 0; t < count; t++) {
    for (let micro = first[t]!; micro < first[t + 1]!; micro++) {
      const before = sources.source[micro]!
      if (kind[micro] !== READ || before === NO_SOURCE) continue
      for (const [other, list] of writers[key[micro]!]!) {
        const after = lastUpTo(list, other === session[t] ? t - 1 : clocks[t * sessions + other]!)
        if (after >= 0 && after !== before) forced.push({ after, before, key: key[micro]!, reader: t })
      }
    }
  }
  return { forced, complete: true, cyclic: false }
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
  for (let root = 0; root < count; root++) {
    if (happened[root] === 0 || state[root] === 2) continue
    pending.push(root)
    while (pending.length > 0) {
      const t = pending.at(-1)!
      if (state[t] === 2) {
        pending.pop()
        continue
      }
      const origins = previous[t]! >= 0 ? [previous[t]!] : []
      for (let micro = first[t]!; micro < first[t + 1]!; micro++) if (kind[micro] === READ && source[micro]! >= 0) origins.push(source[micro]!)
      const open = origins.filter((from) => state[from] !== 2)
      if (state[t] === 0 && open.length > 0) {
        if (open.some((from) => state[from] === 1)) return undefined
        state[t] = 1
        pending.push(...open)
        continue
      }
      if (open.length > 0) return undefined
      for (const from of origins) join(t, from)
      state[t] = 2
      pending.pop()
    }
  }
  return clocks
}

/** By key: for each session that wrote it, its writers in order. */
function writersBySession({ count, first, kind, key, keys, session }: Transactions, happened: Uint8Array): Map<number, number[]>[] {
  const writers = keys.map(() => new Map<number, number[]>())
  for (let t = 0; t < count; t++) {
    if (happened[t] === 0) continue
    for (let micro = first[t]!; micro < first[t + 1]!; micro++) {
      if (kind[micro] !== WRITE) continue
      const bySession = writers[key[micro]!]!
      const list = bySession.get(session[t]!)
      if (list === undefined) bySession.set(session[t]!, [t])
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
