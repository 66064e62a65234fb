/**
 * Registers: clients read and write a few keys, and every written value is unique.
 *
 * Unique values make a history cheap to judge and its witnesses easy to read: a read names the one write that it saw.
 * They come from one counter for all keys, so that a value that turns up under a wrong key is noticed as well.
 */
import { z } from 'zod'
import { registerJudgements } from '../checker/index.ts'
import { unfold, type Context, type Op } from '../harness/generator/index.ts'
import { keyOptions, keySpace, share } from './keys.ts'
import { atRate } from './rate.ts'
import { workloadKind, type Workload } from './workload.ts'

const options = z.strictObject({
  ...keyOptions,
  readShare: share.default(0.8).describe('the share of reads: what flickers is seen by reads'),
})

/** What the generator remembers: how many operations it made, and the last value written. */
interface State {
  readonly operations: number
  readonly written: number
}

/** Reads and writes of uniformly chosen keys by all clients. */
export const register = workloadKind({
  name: 'register',
  describes: 'reads and writes of unique values',
  finds: 'stale and lost values: every rung of the ladder, in time that is nearly linear',
  needs: ['read', 'write'],
  options,
  make,
})

function make(chosen: z.output<typeof options>): Workload {
  const keys = keySpace(chosen)
  const next = ({ operations, written }: State, { random }: Context): readonly [Op, State] => {
    const key = keys.pick(operations, random)
    if (random.float() < chosen.readShare) return [{ f: 'read', key }, { operations: operations + 1, written }]
    return [{ f: 'write', key, value: written + 1 }, { operations: operations + 1, written: written + 1 }]
  }
  return {
    name: 'register',
    describes: `reads and writes of unique values, ${keys.width} keys at a time`,
    generator: ({ rate }) => atRate(rate, unfold({ state: { operations: 0, written: 0 }, next })),
    keys: () => keys.names,
    judgements: registerJudgements(),
  }
}
