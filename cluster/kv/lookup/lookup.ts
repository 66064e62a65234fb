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

/** An overlay that nodes enter by starting, and leave by saying so to those that they know. */
export interface OpenOverlay extends Overlay {
  /**
   * Who is there, in the order of the ring and this node first: asked of one after the other, since nobody knows. Who does
   * not answer is left out. O(N) messages. Fails with UNAVAILABLE where the way does not lead back to this node: it has
   * left, or does not stand in the ring yet.
   */
  around(): Promise<readonly NodeId[]>
  /** Where keys are those of one node first, up to these tokens: the places of the members of such a ring. */
  placesIn(ring: readonly NodeId[]): ReadonlyMap<NodeId, number>
  /** Tells the neighbours that they are to forget this node. From then on it names itself to nobody; it still finds what others hold, and tells those who ask it. */
  leave(): Promise<void>
}

/** Whether nodes may enter and leave: not where a directory was laid out over its first nodes. */
export function isOpen(overlay: Overlay | undefined): overlay is OpenOverlay {
  return overlay !== undefined && 'around' in overlay
}
