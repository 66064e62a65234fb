/**
 * All sessions together, along happens-before: who breaks writes follow reads? (The definitions stand in
 * `visibility.ts`.)
 *
 * Each session carries a vector clock: of every other session the last write that happened before. A write that some
 * other session reads keeps a copy until its last reader has passed. A read r of b is refused when a write to the key
 * happened before r and after b, when b had happened before the session's previous read of the key, which returned
 * another write, or when it returned the initial value although a write to the key had happened before.
 * O(operations x sessions), as AWDIT (Møldrup and Pavlogiannis, 2025) shows to be about the best possible.
 */
import { HappensBefore } from './causal-order.ts'
import { INITIAL } from './registers.ts'
import type { Registers } from './registers.ts'
import type { JudgeContext } from './judgement.ts'
import type { Breach } from './breach.ts'
import type { Sessions } from './session-walk.ts'
import type { Describe } from './describe.ts'

/** What the walk needs. */
export interface CausalWalkOptions {
  readonly registers: Registers
  readonly source: Int32Array
  readonly sessions: Sessions
  readonly order: Int32Array
  readonly position: Int32Array
  /** 1 for the sessions that uphold the other three guarantees: only their reads are judged. */
  readonly upheld: Uint8Array
  readonly describe: Describe
  readonly context: JudgeContext
}

/** Work that no run should need: clock entries joined, and steps of searches. */
const JOINS_MAX = 5e9
const STEPS_MAX = 1e9

/** The first breach of writes-follow-reads in every session that is evidence about it. */
export function causalBreaches(options: CausalWalkOptions): { breaches: Breach[]; judged: number; exhausted: string | undefined } {
  const { registers, upheld } = options
  const judged = upheld.reduce((sum, one) => sum + one, 0)
  if (judged === 0) return { breaches: [], judged, exhausted: undefined }
  if (registers.processes.length * options.order.length > JOINS_MAX) {
    return { breaches: [], judged, exhausted: `${registers.processes.length} sessions are too many for ${options.order.length} operations` }
  }
  return { ...new CausalWalk(options).run(), judged }
}

class CausalWalk {
  readonly #options: CausalWalkOptions
  readonly #before: HappensBefore
  readonly #live: Uint8Array
  readonly #clocks: Int32Array[]
  readonly #kept = new Map<number, Int32Array>()
  readonly #spare: Int32Array[] = []
  readonly #readers: Int32Array
  /** Writes of each key in causal order, as a list. */
  readonly #nextOnKey: Int32Array
  /** How many writes of its key stand before each. */
  readonly #ordinal: Int32Array
  readonly #firstOnKey: Int32Array
  readonly #lastOnKey: Int32Array
  readonly #breaches: Breach[] = []

  constructor(options: CausalWalkOptions) {
    this.#options = options
    const { count, session, processes, keys, happened } = options.registers
    this.#before = new HappensBefore(options.registers, options.source, options.position)
    this.#live = Uint8Array.from(options.upheld)
    this.#clocks = processes.map(() => new Int32Array(0))
    this.#readers = new Int32Array(count)
    for (let op = 0; op < count; op++) {
      const from = options.source[op]!
      if (from >= 0 && happened[op] === 1 && session[from] !== session[op]) this.#readers[from]!++
    }
    this.#nextOnKey = new Int32Array(count).fill(-1)
    this.#ordinal = new Int32Array(count)
    this.#firstOnKey = new Int32Array(keys.length).fill(-1)
    this.#lastOnKey = new Int32Array(keys.length).fill(-1)
  }

