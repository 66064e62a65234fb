/**
 * The keys of the register workloads: several at a time, chosen uniformly, and given up for new ones after a while
 * where a checker wants many short histories rather than a few long ones.
 */
import type { Random } from '../harness/env.ts'

/** Which keys there are. */
export interface KeyOptions {
  /** Keys in use at the same time. Default 100. */
  readonly keys?: number
  /** After how many operations per key, on average, all keys are given up for new ones. Default: never. */
  readonly operationsPerKey?: number
  /** How often keys are renewed at most; the last ones stay. Default 100. */
  readonly renewals?: number
}

/** The keys of one workload. */
export interface KeySpace {
  /** Keys in use at the same time. */
  readonly width: number
  /** Every key that may ever be used: `k0`, `k1`, ... */
  readonly names: readonly string[]
  /** A key for the operation with this number, counted from 0. */
  pick(operation: number, random: Random): string
}

export function keySpace({ keys = 100, operationsPerKey, renewals = 100 }: KeyOptions): KeySpace {
  const last = operationsPerKey === undefined ? 0 : renewals
  const perGeneration = operationsPerKey === undefined ? Infinity : keys * operationsPerKey
  const names = Array.from({ length: keys * (last + 1) }, (_, i) => `k${i}`)
  return {
    width: keys,
    names,
    pick: (operation, random) => names[Math.min(Math.floor(operation / perGeneration), last) * keys + random.int(keys)]!,
  }
}
