/**
 * Restarts: `restart` ends nodes and starts them at once, `rolling-restart` does so to one after another for as long as
 * it lasts, as an upgrade does.
 */
import type { Clock } from '../harness/env.ts'
import type { Node } from '../cluster/cluster.ts'
import { nodeFault, startStopped, UP_DEADLINE_MS, type Strike } from './node-fault.ts'
import { Loop } from './loop.ts'
import { everyNode, isUp, untilSeen } from './observe.ts'

const by = { describes: 'how a node is ended', default: 'terminate', choices: ['terminate', 'kill'] } as const

/** Ends a node, sees that it is gone, and starts it again. Returns how long that took. */
async function restartNode(clock: Clock, node: Node, how: string): Promise<number> {
  const began = clock.now()
  await (how === 'kill' ? node.kill() : node.terminate!())
  const gone = await untilSeen(clock, UP_DEADLINE_MS, async () => ({ seen: (await node.state()) === 'stopped', evidence: `${node.id} did not end` }))
  if (!gone.seen) throw new Error(gone.evidence)
  await node.start()
  return (clock.now() - began) / 1e6
}

function verifying(clock: Clock, nodes: readonly Node[]): Pick<Strike, 'verifyHealed'> {
  return { verifyHealed: () => untilSeen(clock, UP_DEADLINE_MS, () => everyNode(nodes, isUp)) }
}

/** `restart(TARGETS)`. */
export const restart = nodeFault({
  name: 'restart',
  describes: 'ends nodes and starts them again at once, all at the same time',
  parameters: { by },
  needs: ['terminate', 'restart'],
  async prepare({ clock }, nodes, { parameters }) {
    let took: Promise<number[]> = Promise.resolve([])
    return {
      strike: async () => {
        took = Promise.all(nodes.map((node) => restartNode(clock, node, String(parameters['by']))))
        took.catch(() => undefined)
      },
      verify: () => took.then(
        (ms) => ({ seen: true, evidence: nodes.map((node, i) => `${node.id} was gone, and answered again after ${ms[i]!.toFixed(0)} ms`).join('; ') }),
        (error: Error) => ({ seen: false, evidence: error.message }),
      ),
      heal: async () => {
        await took.catch(() => undefined)
        await startStopped(nodes)
      },
      ...verifying(clock, nodes),
    }
  },
})

/** `rolling-restart(TARGETS)`. */
export const rollingRestart = nodeFault({
  name: 'rolling-restart',
  describes: 'restarts one node after another',
  parameters: { by, rest_ms: { describes: 'between two restarts', default: 200, min: 0, max: 600_000, swarm: [0, 500] } },
  needs: ['terminate', 'restart'],
  async prepare({ clock }, nodes, { parameters }) {
    const restarted: string[] = []
    let loop: Loop | undefined
    return {
      strike: async () => {
        loop = new Loop(clock, async (sleep, isStopping) => {
          for (const node of nodes) {
            if (isStopping()) return
            restarted.push(`${node.id} was gone, and answered again after ${(await restartNode(clock, node, String(parameters['by']))).toFixed(0)} ms`)
            await sleep(Number(parameters['rest_ms']))
          }
        })
      },
      verify: () => untilSeen(clock, 2 * UP_DEADLINE_MS, async () => ({ seen: restarted.length > 0 || loop?.failure !== undefined, evidence: restarted[0] ?? 'no node came back' }))
        .then(({ seen, evidence }) => ({ seen: seen && loop?.failure === undefined, evidence: loop?.failure ?? evidence })),
      heal: async () => {
        await loop?.stop()
        await startStopped(nodes)
      },
      ...verifying(clock, nodes),
    }
  },
})
