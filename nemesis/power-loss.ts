/**
 * Power cuts: the node dies, and of what it wrote and did not sync to its disk some, all or nothing is gone. It finds
 * stores that acknowledge before they sync. (Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014.)
 */
import { nodeFault, EFFECT_DEADLINE_MS, startStopped, UP_DEADLINE_MS } from './node-fault.ts'
import { everyNode, isDown, isUp, untilSeen } from './observe.ts'

/** `power-loss(TARGETS)`. */
export const powerLoss = nodeFault({
  name: 'power-loss',
  describes: 'kills nodes and lets their disks forget what was not synced; healing starts them again',
  needs: ['power-loss', 'restart'],
  prepare: async ({ clock }, nodes) => {
    const lost = new Map<string, number>()
    return {
      strike: () => Promise.all(nodes.map(async (node) => lost.set(node.id, await node.powerLoss!()))),
      verify: () => untilSeen(clock, EFFECT_DEADLINE_MS, () => everyNode(nodes, async (node) => {
        const { seen, evidence } = await isDown(node, 'stopped')
        return { seen, evidence: `${evidence}, and its disk has lost ${lost.get(node.id) ?? 0} writes` }
      })),
      heal: () => startStopped(nodes),
      verifyHealed: () => untilSeen(clock, UP_DEADLINE_MS, () => everyNode(nodes, isUp)),
    }
  },
})
