/**
 * Sessions: clients that write and read the same few keys, staying with their node (`sticky`) or asking another one each
 * time. A store whose replicas lag keeps read your writes and monotonic reads for those who stay, and loses them for those
 * who move (Terry et al., "Session Guarantees for Weakly Consistent Replicated Data", PDIS 1994).
 */
import { z } from 'zod'
import { registerJudgements } from '../checker/index.ts'
import { unfold, type Context, type Op } from '../harness/generator/index.ts'
import { keyOptions, keySpace, share } from './keys.ts'
import { atRate } from './rate.ts'
import { workloadKind, type Workload } from './workload.ts'

const options = z.strictObject({
  ...keyOptions,
  keys: keyOptions.keys.default(10),
  readShare: share.default(0.7).describe('the share of reads'),
  sticky: z.boolean().default(false).describe('whether clients stay with one node'),
})

export const sessions = workloadKind({
  name: 'sessions',
  describes: 'reads and writes by clients that move from node to node, or stay',
  finds: 'lost session guarantees: own writes not read, reads and writes that go back',
  needs: ['read', 'write'],
  options,
  make,
})

interface State {
  readonly operations: number
  readonly written: number
}

function make({ readShare, sticky, ...chosen }: z.output<typeof options>): Workload {
  const keys = keySpace(chosen)
  return {
    name: 'sessions',
    moves: !sticky,
    describes: `reads and writes of ${keys.width} keys by clients that ${sticky ? 'stay with their node' : 'ask another node each time'}`,
    generator: ({ rate, nodes }) => {
      const next = ({ operations, written }: State, { random }: Context): readonly [Op, State] => {
        const key = keys.pick(operations, random)
        const where = sticky ? {} : { node: nodes[random.int(nodes.length)]! }
        if (random.float() < readShare) return [{ f: 'read', key, ...where }, { operations: operations + 1, written }]
        return [{ f: 'write', key, value: written + 1, ...where }, { operations: operations + 1, written: written + 1 }]
      }
      return atRate(rate, unfold({ state: { operations: 0, written: 0 }, next }))
    },
    keys: () => keys.names,
    judgements: registerJudgements(),
  }
}
