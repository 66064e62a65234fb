/**
 * Elements that come and go: each is a key of its own, written once, later deleted, and asked for in between and after. An
 * element that is still there at the end although its removal was acknowledged has risen from the dead: a tombstone was
 * lost, or an old replica spoke up again.
 */
import { z } from 'zod'
import { models } from 'knossos-wasm'
import { convergence } from '../checker/convergence.ts'
import { linearizableObject } from '../checker/linearizable-object.ts'
import { setFull } from '../checker/set-full.ts'
import { unfold, type Context, type GeneratorEvent, type Op } from '../harness/generator/index.ts'
import { share } from './keys.ts'
import { atRate } from './rate.ts'
import { onceEach, workloadKind, type Store, type Workload } from './workload.ts'

const options = z.strictObject({
  elements: z.int().min(1).max(100_000).default(500).describe('elements at most'),
  readShare: share.default(0.5).describe('the share of questions whether an element is there'),
  removeShare: share.default(0.2).describe('the share of removals; the rest are additions'),
})

export const setDelete = workloadKind({
  name: 'set-delete',
  describes: 'adds and removes elements, each a key of its own, and asks for them',
  finds: 'resurrected deletes, lost and stale elements',
  needs: ['read', 'write', 'delete'],
  options,
  make,
})

/** How many were added, which are there for certain, and which were removed. */
interface State {
  readonly added: number
  readonly present: readonly number[]
  readonly removed: readonly number[]
}

/** Elements that are asked for again: more would be asked for too rarely. */
const REMEMBERED_MAX = 30

function make({ elements, readShare, removeShare }: z.output<typeof options>, store: Store): Workload {
  const names = Array.from({ length: elements }, (_, at) => `e${at}`)
  const next = ({ added, present, removed }: State, { random }: Context): readonly [Op, State] => {
    const chance = random.float()
    const state = { added, present, removed }
    const known = [...present, ...removed]
    if (chance < readShare && known.length > 0) return [operation('contains', known[random.int(known.length)]!), state]
    if (chance < readShare + removeShare && present.length > 0) {
      const element = present[random.int(present.length)]!
      return [operation('remove', element), { ...state, present: present.filter((one) => one !== element), removed: [...removed, element].slice(-REMEMBERED_MAX) }]
    }
    if (added < elements) return [operation('add', added), { ...state, added: added + 1 }]
    return [operation('contains', random.int(elements)), state]
  }
  return {
    name: 'set-delete',
    describes: `adds and removes up to ${elements} elements, each a key of its own`,
    generator: ({ rate }) => atRate(rate, unfold({ state: { added: 0, present: [], removed: [] }, next, observe })),
    final: () => onceEach(names, (name) => ({ f: 'contains', key: name, value: Number(name.slice(1)) })),
    async invoke(client, { f, key, value }) {
      if (f === 'add') return { ...(await client.invoke({ f: 'write', key: key!, value: value! })), value: value! }
      if (f === 'remove') return { ...(await client.invoke({ f: 'delete', key: key! })), value: value! }
      const read = await client.invoke({ f: 'read', key: key! })
      return read.type === 'ok' ? { type: 'ok', value: (read.value ?? null) !== null } : read
    },
    keys: () => names,
    judgements: [{ ...setFull({ staleIsViolation: store.expected === 'linearizable' }), binding: true }, linearizableObject(models.set(), true), convergence],
  }
}

function operation(f: string, element: number): Op {
  return { f, key: `e${element}`, value: element }
}

/** Only what was acknowledged is removed. */
function observe(state: State, { type, f, value }: GeneratorEvent): State {
  return type === 'ok' && f === 'add' ? { ...state, present: [...state.present, value as number].slice(-REMEMBERED_MAX) } : state
}
