/**
 * Reads while ranges move: many keys, spread over the whole space and asked for in turn, so that every range is looked up
 * again and again while nodes join and leave. A read that is answered by a node that no longer holds the range is stale, and
 * registers show it.
 */
import { z } from 'zod'
import { registerJudgements } from '../checker/index.ts'
import { unfold, type Context, type Op } from '../harness/generator/index.ts'
import { share } from './keys.ts'
import { atRate } from './rate.ts'
import { workloadKind, type Workload } from './workload.ts'

const options = z.strictObject({
  keys: z.int().min(1).max(100_000).default(200).describe('keys, asked for in turn'),
  readShare: share.default(0.7).describe('the share of reads'),
})

export const directoryChurn = workloadKind({
  name: 'directory-churn',
  describes: 'reads and writes of many keys in turn, to go with a nemesis that moves ranges',
  finds: 'reads from nodes that no longer hold the key, writes that a moving range forgot',
  needs: ['read', 'write'],
  options,
  make,
})

interface State {
  readonly operations: number
  readonly written: number
}

function make({ keys, readShare }: z.output<typeof options>): Workload {
  const names = Array.from({ length: keys }, (_, at) => `d${String(at).padStart(6, '0')}`)
  const next = ({ operations, written }: State, { random }: Context): readonly [Op, State] => {
    const key = names[operations % keys]!
    const after = { operations: operations + 1, written }
    // The first round writes: there should be something to read in every range.
    if (operations >= keys && random.float() < readShare) return [{ f: 'read', key }, after]
    return [{ f: 'write', key, value: written + 1 }, { ...after, written: written + 1 }]
  }
  return {
    name: 'directory-churn',
    describes: `reads and writes of ${keys} keys in turn`,
    generator: ({ rate }) => atRate(rate, unfold({ state: { operations: 0, written: 0 }, next })),
    keys: () => names,
    judgements: registerJudgements(),
  }
}
