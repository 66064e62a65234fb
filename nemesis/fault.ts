/**
 * The seam of the nemesis: one fault, what it needs, how it is injected, and how we know that it bit.
 */
import type { Capability, Cluster } from '../cluster/cluster.ts'
import type { NodeId, Random } from '../harness/env.ts'
import type { Scene } from './targets.ts'

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

/** A number that can be set, as in `delay(one,ms=50)`. */
export interface NumberParameter {
  readonly describes: string
  readonly default: number
  readonly min: number
  readonly max: number
  /** Between what a swarm draws it; left out: it stays as it is. */
  readonly swarm?: readonly [number, number]
}

/** A word that can be set, as in `partition(halves,way=out)`. A swarm draws any of them. */
export interface ChoiceParameter {
  readonly describes: string
  readonly default: string
  readonly choices: readonly string[]
}

/** Values by parameter; every parameter of the fault is there. */
export type ParameterValues = Readonly<Record<string, number | string>>

/** What an injection is told. */
export interface InjectOptions {
  /** `majority-minority` of `partition(majority-minority)`. */
  readonly variant: string
  readonly parameters: ParameterValues
  readonly random: Random
  readonly scene: Scene
  /** Picks nodes of this cluster, by a selector of `targets.ts`; without one, by the variant. */
  select(selector?: string): Promise<NodeId[]>
}

/** What a fault disturbs. Two faults that disturb the same must not overlap: the heal of one would heal the other. */
export type Disturbed = 'links' | 'nodes' | 'clocks' | 'disks' | 'memory' | 'membership'

/** One kind of fault. */
export interface Fault {
  readonly name: string
  /** One sentence for `--help` and the doctor. */
  readonly describes: string
  /** What may stand in parentheses; the first is meant when nothing does. */
  readonly variants: readonly string[]
  /** Variants are selectors, and every other selector will do as well: `kill(n1+n3)`. */
  readonly selects?: boolean
  readonly parameters?: Readonly<Record<string, NumberParameter | ChoiceParameter>>
  readonly needs: readonly Capability[]
  readonly disturbs: Disturbed
  /** What it breaks the heal cannot make whole again, and no store promises to live with that: `all`, swarms and conformance leave it out. */
  readonly irreparable?: boolean
  /** Texts of it that the fault matrix tries; left out: the fault without any variant. */
  readonly samples?: readonly string[]
  /** Why a variant cannot strike in this scene, where that is known before the run; left out: what its selector says. */
  problem?(variant: string, scene: Scene): string | undefined
  /** Must leave nothing behind when it rejects. */
  inject(cluster: Cluster, options: InjectOptions): Promise<Injection>
}
