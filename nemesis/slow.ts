/** Slow nodes: a small share of the processor, in many short slices. The node answers everything, late. */
import type { Clock } from '../harness/env.ts'
import type { Node } from '../cluster/cluster.ts'
import { sleep } from '../harness/clock.ts'
import type { Observation } from './fault.ts'
import { nodeFault, EFFECT_DEADLINE_MS, UP_DEADLINE_MS } from './node-fault.ts'
import { everyNode, untilSeen } from './observe.ts'

/**
 * How many answers are asked for at once. A single one shows a node that is stopped and let go, and one that is busy; a fast
 * processor needs less for it than any small share, so that an idle node shows by many at once, which need more.
 */
const BURSTS = [{ answers: 1, rounds: 12 }, { answers: 32, rounds: 3 }] as const
type Burst = (typeof BURSTS)[number]
/** A slow node takes so much longer. */
const SLOWER_MS = 10

/** The slowest of several bursts of answers, asked for at uneven moments so that they cannot all fall into one running slice; no more than one that takes longer than `enoughMs`. */
async function slowestMs(clock: Clock, node: Node, { answers, rounds }: Burst, enoughMs = Infinity): Promise<number> {
  let slowest = 0
  for (let i = 0; i < rounds && slowest <= enoughMs; i++) {
    const start = clock.now()
    await Promise.all(Array.from({ length: answers }, () => node.answers(EFFECT_DEADLINE_MS)))
    slowest = Math.max(slowest, (clock.now() - start) / 1e6)
    await sleep(clock, 7 + ((i * 11) % 19))
  }
  return slowest
}

/** What one node takes for bursts of one size: before it is slow, and then. */
interface Pace {
  readonly burst: Burst
  readonly beforeMs: number
  slowMs: number
}

/** The better of two series for each size: on a busy machine a healthy node may be as slow once as a slow one. */
async function paces(clock: Clock, node: Node): Promise<Pace[]> {
  const all: Pace[] = []
  for (const burst of BURSTS) all.push({ burst, beforeMs: Math.min(await slowestMs(clock, node, burst), await slowestMs(clock, node, burst)), slowMs: Infinity })
  return all
}

const answersOf = (node: Node, { answers }: Burst): string => `${answers === 1 ? 'an answer' : `${answers} answers at once`} of ${node.id}`

const isSlow = ({ beforeMs, slowMs }: Pace): boolean => slowMs > beforeMs + SLOWER_MS

/** Whether a node is slower than before, by whichever size shows it first. */
async function looksSlow(clock: Clock, node: Node, known: readonly Pace[]): Promise<Observation> {
  let evidence = ''
  for (const pace of known) {
    pace.slowMs = await slowestMs(clock, node, pace.burst, pace.beforeMs + SLOWER_MS)
    evidence = `${answersOf(node, pace.burst)} took ${pace.slowMs.toFixed(1)} ms, ${pace.beforeMs.toFixed(1)} ms before`
    if (isSlow(pace)) return { seen: true, evidence }
  }
  return { seen: false, evidence }
}

/** Whether a node is nearer to what it was before than to what it was when it was slow, by the size that showed that. */
async function looksWhole(clock: Clock, node: Node, known: readonly Pace[]): Promise<Observation> {
  const { burst, beforeMs, slowMs } = known.find(isSlow) ?? known[0]!
  const taken = await slowestMs(clock, node, burst)
  return { seen: taken < (beforeMs + slowMs) / 2, evidence: `${answersOf(node, burst)} took ${taken.toFixed(1)} ms` }
}

/** `slow(TARGETS)`. */
export const slow = nodeFault({
  name: 'slow',
  describes: 'leaves nodes a small share of their processor time',
  parameters: { share: { describes: 'of its processor time that a node keeps', default: 0.1, min: 0.01, max: 0.9, swarm: [0.05, 0.3] } },
  needs: ['throttle'],
  async prepare({ clock }, nodes, { parameters }) {
    const known = new Map(await Promise.all(nodes.map(async (node) => [node, await paces(clock, node)] as const)))
    const throttle = (share: number): Promise<unknown> => Promise.all(nodes.map((node) => node.throttle!(share)))
    return {
      strike: () => throttle(Number(parameters['share'])),
      verify: () => untilSeen(clock, EFFECT_DEADLINE_MS, () => everyNode(nodes, (node) => looksSlow(clock, node, known.get(node)!))),
      heal: async () => {
        await throttle(1)
      },
      verifyHealed: () => untilSeen(clock, UP_DEADLINE_MS, () => everyNode(nodes, (node) => looksWhole(clock, node, known.get(node)!))),
    }
  },
})
