/**
 * The packet filter of one node, as text: what `iptables-restore` and `tc -batch` are fed so that exactly the
 * disturbed links are disturbed. Pure: disturbances in, text out.
 *
 * - A link that is cut in both directions loses every packet between the two nodes.
 * - A one-way cut a -> b must leave b -> a whole. Where nodes dial a peer's port only to send to it, dropping a's packets
 *   to b's peer port does exactly that (b's acknowledgements, and all of b's own connection, pass). Both ends drop, so
 *   that no end's fresh start opens the link.
 * - Loss is rolled where packets arrive: dropped on the way out, they would be a local congestion signal instead.
 * - Bandwidth and delay are queues on the way out. The queues lie idle; a rule sends a link's packets into one.
 *
 * Every rule carries the moment at which the kernel stops to apply it (xt_time): when a controller dies, its cuts
 * end by themselves, with no process needed to end them.
 */
import type { NodeId } from '../../../harness/env.ts'
import type { Endpoint, Link } from '../../cluster.ts'

/** Where a node is in the network. */
export interface Place {
  readonly id: NodeId
  readonly address: string
  readonly ports: { readonly client: number; readonly peer: number; readonly admin: number }
  /** Which engine it runs on: nodes of one engine see each other's addresses. */
  readonly engine: number
  /** Where nodes on other engines reach its peer port. */
  readonly outside: { readonly address: string; readonly port: number } | undefined
}

/** Everything that is wrong with one directed link. */
export interface Disturbance {
  readonly cut: boolean
  /** Share of packets lost, 0..1. */
  readonly lose: number
  readonly bytesPerSecond: number | undefined
  readonly delay: { readonly ms: number; readonly jitterMs: number } | undefined
}

/** A link with which nothing is wrong. */
export const undisturbed: Disturbance = { cut: false, lose: 0, bytesPerSecond: undefined, delay: undefined }

/** Disturbances by link. */
export type Disturbances = ReadonlyMap<string, Disturbance>

/** A link as a map's key. */
export function linkKey({ from, to }: Link): string {
  return `${from} ${to}`
}

/** One cluster's network, as its filters see it. */
export interface Topology {
  readonly places: readonly Place[]
  /** Nodes dial a peer's port only to send to it. */
  readonly oneWayConnections: boolean
}

const IN = 'SPLITBRAIN-IN'
const OUT = 'SPLITBRAIN-OUT'
const QUEUE = 'SPLITBRAIN-QUEUE'
const DEVICE = 'eth0'

/** Fed once, when a network namespace is new: our own chains, entered first. */
export const FILTER_SETUP = `*filter
:${IN} - [0:0]
:${OUT} - [0:0]
-I INPUT -j ${IN}
-I OUTPUT -j ${OUT}
COMMIT
`

const QUEUE_SETUP = `*mangle
:${QUEUE} - [0:0]
-I POSTROUTING -j ${QUEUE}
COMMIT
`

/** "2026-11-20T23:59:08", in UTC as xt_time wants it. It counts whole seconds: round up, never cut a lease short. */
export function filterDate(ms: number): string {
  return new Date(Math.ceil(ms / 1000) * 1000).toISOString().slice(0, 19)
}

const between = (disturbances: Disturbances, from: Endpoint, to: NodeId): Disturbance => disturbances.get(linkKey({ from, to })) ?? undisturbed

/** What `to` looks like to packets that leave `from`: everything, or only messages sent on from's own connection. */
function leaving(topology: Topology, from: Place, to: Place): { readonly all: string; readonly messages: string } {
  if (from.engine === to.engine) {
    const all = `-d ${to.address}`
    return { all, messages: topology.oneWayConnections ? `${all} -p tcp --dport ${to.ports.peer}` : all }
  }
  const published = `-d ${to.outside?.address} -p tcp --dport ${to.outside?.port}`
  return { all: published, messages: published }
}

/** What `from` looks like to packets that arrive at `to`. Other engines hide the sender behind their machine's address. */
function arriving(topology: Topology, from: Place, to: Place): { readonly all: string; readonly messages: string | undefined } {
  if (from.engine !== to.engine) return { all: `-s ${from.outside?.address} -p tcp --sport ${from.outside?.port}`, messages: undefined }
  const all = `-s ${from.address}`
  return { all, messages: topology.oneWayConnections ? `${all} -p tcp --dport ${to.ports.peer}` : all }
}

const loss = (share: number): string => `-m statistic --mode random --probability ${share.toFixed(6)}`

function filterRules(topology: Topology, place: Place, disturbances: Disturbances): string[] {
  const rules: string[] = []
  for (const peer of topology.places) {
    if (peer.id === place.id) continue
    const inward = between(disturbances, peer.id, place.id)
    const outward = between(disturbances, place.id, peer.id)
    const [arrive, leave] = [arriving(topology, peer, place), leaving(topology, place, peer)]
    if (inward.cut && outward.cut) rules.push(`-A ${IN} ${arrive.all}`, `-A ${OUT} ${leave.all}`)
    else if (outward.cut) rules.push(`-A ${OUT} ${leave.messages}`)
    else if (inward.cut && arrive.messages !== undefined) rules.push(`-A ${IN} ${arrive.messages}`)
    if (inward.lose > 0 && arrive.messages !== undefined) rules.push(`-A ${IN} ${arrive.messages} ${loss(inward.lose)}`)
    if (outward.lose > 0 && peer.engine !== place.engine) rules.push(`-A ${OUT} ${leave.messages} ${loss(outward.lose)}`)
  }
  const clients = between(disturbances, 'clients', place.id)
  const door = `-A ${IN} -p tcp --dport ${place.ports.client}`
  if (clients.cut) rules.push(door)
  else if (clients.lose > 0) rules.push(`${door} ${loss(clients.lose)}`)
  return rules
}

