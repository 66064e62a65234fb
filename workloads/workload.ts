/**
 * The seam of a workload: what clients do, and which judgements apply. One file per workload in this folder.
 *
 * A workload speaks of an object (a register, a set, a bank) whose operations stand in the history; `invoke` carries
 * one of them out with what the system's client can do (`read`, `write`, `cas`, `txn`). That is where a set becomes
 * one key that is read and compared-and-set: the history shows the set, the store sees the register.
 */
import type { z } from 'zod'
import type { Completion, Invocation, Json } from '../checker/history/index.ts'
import type { Judgement } from '../checker/judgement.ts'
import type { IsolationLevel, Model } from '../checker/verdict.ts'
import type { Client } from '../cluster/system.ts'
import type { NodeId, Random } from '../harness/env.ts'
import { concat, type Generator, type Op } from '../harness/generator/index.ts'

/** What a workload is told when a run begins. */
export interface WorkloadOptions {
  readonly random: Random
  /** Threads, each with a client of its own. */
  readonly clients: number
  readonly nodes: readonly NodeId[]
  /** Target rate over all clients in operations per second; undefined: as fast as answers come. */
  readonly rate?: number
}

/** A workload, ready to run once. */
export interface Workload {
  readonly name: string
  readonly describes: string
  /** What clients do until time is up. */
  generator(options: WorkloadOptions): Generator
  /** What they do at the end, when every fault is healed and replicas had their time to agree: last reads, draining. */
  final?(options: WorkloadOptions): Generator
  /** Carries out one operation with a client of the system. Default: the client's own operation of that name. */
  invoke?(client: Client, operation: Invocation): Promise<Completion>
  /** Every key that may have been written: replicas are asked for these at the end. */
  keys(options: WorkloadOptions): readonly Json[]
  readonly judgements: readonly Judgement[]
  /** Whether a client asks another node each time. Default: it stays with its own. */
  readonly moves?: boolean
}

/** What a workload may know of the system when it chooses how to work and what to judge. */
export interface Store {
  /** The functions of its client: of `read`, `write`, `delete`, `cas`, `txn` those that it has. */
  readonly functions: ReadonlySet<string>
  readonly expected: Model
  readonly isolation: IsolationLevel
}

/** A kind of workload that can be chosen by name, and how it can be varied. */
export interface WorkloadKind {
  readonly name: string
  /** One sentence: what clients do. */
  readonly describes: string
  /** One sentence: which anomalies show in it. */
  readonly finds: string
  /** The functions of the system's client without which it cannot be. */
  readonly needs: readonly string[]
  /** Its options with their defaults, by their names in code. */
  readonly options: z.ZodObject
  /** `options` are as `options` above reads them. Throws ZodError. */
  make(options: Readonly<Record<string, unknown>>, store: Store): Workload
}

/** One operation for each key, in turn. */
export function onceEach(keys: readonly string[], operation: (key: string) => Op): Generator {
  return concat(...keys.map(operation))
}

/** A read of each key: what clients do at the end of many workloads. */
export function readsOf(keys: readonly string[]): Generator {
  return onceEach(keys, (key) => ({ f: 'read', key }))
}

/** A kind of workload whose `make` sees its options typed. */
export function workloadKind<S extends z.ZodObject>(kind: Omit<WorkloadKind, 'options' | 'make'> & {
  readonly options: S
  readonly make: (options: z.output<S>, store: Store) => Workload
}): WorkloadKind {
  return { ...kind, make: (options, store) => kind.make(kind.options.parse(options), store) }
}
