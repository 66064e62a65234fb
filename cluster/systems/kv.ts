/**
 * Our own store as a system under test: how its nodes are started, and a client that speaks RESP with one of them.
 */
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Json } from '../../checker/history/index.ts'
import { sleep } from '../../harness/clock.ts'
import type { NodeId } from '../../harness/env.ts'
import type { Cluster, DiskTrial, Volley } from '../cluster.ts'
import { NO_REPLICA } from '../kv/admin.ts'
import type { NodeConfig, NodeOptions } from '../kv/config.ts'
import { StoreError } from '../kv/errors.ts'
import { startNode } from '../kv/node.ts'
import { fixedMembers, irreplaceable } from '../kv/membership/fixed.ts'
import { findPreset, presetOptions } from '../kv/presets.ts'
import type { Reply } from '../kv/resp.ts'
import type { Command, Exchange, NodeAddresses, NodeSpec, Peek, System } from '../system.ts'
import { KvClient, SiblingDialect, keyText, plainDialect, valueOf } from './kv-client.ts'
import { kvMembership } from './kv-membership.ts'
import { RespConnection } from './resp-connection.ts'

/** Which store to run. */
export interface KvOptions {
  readonly preset: string
  /** Choices that differ from the preset's. */
  readonly overrides?: Partial<NodeOptions>
}

/** As many nodes as no preset has replicas. */
const MANY = 99

/** Our own store with this preset. */
export function kvSystem({ preset: name, overrides }: KvOptions): System {
  const preset = findPreset(name)
  const choices = presetOptions(preset, 1, overrides)
  const fixed = fixedMembers(choices)
  /** The choices are those for the first members, whoever joins later. */
  const configOf = (first: readonly NodeId[], id: NodeId, token: string, joining?: readonly NodeId[]): NodeConfig => ({
    id,
    token,
    ...presetOptions(preset, first.length, overrides),
    ...(joining === undefined ? { nodes: [...first] } : { nodes: [...new Set([...joining, id])], joining: true }),
  })
  return {
    name: `kv-${preset.name}`,
    expected: preset.expected,
    ...(preset.expectedWhenMoving === undefined ? {} : { expectedWhenMoving: preset.expectedWhenMoving }),
    promise: preset.promise,
    ...(preset.losesWrites === undefined ? {} : { losesWrites: preset.losesWrites }),
    ...(choices.client_cache === 'none' ? {} : { cachedMs: choices.cache_ms }),
    functions: preset.functions ?? ['read', 'write', 'delete'],
    oneWayConnections: true,
    ...(fixed === undefined ? { membership: { ...kvMembership({ ask: adminReply, left: cellsLeft, leavesItself: choices.lookup !== 'ring' }), ...irreplaceable(presetOptions(preset, MANY, overrides)) } } : { fixedMembers: fixed }),
    nodes: (ids, spares = []) =>
      [...ids, ...spares].map((id): NodeSpec => ({
        id,
        command: (addresses, joining) => command(configOf(ids, id, addresses.token, joining), addresses),
        start: (env, token, joining) => startNode(env, configOf(ids, id, token, joining)),
        image: { program },
      })),
    client: (cluster, node, { deadlineMs }) => new KvClient(cluster, node, deadlineMs, choices.versions === 'vector-clocks' ? new SiblingDialect() : plainDialect),
    ...(choices.replication === 'primary' ? { primaries } : {}),
    ...(hasPartialQuorums(choices) ? { delays: { quorums: (nodes) => quorumsOf(presetOptions(preset, nodes, overrides)), exchange } } : {}),
    peek,
    ping,
    probe,
    disk: {
      set: async (cluster, node, fault, deadlineMs) => {
        const words = fault === undefined ? ['whole'] : fault.type === 'slow' ? [fault.type, String(fault.ms)] : [fault.type]
        await administer(cluster, node, deadlineMs, (connection) => connection.ask(['DISK', ...words], deadlineMs))
      },
      trial: diskTrial,
    },
    clock: {
      read: (cluster, node, deadlineMs) => numberCommand(cluster, node, ['CLOCK'], deadlineMs),
      set: async (cluster, node, { offsetMs, driftPpm }, deadlineMs) => {
        await numberCommand(cluster, node, ['CLOCK', String(offsetMs), String(driftPpm)], deadlineMs)
      },
    },
    volley,
    counters,
    replicasOf,
  }
}

/** The node's program, compiled or not as this file is. */
const extension = extname(fileURLToPath(import.meta.url))
const program = fileURLToPath(new URL(`../kv/main${extension}`, import.meta.url))

