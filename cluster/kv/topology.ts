/**
 * Where nodes stand: in which data center, and in which rack there. Replicas are spread over both, so that one fire
 * does not burn them all: every data center holds its share of a key's replicas, and within one the next node on the
 * ring is taken whose rack has none yet, as long as there is one.
 */
import type { NodeId } from '../../harness/env.ts'
import type { Placement } from './ring.ts'

/** Which node stands where. */
export interface Topology {
  dataCenter(node: NodeId): string
  /** Unique over all data centers. */
  rack(node: NodeId): string
}

/** Nodes dealt out in turn: n1 to dc1, n2 to dc2, ...; and within a data center to its racks in turn. */
export function dealtOut(nodes: readonly NodeId[], dataCenters: number, racks: number): Topology {
  const index = new Map(nodes.map((node, i) => [node, i]))
  return standingAt(node => index.get(node) ?? 0, dataCenters, racks)
}

/** The same for nodes that know in which turn each of them was dealt out. */
export function standingAt(turn: (node: NodeId) => number, dataCenters: number, racks: number): Topology {
  const dataCenter = (node: NodeId): string => `dc${(turn(node) % dataCenters) + 1}`
  return { dataCenter, rack: node => `${dataCenter(node)}-r${(Math.floor(turn(node) / dataCenters) % racks) + 1}` }
}

/** N replicas spread over data centers, as evenly as their sizes allow, and over racks. */
export function topologyPlacement(topology: Topology): Placement {
  return (clockwise, replicas) => {
    const centers = new Map<string, NodeId[]>()
    for (const node of clockwise) {
      const center = centers.get(topology.dataCenter(node)) ?? []
      centers.set(topology.dataCenter(node), center)
      center.push(node)
    }
    // The share of a data center must not depend on where on the ring one stands.
    const order = [...centers.keys()].sort()
    const queues = order.map(center => rackAware(centers.get(center)!, topology))
    const chosen = new Set<NodeId>()
    for (let turn = 0; chosen.size < Math.min(replicas, clockwise.length); turn++) {
      const next = queues[turn % queues.length]!.shift()
      if (next !== undefined) chosen.add(next)
    }
    return clockwise.filter(node => chosen.has(node))
  }
}

/** The nodes of one data center: the first of each rack first, each part in the order of the ring. */
function rackAware(nodes: readonly NodeId[], topology: Topology): NodeId[] {
  const seen = new Set<string>()
  const first: NodeId[] = []
  const later: NodeId[] = []
  for (const node of nodes) {
    const rack = topology.rack(node)
    if (seen.has(rack)) later.push(node)
    else first.push(node)
    seen.add(rack)
  }
  return [...first, ...later]
}
