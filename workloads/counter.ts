/** Counters: clients add numbers and read the sum. `grow-only` ones only grow; others also count down (pn). */
import { z } from 'zod'
import { convergence } from '../checker/convergence.ts'
import { counterBounds } from '../checker/counter-bounds.ts'
import { linearizableObject } from '../checker/linearizable-object.ts'
import { models } from 'knossos-wasm'
import { unfold, type Context, type Op } from '../harness/generator/index.ts'
import { keySpace, objectKeys, share } from './keys.ts'
import { changeObject, isAtomic } from './objects.ts'
import { atRate } from './rate.ts'
import { readsOf, workloadKind, type Store, type Workload } from './workload.ts'

const options = z.strictObject({
  ...objectKeys,
  readShare: share.default(0.5).describe('the share of reads'),
  growOnly: z.boolean().default(false).describe('whether only positive numbers are added'),
  amountMax: z.int().min(1).max(1_000_000).default(5).describe('the largest number that is added (or taken away)'),
})

export const counter = workloadKind({
  name: 'counter',
  describes: 'adds numbers to a counter and reads it, one value under one key',
  finds: 'sums that cannot be: lost and doubled additions',
  needs: ['read', 'write'],
  options,
  make,
})

function make({ readShare, growOnly, amountMax, ...chosen }: z.output<typeof options>, store: Store): Workload {
  const keys = keySpace(chosen)
  const atomic = isAtomic(store)
  const next = (operations: number, { random }: Context): readonly [Op, number] => {
    const key = keys.pick(operations, random)
    if (random.float() < readShare) return [{ f: 'read', key }, operations + 1]
    const amount = 1 + random.int(amountMax)
    return [{ f: 'add', key, value: growOnly || random.float() < 0.5 ? amount : -amount }, operations + 1]
  }
  return {
    name: 'counter',
    describes: `adds numbers to ${keys.width} counters at a time and reads them`,
    generator: ({ rate }) => atRate(rate, unfold({ state: 0, next })),
    final: () => readsOf(keys.names),
    invoke: (client, { f, key, value }) => changeObject(client, store, key!, (held) => {
      const sum = typeof held === 'number' ? held : 0
      return f === 'read' ? { result: sum } : { next: sum + Number(value) }
    }),
    keys: () => keys.names,
    judgements: [{ ...counterBounds(), binding: atomic }, linearizableObject(models.counter(), atomic), convergence],
  }
}
