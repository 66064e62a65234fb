/**
 * The seam of a workload: what clients do, and which judgements apply. One file per workload in this folder.
 */
import type { Generator } from '../harness/generator/index.ts'
import type { Json } from '../checker/history/index.ts'
import type { Judgement } from '../checker/judgement.ts'
import type { Random } from '../harness/env.ts'

/** What a workload is told. */
export interface WorkloadOptions {
  readonly random: Random
  /** Threads, each with a client of its own. */
  readonly clients: number
  /** Target rate over all clients in operations per second; undefined: as fast as answers come. */
  readonly rate?: number
}

/** A workload, ready to run once. */
export interface Workload {
  readonly name: string
  readonly describes: string
  /** What clients do until time is up. */
  generator(options: WorkloadOptions): Generator
  /** Every key that may have been written: replicas are asked for these at the end. */
  keys(options: WorkloadOptions): readonly Json[]
  readonly judgements: readonly Judgement[]
}