  run(): { breaches: Breach[]; exhausted: string | undefined } {
    const { order, context, registers } = this.#options
    const begun = context.elapsedMs()
    for (let at = 0; at < order.length; at++) {
      const op = order[at]!
      if (registers.write[op] === 1) this.#wrote(op)
      else this.#read(op)
      if ((at & 0xfff) === 0 && (this.#before.steps > STEPS_MAX || context.elapsedMs() - begun > context.timeLimitMs)) {
        return { breaches: this.#breaches, exhausted: this.#before.steps > STEPS_MAX ? 'the search for overwritten causes grew too large' : `time limit of ${context.timeLimitMs / 1000} s` }
      }
    }
    return { breaches: this.#breaches, exhausted: undefined }
  }

  #clock(session: number): Int32Array {
    let clock = this.#clocks[session]!
    if (clock.length === 0) clock = this.#clocks[session] = new Int32Array(this.#clocks.length).fill(-1)
    return clock
  }

  #wrote(op: number): void {
    const { key, session } = this.#options.registers
    const clock = this.#clock(session[op]!)
    clock[session[op]!] = op
    if (this.#readers[op]! > 0) {
      const copy = this.#spare.pop() ?? new Int32Array(clock.length)
      copy.set(clock)
      this.#kept.set(op, copy)
    }
    const k = key[op]!
    if (this.#lastOnKey[k]! < 0) this.#firstOnKey[k] = op
    else {
      this.#nextOnKey[this.#lastOnKey[k]!] = op
      this.#ordinal[op] = this.#ordinal[this.#lastOnKey[k]!]! + 1
    }
    this.#lastOnKey[k] = op
  }

  #read(op: number): void {
    const { session } = this.#options.registers
    const from = this.#options.source[op]!
    if (from < INITIAL) return
    const own = session[op]!
    const clock = this.#clock(own)
    const judged = this.#live[own] === 1
    if (from === INITIAL) {
      if (judged) this.#initial(op, clock)
      return
    }
    const previous = this.#options.sessions.lastRead[op]!
    if (judged && previous >= 0 && clock[session[from]!]! >= from) this.#returned(op, from, previous)
    if (session[from] !== own) this.#join(clock, from)
    if (this.#live[own] === 1) this.#overwritten(op, from, clock)
  }

  #join(clock: Int32Array, from: number): void {
    const other = this.#kept.get(from)!
    for (let at = 0; at < clock.length; at++) if (other[at]! > clock[at]!) clock[at] = other[at]!
    if (--this.#readers[from]! === 0) {
      this.#kept.delete(from)
      this.#spare.push(other)
    }
  }

  #initial(op: number, clock: Int32Array): void {
    const { key, session } = this.#options.registers
    for (let write = this.#firstOnKey[key[op]!]!; write >= 0; write = this.#nextOnKey[write]!) {
      if (clock[session[write]!]! >= write) return this.#breach(op, [...this.#before.path(write, op)], (d) => `${d(write)} and that happened before ${d(op)}`)
    }
  }

  /** Went `op` back to `from`, although the previous read of the key had it visible and returned another write? */
  #returned(op: number, from: number, previous: number): void {
    const { source, position } = this.#options
    const between = source[previous]!
    if (between === from || between < 0 || position[from]! > position[previous]! || !this.#before.precedes(from, previous)) return
    this.#breach(op, [...this.#before.path(from, previous), between, op], (d) => `${d(from)} happened before ${d(previous)}, which chose another write over it; later ${d(op)}`)
  }

  /** Is there a write to the key that happened after `from` and before `op`? */
  #overwritten(op: number, from: number, clock: Int32Array): void {
    const newer = this.#newerOf(op, from, clock)
    if (newer < 0) return
    this.#breach(op, [...this.#before.path(from, newer), ...this.#before.path(newer, op)], (d) => `${d(from)}, which happened before ${d(newer)}, which happened before ${d(op)}: an overwritten value`)
  }

  /** Looks through the writes that followed `from`, or, when they are many, through the last visible one of each session. */
  #newerOf(op: number, from: number, clock: Int32Array): number {
    const { registers, sessions, position } = this.#options
    const { session, key } = registers
    const heads = sessions.heads[key[op]!]!
    if (this.#ordinal[this.#lastOnKey[key[op]!]!]! - this.#ordinal[from]! <= heads.length) {
      for (let write = this.#nextOnKey[from]!; write >= 0; write = this.#nextOnKey[write]!) {
        if (clock[session[write]!]! >= write && this.#before.precedes(from, write)) return write
      }
      return -1
    }
    for (const head of heads) {
      const write = sessions.lastOfChain(sessions.chain[head]!, clock[session[head]!]!)
      if (write >= 0 && write !== from && position[write]! > position[from]! && this.#before.precedes(from, write)) return write
    }
    return -1
  }

  #breach(op: number, operations: number[], explain: (describe: Describe) => string): void {
    const { registers, describe } = this.#options
    const session = registers.session[op]!
    this.#live[session] = 0
    this.#breaches.push({ breaks: 'writes-follow-reads', session, key: registers.key[op]!, operations: [...new Set(operations)].sort((a, b) => a - b), explanation: explain(describe) })
  }
}
