/**
 * A view: who the members are and where on the ring each stands, numbered by its epoch. Members change in two steps, as
 * in RAMBO (Gilbert, Lynch and Shvartsman, "RAMBO: a robust, reconfigurable atomic memory service for dynamic networks",
 * Distributed Computing 23, 2010): a view in which the old members still answer and the next ones are written to as well
 * and fetch what will be theirs, and then one in which the next ones are the members.
 */
import type { NodeId } from '../../../harness/env.ts'
import { MalformedMessage, count, list, text } from '../messages.ts'
import type { Codec } from '../messages.ts'
import { TOKENS } from '../partitioner.ts'
import type { TokenRange } from '../partitioner.ts'
import { Ring, hashedTokens } from '../ring.ts'
import { standingAt, topologyPlacement } from '../topology.ts'
import type { Topology } from '../topology.ts'

const MEMBERS_MAX = 1_000
const TOKENS_MAX = 4096

/** One member. */
export interface Member {
  readonly id: NodeId
  /** In which turn it was dealt out to data centers and racks; whoever replaces it stands where it stood. */
  readonly turn: number
  /** The epoch in which it became one: its lives before that, on a disk that is gone, are told apart by it. */
  readonly since: number
  /** Its places on the ring; null: those that its name gives it. */
  readonly tokens: readonly number[] | null
}

/** Who belongs to the cluster. */
export interface View {
  readonly epoch: number
  readonly members: readonly Member[]
  /** Who they will be; null when no change is under way. */
  readonly next: readonly Member[] | null
}

/** The view that every node of a new cluster begins with. */
export function firstView(nodes: readonly NodeId[]): View {
  return { epoch: 0, members: nodes.map((id, turn) => ({ id, turn, since: 0, tokens: null })), next: null }
}

/** What follows when a node is to join, at these places. */
export function admitting({ epoch, members }: View, id: NodeId, tokens: readonly number[] | null): View {
  const taken = new Set(members.map(({ turn }) => turn))
  let turn = 0
  while (taken.has(turn)) turn++
  return { epoch: epoch + 1, members, next: [...members, { id, turn, since: epoch + 1, tokens }] }
}

/** What follows when a member is to go. */
export function dismissing({ epoch, members }: View, id: NodeId): View {
  return { epoch: epoch + 1, members, next: members.filter(member => member.id !== id) }
}

/** What follows when `fresh` is to stand where `gone` stands. */
export function replacing({ epoch, members }: View, gone: NodeId, fresh: NodeId, virtualNodes: number): View {
  const next = members.map(member => (member.id === gone ? { id: fresh, turn: member.turn, since: epoch + 1, tokens: member.tokens ?? hashedTokens(gone, virtualNodes) } : member))
  return { epoch: epoch + 1, members, next }
}

/** What follows when the next members have what is theirs. */
export function settled({ epoch, members, next }: View): View {
  return { epoch: epoch + 1, members: next ?? members, next: null }
}

/** What follows when the change is given up. */
export function abandoned({ epoch, members }: View): View {
  return { epoch: epoch + 1, members, next: null }
}

/** Everyone who is a member or will be. */
export function everyone({ members, next }: View): readonly NodeId[] {
  return [...new Set([...members, ...(next ?? [])].map(({ id }) => id))]
}

/** The members who stay members, whatever becomes of a change that is under way. */
export function staying({ members, next }: View): readonly NodeId[] {
  const soon = new Set((next ?? members).map(({ id }) => id))
  return members.map(({ id }) => id).filter(id => soon.has(id))
}

/** How members become a ring. */
export interface RingChoices {
  readonly replicas: number
  readonly virtual_nodes: number
  readonly data_centers: number
  readonly racks: number
}

/** The choices of this configuration: under a primary every member holds every key, however many there are. */
export function ringChoices({ replication, replicas, virtual_nodes, data_centers, racks }: RingChoices & { readonly replication: string }): RingChoices {
  return { replicas: replication === 'primary' ? MEMBERS_MAX : replicas, virtual_nodes, data_centers, racks }
}

