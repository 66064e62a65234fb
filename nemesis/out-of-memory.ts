/** Nodes that need more memory than they get: the kernel kills them, or their allocations fail and they end by themselves. */
import { nodeFault, startStopped, UP_DEADLINE_MS } from './node-fault.ts'
import { everyNode, isDown, isUp, untilSeen } from './observe.ts'

/** Asked at once, and how long an answer may take. */
const QUESTIONS = 32
const ANSWER_DEADLINE_MS = 250

/** `out-of-memory(TARGETS)`. */
export const outOfMemory = nodeFault({
  name: 'out-of-memory',
  describes: 'leaves nodes hardly more memory than they hold, until they die of it; healing starts them again with what they had',
  needs: ['memory', 'restart'],
  prepare: async ({ clock }, nodes) => ({
    strike: () => Promise.all(nodes.map((node) => node.squeeze!(true))),
    verify: () => untilSeen(clock, UP_DEADLINE_MS, () => everyNode(nodes, async (node) => {
      // Whoever is asked much at once needs memory for it.
      await Promise.all(Array.from({ length: QUESTIONS }, () => node.answers(ANSWER_DEADLINE_MS)))
      return isDown(node, 'stopped')
    })),
    heal: async () => {
      await Promise.all(nodes.map((node) => node.squeeze!(false)))
      await startStopped(nodes)
    },
    verifyHealed: () => untilSeen(clock, UP_DEADLINE_MS, () => everyNode(nodes, isUp)),
  }),
})
