/**
 * The seam of replication: how a coordinator turns one operation on a key into requests to the key's replicas.
 * One file per protocol in this folder; `protocols.ts` chooses by configuration.
 */
import type { Clock, Disk, Log, NodeId, Random } from '../../../harness/env.ts'
import type { NodeConfig } from '../config.ts'
import { StoreError } from '../errors.ts'
import type { Eventually } from '../eventually.ts'
import type { Lookup } from '../lookup/lookup.ts'
import type { Segment } from '../membership/view.ts'
import type { Gathered } from '../gather.ts'
import type { Partitioner, TokenRange } from '../partitioner.ts'
import type { PreferenceLists } from '../ring.ts'
import type { Rpc } from '../rpc.ts'
import type { Storage } from '../storage.ts'
import type { SessionClocks } from '../session-clocks.ts'
import type { Step, StepResult } from '../transactions/steps.ts'
import type { Timestamps } from '../timestamps.ts'
import type { Topology } from '../topology.ts'
import type { Sibling, VectorClock } from '../siblings.ts'
import type { Cell, ConflictRule } from '../versions.ts'
import type { Level } from './levels.ts'

/** A replication protocol, as any node coordinates it. */
export interface Replication {
  /** The key's cell. Fails with UNAVAILABLE: a read leaves nothing behind. */
  read(key: string, level?: Level): Eventually<Cell>
  /** Puts a value, or deletes with null. Resolves to whether the key had a value before, as far as the coordinator saw. */
  write(key: string, value: Uint8Array | null, session: SessionClocks, level?: Level): Eventually<boolean>
  /** Whether an operation may say its own consistency level. */
  readonly hasLevels?: boolean
  /**
   * Puts `value` where `expected` is, both of which may be null for no value; resolves to whether it was there. Only
   * protocols that order the operations of a key have it.
   */
  cas?(key: string, expected: Uint8Array | null, value: Uint8Array | null): Promise<boolean>
  /** Conflicting writes stand side by side: only where the configuration keeps them. */
  readonly siblings?: SiblingStore
  /** The keys from <= key < to that have a value, in their order, so many at most; an empty `to` is the end. Only where the partitioner keeps the order. Fails with UNAVAILABLE. */
  range?(from: string, to: string, limit: number): Promise<readonly (readonly [key: string, value: Uint8Array])[]>
  /** Carries out several steps, all or none, as if nothing else happened meanwhile; resolves to what each of them found. */
  transact?(steps: readonly Step[]): Promise<readonly StepResult[]>
  /** Who waits for whom, one line each. */
  waits?(): readonly string[]
  /**
   * Makes what the old replicas of these segments agreed on bind the new ones, as far as that takes more than cells; asked
   * of everyone who will hold them and has fetched the cells. Resolves to what of these segments is left to be done.
   */
  takeOver?(segments: readonly Segment[], over: () => boolean): Promise<readonly Segment[]>
  /**
   * Whether everything that began in a view before this one is over here, and stays so: then what this node gives of ranges
   * that move is all there is, and nobody needs to know it any more for what began. Absent: nothing lasts longer than a request.
   */
  ended?(epoch: number): Promise<boolean>
  /** Lets go of what this node was bound to in a range of which it is no replica; no change of members is under way. */
  letGo?(range: TokenRange): void
  /** What it counts, for whoever asks how it goes. */
  stats?(): Readonly<Record<string, number>>
  /** Ends what the protocol itself has open. */
  close?(): Promise<void>
}

/** Keys whose conflicting writes stand side by side. */
export interface SiblingStore {
  /** The newest first. Fails with UNAVAILABLE. */
  read(key: string, level?: Level): Promise<readonly Sibling[]>
  /** Writes, or deletes with null, knowing what these clocks and the session have seen. Fails with INDETERMINATE. */
  put(key: string, value: Uint8Array | null, seen: readonly VectorClock[], session: SessionClocks, level?: Level): Promise<void>
}

/** What a coordinator works with. */
export interface Coordinator {
  readonly self: NodeId
  readonly config: NodeConfig
  readonly incarnation: number
  readonly clock: Clock
  readonly random: Random
  readonly disk: Disk
  readonly log: Log
  readonly partitioner: Partitioner
  /** For protocols whose quorums must meet: every coordinator knows the same lists. */
  readonly lists: PreferenceLists
  /** The members who stay members, whatever becomes of a change that is under way. */
  readonly staying: () => readonly NodeId[]
  /** For protocols that can do with an answer that is a little old. */
  readonly lookup: Lookup
  /** Who carries out an operation on this key, the first to be asked first; absent: the coordinator itself. */
  readonly relaysOf?: (key: string) => readonly NodeId[]
  readonly rpc: Rpc
  readonly storage: Storage
  readonly timestamps: Timestamps
  readonly topology: Topology
  readonly conflicts: ConflictRule
  /** Keeps a cell here for replicas that are all down. */
  readonly keepFor: (replicas: readonly NodeId[], key: string, cell: Cell) => Promise<boolean>
  /** Whether a node is believed to be down. */
  readonly suspects: (node: NodeId) => boolean
}

/** The error of an operation that met too few replicas. */
export function tooFew(code: 'UNAVAILABLE' | 'INDETERMINATE', what: string, need: number, gathered: Gathered<unknown>, { deadline_ms: deadlineMs, bugs }: Pick<NodeConfig, 'deadline_ms' | 'bugs'>): StoreError {
  const refused = gathered.refusals.length === 0 ? '' : `; refused by ${gathered.refusals.join(', ')}`
  const certainty = code === 'UNAVAILABLE' ? 'definite' : 'indefinite'
  return new StoreError(bugs.includes('definite-lie') ? 'UNAVAILABLE' : code, `${certainty}: ${gathered.replies.length} of ${need} replicas needed ${what} within ${deadlineMs} ms${refused}`)
}
