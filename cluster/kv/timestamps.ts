/**
 * Where versions come from: one issuer per life of a node.
 *
 * - Logical: greater than every version that the coordinator saw (Lamport, "Time, clocks, and the ordering of events
 *   in a distributed system", CACM 1978). Whoever saw a write writes after it, whatever the clocks say.
 * - Wall: microseconds of the coordinator's wall clock, as Cassandra does. It asks nobody, and trusts that clocks agree.
 * - Hybrid: the wall clock, and greater than every version that the node saw (Kulkarni, Demirbas, Madappa, Avva and Leone,
 *   "Logical physical clocks and consistent snapshots in globally distributed databases", OPODIS 2014). Packed as in
 *   section 6.2: the clock is rounded up to 2^10 microseconds, and the low ten bits count what happens within one such
 *   tick, so a counter is still microseconds since 1970, at most one tick off or as far as the fastest clock runs ahead.
 *   Who read a value through a node and writes through it afterwards writes later, however wrong the clocks are. Nothing
 *   is promised where nobody carried the news: write through one node, then through another that has not heard of it.
 *
 * Either way an issuer never gives the same counter twice, and the writer's name holds the node's incarnation, a
 * number that is durable and grows with every start: a version stays unique across crashes that forget everything.
 */
import type { Clock, NodeId } from '../../harness/env.ts'
import type { Cell, Version } from './versions.ts'

/** What last-write-wins goes by. */
export const timestampKinds = ['wall', 'hybrid'] as const

/** One tick of a hybrid clock in microseconds. */
const TICK_US = 2 ** 10

/** What versions are issued from. */
export interface TimestampsOptions {
  readonly clock: Clock
  readonly node: NodeId
  readonly incarnation: number
  readonly kind: (typeof timestampKinds)[number]
}

/** Issues versions for one life of one node. */
export class Timestamps {
  readonly writer: string
  readonly #clock: Clock
  readonly #hybrid: boolean
  #last = 0

  constructor({ clock, node, incarnation, kind }: TimestampsOptions) {
    this.#clock = clock
    this.#hybrid = kind === 'hybrid'
    this.writer = `${node}.${incarnation}`
  }

  /** The version of a write that the last writer wins, as configured. */
  version(): Version {
    return { counter: this.#hybrid ? this.#next(Math.ceil((this.#clock.wall() * 1000) / TICK_US) * TICK_US) : this.wall(), writer: this.writer }
  }

  /** A cell with this value that the last writer wins. */
  cell(value: Uint8Array | null): Cell {
    const { counter, writer } = this.version()
    return { counter, writer, value }
  }

  /** A version that this node met: hybrid clocks never issue one before it. */
  witness({ counter }: Version): void {
    if (this.#hybrid) this.#last = Math.max(this.#last, counter)
  }

  /** A counter greater than `seen` and than every one issued before. */
  logical(seen: number): number {
    this.#last = Math.max(this.#last, seen) + 1
    return this.#last
  }

  /** The wall clock in microseconds, or one more than the last one issued if the clock has not moved on. */
  wall(): number {
    return this.#next(Math.floor(this.#clock.wall() * 1000))
  }

  #next(clockUs: number): number {
    this.#last = Math.max(this.#last + 1, clockUs)
    return this.#last
  }
}
