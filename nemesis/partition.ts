/**
 * Network partitions. A partition is a *grudge*: the set of directed links that are cut (Jepsen's word).
 * Each variant turns the node list into sides and a grudge; injecting it cuts the links, and it has bitten
 * when no message passes any cut link while one still passes a link that was left alone.
 */
import type { Cluster, Link } from '../cluster/cluster.ts'
import type { NodeId, Random } from '../harness/env.ts'
import { shuffle } from '../harness/random.ts'
import type { Fault, Injection, Observation } from './fault.ts'
import { linksBetween, linksFromTo, minoritySize } from './targets.ts'
import { untilSeen } from './observe.ts'

/** What a partition cuts, and what its sides are called. */
export interface Grudge {
  readonly sides: Readonly<Record<string, readonly NodeId[]>>
  readonly cut: readonly Link[]
}

/** How long a probe waits for a message before it counts as lost. */
const PROBE_DEADLINE_MS = 250
/** A busy machine may lose a probe of the link that was left alone: look again. */
const EFFECT_DEADLINE_MS = 2_000
const HEAL_DEADLINE_MS = 10_000

/** Splits the shuffled nodes, keeping the cluster's order within each part. */
function split(nodes: readonly NodeId[], size: number, random: Random): [NodeId[], NodeId[]] {
  const first = new Set(shuffle(random, nodes).slice(0, size))
  return [nodes.filter((n) => first.has(n)), nodes.filter((n) => !first.has(n))]
}

/** The grudge of each variant. With fewer than two nodes there is nothing to cut. */
export const grudges: Readonly<Record<string, (nodes: readonly NodeId[], random: Random) => Grudge>> = {
  /** A majority and the rest, cut from each other both ways. */
  'majority-minority': (nodes, random) => {
    const [minority, majority] = split(nodes, Math.max(1, minoritySize(nodes.length)), random)
    return { sides: { majority, minority }, cut: linksBetween(majority, minority) }
  },
  /** One node alone. */
  one: (nodes, random) => {
    const [alone, rest] = split(nodes, 1, random)
    return { sides: { majority: rest, minority: alone }, cut: linksBetween(rest, alone) }
  },
  /** Two halves; with an even number of nodes neither is a majority. */
  halves: (nodes, random) => {
    const [left, right] = split(nodes, Math.floor(nodes.length / 2), random)
    return { sides: { left, right }, cut: linksBetween(left, right) }
  },
  /** Every node sees a majority, but no two nodes see the same one (perfect for odd clusters). */
  'majorities-ring': (nodes, random) => {
    const ring = shuffle(random, nodes)
    const reach = Math.ceil(Math.floor(nodes.length / 2) / 2)
    const cut: Link[] = []
    ring.forEach((from, i) => {
      ring.forEach((to, j) => {
        const distance = Math.min((i - j + ring.length) % ring.length, (j - i + ring.length) % ring.length)
        if (distance > reach) cut.push({ from, to })
      })
    })
    return { sides: {}, cut }
  },
  /** Two halves that only one node in the middle still sees. */
  bridge: (nodes, random) => {
    const order = shuffle(random, nodes)
    const [bridge, ...others] = order
    const half = Math.ceil(others.length / 2)
    const left = nodes.filter((n) => others.indexOf(n) >= 0 && others.indexOf(n) < half)
    const right = nodes.filter((n) => others.indexOf(n) >= half)
    return { sides: { left, bridge: bridge === undefined ? [] : [bridge], right }, cut: linksBetween(left, right) }
  },
  /** One node is cut from all but one other, which still sees everyone: a partial partition (Alfatafta et al., OSDI 2020). */
  partial: (nodes, random) => {
    const order = shuffle(random, nodes)
    const [alone, friend] = [order.slice(0, 1), order.slice(1, 2)]
    const rest = nodes.filter((n) => order.indexOf(n) > 1)
    return { sides: { alone, friend, rest }, cut: linksBetween(alone, rest) }
  },
  /** The minority is heard by nobody, but hears the majority: messages are lost in one direction only. */
  'one-way': (nodes, random) => {
    const [minority, majority] = split(nodes, Math.max(1, minoritySize(nodes.length)), random)
    return { sides: { majority, minority }, cut: linksFromTo(minority, majority) }
  },
}

async function passing(cluster: Cluster, links: readonly Link[]): Promise<Link[]> {
  const passed = await Promise.all(links.map((link) => cluster.links.probe(link, PROBE_DEADLINE_MS)))
  return links.filter((_, i) => passed[i])
}

const arrow = (link: Link): string => `${link.from} -> ${link.to}`

/** A link between running nodes that this grudge leaves alone, to show that the probe itself works. */
function control(cluster: Cluster, cut: readonly Link[]): Link | undefined {
  const ids = cluster.nodes.map((n) => n.id)
  return linksFromTo(ids, ids).find((link) => !cut.some((c) => c.from === link.from && c.to === link.to))
}

async function verifyCut(cluster: Cluster, cut: readonly Link[]): Promise<Observation> {
  if (cut.length === 0) return { seen: false, evidence: `with ${cluster.nodes.length} nodes there is no link to cut` }
  const open = control(cluster, cut)
  const [leaks, controls] = await Promise.all([passing(cluster, cut), open ? passing(cluster, [open]) : []])
  if (leaks.length > 0) return { seen: false, evidence: `${leaks.length} of ${cut.length} cut links still pass messages: ${leaks.map(arrow).join(', ')}` }
  if (open && controls.length === 0) return { seen: false, evidence: `no message passes any link, not even ${arrow(open)}, which was not cut` }
  return {
    seen: true,
    evidence: `no message passed any of ${cut.length} cut links within ${PROBE_DEADLINE_MS} ms (${arrow(cut[0]!)})${open ? `; ${arrow(open)} still passes` : ''}`,
  }
}

async function verifyWhole(cluster: Cluster, cut: readonly Link[]): Promise<Observation> {
  const passed = await passing(cluster, cut)
  const shut = cut.filter((link) => !passed.includes(link))
  return shut.length === 0
    ? { seen: true, evidence: `messages pass all ${cut.length} links again` }
    : { seen: false, evidence: `${shut.length} of ${cut.length} links are still shut: ${shut.map(arrow).join(', ')}` }
}

/** `partition(VARIANT)`. */
export const partition: Fault = {
  name: 'partition',
  describes: 'cuts links between nodes',
  variants: Object.keys(grudges),
  needs: ['cut'],
  async inject(cluster, { variant, random }): Promise<Injection> {
    const grudge = grudges[variant]!(cluster.nodes.map((n) => n.id), random)
    await cluster.links.cut(grudge.cut)
    return {
      targets: [...new Set(grudge.cut.map((l) => l.to))].sort(),
      sides: grudge.sides,
      verify: () => untilSeen(cluster.clock, EFFECT_DEADLINE_MS, () => verifyCut(cluster, grudge.cut)),
      heal: () => cluster.links.heal(grudge.cut),
      verifyHealed: () => untilSeen(cluster.clock, HEAL_DEADLINE_MS, () => verifyWhole(cluster, grudge.cut)),
    }
  },
}
