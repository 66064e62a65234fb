/**
 * All sessions together, along happens-before: who breaks writes follow reads? (The definitions stand in
 * `visibility.ts`.)
 *
 * Each session carries a vector clock (`clocks.ts`). A read r of b is refused when a write to the key
 * happened before r and after b, when b had happened before the session's previous read of the key, which returned
 * another write, or when it returned the initial value although a write to the key had happened before.
 * The second of these is the only one that weak causal consistency allows; the walk notes for each session the first
 * breach of either model, and whether some read returned a write that stands before another of its causes, so that the
 * order of the walk is no arbitration for all (`causal-convergence.ts`).
 * O(operations x sessions), as AWDIT (Møldrup and Pavlogiannis, 2025) shows to be about the best possible.
 */
import { CausalClocks } from './clocks.ts'
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
  /** 1 for the sessions that uphold the other three guarantees: only their reads say anything about the fourth. */
  readonly upheld: Uint8Array
  readonly describe: Describe
  readonly context: JudgeContext
}

/** Work that no run should need: clock entries joined, and steps of searches. */
const JOINS_MAX = 5e9
const STEPS_MAX = 1e9

/** What the walk found. */
export interface CausalBreaches {
  /** The first breach of writes follow reads in every session that is evidence about it. */
  readonly breaches: readonly Breach[]
  /** The first breach of weak causal consistency in every session. */
  readonly weak: readonly Breach[]
  /** Some read returned a write that stands, in the order of the walk, before another cause of the read. */
  readonly contested: boolean
  readonly judged: number
  readonly exhausted: string | undefined
}

/** Walks all operations in causal order. */
export function causalBreaches(options: CausalWalkOptions): CausalBreaches {
  const { registers, upheld } = options
  const judged = upheld.reduce((sum, one) => sum + one, 0)
  if (registers.processes.length * options.order.length > JOINS_MAX) {
    return { breaches: [], weak: [], contested: true, judged, exhausted: `${registers.processes.length} sessions are too many for ${options.order.length} operations` }
  }
  return { ...new CausalWalk(options).run(), judged }
}

class CausalWalk {
  readonly #options: CausalWalkOptions
  readonly #before: HappensBefore
  /** Sessions whose breaches of writes follow reads, and of weak causal consistency, are still to be found. */
  readonly #live: Uint8Array
  readonly #open: Uint8Array
  readonly #clocks: CausalClocks
  /** Writes of each key in causal order, as a list. */
  readonly #nextOnKey: Int32Array
  /** How many writes of its key stand before each. */
  readonly #ordinal: Int32Array
  readonly #firstOnKey: Int32Array
  readonly #lastOnKey: Int32Array
  readonly #breaches: Breach[] = []
  readonly #weak: Breach[] = []
  #contested = false

  constructor(options: CausalWalkOptions) {
    this.#options = options
    const { count, processes, keys } = options.registers
    this.#before = new HappensBefore(options.registers, options.source, options.position)
    this.#live = Uint8Array.from(options.upheld)
    this.#open = new Uint8Array(processes.length).fill(1)
    this.#clocks = new CausalClocks(options.registers, options.source)
    this.#nextOnKey = new Int32Array(count).fill(-1)
    this.#ordinal = new Int32Array(count)
    this.#firstOnKey = new Int32Array(keys.length).fill(-1)
    this.#lastOnKey = new Int32Array(keys.length).fill(-1)
  }

