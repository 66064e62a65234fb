/**
 * Registers: clients read and write a few keys, and every written value is unique.
 *
 * Unique values make a history cheap to judge and its witnesses easy to read: a read names the one write that it saw.
 * They come from one counter for all keys, so that a value that turns up under a wrong key is noticed as well.
 */
import { registerJudgements } from '../checker/index.ts'
import { stagger, unfold, type Context, type Op } from '../harness/generator/index.ts'
import { keySpace, type KeyOptions } from './keys.ts'
import type { Workload } from './workload.ts'

/** What `registerWorkload` may be told. */
export interface RegisterOptions extends KeyOptions {
  /** The share of reads among the operations. Default 0.8: what flickers is seen by reads. */
  readonly readShare?: number
}

/** What the generator remembers: how many operations it made, and the last value written. */
interface State {
  readonly operations: number
  readonly written: number
}

/** Reads and writes of uniformly chosen keys by all clients. */
export function registerWorkload(options: RegisterOptions = {}): Workload {
  const { readShare = 0.8 } = options
  const keys = keySpace(options)
  const next = ({ operations, written }: State, { random }: Context): readonly [Op, State] => {
    const key = keys.pick(operations, random)
    if (random.float() < readShare) return [{ f: 'read', key }, { operations: operations + 1, written }]
    return [{ f: 'write', key, value: written + 1 }, { operations: operations + 1, written: written + 1 }]
  }
  return {
    name: 'register',
    describes: `reads and writes of unique values, ${keys.width} keys at a time`,
    generator: ({ rate }) => {
      const operations = unfold({ state: { operations: 0, written: 0 }, next })
      return rate === undefined ? operations : stagger(1000 / rate, operations)
    },
    keys: () => keys.names,
    judgements: registerJudgements(),
  }
}

/** The register workload as `--workload register` runs it. */
export const register = registerWorkload()
