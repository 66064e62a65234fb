/**
 * Whom a fault strikes. Selectors are texts: a size (`minority`), a role (`primaries`, `replicas-of(KEY)`), a place
 * (`dc(NAME)`, `rack(NAME)`), or names (`n1+n3`). Those that draw, draw from a stream of chance of their own, so that
 * a seed strikes the same nodes again.
 */
import type { Cluster, Link } from '../cluster/cluster.ts'
import type { System, Zones } from '../cluster/system.ts'
import type { NodeId, Random } from '../harness/env.ts'
import { pick, shuffle } from '../harness/random.ts'

/** What selectors choose from. */
export interface Scene {
  readonly nodes: readonly NodeId[]
  readonly system: Pick<System, 'primaries' | 'replicasOf' | 'clock' | 'disk' | 'membership' | 'fixedMembers'>
  readonly zones: Zones
}

/** The largest number of nodes that is less than half: 2 of 5, 1 of 4. */
export function minoritySize(nodes: number): number {
  return Math.ceil(nodes / 2) - 1
}

/** The largest number of nodes that is less than a third, as Byzantine faults are counted: 1 of 5, 2 of 7. */
function minorityThirdSize(nodes: number): number {
  return Math.ceil(nodes / 3) - 1
}

/** Selectors that need nothing but the nodes. Each keeps the cluster's node order. */
const sizes: Readonly<Record<string, (nodes: readonly NodeId[], random: Random) => NodeId[]>> = {
  one: (nodes, random) => [pick(random, nodes)],
  minority: (nodes, random) => subset(nodes, Math.max(1, minoritySize(nodes.length)), random),
  'minority-third': (nodes, random) => subset(nodes, Math.max(1, minorityThirdSize(nodes.length)), random),
  majority: (nodes, random) => subset(nodes, nodes.length - minoritySize(nodes.length), random),
  all: (nodes) => [...nodes],
  random: (nodes, random) => subset(nodes, 1 + random.int(nodes.length), random),
}

/** Selectors of which somebody must say more, as `--help` writes them. */
export const selectorForms: readonly string[] = ['replicas-of(KEY)', 'coordinator-of(CLIENT)', 'dc(NAME)', 'rack(NAME)', 'n1+n3']

/** The selectors as `--help` lists them. */
export const selectorNames: readonly string[] = [...Object.keys(sizes), 'primaries', ...selectorForms]

/** Those that any cluster knows: what a swarm draws from. */
export const plainSelectors: readonly string[] = Object.keys(sizes)

const CALL = /^(replicas-of|coordinator-of|dc|rack)\((.+)\)$/
const NAMES = /^[A-Za-z0-9_-]+(\+[A-Za-z0-9_-]+)*$/

/** Whether `text` has the form of a selector. A single word counts as one when it could be a node's name: n1, node-2. */
export function isSelector(text: string): boolean {
  return text in sizes || text === 'primaries' || CALL.test(text) || (NAMES.test(text) && text.split('+').every((word) => /\d$/.test(word)))
}

/** Why these nodes cannot be selected by `text`, in one sentence; undefined when they can. Asks nobody: call it before a run. */
export function selectorProblem(text: string, { nodes, system, zones }: Scene): string | undefined {
  const [, role, of = ''] = CALL.exec(text) ?? []
  if (text in sizes) return undefined
  if (text === 'primaries') return system.primaries ? undefined : 'this system does not say who its primaries are'
  if (role === 'replicas-of') return system.replicasOf ? undefined : 'this system does not say where its replicas are'
  if (role === 'coordinator-of') return /^\d+$/.test(of) ? undefined : `a client is a number from 0, not "${of}"`
  if (role === 'dc' || role === 'rack') {
    const known = [...new Set(Object.values(zones).map((zone) => zone[role]))]
    if (known.includes(of)) return undefined
    return known.length === 0 ? `no node says in which ${role} it stands; give --dcs and --racks` : `there is no ${role} "${of}"; there are ${known.join(', ')}`
  }
  const strangers = text.split('+').filter((id) => !nodes.includes(id))
  return strangers.length === 0 ? undefined : `there is no node ${strangers.join(', ')}; the nodes are ${nodes.join(', ')}`
}

/** Whether `text` leaves it to chance whom it selects. */
export function isDrawn(text: string): boolean {
  return text in sizes
}

/** The nodes that `text` selects now, in the cluster's order. Rejects with one sentence when there are none. */
export async function select(text: string, scene: Scene, cluster: Cluster, random: Random): Promise<NodeId[]> {
  const { nodes, system, zones } = scene
  const problem = selectorProblem(text, scene)
  if (problem !== undefined) throw new Error(`${text} selects nobody: ${problem}`)
  const [, role, of = ''] = CALL.exec(text) ?? []
  const chosen = async (): Promise<readonly NodeId[]> => {
    if (text in sizes) return sizes[text]!(nodes, random)
    if (text === 'primaries') return system.primaries!(cluster)
    if (role === 'replicas-of') return system.replicasOf!(cluster, of)
    // Client threads are bound to the nodes in turn (harness/interpreter.ts).
    if (role === 'coordinator-of') return [nodes[Number(of) % nodes.length]!]
    if (role === 'dc' || role === 'rack') return nodes.filter((id) => zones[id]?.[role] === of)
    return text.split('+')
  }
  const ids = new Set(await chosen())
  const selected = nodes.filter((id) => ids.has(id))
  if (selected.length === 0) throw new Error(`${text} selects nobody now`)
  return selected
}

/**
 * These nodes, each that is down exchanged for one that runs, as long as there are others: hardly any fault is seen on a node
 * that another one has taken down. Where all run, nobody is exchanged. The last one that runs stays out: what happens between
 * two sides wants somebody on either.
 */
export async function preferRunning(selected: readonly NodeId[], cluster: Cluster): Promise<NodeId[]> {
  const states = new Map(await Promise.all(cluster.nodes.map(async (node) => [node.id, await node.state()] as const)))
  const others = cluster.nodes.map(({ id }) => id).filter((id) => states.get(id) === 'running' && !selected.includes(id))
  const chosen = new Set(selected.map((id) => (states.get(id) === 'running' ? id : (others.length > 1 ? others.shift()! : id))))
  return cluster.nodes.map(({ id }) => id).filter((id) => chosen.has(id))
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
