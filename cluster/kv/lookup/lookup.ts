/**
 * The seam of lookup: who holds a key? Every node of `ring` knows the whole answer by heart; in `chord`, `leaf-set`
 * and `directory` a node knows little and asks its way, so the answer takes messages, may fail, and may be a little old.
 */
import type { NodeId } from '../../../harness/env.ts'
import type { Eventually } from '../eventually.ts'

/** Where the keys of one arc of the ring live. */
export interface Location {
  /** The preference list: the replicas, the first to be asked first. */
  readonly replicas: readonly NodeId[]
  /** The nodes that stand in for replicas that are down, in this order; empty where the lookup knows of none. */
  readonly substitutes: readonly NodeId[]
  /** The replicas once a change of members that is under way is done: writes go to both. Absent where there is none. */
  readonly incoming?: readonly NodeId[]
  /** Every token on the arc (after, upTo] has the same replicas; an arc that ends where it begins is the whole ring. */
  readonly after: number
  readonly upTo: number
}

/** Who holds a key? */
export interface Lookup {
  /** Where the token's keys live. Fails with UNAVAILABLE when nobody who knows can be reached. */
  find(token: number): Eventually<Location>
}

/** A lookup that keeps itself up to date with messages of its own. */
export interface Overlay extends Lookup {
  /** Begins to keep up; resolves when this node has found its place among the others, or has seen that it is alone. */
  start(): Promise<void>
  stop(): void
  /** What this node knows of others: its size is what the lookup costs in memory. */
  known(): readonly NodeId[]
}
