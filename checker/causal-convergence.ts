/**
 * Causal convergence: concurrent writes to a key are put into one order by all (the *arbitration*), and every read
 * returns the last, in that order, of the writes that happened before it (Burckhardt, Principles of Eventual
 * Consistency, 2014; CCv of Bouajjani, Enea, Guerraoui and Hamza, On Verifying Causal Consistency, 2017). It is what
 * last-write-wins with causal delivery gives.
 *
 * With values written once a history has it unless it shows one of five patterns: a value from nowhere, a cycle in
 * happens-before, a read of the initial value after a write, a read of what one of its causes had overwritten, and
 * their last: a cycle of happens-before together with the *conflicts*. A read of write w whose causes hold another
 * write u to the key puts u before w. The walk of `causal-walk.ts` finds the first four, and mostly the proof of the
 * absence of the fifth: its own order, if no read contests it. Otherwise the conflicts are collected, for each read
 * the last write of each session, and the whole is sorted. O(operations x sessions). Causal and sequential consistency
 * are asked first.
 */
import { causalOrder, HappensBefore, tightened } from './causal-order.ts'
import { CausalClocks } from './clocks.ts'
import { examine } from './visibility.ts'
import { judgeBetween } from './judge-causes.ts'
import { shrunk } from './subset.ts'
import type { Arbitrated } from './causal-order.ts'
import type { Judgement } from './judgement.ts'
import type { Sessions } from './session-walk.ts'
import type { Registers } from './registers.ts'
import type { Refutation } from './judge-causes.ts'
import type { Visibility } from './visibility.ts'

/** More conflicts than this are not collected. */
const CONFLICTS_MAX = 20_000_000

/** One order of all writes that keeps causes before effects. */
export const causalConvergence: Judgement = {
  name: 'causal-convergence',
  describes: 'one order of all writes, causes before effects, and a read returns the last of its causes; exact for values written once, O(operations x sessions)',
  judge: (history, context) =>
    judgeBetween(history, context, {
      model: 'causal-convergence',
      promise: 'One order of all writes, causes before effects, explains every read',
      refute: (visibility) => {
        const found = conflictCycle(visibility)
        if (found === undefined || found.type === 'exhausted') return found
        const breaks = (registers: Registers): boolean => {
          const part = examine(registers, context)
          return part.weak.length > 0 || part.cycle.length > 0 || conflictCycle(part)?.type === 'refuted'
        }
        const operations = shrunk(visibility.registers, found.operations, breaks)
        return { type: 'refuted', operations, explain: (d) => `no one order of the writes explains these ${operations.length} operations: ${operations.map(d).join('; ')}` }
      },
    }),
}

/** A cycle of happens-before and conflicts, with the reads that make the conflicts. Only where nothing weaker is broken. */
function conflictCycle({ registers, sessions, order, position, contested }: Visibility): Refutation | undefined {
  if (!contested) return undefined
  const conflicts = new Conflicts(registers)
  const clocks = new CausalClocks(registers, registers.source)
  for (const op of order) {
    const from = registers.source[op]!
    if (registers.write[op] === 1) clocks.wrote(op)
    else if (from >= 0) conflicts.read(op, from, clocks, sessions)
    if (conflicts.size > CONFLICTS_MAX) return { type: 'exhausted', reason: `more than ${CONFLICTS_MAX} conflicts between concurrent writes` }
  }
  const sorted = causalOrder(registers, registers.source, conflicts)
  if (sorted.type === 'order') return undefined
  const before = new HappensBefore(registers, registers.source, position)
  const cycle = tightened(registers, sorted.operations)
  const operations = cycle.flatMap((op, at) => {
    const after = cycle[(at + 1) % cycle.length]!
    const read = conflicts.readOf(op, after)
    return read < 0 ? [op] : [op, ...before.path(op, read), read]
  })
  return { type: 'refuted', operations, explain: () => '' }
}

/** The conflicts, by their later write; for each session only the last earlier write counts. */
class Conflicts implements Arbitrated {
  readonly head: Int32Array
  readonly next: number[] = []
  readonly earlier: number[] = []
  readonly #reads: number[] = []
  readonly #registers: Registers

  constructor(registers: Registers) {
    this.#registers = registers
    this.head = new Int32Array(registers.count).fill(-1)
  }

  get size(): number {
    return this.next.length
  }

  read(op: number, from: number, clocks: CausalClocks, sessions: Sessions): void {
    const { key, session } = this.#registers
    // Given back by its last reader, but not written to before the next write.
    const known = clocks.ofWrite(from)
    clocks.read(session[op]!, from)
    const clock = clocks.ofSession(session[op]!)
    for (const head of sessions.heads[key[op]!]!) {
      const writer = session[head]!
      // Neither what happened before the returned write, nor what the last look at this key would have found.
      if (clock[writer]! <= known[writer]!) continue
      const write = sessions.lastOfChain(sessions.chain[head]!, clock[writer]!)
      if (write > known[writer]! && write !== from) this.#add(write, from, op)
    }
  }

  /** The read that puts one write before another; -1 when none does. */
  readOf(earlier: number, later: number): number {
    for (let pair = this.head[later]!; pair >= 0; pair = this.next[pair]!) if (this.earlier[pair] === earlier) return this.#reads[pair]!
    return -1
  }

  #add(earlier: number, later: number, read: number): void {
    const { session } = this.#registers
    for (let pair = this.head[later]!; pair >= 0; pair = this.next[pair]!) {
      if (session[this.earlier[pair]!] !== session[earlier]) continue
      if (this.earlier[pair]! < earlier) {
        this.earlier[pair] = earlier
        this.#reads[pair] = read
      }
      return
    }
    this.next.push(this.head[later]!)
    this.earlier.push(earlier)
    this.#reads.push(read)
    this.head[later] = this.next.length - 1
  }
}
