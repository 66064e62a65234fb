/**
 * Our own store as a system under test: how its nodes are started, and a client that speaks RESP with one of them.
 */
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Completion, Invocation, Json } from '../../checker/history/index.ts'
import { sleep } from '../../harness/clock.ts'
import type { NodeId } from '../../harness/env.ts'
import type { Cluster, DiskTrial, Volley } from '../cluster.ts'
import { ClusterError } from '../cluster.ts'
import { NO_REPLICA } from '../kv/admin.ts'
import type { NodeConfig, NodeOptions } from '../kv/config.ts'
import { StoreError, isDefinite } from '../kv/errors.ts'
import { startNode } from '../kv/node.ts'
import { fixedMembers } from '../kv/membership/commands.ts'
import { findPreset, presetOptions } from '../kv/presets.ts'
import type { Reply } from '../kv/resp.ts'
import type { Client, Command, Exchange, NodeAddresses, NodeSpec, Peek, System } from '../system.ts'
import { kvMembership } from './kv-membership.ts'
import { ReplyError, RespConnection } from './resp-connection.ts'

/** Which store to run. */
export interface KvOptions {
  readonly preset: string
  /** Choices that differ from the preset's. */
  readonly overrides?: Partial<NodeOptions>
}

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
    promise: preset.promise,
    ...(preset.losesWrites === undefined ? {} : { losesWrites: preset.losesWrites }),
    functions: preset.functions ?? ['read', 'write', 'delete'],
    oneWayConnections: true,
    ...(fixed === undefined ? { membership: kvMembership(adminReply, cellsLeft) } : { fixedMembers: fixed }),
    nodes: (ids, spares = []) =>
      [...ids, ...spares].map((id): NodeSpec => ({
        id,
        command: (addresses, joining) => command(configOf(ids, id, addresses.token, joining), addresses),
        start: (env, token, joining) => startNode(env, configOf(ids, id, token, joining)),
        image: { program },
      })),
    client: (cluster, node, { deadlineMs }) => new KvClient(cluster, node, deadlineMs),
    ...(choices.replication === 'primary' ? { primaries } : {}),
    ...(hasPartialQuorums(choices) ? { delays: { quorums: (nodes) => quorumsOf({ ...preset.options(nodes), ...overrides }), exchange } } : {}),
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
    env: { SPLITBRAIN_NODE: JSON.stringify({ config, addresses }) },
  }
}

/** A key as the store knows it: text as it is, anything else as JSON. */
function keyText(key: Json | undefined): string {
  return typeof key === 'string' ? key : JSON.stringify(key ?? null)
}

function wordsOf({ f, key, value }: Invocation): string[] {
  switch (f) {
    case 'read':
      return ['GET', keyText(key)]
    case 'write':
      return ['SET', keyText(key), JSON.stringify(value ?? null)]
    case 'delete':
      return ['DEL', keyText(key)]
    case 'cas': {
      const [expected, next] = Array.isArray(value) ? (value as readonly Json[]) : []
      if (expected === undefined || next === undefined) throw new ClusterError('malformed-operation', 'a compare-and-set has the value [expected, new]')
      // Null is no value, as a read reports it.
      return expected === null ? ['SET', keyText(key), JSON.stringify(next), 'NX'] : ['CAS', keyText(key), JSON.stringify(expected), JSON.stringify(next)]
    }
    default:
      throw new ClusterError('unknown-function', `the store's client knows read, write, delete, cas and txn, not "${f}"`)
  }
}

