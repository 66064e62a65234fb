/**
 * Whether a node answers, and whether a message passes a link: asked of the system under test where it knows how
 * to tell, so that what is observed is the program and not the machinery around it.
 */
import type { NodeId } from '../../harness/env.ts'
import { sleep } from '../../harness/clock.ts'
import type { CapabilityStatus, Cluster, Node, NodeClock, NodeDisk } from '../cluster.ts'
import { ClusterError } from '../cluster.ts'
import type { System } from '../system.ts'

/** Time between two looks at a node that is starting. */
const READY_INTERVAL_MS = 20
/** Log lines that an error quotes. */
const QUOTED_LINES = 8

/**
 * Whether the program at `id` answers within `deadlineMs`: a ping, or a read of no keys past its coordination. A system
 * that offers neither answers when it accepts a connection and is not stopped (a stopped program's kernel accepts too).
 */
export async function programAnswers(system: System, cluster: Cluster, id: NodeId, deadlineMs: number): Promise<boolean> {
  try {
    if (system.ping !== undefined) return await system.ping(cluster, id, deadlineMs)
    if (system.peek !== undefined) {
      await system.peek(cluster, id, [], deadlineMs)
      return true
    }
    const stream = await cluster.dial(id, 'client', deadlineMs)
    stream.close()
    return (await cluster.nodes.find((node) => node.id === id)!.state()) === 'running'
  } catch {
    return false
  }
}

/** How a node's clock is set wrong, where its system lets a tester do that: in words for the doctor. */
export const OWN_CLOCK: CapabilityStatus = { available: true, reason: "the store takes its clock from the harness, and is told through its admin port to set it wrong; of foreign programs where their system says how", ofSystem: 'clock' }

/** Why nodes of this machine cannot lose their power. */
export const NO_POWER_LOSS = 'what a program has written stays in the kernel of this machine when the program ends; use --driver netns, which gives nodes disks of their own, or --driver sim'

/** A node's clock, as far as its system gives access to it. */
export function clockOf({ clock }: System, cluster: Cluster, id: NodeId): NodeClock | undefined {
  if (clock === undefined) return undefined
  return { read: (deadlineMs) => clock.read(cluster, id, deadlineMs), set: (skew, deadlineMs) => clock.set(cluster, id, skew, deadlineMs) }
}

/** How a node's disk is spoilt, where its system lets a tester do that: in words for the doctor. */
export const OWN_DISK: CapabilityStatus = { available: true, reason: 'the store takes its disk from the harness, and is told through its admin port to wait for it or to fail; of foreign programs where their system says how', ofSystem: 'disk' }

/** A node's disk, as far as its system gives access to it. */
export function diskOf({ disk }: System, cluster: Cluster, id: NodeId): NodeDisk | undefined {
  return disk && { set: (fault, deadlineMs) => disk.set(cluster, id, fault, deadlineMs), trial: (deadlineMs) => disk.trial(cluster, id, deadlineMs) }
}

/** Waits until `node` answers. Throws when it does not within `deadlineMs`, or as soon as it is seen dead. */
export async function untilAnswers(cluster: Cluster, node: Node, deadlineMs: number): Promise<void> {
  const { clock } = cluster
  const deadline = clock.now() + deadlineMs * 1e6
  for (;;) {
    if (await node.answers(Math.min(1_000, deadlineMs))) return
    if ((await node.state()) === 'stopped') throw new ClusterError('node-died', `${node.id} died while it was starting`)
    if (clock.now() > deadline) throw new ClusterError('not-ready', `${node.id} did not answer within ${deadlineMs} ms of its start`)
    await sleep(clock, READY_INTERVAL_MS)
  }
}

/** Waits until the cluster as a whole can serve, where its system can tell. Throws when it does not within `deadlineMs`. */
export async function untilReady(system: System, cluster: Cluster, deadlineMs: number): Promise<void> {
  const { clock } = cluster
  const deadline = clock.now() + deadlineMs * 1e6
  while (system.ready !== undefined && !(await system.ready(cluster, Math.min(1_000, deadlineMs)).catch(() => false))) {
    if (clock.now() > deadline) throw new ClusterError('not-ready', `every node of ${system.name} answers, but together they were not ready to serve within ${deadlineMs} ms; the nodes' logs in the run's folder may say why`)
    await sleep(clock, READY_INTERVAL_MS)
  }
}

/** How the log of a node that did not come up ends, as the end of an error's sentence. */
export function quoteEnd(log: string): string {
  return log.trim() === '' ? 'Its log is empty.' : `Its log ends:\n${log.trimEnd().split('\n').slice(-QUOTED_LINES).join('\n')}`
}