function command(config: NodeConfig, addresses: NodeAddresses): Command {
  return {
    file: process.execPath,
    args: [...(extension === '.ts' ? ['--import', 'tsx'] : []), program],
    // Nodes speak no TLS: reading a user's certificates would take as long as all of Node's own start.
    env: { SPLITBRAIN_NODE: JSON.stringify({ config, addresses }), NODE_EXTRA_CA_CERTS: '' },
  }
}

/** Runs `body` on an admin connection of its own. */
async function administer<T>(cluster: Cluster, node: NodeId, deadlineMs: number, body: (connection: RespConnection) => Promise<T>): Promise<T> {
  const connection = await RespConnection.open(cluster, node, 'admin', deadlineMs)
  try {
    return await body(connection)
  } finally {
    connection.close()
  }
}

/** One command on the admin port. */
function adminReply(cluster: Cluster, node: NodeId, words: readonly string[], deadlineMs: number): Promise<Reply> {
  return administer(cluster, node, deadlineMs, (connection) => connection.ask(words, deadlineMs))
}

/** How much a node still keeps that is not its own: hints, and cells of ranges that moved. */
async function cellsLeft(cluster: Cluster, node: NodeId, deadlineMs: number): Promise<number> {
  const stats = await statsOf(cluster, node, deadlineMs)
  return (stats.get('hints_pending') ?? 0) + (stats.get('cells_astray') ?? 0)
}

async function peek(cluster: Cluster, node: NodeId, keys: readonly Json[], deadlineMs: number): Promise<Peek[]> {
  const reply = await administer(cluster, node, deadlineMs, (connection) => connection.ask(['PEEK', ...keys.map(keyText)], deadlineMs))
  if (!Array.isArray(reply) || reply.length !== keys.length) throw new StoreError('MALFORMED', `${node} answered PEEK with something else than ${keys.length} values`)
  const values = reply as readonly Reply[]
  // A key that the node is no replica of is left out: it holds nothing there that could differ.
  return keys.flatMap((key, index) => (values[index] === NO_REPLICA ? [] : [{ key, value: valueOf(values[index]!) }]))
}

async function ping(cluster: Cluster, node: NodeId, deadlineMs: number): Promise<boolean> {
  const connection = await RespConnection.open(cluster, node, 'client', deadlineMs)
  try {
    return (await connection.ask(['PING'], deadlineMs)) === 'PONG'
  } finally {
    connection.close()
  }
}

/** Whether N, R and W are all that says who is asked: PBS knows no levels and no substitutes. */
function hasPartialQuorums({ replication, read_level: readLevel, write_level: writeLevel, sloppy, lookup }: NodeOptions): boolean {
  return replication === 'quorum' && readLevel === undefined && writeLevel === undefined && !sloppy && lookup === 'ring'
}

function quorumsOf({ replicas, read_quorum, write_quorum }: NodeOptions): { replicas: number; read_quorum: number; write_quorum: number } {
  return { replicas, read_quorum, write_quorum }
}

async function exchange(cluster: Cluster, node: NodeId, deadlineMs: number): Promise<Exchange[]> {
  const reply = (await administer(cluster, node, deadlineMs, (connection) => connection.ask(['DELAYS'], deadlineMs))) as readonly (readonly Uint8Array[])[]
  return reply.map((words) => {
    const [peer, ...times] = words.map((word) => Buffer.from(word).toString())
    const [asked, said, returned] = times.map(Number)
    return { peer: peer!, asked: asked!, said: said!, returned: returned! }
  })
}

/** The nodes that believe to be the primary now; a node that does not answer is none. */
async function primaries(cluster: Cluster): Promise<NodeId[]> {
  const answers = await Promise.all(
    cluster.nodes.map(async ({ id }) => {
      const stats = await statsOf(cluster, id, PRIMARIES_DEADLINE_MS).catch(() => undefined)
      return stats?.get('primary') === 1 ? [id] : []
    }),
  )
  return answers.flat()
}

/** Of what a node counts, what tells which of the store's parts were at work; a preset without a part does not count it. */
const COUNTERS = ['incarnation', 'epoch', 'elections_won', 'ballots_won', 'hints_kept', 'hints_handed', 'hints_expired', 'hints_pending', 'read_repairs', 'comparisons', 'cells_repaired', 'tombstones_collected', 'cache_hits', 'cache_misses', 'in_doubt']

