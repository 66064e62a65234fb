/**
 * Looking for an effect from inside: heals take a moment to be seen, and a single look would lie.
 */
import type { Cluster, Link, Node } from '../cluster/cluster.ts'
import type { Clock } from '../harness/env.ts'
import { sleep } from '../harness/clock.ts'
import type { Observation } from './fault.ts'

/** Time between two looks. */
const INTERVAL_MS = 50
/** How long a probe waits for a message before it counts as lost. */
export const PROBE_DEADLINE_MS = 250
/** How long a heal may take to be seen. */
export const HEAL_DEADLINE_MS = 10_000
/** A node that does not answer within this is not answering. */
const ANSWER_DEADLINE_MS = 250

/** Repeats `look` until it sees the effect or `deadlineMs` has passed; returns the last observation. */
export async function untilSeen(clock: Clock, deadlineMs: number, look: () => Promise<Observation>): Promise<Observation> {
  const start = clock.now()
  for (;;) {
    const observation = await look()
    if (observation.seen || clock.now() - start >= deadlineMs * 1e6) return observation
    await sleep(clock, INTERVAL_MS)
  }
}

/** Of these links, those whose nodes run now: a dead node's links tell nothing, and another fault may have killed it. */
export async function runningOnly(cluster: Cluster, links: readonly Link[]): Promise<Link[]> {
  const states = await Promise.all(cluster.nodes.map(async (node) => [node.id, await node.state()] as const))
  const running = new Set<string>(['clients', ...states.filter(([, state]) => state === 'running').map(([id]) => id)])
  return links.filter(({ from, to }) => running.has(from) && running.has(to))
}

/** Of these links, those that a message passes now. */
export async function passing(cluster: Cluster, links: readonly Link[], deadlineMs = PROBE_DEADLINE_MS): Promise<Link[]> {
  const passed = await Promise.all(links.map((link) => cluster.links.probe(link, deadlineMs)))
  return links.filter((_, i) => passed[i])
}

/** The first link in each direction of each struck node stands for its others: they share one setting. */
export function samples(links: readonly Link[], targets: readonly string[]): Link[] {
  return [...new Set(targets.flatMap((node) => [links.find((l) => l.from === node), links.find((l) => l.to === node)]))].filter((l) => l !== undefined)
}

export const arrow = (link: Link): string => `${link.from} -> ${link.to}`

/** Asks every node at once and reports the first for which `look` does not see the effect. */
export async function everyNode(nodes: readonly Node[], look: (node: Node) => Promise<Observation>): Promise<Observation> {
  return allSeen(await Promise.all(nodes.map(look)))
}

/** The first that did not see the effect, or all together. */
export function allSeen(observations: readonly Observation[]): Observation {
  return observations.find((o) => !o.seen) ?? { seen: true, evidence: observations.map((o) => o.evidence).join('; ') }
}

/** Whether a node is down in this way: the system says so, and it does not answer. */
export async function isDown(node: Node, expected: 'stopped' | 'paused'): Promise<Observation> {
  const [state, answers] = await Promise.all([node.state(), node.answers(ANSWER_DEADLINE_MS)])
  return { seen: state === expected && !answers, evidence: `${node.id} is ${state} and ${answers ? 'still answers' : `does not answer within ${ANSWER_DEADLINE_MS} ms`}` }
}

/** Whether a node runs and answers. */
export async function isUp(node: Node): Promise<Observation> {
  const [state, answers] = await Promise.all([node.state(), node.answers(ANSWER_DEADLINE_MS)])
  return { seen: state === 'running' && answers, evidence: `${node.id} is ${state} and ${answers ? 'answers' : 'does not answer'}` }
}
