/** Orderly ends: SIGTERM, so that a node may hand over, flush and say goodbye, and after the heal a restart. */
import { nodeFault, startStopped, UP_DEADLINE_MS } from './node-fault.ts'
import { everyNode, isDown, isUp, untilSeen } from './observe.ts'

/** A node may take this long to put its things in order. */
const END_DEADLINE_MS = 10_000

/** `terminate(TARGETS)`. */
export const terminate = nodeFault({
  name: 'terminate',
  describes: 'asks nodes to end with SIGTERM; healing starts them again',
  needs: ['terminate', 'restart'],
  prepare: async ({ clock }, nodes) => ({
    strike: () => Promise.all(nodes.map((node) => node.terminate!())),
    verify: () => untilSeen(clock, END_DEADLINE_MS, () => everyNode(nodes, (node) => isDown(node, 'stopped'))),
    heal: () => startStopped(nodes),
    verifyHealed: () => untilSeen(clock, UP_DEADLINE_MS, () => everyNode(nodes, isUp)),
  }),
})
