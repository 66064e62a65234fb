/**
 * Crash loops: a node that is killed again as soon as it is up, and, worse, one that is killed while it still recovers
 * what the last crash left. Recovery must be able to begin again from any point of itself.
 */
import type { Clock } from '../harness/env.ts'
import type { Node } from '../cluster/cluster.ts'
import { nodeFault, startStopped, UP_DEADLINE_MS, type Strike } from './node-fault.ts'
import { Loop } from './loop.ts'
import { everyNode, isUp, untilSeen } from './observe.ts'

/** A start that is to be interrupted is interrupted somewhere in this share of the time that a start takes. */
const MOMENTS = [0.05, 0.95] as const

/** A node rests between two crashes: where a start takes a millisecond, as in the simulator, seconds of the fault would otherwise be thousands of them. */
const REST_MS = 20

/** Loops over each node by itself; `describe` says what has been seen of a node so far, undefined when nothing. */
function looping(clock: Clock, nodes: readonly Node[], round: (node: Node) => (sleep: (ms: number) => Promise<void>) => Promise<void>, describe: (node: Node) => string | undefined): Strike {
  const loops = new Map<Node, Loop>()
  return {
    strike: async () => {
      for (const node of nodes) loops.set(node, new Loop(clock, round(node)))
    },
    verify: () => untilSeen(clock, 2 * UP_DEADLINE_MS, () => everyNode(nodes, async (node) => ({
      seen: loops.get(node)!.failure === undefined && describe(node) !== undefined,
      evidence: loops.get(node)!.failure ?? describe(node) ?? `${node.id} has not crashed yet`,
    }))),
    heal: async () => {
      await Promise.all([...loops.values()].map((loop) => loop.stop()))
      await startStopped(nodes)
    },
    verifyHealed: () => untilSeen(clock, UP_DEADLINE_MS, () => everyNode(nodes, isUp)),
  }
}

async function sawGone(node: Node): Promise<boolean> {
  await node.kill()
  return (await node.state()) === 'stopped'
}

/** `crash-loop(TARGETS)`. */
export const crashLoop = nodeFault({
  name: 'crash-loop',
  describes: 'kills nodes again and again, each time soon after they are up',
  parameters: { up_ms: { describes: 'how long a node lives each time', default: 300, min: 0, max: 600_000, swarm: [0, 800] } },
  needs: ['kill', 'restart'],
  async prepare({ clock }, nodes, { parameters }) {
    const crashes = new Map<Node, number>()
    const round = (node: Node) => async (sleep: (ms: number) => Promise<void>): Promise<void> => {
      if (await sawGone(node)) crashes.set(node, (crashes.get(node) ?? 0) + 1)
      await node.start()
      await sleep(Number(parameters['up_ms']))
    }
    return looping(clock, nodes, round, (node) => ((crashes.get(node) ?? 0) > 1 ? `${node.id} was killed ${crashes.get(node)} times and came back in between` : undefined))
  },
})

/** `crash-in-recovery(TARGETS)`. */
export const crashInRecovery = nodeFault({
  name: 'crash-in-recovery',
  describes: 'kills nodes, and kills them again while they are starting',
  needs: ['kill', 'restart'],
  async prepare({ clock }, nodes, { random }) {
    const seen = new Map<Node, string>()
    const startMs = new Map<Node, number>()
    const round = (node: Node) => async (sleep: (ms: number) => Promise<void>): Promise<void> => {
      await sawGone(node)
      const began = clock.now()
      const elapsedMs = (): number => (clock.now() - began) / 1e6
      const known = startMs.get(node)
      if (known === undefined) {
        await node.start()
        startMs.set(node, elapsedMs())
        return
      }
      const started = node.start().then(() => true, () => false)
      const [from, to] = MOMENTS
      await sleep(known * (from + random.float() * (to - from)))
      const atMs = elapsedMs()
      await node.kill()
      if (!(await started)) seen.set(node, `${node.id} was killed ${atMs.toFixed(1)} ms into a start that takes ${known.toFixed(1)} ms, before it answered`)
      await sleep(REST_MS)
    }
    return looping(clock, nodes, round, (node) => seen.get(node))
  },
})
