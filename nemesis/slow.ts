/** Slow nodes: a small share of the processor, in many short slices. The node answers everything, late. */
import type { Clock } from '../harness/env.ts'
import type { Node } from '../cluster/cluster.ts'
import { sleep } from '../harness/clock.ts'
import { nodeFault, EFFECT_DEADLINE_MS, UP_DEADLINE_MS } from './node-fault.ts'
import { everyNode, untilSeen } from './observe.ts'

/** Answers that are asked for at once: together they are more work than a small share of a fast processor does in a slice. */
const BURST = 32
const BURSTS = 6
/** A slow node takes so much longer for one. */
const SLOWER_MS = 10

/** The slowest of several bursts of answers, asked for at uneven moments so that they cannot all fall into one running slice; no more than one that takes longer than `enoughMs`. */
async function slowestBurstMs(clock: Clock, node: Node, enoughMs = Infinity): Promise<number> {
  let slowest = 0
  for (let i = 0; i < BURSTS && slowest <= enoughMs; i++) {
    const start = clock.now()
    await Promise.all(Array.from({ length: BURST }, () => node.answers(EFFECT_DEADLINE_MS)))
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
    // The better of two series: on a busy machine one burst of a healthy node may be as slow as a slow node's.
    await Promise.all(nodes.map(async (node) => before.set(node, Math.min(await slowestBurstMs(clock, node), await slowestBurstMs(clock, node)))))
    return {
      strike: () => Promise.all(nodes.map((node) => node.throttle!(Number(parameters['share'])))),
      verify: () => untilSeen(clock, EFFECT_DEADLINE_MS, () => everyNode(nodes, async (node) => {
        const was = before.get(node)!
        const slowest = await slowestBurstMs(clock, node, was + SLOWER_MS)
        during.set(node, slowest)
        return { seen: slowest > was + SLOWER_MS, evidence: `the slowest burst of ${BURST} answers of ${node.id} took ${slowest.toFixed(1)} ms, ${was.toFixed(1)} ms before` }
      })),
      heal: async () => {
        await Promise.all(nodes.map((node) => node.throttle!(1)))
      },
      verifyHealed: () => untilSeen(clock, UP_DEADLINE_MS, () => everyNode(nodes, async (node) => {
        const slowest = await slowestBurstMs(clock, node)
        const halfway = (before.get(node)! + (during.get(node) ?? Infinity)) / 2
        return { seen: slowest < halfway, evidence: `the slowest burst of ${BURST} answers of ${node.id} took ${slowest.toFixed(1)} ms` }
      })),
    }
  },
})
