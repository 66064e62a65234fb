/** Stops: a node does not run, and nobody is told. Its kernel still accepts connections, its leases run out elsewhere. */
import { nodeFault, EFFECT_DEADLINE_MS, UP_DEADLINE_MS } from './node-fault.ts'
import { everyNode, isDown, isUp, untilSeen } from './observe.ts'

/** `pause(TARGETS)`. */
export const pause = nodeFault({
  name: 'pause',
  describes: 'stops nodes from running without closing their connections; healing lets them go on',
  needs: ['pause'],
  prepare: async ({ clock }, nodes) => ({
    strike: () => Promise.all(nodes.map((node) => node.pause!())),
    verify: () => untilSeen(clock, EFFECT_DEADLINE_MS, () => everyNode(nodes, (node) => isDown(node, 'paused'))),
    heal: async () => {
      await Promise.all(nodes.map(async (node) => ((await node.state()) === 'paused' ? node.resume!() : undefined)))
    },
    verifyHealed: () => untilSeen(clock, UP_DEADLINE_MS, () => everyNode(nodes, isUp)),
  }),
})
