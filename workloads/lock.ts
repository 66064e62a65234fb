/**
 * Locks: a client acquires one, holds it for a moment, and releases it; nobody else may hold it meanwhile. With fencing
 * every grant carries a token greater than all before it, so that whoever the lock protects can turn away a holder of the
 * past (Kleppmann, "How to do distributed locking", 2016). A lock whose holder is in doubt stays held: new ones are taken.
 */
import { z } from 'zod'
import { models } from 'knossos-wasm'
import { convergence } from '../checker/convergence.ts'
import { linearizableObject } from '../checker/linearizable-object.ts'
import { unfold, type Context, type GeneratorEvent, type Op, type Thread } from '../harness/generator/index.ts'
import { keySpace, objectKeys } from './keys.ts'
import { changeObject, isAtomic } from './objects.ts'
import { atRate } from './rate.ts'
import { workloadKind, type Store, type Workload } from './workload.ts'

const options = z.strictObject({
  ...objectKeys,
  keys: objectKeys.keys.default(3).describe('locks in use at the same time'),
  operationsPerKey: objectKeys.operationsPerKey.default(40),
  renewals: objectKeys.renewals.default(100),
  fencing: z.boolean().default(true).describe('whether every grant carries a token'),
})

export const lock = workloadKind({
  name: 'lock',
  describes: 'acquires and releases locks, one value under one key each, with or without fencing tokens',
  finds: 'two holders of one lock, tokens that do not grow',
  needs: ['read', 'write'],
  options,
  make,
})

/** A lock and who asks for it. */
interface Claim {
  readonly key: string
  readonly owner: string
}

/** Operations so far, and per thread what it asked for and what it holds. */
interface State {
  readonly operations: number
  readonly asked: Readonly<Record<Thread, Claim>>
  readonly held: Readonly<Record<Thread, Claim | undefined>>
}

interface Held {
  readonly holder: string | null
  readonly token: number
}

function make({ fencing, ...chosen }: z.output<typeof options>, store: Store): Workload {
  const keys = keySpace(chosen)
  const atomic = isAtomic(store)
  const next = ({ operations, asked, held }: State, { free, random }: Context): readonly [Op, State] => {
    const thread = free[random.int(free.length)]!
    const own = held[thread]
    if (own !== undefined) return [{ f: 'release', key: own.key, value: own.owner, thread }, { operations: operations + 1, asked, held }]
    // An owner is one grant of one thread: a late release of another must not free the lock.
    const claim = { key: keys.pick(operations, random), owner: `o${operations}` }
    return [{ f: 'acquire', key: claim.key, value: claim.owner, thread }, { operations: operations + 1, asked: { ...asked, [thread]: claim }, held }]
  }
  const model = fencing ? models.fencedLock() : models.mutex()
  return {
    name: 'lock',
    describes: `acquires and releases ${keys.width} locks at a time${fencing ? ', with fencing tokens' : ''}`,
    generator: ({ rate }) => atRate(rate, unfold({ state: { operations: 0, asked: {} as State['asked'], held: {} as State['held'] }, next, observe })),
    invoke: (client, { f, key, value }) => changeObject(client, store, key!, (seen) => {
      const { holder, token } = (seen ?? { holder: null, token: 0 }) as unknown as Held
      const owner = value as string
      if (f === 'release') return holder === owner ? { next: { holder: null, token } } : null
      if (holder !== null) return null
      return { next: { holder: owner, token: token + 1 }, ...(fencing ? { result: token + 1 } : {}) }
    }),
    keys: () => keys.names,
    judgements: [{ ...linearizableObject(model, atomic), binding: atomic }, convergence],
  }
}

/** Who was granted a lock holds it until its release has an outcome. */
function observe(state: State, { type, thread, f }: GeneratorEvent): State {
  if (type === 'invoke') return state
  if (f === 'acquire' && type === 'ok') return { ...state, held: { ...state.held, [thread]: state.asked[thread] } }
  return f === 'release' ? { ...state, held: { ...state.held, [thread]: undefined } } : state
}
