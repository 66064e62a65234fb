/**
 * Grudges: sets of directed links that are cut (Jepsen's word), each as a pure function of the nodes and of chance.
 *
 * Beside the clean splits there are the partial ones, in which the nodes disagree about who is up (Alfatafta et al.,
 * "Toward a Generic Fault Tolerance Technique for Partial Network Partitioning", OSDI 2020), and the three that stop
 * consensus protocols although a majority is connected: quorum loss, constrained election and chain (Ng et al.,
 * "Omni-Paxos", EuroSys 2023, section 2).
 */
import type { Link } from '../cluster/cluster.ts'
import type { NodeId, Random } from '../harness/env.ts'
import { pick, shuffle } from '../harness/random.ts'
import type { Scene } from './targets.ts'
import { linksBetween, linksFromTo, minoritySize } from './targets.ts'

/** What a partition cuts, and what its sides are called. */
export interface Grudge {
  readonly sides: Readonly<Record<string, readonly NodeId[]>>
  readonly cut: readonly Link[]
}

/** Which direction of the cut links is really cut. */
export const ways = ['both', 'out', 'in', 'mixed'] as const
export type Way = (typeof ways)[number]

/** Splits the shuffled nodes, keeping the cluster's order within each part. */
function split(nodes: readonly NodeId[], size: number, random: Random): [NodeId[], NodeId[]] {
  const first = new Set(shuffle(random, nodes).slice(0, size))
  return [nodes.filter((n) => first.has(n)), nodes.filter((n) => !first.has(n))]
}

/** These nodes and the rest, cut from each other; the smaller side is named first in `out` and `in`. */
export function apart(struck: readonly NodeId[], nodes: readonly NodeId[]): Grudge {
  const rest = nodes.filter((n) => !struck.includes(n))
  const [minority, majority] = struck.length <= rest.length ? [struck, rest] : [rest, struck]
  return { sides: { majority, minority }, cut: linksBetween(struck, rest) }
}

/** Every pair of groups cut from each other. */
function islands(groups: Readonly<Record<string, readonly NodeId[]>>): Grudge {
  const all = Object.values(groups)
  return { sides: groups, cut: all.flatMap((one, i) => all.slice(i + 1).flatMap((other) => linksBetween(one, other))) }
}

/** The nodes by what their zones say. */
function byZone({ nodes, zones }: Scene, kind: 'dc' | 'rack'): Record<string, NodeId[]> {
  const groups: Record<string, NodeId[]> = {}
  for (const id of nodes) {
    const zone = zones[id]
    const name = kind === 'dc' ? zone?.dc : zone && `${zone.dc}-${zone.rack}`
    if (name !== undefined) (groups[name] ??= []).push(id)
  }
  return groups
}

/** What the nodes on a line still see: their neighbours. */
function chain(nodes: readonly NodeId[], random: Random): Grudge {
  const line = shuffle(random, nodes)
  return { sides: {}, cut: line.flatMap((from, i) => line.filter((_, j) => Math.abs(i - j) > 1).map((to) => ({ from, to }))) }
}

/** Every node sees a majority, but no two nodes see the same one (perfect for odd clusters). */
function majoritiesRing(nodes: readonly NodeId[], random: Random): Grudge {
  const ring = shuffle(random, nodes)
  const reach = Math.ceil(Math.floor(nodes.length / 2) / 2)
  const far = (i: number, j: number): boolean => Math.min((i - j + ring.length) % ring.length, (j - i + ring.length) % ring.length) > reach
  return { sides: {}, cut: ring.flatMap((from, i) => ring.filter((_, j) => far(i, j)).map((to) => ({ from, to }))) }
}

