/**
 * Consistency levels, as Cassandra names them: how many replicas must answer one operation, and where (Lakshman and
 * Malik, "Cassandra: a decentralized structured storage system", LADIS 2009). What a level asks for depends on the
 * key's replicas and on the coordinator's own data center.
 */
import type { NodeId } from '../../../harness/env.ts'
import type { Topology } from '../topology.ts'

/** The levels by name, weakest first. `any`: a write may also be kept by its coordinator alone, for replicas that are all down. */
export const levels = ['any', 'one', 'quorum', 'local-quorum', 'each-quorum', 'all'] as const
export type Level = (typeof levels)[number]

/** When enough replicas have answered. */
export interface Requirement {
  /** This many at least ... */
  readonly need: number
  /** ... and these must be enough; absent: any will do. */
  readonly enough?: (from: readonly NodeId[]) => boolean
}

/** What a level asks for, of these replicas, from a coordinator that is `self`. */
export function requirementOf(level: Level, replicas: readonly NodeId[], topology: Topology, self: NodeId): Requirement {
  switch (level) {
    case 'any':
    case 'one':
      return { need: 1 }
    case 'quorum':
      return { need: majority(replicas.length) }
    case 'all':
      return { need: replicas.length }
    case 'local-quorum': {
      const local = replicas.filter(node => topology.dataCenter(node) === topology.dataCenter(self))
      // Where the key has no replica nearby, a majority of all must do.
      if (local.length === 0) return { need: majority(replicas.length) }
      return { need: majority(local.length), enough: from => countIn(from, local) >= majority(local.length) }
    }
    case 'each-quorum': {
      const centers = [...new Set(replicas.map(node => topology.dataCenter(node)))].map(center => replicas.filter(node => topology.dataCenter(node) === center))
      return { need: centers.reduce((sum, nodes) => sum + majority(nodes.length), 0), enough: from => centers.every(nodes => countIn(from, nodes) >= majority(nodes.length)) }
    }
  }
}

/** More than half of so many. */
export function majority(nodes: number): number {
  return Math.floor(nodes / 2) + 1
}

function countIn(from: readonly NodeId[], nodes: readonly NodeId[]): number {
  return from.filter(node => nodes.includes(node)).length
}

/** Enough of these nodes, and at the same time enough of those. */
export function enoughOfBoth(one: Requirement, these: readonly NodeId[], other: Requirement, those: readonly NodeId[]): Requirement {
  const meets = ({ need, enough }: Requirement, nodes: readonly NodeId[], from: readonly NodeId[]): boolean => {
    const among = from.filter(node => nodes.includes(node))
    return among.length >= need && (enough === undefined || enough(among))
  }
  return { need: Math.max(one.need, other.need), enough: from => meets(one, these, from) && meets(other, those, from) }
}
