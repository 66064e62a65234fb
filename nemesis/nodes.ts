/**
 * Faults that strike whole nodes: `kill` (SIGKILL, then a restart from disk), `pause` (SIGSTOP or its like) and
 * `slow` (a small share of the processor). All three take the same targets and differ in three calls, so they
 * are three rows of one table.
 */
import type { Capability, Cluster, Node } from '../cluster/cluster.ts'
import type { Clock } from '../harness/env.ts'
import { sleep } from '../harness/clock.ts'
import type { Fault, Injection, Observation } from './fault.ts'
import { untilSeen } from './observe.ts'
import { selectors } from './targets.ts'

/** A node that does not answer within this is not answering. */
const ANSWER_DEADLINE_MS = 250
const EFFECT_DEADLINE_MS = 3_000
const HEAL_DEADLINE_MS = 15_000
/** The share of its processor time that a slow node keeps. */
const SLOW_SHARE = 0.1

/** Asks every node at once and reports the first for which `look` does not see the effect. */
async function all(nodes: readonly Node[], look: (node: Node) => Promise<Observation>): Promise<Observation> {
  const observations = await Promise.all(nodes.map(look))
  return observations.find((o) => !o.seen) ?? { seen: true, evidence: observations.map((o) => o.evidence).join('; ') }
}

async function isDown(node: Node, expected: 'stopped' | 'paused'): Promise<Observation> {
  const [state, answers] = await Promise.all([node.state(), node.answers(ANSWER_DEADLINE_MS)])
  return { seen: state === expected && !answers, evidence: `${node.id} is ${state} and ${answers ? 'still answers' : `does not answer within ${ANSWER_DEADLINE_MS} ms`}` }
}

async function isUp(node: Node): Promise<Observation> {
  const [state, answers] = await Promise.all([node.state(), node.answers(ANSWER_DEADLINE_MS)])
  return { seen: state === 'running' && answers, evidence: `${node.id} is ${state} and ${answers ? 'answers' : 'does not answer'}` }
}

/** The slowest of a dozen answers, asked for at uneven moments so that they cannot all fall into one running slice. */
async function slowestAnswerMs(clock: Clock, node: Node): Promise<number> {
  let slowest = 0
  for (let i = 0; i < 12; i++) {
    const start = clock.now()
    await node.answers(EFFECT_DEADLINE_MS)
    slowest = Math.max(slowest, (clock.now() - start) / 1e6)
    await sleep(clock, 7 + ((i * 11) % 19))
  }
  return slowest
}

interface NodeFault {
  readonly name: string
  readonly describes: string
  readonly needs: readonly Capability[]
  /** How to strike these nodes, to see that it bit, to heal, and to see that it is gone. */
  prepare(cluster: Cluster, nodes: readonly Node[]): Promise<Strike>
}

interface Strike extends Pick<Injection, 'verify' | 'heal' | 'verifyHealed'> {
  strike(): Promise<unknown>
}

const nodeFaults: readonly NodeFault[] = [
  {
    name: 'kill',
    describes: 'kills nodes with SIGKILL; healing starts them again from their own disks',
    needs: ['kill', 'restart'],
    async prepare(cluster, nodes) {
      return {
        strike: () => Promise.all(nodes.map((node) => node.kill())),
        verify: () => untilSeen(cluster.clock, EFFECT_DEADLINE_MS, () => all(nodes, (node) => isDown(node, 'stopped'))),
        heal: async () => {
          await Promise.all(nodes.map(async (node) => ((await node.state()) === 'stopped' ? node.start() : undefined)))
        },
        verifyHealed: () => untilSeen(cluster.clock, HEAL_DEADLINE_MS, () => all(nodes, isUp)),
      }
    },
  },
  {
    name: 'pause',
    describes: 'stops nodes from running without closing their connections; healing lets them go on',
    needs: ['pause'],
    async prepare(cluster, nodes) {
      return {
        strike: () => Promise.all(nodes.map((node) => node.pause!())),
        verify: () => untilSeen(cluster.clock, EFFECT_DEADLINE_MS, () => all(nodes, (node) => isDown(node, 'paused'))),
        heal: async () => {
          await Promise.all(nodes.map(async (node) => ((await node.state()) === 'paused' ? node.resume!() : undefined)))
        },
        verifyHealed: () => untilSeen(cluster.clock, HEAL_DEADLINE_MS, () => all(nodes, isUp)),
      }
    },
  },
  {
    name: 'slow',
    describes: `leaves nodes ${SLOW_SHARE * 100} % of their processor time`,
    needs: ['throttle'],
    async prepare(cluster, nodes) {
      const before = new Map<Node, number>()
      const during = new Map<Node, number>()
      await Promise.all(nodes.map(async (node) => before.set(node, await slowestAnswerMs(cluster.clock, node))))
      return {
        strike: () => Promise.all(nodes.map((node) => node.throttle!(SLOW_SHARE))),
        verify: () => untilSeen(cluster.clock, EFFECT_DEADLINE_MS, () => all(nodes, async (node) => {
          const slowest = await slowestAnswerMs(cluster.clock, node)
          const was = before.get(node)!
          during.set(node, slowest)
          return { seen: slowest > was + 10, evidence: `the slowest of 12 answers of ${node.id} took ${slowest.toFixed(1)} ms, ${was.toFixed(1)} ms before` }
        })),
        heal: async () => {
          await Promise.all(nodes.map((node) => node.throttle!(1)))
        },
        verifyHealed: () => untilSeen(cluster.clock, HEAL_DEADLINE_MS, () => all(nodes, async (node) => {
          const slowest = await slowestAnswerMs(cluster.clock, node)
          const halfway = (before.get(node)! + (during.get(node) ?? Infinity)) / 2
          return { seen: slowest < halfway, evidence: `the slowest of 12 answers of ${node.id} took ${slowest.toFixed(1)} ms` }
        })),
      }
    },
  },
]

/** `kill(TARGETS)`, `pause(TARGETS)`, `slow(TARGETS)`. */
export const [kill, pause, slow] = nodeFaults.map(({ name, describes, needs, prepare }): Fault => ({
  name,
  describes,
  needs,
  variants: Object.keys(selectors),
  async inject(cluster, { variant, random }): Promise<Injection> {
    const ids = selectors[variant]!(cluster.nodes.map((n) => n.id), random)
    const nodes = cluster.nodes.filter((n) => ids.includes(n.id))
    const { strike, verify, heal, verifyHealed } = await prepare(cluster, nodes)
    try {
      await strike()
    } catch (error) {
      await heal()
      throw error
    }
    return { targets: ids, sides: {}, verify, heal, verifyHealed }
  },
})) as [Fault, Fault, Fault]
