/**
 * Registers with few values: reads cannot be traced to writes, as with real applications that write the same again. Only
 * linearizability is decided (by search instead of zones); the other rungs are unknown, and say why.
 */
import { z } from 'zod'
import { convergence } from '../checker/convergence.ts'
import { linearizable } from '../checker/linearizable.ts'
import { unfold, type Context, type Op } from '../harness/generator/index.ts'
import { keyOptions, keySpace, share } from './keys.ts'
import { atRate } from './rate.ts'
import { workloadKind, type Workload } from './workload.ts'

const options = z.strictObject({
  ...keyOptions,
  keys: keyOptions.keys.default(20),
  values: z.int().min(1).max(1_000_000).default(5).describe('different values that are written'),
  readShare: share.default(0.7).describe('the share of reads'),
})

export const registerDup = workloadKind({
  name: 'register-dup',
  describes: 'reads and writes of a few values again and again',
  finds: 'what is not linearizable where values do not tell writes apart',
  needs: ['read', 'write'],
  options,
  make,
})

function make({ values, readShare, ...chosen }: z.output<typeof options>): Workload {
  const keys = keySpace(chosen)
  const next = (operations: number, { random }: Context): readonly [Op, number] => {
    const key = keys.pick(operations, random)
    return [random.float() < readShare ? { f: 'read', key } : { f: 'write', key, value: random.int(values) }, operations + 1]
  }
  return {
    name: 'register-dup',
    describes: `reads and writes of ${values} values, ${keys.width} keys at a time`,
    generator: ({ rate }) => atRate(rate, unfold({ state: 0, next })),
    keys: () => keys.names,
    judgements: [linearizable(), convergence],
  }
}
