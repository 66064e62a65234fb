/** Transactions of random micro-operations over a window of keys that moves on: what `append` and `wr` have in common. */
import { z } from 'zod'
import type { Json } from '../checker/history/index.ts'
import { unfold, type Context, type Generator, type Op } from '../harness/generator/index.ts'
import { share } from './keys.ts'
import { tableKeys } from './objects.ts'
import { atRate } from './rate.ts'
import type { Store } from './workload.ts'

/** How transactions are made. */
export const transactionOptions = {
  keys: z.int().min(1).max(10_000).default(5).describe('keys in use at the same time'),
  opsPerTxn: z.int().min(1).max(100).default(3).describe('micro-operations of a transaction at most'),
  readShare: share.default(0.5).describe('the share of reads among them'),
  writesPerKey: z.int().min(1).max(100_000).default(32).describe('writes after which a key is given up for a new one'),
  generations: z.int().min(1).max(100_000).default(200).describe('how often each of the keys is renewed at most; the last ones stay'),
}

/** The chosen options. */
interface TransactionOptions {
  readonly keys: number
  readonly opsPerTxn: number
  readonly readShare: number
  readonly writesPerKey: number
  readonly generations: number
}

/** How often each key of the window was written, over all of its generations. */
type State = readonly number[]

/** `txn` operations whose writes are `f`: `append` or `w`. Their values count up per key, from 1. */
export function transactionGenerator(options: TransactionOptions, f: 'append' | 'w', rate: number | undefined): Generator {
  const { keys, opsPerTxn, readShare } = options
  const next = (written: State, { random }: Context): readonly [Op, State] => {
    const after = [...written]
    const micros = Array.from({ length: 1 + random.int(opsPerTxn) }, (): Json => {
      const at = random.int(keys)
      const key = keyName(options, at, after[at]!)
      if (random.float() < readShare) return ['r', key, null]
      return [f, key, ++after[at]!]
    })
    return [{ f: 'txn', value: micros }, after]
  }
  return atRate(rate, unfold({ state: Array.from({ length: keys }, () => 0), next }))
}

/** Keys of the window are k0, k1, ...; their successors k0-1, k0-2, ... */
function keyName({ writesPerKey, generations }: TransactionOptions, at: number, written: number): string {
  const generation = Math.min(Math.floor(written / writesPerKey), generations - 1)
  return generation === 0 ? `k${at}` : `k${at}-${generation}`
}

/** Every key that may be used. */
export function transactionKeys(options: TransactionOptions, store: Store): readonly string[] {
  const rows = Array.from({ length: options.keys }, (_, at) => Array.from({ length: options.generations }, (_unused, generation) => keyName(options, at, generation * options.writesPerKey))).flat()
  return tableKeys(store, rows)
}
