/**
 * Stalls: a node stands still for a good while, runs, and stands still again, as a long garbage collection, a busy
 * event loop or a live migration make it. Between two stalls it acts on what it believed before.
 */
import { nodeFault, UP_DEADLINE_MS } from './node-fault.ts'
import { Loop } from './loop.ts'
import { everyNode, isUp, untilSeen } from './observe.ts'

/** `stall(TARGETS)`. */
export const stall = nodeFault({
  name: 'stall',
  describes: 'lets nodes stand still for a while again and again, as long garbage collections do',
  parameters: {
    ms: { describes: 'length of one stall', default: 1_000, min: 20, max: 600_000, swarm: [200, 1_500] },
    run_ms: { describes: 'how long it runs between two stalls', default: 300, min: 1, max: 600_000, swarm: [50, 500] },
  },
  needs: ['pause'],
  async prepare({ clock }, nodes, { parameters }) {
    const [stallMs, runMs] = [Number(parameters['ms']), Number(parameters['run_ms'])]
    let loop: Loop | undefined
    const resumeAll = async (): Promise<void> => {
      await Promise.all(nodes.map(async (node) => ((await node.state()) === 'paused' ? node.resume!() : undefined)))
    }
    return {
      strike: async () => {
        loop = new Loop(clock, async (sleep) => {
          await Promise.all(nodes.map((node) => node.pause!()))
          await sleep(stallMs)
          await resumeAll()
          await sleep(runMs)
        })
      },
      verify: () => untilSeen(clock, 5 * (stallMs + runMs), () => everyNode(nodes, async (node) => {
        const start = clock.now()
        const answered = await node.answers(3 * stallMs + 1_000)
        const ms = (clock.now() - start) / 1e6
        return { seen: answered && ms >= stallMs / 2, evidence: loop?.failure ?? `an answer of ${node.id} took ${ms.toFixed(1)} ms` }
      })),
      heal: async () => {
        await loop?.stop()
        await resumeAll()
      },
      verifyHealed: () => untilSeen(clock, UP_DEADLINE_MS, () => everyNode(nodes, isUp)),
    }
  },
})
