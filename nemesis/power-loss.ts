/**
 * Power cuts: the node dies, and of what it wrote and did not sync to its disk some, all or nothing is gone. It finds
 * stores that acknowledge before they sync. `torn-write` leaves the first write that is lost half on the disk, as a cut
 * in the middle of it does. (Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014.)
 *
 * Seen from inside: a write of the harness's own, made on the same disk just before and not synced, is gone. A node that
 * syncs everything loses nothing of its own, and the power was cut nevertheless.
 */
import type { PowerLoss } from '../cluster/cluster.ts'
import type { Fault } from './fault.ts'
import { nodeFault, EFFECT_DEADLINE_MS, startStopped, UP_DEADLINE_MS } from './node-fault.ts'
import { everyNode, isDown, isUp, untilSeen } from './observe.ts'

function powerFault(fault: Pick<Fault, 'name' | 'describes' | 'needs'>, tear: boolean, shows: (canary: PowerLoss['canary']) => boolean): Fault {
  return nodeFault({
    ...fault,
    prepare: async ({ clock }, nodes) => {
      const losses = new Map<string, PowerLoss>()
      return {
        strike: () => Promise.all(nodes.map(async (node) => losses.set(node.id, await node.powerLoss!(tear)))),
        verify: () => untilSeen(clock, EFFECT_DEADLINE_MS, () => everyNode(nodes, async (node) => {
          const { seen, evidence } = await isDown(node, 'stopped')
          const { lost, canary } = losses.get(node.id)!
          return { seen: seen && shows(canary), evidence: `${evidence}; of ${canary.wroteBytes} bytes written and not synced its disk has ${canary.keptBytes}, and ${lost} of its own writes are gone` }
        })),
        heal: () => startStopped(nodes),
        verifyHealed: () => untilSeen(clock, UP_DEADLINE_MS, () => everyNode(nodes, isUp)),
      }
    },
  })
}

/** `power-loss(TARGETS)`. */
export const powerLoss = powerFault(
  { name: 'power-loss', describes: 'kills nodes and lets their disks forget what was not synced; healing starts them again', needs: ['power-loss', 'restart'] },
  false,
  ({ keptBytes }) => keptBytes === 0,
)

/** `torn-write(TARGETS)`. */
export const tornWrite = powerFault(
  { name: 'torn-write', describes: 'kills nodes in the middle of a write: what was not synced is lost from there on, and of that write a part stays; healing starts them again', needs: ['torn-write', 'restart'] },
  true,
  ({ wroteBytes, keptBytes }) => keptBytes > 0 && keptBytes < wroteBytes,
)
