/**
 * The keys of the register workloads: several at a time, chosen uniformly, and given up for new ones after a while
 * where a checker wants many short histories rather than a few long ones.
 */
import { z } from 'zod'
import type { Random } from '../harness/env.ts'

/** Which keys there are. */
export const keyOptions = {
  keys: z.int().min(1).max(100_000).default(100).describe('keys in use at the same time'),
  operationsPerKey: z.int().min(0).max(1_000_000).default(0).describe('operations per key, on average, after which all keys are given up for new ones; 0: never'),
  renewals: z.int().min(0).max(10_000).default(100).describe('how often keys are renewed at most; the last ones stay'),
}

/** The options as numbers. */
export interface KeyOptions {
  readonly keys: number
  readonly operationsPerKey: number
  readonly renewals: number
}

/** Objects that an operation reads and writes whole: fewer of them, and new ones before they are large. */
export const objectKeys = {
  keys: keyOptions.keys.default(5),
  operationsPerKey: keyOptions.operationsPerKey.default(60),
  renewals: keyOptions.renewals.default(40),
}

/** A share of the operations. */
export const share = z.number().min(0).max(1)

/** The keys of one workload. */
export interface KeySpace {
  /** Keys in use at the same time. */
  readonly width: number
  /** Every key that may ever be used: `k0`, `k1`, ... */
  readonly names: readonly string[]
  /** A key for the operation with this number, counted from 0. */
  pick(operation: number, random: Random): string
}

export function keySpace({ keys, operationsPerKey, renewals }: KeyOptions): KeySpace {
  const last = operationsPerKey === 0 ? 0 : renewals
  const perGeneration = operationsPerKey === 0 ? Infinity : keys * operationsPerKey
  const names = Array.from({ length: keys * (last + 1) }, (_, i) => `k${i}`)
  return {
    width: keys,
    names,
    pick: (operation, random) => names[Math.min(Math.floor(operation / perGeneration), last) * keys + random.int(keys)]!,
  }
}
