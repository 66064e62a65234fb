/** Slow disks: writes that must survive a power loss are confirmed late, and with them whatever waits for them. */
import type { Node } from '../cluster/cluster.ts'
import type { Observation } from './fault.ts'
import { EFFECT_DEADLINE_MS, nodeFault, UP_DEADLINE_MS } from './node-fault.ts'
import { everyNode, untilSeen } from './observe.ts'

/** Asking a node takes this long beyond its disk. */
const ASK_MS = 3_000

/** `slow-disk(TARGETS)`. */
export const slowDisk = nodeFault({
  name: 'slow-disk',
  describes: 'lets the disks of nodes confirm synced writes late',
  parameters: { ms: { describes: 'how late', default: 100, min: 1, max: 60_000, swarm: [10, 500] } },
  needs: ['slow-disk'],
  async prepare({ clock }, nodes, { parameters }) {
    const delayMs = Number(parameters['ms'])
    const slow = async (node: Node, ms: number): Promise<number> => {
      if (node.slowDisk === undefined) throw new Error(`the disk of ${node.id} cannot be made slow: its system does not say how`)
      return node.slowDisk(ms, ms + ASK_MS)
    }
    const look = (ms: number, seen: (tookMs: number) => boolean): Promise<Observation> => everyNode(nodes, async (node) => {
      const tookMs = await slow(node, ms).catch(() => undefined)
      return { seen: tookMs !== undefined && seen(tookMs), evidence: tookMs === undefined ? `${node.id} does not answer` : `a synced write of ${node.id} took ${tookMs.toFixed(1)} ms` }
    })
    return {
      strike: () => Promise.all(nodes.map((node) => slow(node, delayMs))),
      verify: () => untilSeen(clock, EFFECT_DEADLINE_MS, () => look(delayMs, (tookMs) => tookMs >= delayMs)),
      heal: async () => {
        await Promise.all(nodes.map(async (node) => ((await node.state()) === 'running' ? slow(node, 0) : 0)))
      },
      // The disk itself may be slow by nature, but not by as much and always.
      verifyHealed: () => untilSeen(clock, UP_DEADLINE_MS, () => look(0, (tookMs) => tookMs < Math.max(delayMs, 5))),
    }
  },
})