  run(): Omit<CausalBreaches, 'judged'> {
    const { order, context, registers } = this.#options
    const begun = context.elapsedMs()
    const found = (exhausted: string | undefined): Omit<CausalBreaches, 'judged'> => ({ breaches: this.#breaches, weak: this.#weak, contested: this.#contested, exhausted })
    for (let at = 0; at < order.length; at++) {
      const op = order[at]!
      if (registers.write[op] === 1) this.#wrote(op)
      else this.#read(op)
      if ((at & 0xfff) !== 0) continue
      if (this.#before.steps > STEPS_MAX) return found('the search for overwritten causes grew too large')
      if (context.elapsedMs() - begun > context.timeLimitMs) return found(`time limit of ${context.timeLimitMs / 1000} s`)
    }
    return found(undefined)
  }

  #wrote(op: number): void {
    const { key } = this.#options.registers
    this.#clocks.wrote(op)
    const k = key[op]!
    if (this.#lastOnKey[k]! < 0) this.#firstOnKey[k] = op
    else {
      this.#nextOnKey[this.#lastOnKey[k]!] = op
      this.#ordinal[op] = this.#ordinal[this.#lastOnKey[k]!]! + 1
    }
    this.#lastOnKey[k] = op
  }

  #read(op: number): void {
    const own = this.#options.registers.session[op]!
    const from = this.#options.source[op]!
    if (from < INITIAL) return
    const clock = this.#clocks.ofSession(own)
    if (from === INITIAL) {
      if (this.#open[own] === 1 || this.#live[own] === 1) this.#initial(op, clock)
      return
    }
    const previous = this.#options.sessions.lastRead[op]!
    if (this.#live[own] === 1 && previous >= 0 && clock[this.#options.registers.session[from]!]! >= from) this.#returned(op, from, previous)
    this.#clocks.read(own, from)
    if (this.#open[own] === 1 || this.#live[own] === 1) this.#overwritten(op, from, clock)
  }

  #initial(op: number, clock: Int32Array): void {
    const { key, session } = this.#options.registers
    for (let write = this.#firstOnKey[key[op]!]!; write >= 0; write = this.#nextOnKey[write]!) {
      if (clock[session[write]!]! >= write) return this.#breach(op, 'weak', [...this.#before.path(write, op)], (d) => `${d(write)} and that happened before ${d(op)}`)
    }
  }

  /** Went `op` back to `from`, although the previous read of the key had it visible and returned another write? */
  #returned(op: number, from: number, previous: number): void {
    const { source, position } = this.#options
    const between = source[previous]!
    if (between === from || between < 0 || position[from]! > position[previous]! || !this.#before.precedes(from, previous)) return
    this.#breach(op, 'strong', [...this.#before.path(from, previous), between, op], (d) => `${d(from)} happened before ${d(previous)}, which chose another write over it; later ${d(op)}`)
  }

  /** Is there a write to the key that happened after `from` and before `op`? */
  #overwritten(op: number, from: number, clock: Int32Array): void {
    const newer = this.#newerOf(op, from, clock)
    if (newer < 0) return
    this.#breach(op, 'weak', [...this.#before.path(from, newer), ...this.#before.path(newer, op)], (d) => `${d(from)}, which happened before ${d(newer)}, which happened before ${d(op)}: an overwritten value`)
  }

  /** Looks through the writes that followed `from`, or, when they are many, through the last visible one of each session. */
  #newerOf(op: number, from: number, clock: Int32Array): number {
    const { registers, sessions, position } = this.#options
    const { session, key } = registers
    const heads = sessions.heads[key[op]!]!
    if (this.#ordinal[this.#lastOnKey[key[op]!]!]! - this.#ordinal[from]! <= heads.length) {
      for (let write = this.#nextOnKey[from]!; write >= 0; write = this.#nextOnKey[write]!) {
        if (clock[session[write]!]! >= write && this.#replaced(from, write)) return write
      }
      return -1
    }
    for (const head of heads) {
      const write = sessions.lastOfChain(sessions.chain[head]!, clock[session[head]!]!)
      if (write >= 0 && write !== from && position[write]! > position[from]! && this.#replaced(from, write)) return write
    }
    return -1
  }

  /** Whether a later cause of a read replaced the one that it returned; if not, the two are concurrent, and contest the order. */
  #replaced(from: number, write: number): boolean {
    if (this.#before.precedes(from, write)) return true
    this.#contested = true
    return false
  }

  /** A breach of weak causal consistency is one of writes follow reads as well. */
  #breach(op: number, kind: 'weak' | 'strong', operations: number[], explain: (describe: Describe) => string): void {
    const { registers, describe } = this.#options
    const session = registers.session[op]!
    const breach: Breach = { breaks: 'writes-follow-reads', session, key: registers.key[op]!, operations: [...new Set(operations)].sort((a, b) => a - b), explanation: explain(describe) }
    if (kind === 'weak' && this.#open[session] === 1) this.#weak.push(breach)
    if (this.#live[session] === 1) this.#breaches.push(breach)
    this.#live[session] = 0
    if (kind === 'weak') this.#open[session] = 0
  }
}
