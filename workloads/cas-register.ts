/**
 * Registers with compare-and-set: clients read, write, and replace a value that they believe is there.
 *
 * A compare-and-set succeeds only where it continues from the value before it, so chains of them pin the order of
 * writes down, and a store that lets two of them continue from the same value is caught at once (a lost update). Its
 * value is the pair `[expected, new]`; one whose expectation was wrong completes `fail`. New values are unique.
 *
 * What a client expects is what the harness saw last under that key, in an answer to anybody. Under contention that is
 * often out of date; that is wanted: a compare-and-set that must fail and does not is a violation too.
 */
import { z } from 'zod'
import type { Json } from '../checker/history/index.ts'
import { registerJudgements } from '../checker/index.ts'
import { unfold, type Context, type GeneratorEvent, type Op } from '../harness/generator/index.ts'
import { keyOptions, keySpace, share } from './keys.ts'
import { atRate } from './rate.ts'
import { workloadKind, type Workload } from './workload.ts'

const options = z.strictObject({
  ...keyOptions,
  readShare: share.default(0.4).describe('the share of reads'),
  writeShare: share.default(0.2).describe('the share of writes; the rest are compare-and-sets'),
})

/** What the generator remembers: how many operations it made, the last new value, and what was seen last under each key. */
interface State {
  readonly operations: number
  readonly written: number
  readonly seen: Readonly<Record<string, Json>>
}

/** Reads, writes and compare-and-sets of uniformly chosen keys by all clients. */
export const casRegister = workloadKind({
  name: 'cas-register',
  describes: 'reads, writes and compare-and-sets of unique values',
  finds: 'as register, and two compare-and-sets that both continued from one value (lost updates)',
  needs: ['read', 'write', 'cas'],
  options,
  make,
})

function make({ readShare, writeShare, ...chosen }: z.output<typeof options>): Workload {
  const keys = keySpace(chosen)
  const next = ({ operations, written, seen }: State, { random }: Context): readonly [Op, State] => {
    const key = keys.pick(operations, random)
    const chance = random.float()
    if (chance < readShare) return [{ f: 'read', key }, { operations: operations + 1, written, seen }]
    const expected = seen[key]
    const value = written + 1
    const state = { operations: operations + 1, written: value, seen }
    // Nothing was seen yet: there is nothing to expect.
    if (chance < readShare + writeShare || expected === undefined) return [{ f: 'write', key, value }, state]
    return [{ f: 'cas', key, value: [expected, value] }, state]
  }
  return {
    name: 'cas-register',
    describes: `reads, writes and compare-and-sets of unique values, ${keys.width} keys at a time`,
    generator: ({ rate }) => atRate(rate, unfold({ state: { operations: 0, written: 0, seen: {} }, next, observe })),
    keys: () => keys.names,
    judgements: registerJudgements(),
  }
}

/** Remembers what an operation that succeeded left, or found, under its key. */
function observe(state: State, { type, f, key, value }: GeneratorEvent): State {
  if (type !== 'ok' || typeof key !== 'string') return state
  const found = f === 'cas' && Array.isArray(value) ? (value as readonly Json[])[1] : value
  if (found === undefined || found === null || found === state.seen[key]) return state
  return { ...state, seen: { ...state.seen, [key]: found } }
}
