/**
 * Whom the coordinator of a quorum asks about a key, and how many of them must answer: its replicas, or those who stand
 * in for some of them; while members change, also those who will hold it.
 */
import type { NodeId } from '../../../harness/env.ts'
import type { NodeConfig } from '../config.ts'
import type { Location } from '../lookup/lookup.ts'
import type { Quorum } from '../gather.ts'
import { NOBODY } from '../messages.ts'
import type { StandIns } from '../messages.ts'
import type { PreferenceLists } from '../ring.ts'
import { enoughOfBoth, majority, requirementOf } from './levels.ts'
import type { Level, Requirement } from './levels.ts'
import type { Coordinator } from './replication.ts'

/** Whom to ask, and who of them stands in for whom. */
export interface Targets {
  readonly to: readonly NodeId[]
  readonly standIns: StandIns
}

/** The holders of today. */
export function targetsOf({ replicas, substitutes, incoming = [] }: Location, { config, suspects }: Coordinator): Targets {
  // Whoever will hold the key soon has to keep a cell as its own, not as a hint.
  const free = incoming.length === 0 ? substitutes : substitutes.filter(node => !incoming.includes(node))
  return config.sloppy ? withSubstitutes(replicas, free, suspects) : { to: replicas, standIns: NOBODY }
}

/** In the present view, so many of the replicas as `sizeOf` says of their number; while members change, of the old ones and of the new ones at the same time. */
function jointQuorum(now: readonly NodeId[], soon: readonly NodeId[] | undefined, sizeOf: (holders: number) => number): Quorum {
  const need = sizeOf(now.length)
  if (soon === undefined) return { to: now, need }
  return { to: [...new Set([...now, ...soon])], ...enoughOfBoth({ need }, now, { need: sizeOf(soon.length) }, soon) }
}

/** `size` of a key's replicas, or all where there are fewer; while members change, of the old ones and of the new ones. */
export function quorumOf({ lists, partitioner }: Pick<Coordinator, 'lists' | 'partitioner'>, key: string, size: number): Quorum {
  const token = partitioner.token(key)
  return jointQuorum(lists.replicas(token), lists.incoming?.(token), holders => Math.min(size, holders))
}

/** A majority of the members, where each of them holds every key; while they change, one of the old and one of the next members. */
export function majorities({ members, next }: Voters): Quorum {
  return jointQuorum(members, next, majority)
}

/** The members, and who they will be while they change. */
export interface Voters {
  readonly members: readonly NodeId[]
  readonly next: readonly NodeId[] | undefined
}

/** Where each of them holds every key, all keys have the same lists. */
export function votersOf(lists: PreferenceLists): Voters {
  return { members: lists.replicas(0), next: lists.incoming?.(0) }
}

/** What a change of members has to keep to where quorums must meet (`moving.ts`). */
export interface Succession {
  /** How many of a range's old holders have to give what they have, so that whatever a quorum was told is among it. */
  givers(holders: number): number
  /** How many of those who stay have to have all of it where the holders become fewer; 0: none has to fetch anything. */
  heirs(before: number, after: number): number
  /** The smallest quorum among so many. */
  quorum(holders: number): number
}

/** The succession under a protocol; undefined where its quorums need not meet. */
export function successionOf(config: Pick<NodeConfig, 'replication' | 'replicas' | 'read_quorum' | 'write_quorum'>): Succession | undefined {
  const { replication, read_quorum: R, write_quorum: W } = config
  switch (replication) {
    case 'quorum':
      return undefined
    case 'primary':
      // With so many heirs every majority has one of them.
      return { givers: majority, heirs: (before, after) => (after < before ? after - majority(after) + 1 : 0), quorum: majority }
    default:
      return {
        givers: holders => enoughToKnow(holders, W, config),
        // Where so few are left that each of them has to answer every read, all of these.
        heirs: (before, after) => (after < before && after <= R ? after : 0),
        quorum: holders => Math.min(R, W, holders),
      }
  }
}

/**
 * How many of a range's holders have to be asked so that one of them knows whatever `size` of them were told at some time,
 * perhaps when there were more: members that have left since may have been among those. Where so few are left that each
 * of them has to answer every read, all have fetched what was there before (`moving.ts`).
 */
export function enoughToKnow(holders: number, size: number, { replicas, read_quorum: readQuorum }: { readonly replicas: number; readonly read_quorum: number }): number {
  return holders > readQuorum ? replicas - size + 1 : holders - Math.min(size, holders) + 1
}

/** What an operation needs of these replicas: the level's, or else the configured number. */
export function requirement(level: Level | undefined, replicas: readonly NodeId[], configured: number, { topology, self }: Coordinator): Requirement {
  return level === undefined ? { need: Math.min(configured, replicas.length) } : requirementOf(level, replicas, topology, self)
}

/** A write's targets and what it needs, with the holders of tomorrow beside those of today; those that are down are asked and not waited for. */
export function withIncoming({ to, standIns }: Targets, required: Requirement, incoming: readonly NodeId[], level: Level | undefined, coordinator: Coordinator): [Targets, Requirement] {
  const up = incoming.filter(node => !coordinator.suspects(node))
  const soon = requirement(level, incoming, coordinator.config.write_quorum, coordinator)
  return [{ to: [...new Set([...to, ...incoming])], standIns }, enoughOfBoth(required, to, { need: Math.min(soon.need, up.length) }, up)]
}

/** Puts the next node that is up in the place of each replica that is down. Where nobody is left, the replica is asked after all. */
function withSubstitutes(replicas: readonly NodeId[], substitutes: readonly NodeId[], suspects: (node: NodeId) => boolean): Targets {
  if (!replicas.some(suspects)) return { to: replicas, standIns: NOBODY }
  const free = substitutes.filter(node => !suspects(node))
  const standIns: NodeId[] = []
  const to = replicas.map(replica => {
    const substitute = suspects(replica) ? free.shift() : undefined
    if (substitute !== undefined) standIns.push(substitute, replica)
    return substitute ?? replica
  })
  return { to, standIns }
}