/** The links whose packets leave `place` through a queue: their number (the queue's), what to match, and what is wrong. */
function queued(topology: Topology, place: Place, disturbances: Disturbances): { number: string; match: string; disturbance: Disturbance }[] {
  const needsQueue = (disturbance: Disturbance): boolean => disturbance.bytesPerSecond !== undefined || disturbance.delay !== undefined
  const toPeers = topology.places
    .filter((peer) => peer.id !== place.id)
    .map((peer) => ({ match: leaving(topology, place, peer).messages, disturbance: between(disturbances, place.id, peer.id) }))
  // What clients send passes no queue of ours; what the node answers does, and to a client that is the same round trip.
  const toClients = { match: `-p tcp --sport ${place.ports.client}`, disturbance: between(disturbances, 'clients', place.id) }
  return [...toPeers, toClients]
    .map((entry, index) => ({ ...entry, number: (index + 16).toString(16) }))
    .filter(({ disturbance }) => needsQueue(disturbance))
}

/** Whether any packet leaves `place` through a queue. */
export function needsQueues(topology: Topology, place: Place, disturbances: Disturbances): boolean {
  return queued(topology, place, disturbances).length > 0
}

/**
 * The whole packet filter of one node, for `iptables-restore --noflush`: naming a chain empties it, and the table is
 * replaced in one piece, so there is no moment between the old rules and the new. Rules end at `untilMs`.
 */
export function filterText(topology: Topology, place: Place, disturbances: Disturbances, untilMs: number): string {
  const lease = `-m time --datestop ${filterDate(untilMs)} -j DROP`
  const rules = filterRules(topology, place, disturbances).map((rule) => `${rule} ${lease}`)
  return ['*filter', `:${IN} - [0:0]`, `:${OUT} - [0:0]`, ...rules, 'COMMIT', ''].join('\n')
}

/** The rules that send packets into the queues; `first` when the namespace has no chain for them yet. */
export function queueRulesText(topology: Topology, place: Place, disturbances: Disturbances, untilMs: number, first: boolean): string {
  const rules = queued(topology, place, disturbances).map(
    ({ match, number }) => `-A ${QUEUE} ${match} -m time --datestop ${filterDate(untilMs)} -j CLASSIFY --set-class 1:${number}`,
  )
  return `${first ? QUEUE_SETUP : ''}${['*mangle', `:${QUEUE} - [0:0]`, ...rules, 'COMMIT', ''].join('\n')}`
}

/** The queues, for `tc -batch`; `replace` when there are some already. None needed: only the removal. */
export function queuesText(topology: Topology, place: Place, disturbances: Disturbances, replace: boolean): string {
  const queues = queued(topology, place, disturbances)
  const lines = replace ? [`qdisc del dev ${DEVICE} root`] : []
  if (queues.length > 0) lines.push(`qdisc add dev ${DEVICE} root handle 1: htb default 0`)
  for (const { number, disturbance } of queues) {
    const rate = disturbance.bytesPerSecond === undefined ? '10gbit' : `${Math.max(8, Math.round(disturbance.bytesPerSecond * 8))}bit`
    lines.push(`class add dev ${DEVICE} parent 1: classid 1:${number} htb rate ${rate} ceil ${rate}`)
    const { delay } = disturbance
    // netem's jitter goes both ways around its delay; ours only adds.
    const leaf = delay === undefined ? 'pfifo limit 256' : `netem delay ${delay.ms + delay.jitterMs / 2}ms ${delay.jitterMs / 2}ms limit 20000`
    lines.push(`qdisc add dev ${DEVICE} parent 1:${number} ${leaf}`)
  }
  return `${lines.join('\n')}\n`
}

/**
 * Tries out, in a network namespace that nobody uses, everything that the filters above rely on.
 * Prints one word for each thing that works.
 */
export const PROBE_SCRIPT = `
rule() { printf '*%s\\n:SB - [0:0]\\n-A SB %s\\nCOMMIT\\n' "$2" "$3" | iptables-restore -w -n >/dev/null 2>&1 && echo "$1"; }
rule filter filter '-p tcp --dport 1 -j DROP'
rule time filter '-m time --datestop 2037-01-01T00:00:00 -j DROP'
rule statistic filter '-m statistic --mode random --probability 0.5 -j DROP'
rule classify mangle '-j CLASSIFY --set-class 1:2'
tc qdisc add dev lo root handle 1: htb default 0 >/dev/null 2>&1 &&
tc class add dev lo parent 1: classid 1:2 htb rate 1mbit >/dev/null 2>&1 && echo htb
tc qdisc add dev lo parent 1:2 netem delay 1ms >/dev/null 2>&1 && echo netem
echo done
`
