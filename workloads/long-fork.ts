/**
 * Long forks: single writes, each of a key of its own, and reads of small groups of keys. Two reads of one group that each
 * saw a write which the other missed cannot both be snapshots (Jepsen's long-fork test).
 */
import { z } from 'zod'
import type { Json } from '../checker/history/index.ts'
import { convergence } from '../checker/convergence.ts'
import { longFork } from '../checker/long-fork.ts'
import { transactional } from '../checker/transactional.ts'
import { unfold, type Context, type Op } from '../harness/generator/index.ts'
import { share } from './keys.ts'
import { isAtomic, tableKeys, transact } from './objects.ts'
import { atRate } from './rate.ts'
import { workloadKind, type Store, type Workload } from './workload.ts'

const options = z.strictObject({
  group: z.int().min(2).max(20).default(2).describe('keys that are read together'),
  groups: z.int().min(1).max(10_000).default(300).describe('groups at most'),
  readShare: share.default(0.7).describe('the share of reads'),
})

export const longForkWorkload = workloadKind({
  name: 'long-fork',
  describes: 'single writes of fresh keys, and reads of the keys of a group together',
  finds: 'long forks: two readers who saw two writes in different orders',
  needs: ['read', 'write'],
  options,
  make,
})

function make({ group, groups, readShare }: z.output<typeof options>, store: Store): Workload {
  const key = (at: number): string => `f${Math.floor(at / group)}-${at % group}`
  // A write goes to the next key; reads ask for the group that is being written, or the one before.
  const next = (written: number, { random }: Context): readonly [Op, number] => {
    if (random.float() >= readShare && written < group * groups) return [{ f: 'txn', value: [['w', key(written), 1]] }, written + 1]
    const current = Math.max(0, Math.floor((written - random.int(group)) / group)) * group
    return [{ f: 'txn', value: Array.from({ length: group }, (_, at): Json => ['r', key(current + at), null]) }, written]
  }
  return {
    name: 'long-fork',
    describes: `single writes of fresh keys, and reads of ${group} keys together`,
    generator: ({ rate }) => atRate(rate, unfold({ state: 0, next })),
    invoke: (client, operation) => transact(client, store, operation),
    keys: () => tableKeys(store, Array.from({ length: group * groups }, (_, at) => key(at))),
    judgements: [{ ...longFork(), binding: isAtomic(store) }, { ...transactional(store.isolation, 'rw-register'), binding: isAtomic(store) }, convergence],
  }
}
