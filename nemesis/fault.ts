/**
 * The seam of the nemesis: one fault, what it needs, how it is injected, and how we know that it bit.
 */
import type { Capability, Cluster } from '../cluster/cluster.ts'
import type { NodeId, Random } from '../harness/env.ts'

/** What a fault did, for the history: which nodes, which sides, and what was observed. */
export interface Injection {
  readonly targets: readonly NodeId[]
  /** For partitions: side -> nodes. */
  readonly sides: Readonly<Record<string, readonly NodeId[]>>
  /** Checks from inside that the effect is there now. */
  verify(): Promise<Observation>
  /** Takes the effect away. Idempotent. */
  heal(): Promise<void>
  /** Checks from inside that the effect is gone. */
  verifyHealed(): Promise<Observation>
}

/** What was seen when a fault's effect was looked for. */
export interface Observation {
  readonly seen: boolean
  /** In words for a person: "n1 -> n4 refused a message in 200 ms". */
  readonly evidence: string
}

/** One kind of fault. `variant` is the text in parentheses: `partition(majority-minority)`. */
export interface Fault {
  readonly name: string
  /** One sentence for `--help` and the doctor. */
  readonly describes: string
  readonly variants: readonly string[]
  readonly needs: readonly Capability[]
  inject(cluster: Cluster, options: { readonly variant: string; readonly random: Random }): Promise<Injection>
}
