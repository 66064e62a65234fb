/**
 * Registers that are deleted: written values are unique, and between them a key is empty again and again. A read of
 * nothing cannot be traced to one of the deletes, so of the ladder only linearizability is decided (by search where keys
 * are deleted); the other rungs are unknown, and say why.
 */
import { z } from 'zod'
import { convergence } from '../checker/convergence.ts'
import { durability } from '../checker/durability.ts'
import { linearizable } from '../checker/linearizable.ts'
import { unfold, type Context, type Op } from '../harness/generator/index.ts'
import { keyOptions, keySpace, share } from './keys.ts'
import { atRate } from './rate.ts'
import { workloadKind, type Workload } from './workload.ts'

const options = z.strictObject({
  ...keyOptions,
  keys: keyOptions.keys.default(20),
  readShare: share.default(0.6).describe('the share of reads'),
  deleteShare: share.default(0.1).describe('the share of deletes; the rest are writes'),
})

interface State {
  readonly operations: number
  readonly written: number
}

export const registerDelete = workloadKind({
  name: 'register-delete',
  describes: 'reads and writes of unique values, and deletes',
  finds: 'deleted values that come back, and deletes that are seen too early or not at all',
  needs: ['read', 'write', 'delete'],
  options,
  make,
})

function make({ readShare, deleteShare, ...chosen }: z.output<typeof options>): Workload {
  const keys = keySpace(chosen)
  const next = ({ operations, written }: State, { random }: Context): readonly [Op, State] => {
    const key = keys.pick(operations, random)
    const chance = random.float()
    if (chance < readShare + deleteShare) return [{ f: chance < readShare ? 'read' : 'delete', key }, { operations: operations + 1, written }]
    return [{ f: 'write', key, value: written + 1 }, { operations: operations + 1, written: written + 1 }]
  }
  return {
    name: 'register-delete',
    describes: `reads and writes of unique values, and deletes, ${keys.width} keys at a time`,
    generator: ({ rate }) => atRate(rate, unfold({ state: { operations: 0, written: 0 }, next })),
    keys: () => keys.names,
    judgements: [linearizable(), convergence, durability],
  }
}
