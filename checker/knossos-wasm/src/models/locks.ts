/**
 * Locks. A crashed acquire may hold the lock for ever; a failed one proves nothing.
 */
import { same } from '../values.ts'
import type { Json } from '../values.ts'
import type { Model, ModelOperation } from '../model.ts'

const failuresIgnored = ({ outcome }: ModelOperation): { readonly ignored: boolean } => ({ ignored: outcome === 'fail' })

/** Knossos's mutex: `acquire` when free, `release` when held, by anybody. */
export const mutex = (): Model => ({
  name: 'mutex',
  init: false,
  functions: ['acquire', 'release'],
  step: (state, { f }) => (f === 'acquire' ? (state === false ? [true] : []) : state === true ? [false] : []),
  traits: failuresIgnored,
})

/** Who acquires or releases: the operation's value, or else the process. */
const owner = ({ input, process }: ModelOperation): Json => input ?? process

/** Its owner may acquire it again, up to `max` times, and must release as often; nobody else can. */
export function reentrantLock({ max = 2 }: { readonly max?: number } = {}): Model {
  return {
    name: 'reentrant-lock',
    init: [null, 0],
    functions: ['acquire', 'release'],
    perProcess: true,
    step(state, operation) {
      const [holder, depth] = state as readonly [Json, number]
      const who = owner(operation)
      if (operation.f === 'acquire') {
        if (depth === 0) return [[who, 1]]
        return same(holder, who) && depth < max ? [[who, depth + 1]] : []
      }
      if (depth === 0 || !same(holder, who)) return []
      return [depth === 1 ? [null, 0] : [who, depth - 1]]
    },
    traits: failuresIgnored,
  }
}

/** Every `acquire` returns a fencing token (an integer) greater than all before; only its owner releases. */
export const fencedLock = (): Model => ({
  name: 'fenced-lock',
  init: [null, false, 0],
  functions: ['acquire', 'release'],
  perProcess: true,
  step(state, operation) {
    const [holder, held, fence] = state as readonly [Json, boolean, number]
    const who = owner(operation)
    if (operation.f === 'release') return held && same(holder, who) ? [[null, false, fence]] : []
    if (held) return []
    // Nobody saw the token of a crashed acquire; the smallest possible one excludes least.
    if (typeof operation.output !== 'number') return [[who, true, fence + 1]]
    return operation.output > fence ? [[who, true, operation.output]] : []
  },
  traits: failuresIgnored,
})