/** The grudge of each variant. With fewer than two nodes there is nothing to cut. */
export const grudges: Readonly<Record<string, (scene: Scene, random: Random) => Grudge>> = {
  /** A majority and the rest, cut from each other both ways. */
  'majority-minority': ({ nodes }, random) => apart(split(nodes, Math.max(1, minoritySize(nodes.length)), random)[0], nodes),
  /** One node alone. */
  one: ({ nodes }, random) => apart([pick(random, nodes)], nodes),
  /** Two halves; with an even number of nodes neither is a majority. */
  halves: ({ nodes }, random) => {
    const [left, right] = split(nodes, Math.floor(nodes.length / 2), random)
    return { sides: { left, right }, cut: linksBetween(left, right) }
  },
  'majorities-ring': ({ nodes }, random) => majoritiesRing(nodes, random),
  /** Two halves that only one node in the middle still sees. */
  bridge: ({ nodes }, random) => {
    const [bridge, ...others] = shuffle(random, nodes)
    const half = Math.ceil(others.length / 2)
    const left = nodes.filter((n) => others.indexOf(n) >= 0 && others.indexOf(n) < half)
    const right = nodes.filter((n) => others.indexOf(n) >= half)
    return { sides: { left, bridge: bridge === undefined ? [] : [bridge], right }, cut: linksBetween(left, right) }
  },
  /** One node is cut from all but one other, which still sees everyone. */
  partial: ({ nodes }, random) => {
    const order = shuffle(random, nodes)
    const [alone, friend] = [order.slice(0, 1), order.slice(1, 2)]
    const rest = nodes.filter((n) => order.indexOf(n) > 1)
    return { sides: { alone, friend, rest }, cut: linksBetween(alone, rest) }
  },
  /** The minority is heard by nobody, but hears the majority: messages are lost in one direction only. */
  'one-way': ({ nodes }, random) => {
    const [minority, majority] = split(nodes, Math.max(1, minoritySize(nodes.length)), random)
    return { sides: { majority, minority }, cut: linksFromTo(minority, majority) }
  },
  /** Only one node still sees a majority, the others see nobody but it. */
  'quorum-loss': ({ nodes }, random) => {
    const hub = pick(random, nodes)
    const rest = nodes.filter((n) => n !== hub)
    return { sides: { hub: [hub], rest }, cut: linksBetween(rest, rest) }
  },
  /** One node is alone, and of the others only one still sees the rest. */
  'constrained-election': ({ nodes }, random) => {
    const [alone, hub, ...rest] = shuffle(random, nodes)
    const others = nodes.filter((n) => rest.includes(n))
    const cut = [...linksBetween([alone!], [hub, ...others].filter((n) => n !== undefined)), ...linksBetween(others, others)]
    return { sides: { alone: [alone!], hub: hub === undefined ? [] : [hub], rest: others }, cut }
  },
  chain: ({ nodes }, random) => chain(nodes, random),
  /** Every data center by itself. */
  dcs: (scene) => islands(byZone(scene, 'dc')),
  /** Every rack by itself. */
  racks: (scene) => islands(byZone(scene, 'rack')),
}

/** Why a variant has nothing to cut in this scene. */
export function grudgeProblem(variant: string, scene: Scene): string | undefined {
  if (variant !== 'dcs' && variant !== 'racks') return undefined
  const count = Object.keys(byZone(scene, variant === 'dcs' ? 'dc' : 'rack')).length
  return count > 1 ? undefined : `the nodes do not stand in several ${variant === 'dcs' ? 'data centers' : 'racks'}; give --dcs and --racks`
}

/**
 * Cuts one direction between every two nodes that are cut apart: what the smaller side says (`out`), what it would hear
 * (`in`), or one or the other by chance (`mixed`). Where two nodes do not stand on two sides, chance chooses.
 */
export function oneWay({ sides, cut }: Grudge, way: Way, random: Random): Grudge {
  if (way === 'both') return { sides, cut }
  const groups = Object.values(sides)
  const struck = groups.length === 2 && way !== 'mixed' ? groups.reduce((a, b) => (b.length <= a.length ? b : a)) : undefined
  const pairs = new Map(cut.map(({ from, to }) => (from < to ? ([from, to] as const) : ([to, from] as const))).map((pair) => [pair.join(' '), pair]))
  return {
    sides,
    cut: [...pairs.values()].map(([a, b]) => {
      const twoSides = struck !== undefined && struck.includes(a) !== struck.includes(b)
      const forth = twoSides ? struck.includes(a) === (way === 'out') : random.int(2) === 0
      return forth ? { from: a, to: b } : { from: b, to: a }
    }),
  }
}
