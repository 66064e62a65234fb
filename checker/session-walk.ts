/**
 * One session at a time: does it uphold read your writes, monotonic reads, monotonic writes? (The definitions stand in
 * `visibility.ts`.)
 *
 * A *chain* is what one session wrote to one key, in order. Walking a session forward, the writes visible to it only
 * grow; remembering when each became visible, and through which operation, answers every question in constant time
 * and yields the witness.
 */
import { INITIAL } from './registers.ts'
import type { Registers } from './registers.ts'
import type { Breach } from './breach.ts'
import type { Describe } from './describe.ts'

/** The operations of each session, and the chains. Also the scratch columns that every walk uses anew. */
export class Sessions {
  readonly registers: Registers
  /** `operations.subarray(start[s], start[s + 1])` are those of session s, in order. */
  readonly operations: Int32Array
  readonly start: Int32Array
  /** For a write: its chain, and the next write of the chain (-1: none). */
  readonly chain: Int32Array
  readonly next: Int32Array
  /** The first write of each chain, by key. */
  readonly heads: readonly (readonly number[])[]
  /** `chained.subarray(chainStart[c], chainStart[c + 1])` are the writes of chain c, in order. */
  readonly chained: Int32Array
  readonly chainStart: Int32Array
  /** For a read: the session's previous read of the same key that names a write or the initial value; -1: none. */
  readonly lastRead: Int32Array
  readonly visible: Stamped
  readonly chainTop: Stamped
  readonly keyFirst: Stamped
  readonly reach: Stamped

  constructor(registers: Registers) {
    this.registers = registers
    const { count, session, key, write, happened, processes, keys } = registers
    this.start = new Int32Array(processes.length + 1)
    for (let op = 0; op < count; op++) if (happened[op] === 1) this.start[session[op]! + 1]!++
    for (let s = 0; s < processes.length; s++) this.start[s + 1]! += this.start[s]!
    this.operations = new Int32Array(this.start[processes.length]!)
    const fill = this.start.slice()
    for (let op = 0; op < count; op++) if (happened[op] === 1) this.operations[fill[session[op]!]!++] = op
    this.chain = new Int32Array(count).fill(-1)
    this.next = new Int32Array(count).fill(-1)
    this.lastRead = new Int32Array(count).fill(-1)
    const heads: number[][] = keys.map(() => [])
    const lastWrite = new Stamped(keys.length)
    const lastRead = new Stamped(keys.length)
    let chains = 0
    for (let s = 0; s < processes.length; s++) {
      lastWrite.clear()
      lastRead.clear()
      for (const op of this.of(s)) {
        const k = key[op]!
        if (write[op] === 0) {
          this.lastRead[op] = lastRead.get(k)
          if (registers.source[op]! >= INITIAL) lastRead.set(k, op)
          continue
        }
        const before = lastWrite.get(k)
        this.chain[op] = before < 0 ? chains++ : this.chain[before]!
        if (before < 0) heads[k]!.push(op)
        else this.next[before] = op
        lastWrite.set(k, op)
      }
    }
    this.heads = heads
    this.chainStart = new Int32Array(chains + 1)
    for (let op = 0; op < count; op++) if (this.chain[op]! >= 0) this.chainStart[this.chain[op]! + 1]!++
    for (let c = 0; c < chains; c++) this.chainStart[c + 1]! += this.chainStart[c]!
    this.chained = new Int32Array(this.chainStart[chains]!)
    const place = this.chainStart.slice()
    for (let op = 0; op < count; op++) if (this.chain[op]! >= 0) this.chained[place[this.chain[op]!]!++] = op
    this.visible = new Stamped(count)
    this.chainTop = new Stamped(chains)
    this.keyFirst = new Stamped(keys.length)
    this.reach = new Stamped(processes.length)
  }

  /** The last write of a chain up to an operation; -1 for none. */
  lastOfChain(chain: number, upTo: number): number {
    let low = this.chainStart[chain]!
    let high = this.chainStart[chain + 1]!
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.chained[middle]! <= upTo) low = middle + 1
      else high = middle
    }
    return low > this.chainStart[chain]! ? this.chained[low - 1]! : -1
  }

  of(session: number): Int32Array {
    return this.operations.subarray(this.start[session], this.start[session + 1])
  }
}

/** Numbers that can all be forgotten at once; -1 where nothing was set. */
export class Stamped {
  readonly #values: Int32Array
  readonly #stamps: Int32Array
  #stamp = 1

  constructor(length: number) {
    this.#values = new Int32Array(length)
    this.#stamps = new Int32Array(length)
  }

  get(at: number): number {
    return this.#stamps[at] === this.#stamp ? this.#values[at]! : -1
  }

  set(at: number, value: number): void {
    this.#values[at] = value
    this.#stamps[at] = this.#stamp
  }

  clear(): void {
    this.#stamp++
  }
}

/** What one session's reads show. `monotonic`: it upholds monotonic reads, so it is evidence about monotonic writes. */
export interface Walk {
  readonly breaches: readonly Breach[]
  readonly monotonic: boolean
}

type Found = Pick<Breach, 'operations' | 'explanation' | 'key'> | undefined