/** Values are JSON; whatever else a replica answers is a finding of its own and is shown as it is. */
function valueOf(reply: Reply): Json {
  if (reply === null) return null
  const text = reply instanceof Uint8Array ? Buffer.from(reply).toString() : JSON.stringify(reply)
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

function completionOf({ f }: Invocation, reply: Reply): Completion {
  if (f === 'read') return { type: 'ok', value: valueOf(reply) }
  // Zero of CAS, nil of SET NX: another value was there, and nothing was changed.
  return f === 'cas' && (reply === 0 || reply === null) ? { type: 'fail', error: 'MISMATCH' } : { type: 'ok' }
}

type MicroOperation = readonly [f: 'r' | 'w' | 'append', key: Json, value: Json]

function microOperations(value: Json | undefined): readonly MicroOperation[] {
  if (!Array.isArray(value) || value.length === 0) throw new ClusterError('malformed-operation', 'a transaction has a list of micro-operations ["r", key, null], ["w", key, value] or ["append", key, value]')
  return value as readonly unknown[] as readonly MicroOperation[]
}

/** A transaction as the door understands it. */
function transactionOf(value: Json | undefined): string[][] {
  const commands = microOperations(value).map(([f, key, operand]) => {
    if (f === 'r') return ['GET', keyText(key)]
    if (f === 'w') return operand === null ? ['DEL', keyText(key)] : ['SET', keyText(key), JSON.stringify(operand)]
    if (f === 'append') return ['RPUSH', keyText(key), JSON.stringify(operand)]
    throw new ClusterError('unknown-function', `a transaction knows r, w and append, not "${String(f)}"`)
  })
  return [['MULTI'], ...commands, ['EXEC']]
}

/** The micro-operations with what the reads found. */
function transactionResult(value: Json | undefined, reply: Reply): Json {
  const operations = microOperations(value)
  if (!Array.isArray(reply) || reply.length !== operations.length) throw new StoreError('MALFORMED', `EXEC answered with something else than ${operations.length} results`)
  return operations.map(([f, key, operand], i) => [f, key, f === 'r' ? valueOf((reply as readonly Reply[])[i]!) : operand])
}

/** One process's client: one operation at a time, a new connection after every error, and never a second try. */
class KvClient implements Client {
  readonly #cluster: Cluster
  readonly #node: NodeId
  readonly #deadlineMs: number
  #connection: RespConnection | undefined

  constructor(cluster: Cluster, node: NodeId, deadlineMs: number) {
    this.#cluster = cluster
    this.#node = node
    this.#deadlineMs = deadlineMs
  }

  async invoke(op: Invocation): Promise<Completion> {
    const commands = op.f === 'txn' ? transactionOf(op.value) : [wordsOf(op)]
    const readOnly = op.f === 'read' || (op.f === 'txn' && microOperations(op.value).every(([f]) => f === 'r'))
    const began = this.#cluster.clock.now()
    try {
      if (this.#connection === undefined || this.#connection.broken) this.#connection = await RespConnection.open(this.#cluster, this.#node, 'client', this.#deadlineMs)
      const leftMs = this.#deadlineMs - (this.#cluster.clock.now() - began) / 1e6
      if (leftMs <= 0) return { type: 'fail', error: 'REFUSED' }
      const connection = this.#connection
      // What stands before EXEC only says that it is queued; where it is refused, EXEC says so too.
      const reply = (await Promise.allSettled(commands.map((words) => connection.ask(words, leftMs)))).at(-1)!
      if (reply.status === 'rejected') throw reply.reason as Error
      if (op.f === 'txn') return { type: 'ok', value: transactionResult(op.value, reply.value) }
      return completionOf(op, reply.value)
    } catch (error) {
      const code = error instanceof ReplyError || error instanceof StoreError ? error.code : 'MALFORMED'
      // A read has no effect: whatever went wrong, it certainly did not happen.
      return { type: readOnly || isDefinite(code) ? 'fail' : 'info', error: code }
    }
  }

  close(): void {
    this.#connection?.close()
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
const COUNTERS = ['incarnation', 'epoch', 'elections_won', 'ballots_won', 'hints_kept', 'hints_handed', 'hints_expired', 'hints_pending', 'read_repairs', 'comparisons', 'cells_repaired', 'tombstones_collected', 'in_doubt']

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
      for (;;) {
        await sender.ask(['PROBE', to, nonce], deadlineMs)
        if ((await receiver.ask(['HEARD', from, nonce], deadlineMs)) === 1) return true
        if (clock.now() >= end) return false
        await sleep(clock, PROBE_INTERVAL_MS)
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
