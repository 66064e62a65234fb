/**
 * Sets: clients add elements, each once, and read the whole set. Every element that was acknowledged must be in every
 * later read; what is missing names the lost update.
 */
import { z } from 'zod'
import { convergence } from '../checker/convergence.ts'
import { models } from 'knossos-wasm'
import { linearizableObject } from '../checker/linearizable-object.ts'
import { setFull } from '../checker/set-full.ts'
import type { Json } from '../checker/history/index.ts'
import { unfold, type Context, type Op } from '../harness/generator/index.ts'
import { keySpace, objectKeys, share } from './keys.ts'
import { changeObject, isAtomic } from './objects.ts'
import { atRate } from './rate.ts'
import { readsOf, workloadKind, type Store, type Workload } from './workload.ts'

const options = z.strictObject({ ...objectKeys, readShare: share.default(0.5).describe('the share of reads') })

export const set = workloadKind({
  name: 'set',
  describes: 'adds elements and reads the whole set, one value under one key',
  finds: 'lost, stale, never read, duplicated elements; how long they take to become visible; lost updates where the store has no compare-and-set',
  needs: ['read', 'write'],
  options,
  make,
})

interface State {
  readonly operations: number
  readonly added: number
}

function make({ readShare, ...chosen }: z.output<typeof options>, store: Store): Workload {
  const keys = keySpace(chosen)
  const atomic = isAtomic(store)
  const next = ({ operations, added }: State, { random }: Context): readonly [Op, State] => {
    const key = keys.pick(operations, random)
    if (random.float() < readShare) return [{ f: 'read', key }, { operations: operations + 1, added }]
    return [{ f: 'add', key, value: added + 1 }, { operations: operations + 1, added: added + 1 }]
  }
  return {
    name: 'set',
    describes: `adds elements and reads whole sets, ${keys.width} at a time`,
    generator: ({ rate }) => atRate(rate, unfold({ state: { operations: 0, added: 0 }, next })),
    final: () => readsOf(keys.names),
    invoke: (client, { f, key, value }) => changeObject(client, store, key!, (held) => {
      const elements = (held ?? []) as readonly Json[]
      return f === 'read' ? { result: elements } : { next: [...elements, value!] }
    }),
    keys: () => keys.names,
    judgements: [
      { ...setFull({ staleIsViolation: atomic && store.expected === 'linearizable' }), binding: atomic },
      linearizableObject(models.growOnlySet(), atomic),
      convergence,
    ],
  }
}
