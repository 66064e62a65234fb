/**
 * What faults of disks have in common: they spoil the disks of nodes, and see it in a write that must be safe, which fails
 * with the code that a program would meet, or takes long.
 *
 * A program that has met a disk error rightly trusts nothing any more, and ends or waits for its restart (fsync's error
 * comes once; what it was about is gone). So the heal is what an operator does: the disk is made whole, and the node is
 * started anew.
 */
import type { DiskFault, DiskTrial, Node, NodeDisk } from '../cluster/cluster.ts'
import type { Fault, Observation, ParameterValues } from './fault.ts'
import { EFFECT_DEADLINE_MS, nodeFault, startStopped, UP_DEADLINE_MS } from './node-fault.ts'
import { everyNode, isUp, untilSeen } from './observe.ts'

/** Asking a node takes this long beyond its disk. */
const ASK_MS = 3_000

/** One way in which disks are spoilt. */
interface Spoiling extends Pick<Fault, 'name' | 'describes' | 'parameters'> {
  fault(parameters: ParameterValues): DiskFault
  /** Whether a write that must be safe shows it. */
  bites(trial: DiskTrial, parameters: ParameterValues): boolean
  /** Whether nodes are started anew when the disk is whole again. */
  readonly restarts: boolean
}

function diskOf(node: Node): NodeDisk {
  if (node.disk === undefined) throw new Error(`the disk of ${node.id} cannot be spoilt: its system does not say how`)
  return node.disk
}

/** A fault of disks: `NAME(TARGETS)`. */
export function diskFault({ fault: faultOf, bites, restarts, ...fault }: Spoiling): Fault {
  return nodeFault({
    ...fault,
    needs: restarts ? ['disk', 'restart'] : ['disk'],
    async prepare({ clock }, nodes, { parameters }) {
      const wanted = faultOf(parameters)
      const deadlineMs = ASK_MS + (wanted.type === 'slow' ? wanted.ms : 0)
      const look = (isSeen: (trial: DiskTrial) => boolean): Promise<Observation> => everyNode(nodes, async (node) => {
        const trial = await diskOf(node).trial(deadlineMs).catch(() => undefined)
        if (trial === undefined) return { seen: false, evidence: `the disk of ${node.id} cannot be tried now` }
        const took = `after ${trial.tookMs.toFixed(1)} ms`
        return { seen: isSeen(trial), evidence: `a synced write of ${node.id} ${trial.error === undefined ? `was confirmed ${took}` : `failed with ${trial.error} ${took}`}` }
      })
      const isWhole = (trial: DiskTrial): boolean => trial.error === undefined && !bites(trial, parameters)
      return {
        strike: () => Promise.all(nodes.map((node) => diskOf(node).set(wanted, deadlineMs))),
        verify: () => untilSeen(clock, EFFECT_DEADLINE_MS, () => look((trial) => bites(trial, parameters))),
        heal: async () => {
          // A node that is down cannot be told, where it is the node that spoils its disk, and forgets that with its end; the trial tells.
          await Promise.all(nodes.map((node) => diskOf(node).set(undefined, deadlineMs).catch(() => undefined)))
          if (restarts) await Promise.all(nodes.map((node) => node.kill()))
          await startStopped(nodes)
        },
        verifyHealed: () => untilSeen(clock, UP_DEADLINE_MS, async () => {
          const up = await everyNode(nodes, isUp)
          return up.seen ? look(isWhole) : up
        }),
      }
    },
  })
}
