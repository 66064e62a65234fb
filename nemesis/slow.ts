/** Slow nodes: a small share of the processor, in many short slices. The node answers everything, late. */
import type { Clock } from '../harness/env.ts'
import type { Node } from '../cluster/cluster.ts'
import { sleep } from '../harness/clock.ts'
import { nodeFault, EFFECT_DEADLINE_MS, UP_DEADLINE_MS } from './node-fault.ts'
import { everyNode, untilSeen } from './observe.ts'

/** The slowest of a dozen answers, asked for at uneven moments so that they cannot all fall into one running slice. */
async function slowestAnswerMs(clock: Clock, node: Node): Promise<number> {
  let slowest = 0
  for (let i = 0; i < 12; i++) {
    const start = clock.now()
    await node.answers(EFFECT_DEADLINE_MS)
    slowest = Math.max(slowest, (clock.now() - start) / 1e6)
    await sleep(clock, 7 + ((i * 11) % 19))
  }
  return slowest
}

/** `slow(TARGETS)`. */
export const slow = nodeFault({
  name: 'slow',
  describes: 'leaves nodes a small share of their processor time',
  parameters: { share: { describes: 'of its processor time that a node keeps', default: 0.1, min: 0.01, max: 0.9, swarm: [0.05, 0.3] } },
  needs: ['throttle'],
  async prepare({ clock }, nodes, { parameters }) {
    const before = new Map<Node, number>()
    const during = new Map<Node, number>()
    // The better of two series: on a busy machine one answer of a healthy node may be as slow as a slow node's.
    await Promise.all(nodes.map(async (node) => before.set(node, Math.min(await slowestAnswerMs(clock, node), await slowestAnswerMs(clock, node)))))
    return {
      strike: () => Promise.all(nodes.map((node) => node.throttle!(Number(parameters['share'])))),
      verify: () => untilSeen(clock, EFFECT_DEADLINE_MS, () => everyNode(nodes, async (node) => {
        const slowest = await slowestAnswerMs(clock, node)
        const was = before.get(node)!
        during.set(node, slowest)
        return { seen: slowest > was + 10, evidence: `the slowest of 12 answers of ${node.id} took ${slowest.toFixed(1)} ms, ${was.toFixed(1)} ms before` }
      })),
      heal: async () => {
        await Promise.all(nodes.map((node) => node.throttle!(1)))
      },
      verifyHealed: () => untilSeen(clock, UP_DEADLINE_MS, () => everyNode(nodes, async (node) => {
        const slowest = await slowestAnswerMs(clock, node)
        const halfway = (before.get(node)! + (during.get(node) ?? Infinity)) / 2
        return { seen: slowest < halfway, evidence: `the slowest of 12 answers of ${node.id} took ${slowest.toFixed(1)} ms` }
      })),
    }
  },
})
