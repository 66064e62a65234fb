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
 * - Resets answer a share of the arriving packets; doubled packets are cloned on their way out.
 * - A half-open link drops what belongs to connections older than a moment: newer ones carry a mark (conntrack's).
 * - A detour leads new connections through a proxy that can do to their bytes what packet filters cannot, and resets those
 *   that there are, so that they are dialled anew.
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
  /** Shares of packets, 0..1. */
  readonly duplicate: number
  readonly reset: number
  /** Share of the pieces of a stream that a detour damages, 0..1. */
  readonly corrupt: number
  /** Connections that were there before this mark was given out are silent; 0: none are. */
  readonly silentBefore: number
  /** `address:port` of the proxy that connections are led through. */
  readonly detour: string | undefined
}

/** A link with which nothing is wrong. */
export const undisturbed: Disturbance = { cut: false, lose: 0, bytesPerSecond: undefined, delay: undefined, duplicate: 0, reset: 0, corrupt: 0, silentBefore: 0, detour: undefined }

/** Disturbances by link. */
export type Disturbances = ReadonlyMap<string, Disturbance>

/** A link as a map's key. */
export function linkKey({ from, to }: Link): string {
  return `${from} ${to}`
}

/** The link of a map's key. */
export function linkOf(key: string): Link {
  const [from = '', to = ''] = key.split(' ')
  return { from, to }
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
const MARK = 'SPLITBRAIN-MARK'
const TWICE = 'SPLITBRAIN-TWICE'
const DETOUR = 'SPLITBRAIN-DETOUR'
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

const DROP = 'DROP'
const RESET = 'REJECT --reject-with tcp-reset'

const random = (share: number): string => `-m statistic --mode random --probability ${share.toFixed(6)}`

/** A rule of a chain, and whose packets it strikes. */
interface Rule {
  readonly chain: string
  readonly match: string
  readonly target: string
  readonly link: Link
}

function filterRules(topology: Topology, place: Place, disturbances: Disturbances): Rule[] {
  const rules: Rule[] = []
  for (const peer of topology.places) {
    if (peer.id === place.id) continue
    const inward = between(disturbances, peer.id, place.id)
    const outward = between(disturbances, place.id, peer.id)
    const [arrive, leave] = [arriving(topology, peer, place), leaving(topology, place, peer)]
    const into = (match: string | undefined, target = DROP): void => {
      if (match !== undefined) rules.push({ chain: IN, match, target, link: { from: peer.id, to: place.id } })
    }
    const out = (match: string, target = DROP): void => void rules.push({ chain: OUT, match, target, link: { from: place.id, to: peer.id } })
    if (inward.cut && outward.cut) {
      into(arrive.all)
      out(leave.all)
    } else if (outward.cut) out(leave.messages)
    else if (inward.cut) into(arrive.messages)
    const withShare = (match: string | undefined, share: number): string | undefined => (match === undefined || share === 0 ? undefined : `${match} ${random(share)}`)
    into(withShare(arrive.messages, inward.lose))
    if (outward.lose > 0 && peer.engine !== place.engine) out(`${leave.messages} ${random(outward.lose)}`)
    into(withShare(arrive.messages === undefined ? undefined : tcp(arrive.messages), inward.reset), RESET)
    if (outward.reset > 0 && peer.engine !== place.engine) out(`${tcp(leave.messages)} ${random(outward.reset)}`, RESET)
    if (outward.silentBefore > 0) out(`${tcp(leave.messages)} ${unmarked(outward.silentBefore)}`)
    if (outward.detour !== undefined) out(dialled(topology, place, peer), RESET)
  }
  const clients = between(disturbances, 'clients', place.id)
  const door = (match: string): void => void rules.push({ chain: IN, match: `-p tcp --dport ${place.ports.client}${match}`, target: DROP, link: { from: 'clients', to: place.id } })
  if (clients.cut) door('')
  else if (clients.lose > 0) door(` ${random(clients.lose)}`)
  return rules
}

/** A match of TCP alone: what is matched by address only says so. */
const tcp = (match: string): string => (match.includes('-p tcp') ? match : `${match} -p tcp`)
/** Packets of connections without this mark. */
const unmarked = (mark: number): string => `-m connmark ! --mark ${mark}`

/** The connections that `from` dials to `to`, by where they go. */
function dialled(topology: Topology, from: Place, to: Place): string {
  return leaving({ ...topology, oneWayConnections: true }, from, to).messages
}

/** Which tables besides `filter` a place's rules need: a table that was never needed is not touched. */
export type ExtraTable = 'mangle' | 'nat'

function extraRules(topology: Topology, place: Place, disturbances: Disturbances): Record<ExtraTable, Rule[]> {
  const mangle: Rule[] = []
  const nat: Rule[] = []
  for (const peer of topology.places) {
    if (peer.id === place.id) continue
    const link = { from: place.id, to: peer.id }
    const { duplicate, silentBefore, detour } = between(disturbances, place.id, peer.id)
    const leave = leaving(topology, place, peer)
    if (silentBefore > 0) mangle.push({ chain: MARK, match: `${dialled(topology, place, peer)} --syn`, target: `CONNMARK --set-mark ${silentBefore}`, link })
    if (duplicate > 0 && peer.engine === place.engine) mangle.push({ chain: TWICE, match: `${leave.messages} ${random(duplicate)}`, target: `TEE --gateway ${peer.address}`, link })
    if (detour !== undefined) nat.push({ chain: DETOUR, match: dialled(topology, place, peer), target: `DNAT --to-destination ${detour}`, link })
  }
  return { mangle, nat }
}

const EXTRA_CHAINS: Readonly<Record<ExtraTable, readonly (readonly [chain: string, hook: string])[]>> = {
  mangle: [[MARK, 'OUTPUT'], [TWICE, 'POSTROUTING']],
  nat: [[DETOUR, 'OUTPUT']],
}

/** The tables that a place needs now. */
export function neededTables(topology: Topology, place: Place, disturbances: Disturbances): ExtraTable[] {
  return Object.entries(extraRules(topology, place, disturbances)).filter(([, rules]) => rules.length > 0).map(([table]) => table as ExtraTable)
}

/** Makes a table's chains, once for each namespace. */
export function tableSetupText(table: ExtraTable): string {
  const chains = EXTRA_CHAINS[table]
  return [`*${table}`, ...chains.map(([chain]) => `:${chain} - [0:0]`), ...chains.map(([chain, hook]) => `-I ${hook} -j ${chain}`), 'COMMIT', ''].join('\n')
}

/** The rules of a table whose chains are there. */
export function tableText(table: ExtraTable, topology: Topology, place: Place, disturbances: Disturbances, untilMs: number): string {
  const rules = extraRules(topology, place, disturbances)[table]
  return [`*${table}`, ...EXTRA_CHAINS[table].map(([chain]) => `:${chain} - [0:0]`), ...rules.map((rule) => ruleText(rule, untilMs)), 'COMMIT', ''].join('\n')
}

function ruleText({ chain, match, target }: Rule, untilMs: number): string {
  return `-A ${chain} ${match} -m time --datestop ${filterDate(untilMs)} -j ${target}`
}

/**
 * How many packets of a link the rules of one place have struck, out of what `iptables-save -c` prints of all tables: our
 * chains hold our rules in the order in which we write them. Marks and detours strike nothing by themselves.
 */
export function struckPackets(saved: string, link: Link, topology: Topology, place: Place, disturbances: Disturbances): number {
  const rules = [...filterRules(topology, place, disturbances), ...extraRules(topology, place, disturbances).mangle]
  const counts = new Map<string, number[]>()
  for (const [, packets, chain] of saved.matchAll(/^\[(\d+):\d+\] -A (SPLITBRAIN-\w+) /gm)) counts.set(chain!, [...(counts.get(chain!) ?? []), Number(packets)])
  const seen = new Map<string, number>()
  let struck = 0
  for (const rule of rules) {
    const index = seen.get(rule.chain) ?? 0
    seen.set(rule.chain, index + 1)
    const isLink = rule.link.from === link.from && rule.link.to === link.to
    if (isLink && rule.chain !== MARK) struck += counts.get(rule.chain)?.[index] ?? 0
  }
  return struck
}

/** The links whose packets leave `place` through a queue: their number (the queue's), what to match, and what is wrong. */
function queued(topology: Topology, place: Place, disturbances: Disturbances): { number: string; match: string; disturbance: Disturbance }[] {
  const needsQueue = ({ bytesPerSecond, delay, detour }: Disturbance): boolean => bytesPerSecond !== undefined || (delay !== undefined && detour === undefined)
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
  const rules = filterRules(topology, place, disturbances).map((rule) => ruleText(rule, untilMs))
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
 * Prints one word for each thing that works, and a line `complaint: ...` when filtering itself does not.
 */
export const PROBE_SCRIPT = `
rule() { printf '*%s\\n:SB - [0:0]\\n-A SB %s\\nCOMMIT\\n' "$2" "$3" | iptables-restore -w -n >/dev/null 2>&1 && echo "$1"; }
rule filter filter '-p tcp --dport 1 -j DROP' || echo complaint: $(printf '*filter\\n:SB - [0:0]\\nCOMMIT\\n' | iptables-restore -w -n 2>&1)
rule time filter '-m time --datestop 2037-01-01T00:00:00 -j DROP'
rule reject filter '-p tcp --dport 1 -j REJECT --reject-with tcp-reset'
rule connmark mangle '-p tcp --syn -m connmark ! --mark 1 -j CONNMARK --set-mark 1'
rule tee mangle '-j TEE --gateway 127.0.0.1'
rule dnat nat '-p tcp --dport 1 -j DNAT --to-destination 127.0.0.1:2'
rule statistic filter '-m statistic --mode random --probability 0.5 -j DROP'
rule classify mangle '-j CLASSIFY --set-class 1:2'
tc qdisc add dev lo root handle 1: htb default 0 >/dev/null 2>&1 &&
tc class add dev lo parent 1: classid 1:2 htb rate 1mbit >/dev/null 2>&1 && echo htb
tc qdisc add dev lo parent 1:2 netem delay 1ms >/dev/null 2>&1 && echo netem
echo done
`

/** What the probe has said: the words of what works, and why filtering does not. */
export function probed(output: string): { readonly parts: ReadonlySet<string>; readonly complaint: string | undefined } {
  const lines = output.split('\n')
  const complaint = lines.find((line) => line.startsWith('complaint: '))?.slice('complaint: '.length)
  return { parts: new Set(lines.filter((line) => !line.startsWith('complaint: ')).map((line) => line.trim()).filter((line) => line !== '')), complaint }
}
