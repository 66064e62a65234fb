/**
 * Whom a fault strikes. Selectors are pure functions of the node list and a stream of chance, so that a seed
 * strikes the same nodes again.
 */
import type { Link } from '../cluster/cluster.ts'
import type { NodeId, Random } from '../harness/env.ts'
import { pick, shuffle } from '../harness/random.ts'

/** Picks some of the nodes. */
export type Selector = (nodes: readonly NodeId[], random: Random) => NodeId[]

/** The largest number of nodes that is less than half: 2 of 5, 1 of 4. */
export function minoritySize(nodes: number): number {
  return Math.ceil(nodes / 2) - 1
}

/** Selectors by the names that schedules use. Each keeps the cluster's node order. */
export const selectors: Readonly<Record<string, Selector>> = {
  one: (nodes, random) => [pick(random, nodes)],
  minority: (nodes, random) => subset(nodes, Math.max(1, minoritySize(nodes.length)), random),
  majority: (nodes, random) => subset(nodes, nodes.length - minoritySize(nodes.length), random),
  all: (nodes) => [...nodes],
}

function subset(nodes: readonly NodeId[], size: number, random: Random): NodeId[] {
  const chosen = new Set(shuffle(random, nodes).slice(0, size))
  return nodes.filter((node) => chosen.has(node))
}

/** Every directed link from a node of one group to a node of the other. */
export function linksFromTo(from: readonly NodeId[], to: readonly NodeId[]): Link[] {
  return from.flatMap((a) => to.filter((b) => b !== a).map((b) => ({ from: a, to: b })))
}

/** Every directed link between two groups, both ways, each once. */
export function linksBetween(one: readonly NodeId[], other: readonly NodeId[]): Link[] {
  const links = [...linksFromTo(one, other), ...linksFromTo(other, one)]
  return [...new Map(links.map((link) => [`${link.from} ${link.to}`, link])).values()]
}