/** Where these members stand. */
export function topologyOf(members: readonly Member[], { data_centers, racks }: RingChoices): Topology {
  const turns = new Map(members.map(({ id, turn }) => [id, turn]))
  return standingAt(node => turns.get(node) ?? 0, data_centers, racks)
}

/** Rings that were asked for last, by what they are made of: the nodes of one process share them, and the lives of one node. */
const rings = new Map<string, Ring>()
const RINGS_MAX = 16

/** The ring of these members. */
export function ringOf(members: readonly Member[], choices: RingChoices): Ring {
  const made = JSON.stringify([members.map(({ id, turn, tokens }) => [id, turn, tokens]), choices.replicas, choices.virtual_nodes, choices.data_centers, choices.racks])
  const ring = rings.get(made) ?? makeRing(members, choices)
  rings.delete(made)
  rings.set(made, ring)
  if (rings.size > RINGS_MAX) rings.delete(rings.keys().next().value!)
  return ring
}

function makeRing(members: readonly Member[], choices: RingChoices): Ring {
  const tokens = new Map(members.map(member => [member.id, member.tokens]))
  return new Ring({
    nodes: members.map(({ id }) => id),
    replicas: choices.replicas,
    virtualNodes: choices.virtual_nodes,
    placement: topologyPlacement(topologyOf(members, choices)),
    tokensOf: node => tokens.get(node) ?? hashedTokens(node, choices.virtual_nodes),
  })
}

/** A stretch of tokens whose replicas change, and who they are before and after. */
export interface Segment {
  readonly range: TokenRange
  readonly before: readonly NodeId[]
  readonly after: readonly NodeId[]
}

/** What of these segments, which do not overlap, these ranges are, each of which lies in one of them. */
export function partsOf(segments: readonly Segment[], ranges: readonly TokenRange[]): Segment[] {
  return ranges.map(range => ({ ...segments.find(({ range: [from, to] }) => from <= range[0] && range[1] <= to)!, range }))
}

/** Every stretch of tokens whose replicas are others in the second ring. Neighbours with the same replicas are one. */
export function changesBetween(before: Ring, after: Ring): Segment[] {
  const cuts = [...new Set([0, ...[...before.tokens, ...after.tokens].map(token => token + 1), TOKENS])].filter(cut => cut <= TOKENS).sort((a, b) => a - b)
  const segments: Segment[] = []
  for (let i = 0; i + 1 < cuts.length; i++) {
    const [from, to] = [cuts[i]!, cuts[i + 1]!]
    const [old, fresh] = [before.replicas(from), after.replicas(from)]
    if (sameNodes(old, fresh)) continue
    const last = segments.at(-1)
    if (last !== undefined && last.range[1] === from && sameNodes(last.before, old) && sameNodes(last.after, fresh)) segments[segments.length - 1] = { ...last, range: [last.range[0], to] }
    else segments.push({ range: [from, to], before: old, after: fresh })
  }
  return segments
}

function sameNodes(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every(node => b.includes(node))
}

function memberFrom(input: unknown): Member {
  const [id, turn, since, tokens] = list(input, 4)
  if (tokens !== null && list(tokens).length > TOKENS_MAX) throw new MalformedMessage(`at most ${TOKENS_MAX} places of a node`)
  return { id: text(id), turn: count(turn), since: count(since), tokens: tokens === null ? null : list(tokens).map(count) }
}

function membersFrom(input: unknown): readonly Member[] {
  if (list(input).length > MEMBERS_MAX) throw new MalformedMessage(`at most ${MEMBERS_MAX} members`)
  return list(input).map(memberFrom)
}

const encodeMembers = (all: readonly Member[]): unknown => all.map(({ id, turn, since, tokens }) => [id, turn, since, tokens])

/** Views on the wire and on disk. */
export const viewCodec: Codec<View> = {
  encode: ({ epoch, members, next }) => [epoch, encodeMembers(members), next === null ? null : encodeMembers(next)],
  decode: input => {
    const [epoch, now, next] = list(input, 3)
    return { epoch: count(epoch), members: membersFrom(now), next: next === null ? null : membersFrom(next) }
  },
}
