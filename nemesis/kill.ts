/** Crashes: SIGKILL, and after the heal a restart from disk. `kill(all)` is a power cut without the loss of writes. */
import { nodeFault, EFFECT_DEADLINE_MS, startStopped, UP_DEADLINE_MS } from './node-fault.ts'
import { everyNode, isDown, isUp, untilSeen } from './observe.ts'

/** `kill(TARGETS)`. */
export const kill = nodeFault({
  name: 'kill',
  describes: 'kills nodes with SIGKILL; healing starts them again from their own disks',
  needs: ['kill', 'restart'],
  prepare: async ({ clock }, nodes) => ({
    strike: () => Promise.all(nodes.map((node) => node.kill())),
    verify: () => untilSeen(clock, EFFECT_DEADLINE_MS, () => everyNode(nodes, (node) => isDown(node, 'stopped'))),
    heal: () => startStopped(nodes),
    verifyHealed: () => untilSeen(clock, UP_DEADLINE_MS, () => everyNode(nodes, isUp)),
  }),
})
