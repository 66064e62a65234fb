/**
 * Queues: clients put unique elements in and take them out, first in first out; at the end every queue is drained. What
 * went in must come out, once.
 */
import { z } from 'zod'
import { convergence } from '../checker/convergence.ts'
import { models } from 'knossos-wasm'
import { linearizableObject } from '../checker/linearizable-object.ts'
import { queueTotal } from '../checker/queue-total.ts'
import type { Json } from '../checker/history/index.ts'
import { unfold, type Context, type Generator, type Op } from '../harness/generator/index.ts'
import { keySpace, objectKeys, share } from './keys.ts'
import { changeObject, isAtomic } from './objects.ts'
import { atRate } from './rate.ts'
import { workloadKind, type Store, type Workload } from './workload.ts'

const options = z.strictObject({ ...objectKeys, operationsPerKey: objectKeys.operationsPerKey.default(20), renewals: objectKeys.renewals.default(100), enqueueShare: share.default(0.55).describe('the share of enqueues; the rest are dequeues') })

export const queue = workloadKind({
  name: 'queue',
  describes: 'puts elements into a queue and takes them out, one value under one key; drains it at the end',
  finds: 'elements lost or taken twice, and an order that is none',
  needs: ['read', 'write'],
  options,
  make,
})

interface State {
  readonly operations: number
  readonly put: number
}

function make({ enqueueShare, ...chosen }: z.output<typeof options>, store: Store): Workload {
  const keys = keySpace(chosen)
  const atomic = isAtomic(store)
  const next = ({ operations, put }: State, { random }: Context): readonly [Op, State] => {
    const key = keys.pick(operations, random)
    if (random.float() >= enqueueShare) return [{ f: 'dequeue', key }, { operations: operations + 1, put }]
    return [{ f: 'enqueue', key, value: put + 1 }, { operations: operations + 1, put: put + 1 }]
  }
  return {
    name: 'queue',
    describes: `puts elements into ${keys.width} queues at a time and takes them out`,
    generator: ({ rate }) => atRate(rate, unfold({ state: { operations: 0, put: 0 }, next })),
    final: () => drain(keys.names),
    invoke: (client, { f, key, value }) => changeObject(client, store, key!, (held) => {
      const elements = (held ?? []) as readonly Json[]
      if (f === 'enqueue') return { next: [...elements, value!] }
      return elements.length === 0 ? { result: null } : { next: elements.slice(1), result: elements[0]! }
    }),
    keys: () => keys.names,
    judgements: [{ ...queueTotal(), binding: atomic }, linearizableObject(models.fifoQueue(), atomic, { crashedMax: CRASHED_MAX }), convergence],
  }
}

/** With more operations of unknown outcome on a queue its linearizability is not decided, only what became of its elements. */
const CRASHED_MAX = 3

/** How often a dequeue that did not succeed is tried again while draining. */
const TRIES_MAX = 20

/** Takes from each queue until it is empty. One client at a time would be slow: queues are drained beside each other. */
function drain(names: readonly string[]): Generator {
  return unfold<Draining>({
    state: { full: names, turn: 0, tries: 0 },
    next: ({ full, turn, tries }) => (full.length === 0 ? null : [{ f: 'dequeue', key: full[turn % full.length]! }, { full, turn: turn + 1, tries }]),
    observe: (state, { type, f, key, value }) => {
      if (f !== 'dequeue' || type === 'invoke') return state
      if (type === 'ok' && value !== null && value !== undefined) return state
      if (type !== 'ok' && state.tries < TRIES_MAX * names.length) return { ...state, tries: state.tries + 1 }
      return { ...state, full: state.full.filter((name) => name !== key) }
    },
  })
}

/** Queues that were not seen empty yet, and whose turn it is. */
interface Draining {
  readonly full: readonly string[]
  readonly turn: number
  readonly tries: number
}
