/**
 * Where versions come from: one issuer per life of a node.
 *
 * - Logical: greater than every version that the coordinator saw (Lamport, "Time, clocks, and the ordering of events
 *   in a distributed system", CACM 1978). Whoever saw a write writes after it, whatever the clocks say.
 * - Wall: microseconds of the coordinator's wall clock, as Cassandra does. It asks nobody, and trusts that clocks agree.
 *
 * Either way an issuer never gives the same counter twice, and the writer's name holds the node's incarnation, a
 * number that is durable and grows with every start: a version stays unique across crashes that forget everything.
 */
import type { Clock, NodeId } from '../../harness/env.ts'

/** Issues versions for one life of one node. */
export class Timestamps {
  readonly writer: string
  readonly #clock: Clock
  #last = 0

  constructor(clock: Clock, node: NodeId, incarnation: number) {
    this.#clock = clock
    this.writer = `${node}.${incarnation}`
  }

  /** A counter greater than `seen` and than every one issued before. */
  logical(seen: number): number {
    this.#last = Math.max(this.#last, seen) + 1
    return this.#last
  }

  /** The wall clock in microseconds, or one more than the last one issued if the clock has not moved on. */
  wall(): number {
    this.#last = Math.max(this.#last + 1, Math.floor(this.#clock.wall() * 1000))
    return this.#last
  }
}