/** Tries the three guarantees that one session can break by itself. */
export function walkSession(sessions: Sessions, source: Int32Array, session: number, describe: Describe): Walk {
  const breaches: Breach[] = []
  const note = (breaks: Breach['breaks'], found: Found): boolean => {
    if (found) breaches.push({ breaks, session, ...found, operations: [...new Set(found.operations)].sort((a, b) => a - b) })
    return found === undefined
  }
  const ownVisible = note('read-your-writes', readYourWrites(sessions, source, session, describe))
  const monotonic = note('monotonic-reads', monotonicReads(sessions, source, session, ownVisible, describe))
  if (monotonic) note('monotonic-writes', monotonicWrites(sessions, source, session, ownVisible, describe))
  return { breaches, monotonic }
}

function readYourWrites({ registers, operations, start, keyFirst: lastOwn }: Sessions, source: Int32Array, session: number, describe: Describe): Found {
  const { write, key } = registers
  lastOwn.clear()
  for (let at = start[session]!; at < start[session + 1]!; at++) {
    const op = operations[at]!
    const k = key[op]!
    if (write[op] === 1) {
      lastOwn.set(k, op)
      continue
    }
    const own = lastOwn.get(k)
    const from = source[op]!
    if (own < 0) continue
    if (from === INITIAL) return { key: k, operations: [own, op], explanation: `${describe(own)}, and then ${describe(op)}: its own write is missing` }
    if (from >= 0 && from < own && registers.session[from] === session) {
      return { key: k, operations: [from, own, op], explanation: `${describe(own)} after it had written the value that it then read again: ${describe(op)}` }
    }
  }
  return undefined
}

/** `visible` holds for a write the operation through which the session first saw it: a read, or the write itself. */
function monotonicReads(sessions: Sessions, source: Int32Array, session: number, ownVisible: boolean, describe: Describe): Found {
  const { registers, operations, start, chain, lastRead, visible, chainTop, keyFirst } = sessions
  const { write, key } = registers
  visible.clear()
  chainTop.clear()
  keyFirst.clear()
  const see = (seen: number, through: number): void => {
    if (visible.get(seen) >= 0) return
    visible.set(seen, through)
    if (chainTop.get(chain[seen]!) < seen) chainTop.set(chain[seen]!, seen)
    if (keyFirst.get(key[seen]!) < 0) keyFirst.set(key[seen]!, seen)
  }
  for (let at = start[session]!; at < start[session + 1]!; at++) {
    const op = operations[at]!
    const k = key[op]!
    const from = source[op]!
    if (write[op] === 1) {
      if (ownVisible) see(op, op)
    } else if (from === INITIAL) {
      const seen = keyFirst.get(k)
      if (seen >= 0) return { key: k, operations: [seen, visible.get(seen), op], explanation: `${describe(visible.get(seen))}, and later ${describe(op)}, as if nothing had been written` }
    } else if (from >= 0) {
      const top = chainTop.get(chain[from]!)
      if (top > from) return { key: k, operations: [from, top, visible.get(top), op], explanation: `${describe(visible.get(top))}, and later ${describe(op)}, which ${registers.processes[registers.session[from]!]} had written before it` }
      const before = lastRead[op]!
      const through = visible.get(from)
      if (through >= 0 && before >= 0 && source[before] !== from && through < before) {
        return { key: k, operations: [from, through, source[before]!, before, op], explanation: `${describe(through)}, then ${describe(before)}, then ${describe(op)}: reads went back to a value that had been replaced` }
      }
      see(from, op)
    }
  }
  return undefined
}

/** `reach` holds for each other session the last of its writes that must be visible; `log` when it grew, and through which read. */
function monotonicWrites(sessions: Sessions, source: Int32Array, session: number, ownVisible: boolean, describe: Describe): Found {
  const { registers, operations, start, next, heads, lastRead, reach } = sessions
  const { write, key, session: sessionOf } = registers
  reach.clear()
  const log = new Map<number, { readonly upTo: number; readonly through: number }[]>()
  const grow = (of: number, upTo: number, through: number): void => {
    if (reach.get(of) >= upTo) return
    reach.set(of, upTo)
    const entries = log.get(of)
    if (entries) entries.push({ upTo, through })
    else log.set(of, [{ upTo, through }])
  }
  const carrier = (seen: number): { readonly upTo: number; readonly through: number } => log.get(sessionOf[seen]!)!.find((e) => e.upTo >= seen)!
  for (let at = start[session]!; at < start[session + 1]!; at++) {
    const op = operations[at]!
    const k = key[op]!
    const from = source[op]!
    if (write[op] === 1) {
      if (ownVisible) grow(session, op, op)
    } else if (from === INITIAL) {
      const missing = heads[k]!.find((head) => head <= reach.get(sessionOf[head]!))
      if (missing !== undefined) return missed(missing, carrier(missing), op, k, describe)
    } else if (from >= 0) {
      const by = sessionOf[from]!
      const known = reach.get(by)
      const later = next[from]!
      if (later >= 0 && later <= known) return missed(later, carrier(later), op, k, describe, from)
      const before = lastRead[op]!
      if (from <= known && before >= 0 && source[before] !== from) {
        const { upTo, through } = carrier(from)
        if (through < before) return { key: k, operations: [from, upTo, through, source[before]!, before, op], explanation: `${describe(through)}, so that ${describe(from)} was visible too; it then read past it (${describe(before)}) and back (${describe(op)})` }
      }
      grow(by, from, op)
    }
  }
  return undefined
}

function missed(missing: number, carrier: { readonly upTo: number; readonly through: number }, op: number, key: number, describe: Describe, from = op): Found {
  return {
    key,
    operations: [from, missing, carrier.upTo, carrier.through, op],
    explanation: `${describe(missing)} before the write that shows in "${describe(carrier.through)}", yet later ${describe(op)}`,
  }
}