async function counters(cluster: Cluster, node: NodeId, deadlineMs: number): Promise<Record<string, number>> {
  const stats = await statsOf(cluster, node, deadlineMs)
  return Object.fromEntries(COUNTERS.flatMap((name) => (stats.has(name) ? [[name, stats.get(name)!] as const] : [])))
}

/** Everything that a node counts, by name. */
async function statsOf(cluster: Cluster, node: NodeId, deadlineMs: number): Promise<ReadonlyMap<string, number>> {
  const reply = await administer(cluster, node, deadlineMs, (connection) => connection.ask(['STATS'], deadlineMs))
  if (!Array.isArray(reply)) throw new StoreError('MALFORMED', `${node} answered STATS with something else than names and numbers`)
  const words = (reply as readonly Reply[]).map((word) => (word instanceof Uint8Array ? Buffer.from(word).toString() : ''))
  return new Map(words.flatMap((word, i) => (i % 2 === 0 ? [[word, Number(words[i + 1])] as const] : [])))
}

const PRIMARIES_DEADLINE_MS = 1_000

async function diskTrial(cluster: Cluster, node: NodeId, deadlineMs: number): Promise<DiskTrial> {
  const reply = (await administer(cluster, node, deadlineMs, (connection) => connection.ask(['DISK'], deadlineMs))) as readonly Uint8Array[]
  const [tookMs, error] = reply.map((word) => Buffer.from(word).toString())
  return { tookMs: Number(tookMs), error: error === '' ? undefined : error }
}

/** Asks a node something that it answers with a number. */
async function numberCommand(cluster: Cluster, node: NodeId, words: readonly string[], deadlineMs: number): Promise<number> {
  const reply = await administer(cluster, node, deadlineMs, (connection) => connection.ask(words, deadlineMs))
  return Number(reply instanceof Uint8Array ? Buffer.from(reply).toString() : Number.NaN)
}

const PROBE_INTERVAL_MS = 20
const VOLLEY_INTERVAL_MS = 5
const BURSTS = 40
const PEEK_DEADLINE_MS = 1_000

/** Sends nonces from one node to the other until one is heard or time is up: a link that only loses some messages is a link. */
async function probe(cluster: Cluster, from: NodeId, to: NodeId, deadlineMs: number): Promise<boolean> {
  const { clock } = cluster
  const end = clock.now() + deadlineMs * 1e6
  const nonce = `probe-${clock.now()}`
  return administer(cluster, from, deadlineMs, (sender) =>
    administer(cluster, to, deadlineMs, async (receiver) => {
      // Soon at first, so that how long a message takes can be told from when it is heard of.
      for (let waitMs = 1; ; waitMs = Math.min(2 * waitMs, PROBE_INTERVAL_MS)) {
        await sender.ask(['PROBE', to, nonce], deadlineMs)
        if ((await receiver.ask(['HEARD', from, nonce], deadlineMs)) === 1) return true
        if (clock.now() >= end) return false
        await sleep(clock, waitMs)
      }
    }),
  )
}

/**
 * Sends messages from one node to the other, not all in one packet, and asks the other until all are there or time is up.
 * The node numbers them from 1.
 */
async function volley(cluster: Cluster, { from, to }: { readonly from: NodeId; readonly to: NodeId }, messages: number, bytes: number, deadlineMs: number): Promise<Volley> {
  const { clock } = cluster
  const began = clock.now()
  const elapsedMs = (): number => (clock.now() - began) / 1e6
  const name = `${began}`
  return administer(cluster, from, deadlineMs, (sender) =>
    administer(cluster, to, deadlineMs, async (receiver) => {
      const burst = Math.ceil(messages / BURSTS)
      for (let first = 0; first < messages; first += burst) {
        await sender.ask(['VOLLEY', to, name, String(first + 1), String(Math.min(burst, messages - first)), String(bytes)], deadlineMs)
      }
      for (;;) {
        const heard = ((await receiver.ask(['ECHOES', from, name], deadlineMs)) as number[]).map((number) => number - 1)
        if (new Set(heard).size === messages || elapsedMs() >= deadlineMs) return { sent: messages, heard, elapsedMs: elapsedMs() }
        await sleep(clock, VOLLEY_INTERVAL_MS)
      }
    }),
  )
}

/** The running nodes that do not say that they are no replicas of the key. */
async function replicasOf(cluster: Cluster, key: string): Promise<NodeId[]> {
  const holds = await Promise.all(cluster.nodes.map(({ id }) => peek(cluster, id, [key], PEEK_DEADLINE_MS).then((found) => found.length > 0, () => false)))
  return cluster.nodes.filter((_, i) => holds[i]).map(({ id }) => id)
}
