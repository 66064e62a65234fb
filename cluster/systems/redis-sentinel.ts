/**
 * Redis with Sentinel, unmodified: on every node a redis-server and a redis-sentinel, as its manual recommends; the
 * first node is the primary, the others are its replicas. (https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/)
 *
 * Replication is asynchronous: a primary acknowledges what no replica has heard of yet. One that is cut off together with
 * clients goes on acknowledging until it hears that another was promoted, and then throws all of that away (Kingsbury,
 * "Call me maybe: Redis", 2013).
 *
 * Clients do as Sentinel's protocol asks: before each operation they ask the sentinel of their own node who the primary
 * is, and turn to that one.
 */
import type { Completion, Invocation, Json } from '../../checker/history/index.ts'
import type { NodeId } from '../../harness/env.ts'
import type { Cluster } from '../cluster.ts'
import { ClusterError } from '../cluster.ts'
import { StoreError } from '../kv/errors.ts'
import type { Reply } from '../kv/resp.ts'
import type { Client, Command, NodeAddresses, NodeSpec, Peek, System } from '../system.ts'
import { installed } from './installed.ts'
import { ReplyError, RespConnection } from './resp-connection.ts'

/** `default`: as the manual's examples; `min-replicas`: a primary without a replica refuses writes after two seconds. */
export type RedisPreset = 'default' | 'min-replicas'

/** What each configuration promises. */
export const redisPromises: Readonly<Record<RedisPreset, string>> = {
  default: 'replicas converge and a primary is elected; acknowledged writes may be lost when it changes',
  'min-replicas': 'as default, but a primary that no replica follows stops to acknowledge writes after about two seconds',
}

/** The name under which sentinels know the primary. */
const NAME = 'main'
const DOWN_AFTER_MS = 1_000
const FAILOVER_TIMEOUT_MS = 5_000

/** How long one node may take to say whether it is primary. */
const ASK_DEADLINE_MS = 1_000

/** A primary, its replicas and their sentinels. */
export function redisSentinelSystem(preset: RedisPreset): System {
  const places = new Map<string, NodeId>()
  return {
    name: preset === 'default' ? 'redis-sentinel' : `redis-sentinel-${preset}`,
    expected: 'eventual',
    promise: redisPromises[preset],
    functions: ['read', 'write', 'delete'],
    sharedAddresses: true,
    peerPort: 'client',
    // A primary that was replaced while it was cut off is made a replica some ten seconds after it is back.
    settleMs: 40_000,
    nodes: (ids) => ids.map((id): NodeSpec => ({
      id,
      command: (addresses) => {
        for (const [node, { client }] of Object.entries(addresses.shared!)) places.set(client, node)
        return command(id, ids, addresses, preset)
      },
      image: { executables: [installed('redis-server', 'redis-server'), installed('redis-sentinel', 'redis-sentinel'), '/bin/sh'] },
    })),
    client: (cluster, node, { deadlineMs }) => new SentinelClient(cluster, node, deadlineMs, places),
    ping: async (cluster, node, deadlineMs) => (await once(cluster, node, 'client', [['PING']], deadlineMs))[0] === 'PONG',
    ready: async (cluster, deadlineMs) => {
      const quorums = await Promise.all(cluster.nodes.map(({ id }) => once(cluster, id, 'admin', [['SENTINEL', 'CKQUORUM', NAME], ['SENTINEL', 'REPLICAS', NAME]], deadlineMs)))
      const [role] = await once(cluster, cluster.nodes[0]!.id, 'client', [['ROLE']], deadlineMs)
      const followers = Array.isArray(role) ? (role as readonly Reply[])[2] : []
      return [followers, ...quorums.map(([, replicas]) => replicas)].every((list) => Array.isArray(list) && list.length === cluster.nodes.length - 1)
    },
    primaries: async (cluster) => {
      const roles = await Promise.all(cluster.nodes.map(async ({ id }) => ({ id, role: await once(cluster, id, 'client', [['ROLE']], ASK_DEADLINE_MS).catch(() => []) })))
      return roles.filter(({ role: [role] }) => Array.isArray(role) && text((role as readonly Reply[])[0]!) === 'master').map(({ id }) => id)
    },
    peek,
    counters,
  }
}

function command(id: NodeId, ids: readonly NodeId[], { listen, shared, dataDir }: NodeAddresses, preset: RedisPreset): Command {
  const [first] = ids as [NodeId]
  const at = (address: string): { host: string; port: string } => ({ host: address.slice(0, address.lastIndexOf(':')), port: address.slice(address.lastIndexOf(':') + 1) })
  const [own, sentinel, primary] = [at(listen.client), at(listen.admin), at(shared![first]!.client)]
  const [announced, announcedSentinel] = [at(shared![id]!.client), at(shared![id]!.admin)]
  const redis = [
    `bind ${own.host}`, `port ${own.port}`, `dir ${dataDir}`, 'protected-mode no', 'appendonly yes',
    'repl-diskless-sync-delay 0', `replica-announce-ip ${announced.host}`, `replica-announce-port ${announced.port}`,
    ...(preset === 'min-replicas' ? ['min-replicas-to-write 1', 'min-replicas-max-lag 2'] : []),
    ...(id === first ? [] : [`replicaof ${primary.host} ${primary.port}`]),
  ]
  const watch = [
    `bind ${sentinel.host}`, `port ${sentinel.port}`, `dir ${dataDir}`, 'protected-mode no',
    `sentinel announce-ip ${announcedSentinel.host}`, `sentinel announce-port ${announcedSentinel.port}`,
    `sentinel monitor ${NAME} ${primary.host} ${primary.port} ${Math.floor(ids.length / 2) + 1}`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`, `sentinel failover-timeout ${NAME} ${FAILOVER_TIMEOUT_MS}`,
  ]
  // Both programs rewrite their files when roles change: they are written once, and survive the node's death.
  const script = `cd "$1"
[ -e redis.conf ] || printf '%s\\n' "$2" > redis.conf
[ -e sentinel.conf ] || printf '%s\\n' "$3" > sentinel.conf
"$4" sentinel.conf &
exec "$5" redis.conf`
  const programs = [installed('redis-sentinel', 'redis-sentinel'), installed('redis-server', 'redis-server')]
  return { file: '/bin/sh', args: ['-c', script, 'sh', dataDir, redis.join('\n'), watch.join('\n'), ...programs] }
}

const text = (reply: Reply): string => (reply instanceof Uint8Array ? Buffer.from(reply).toString() : typeof reply === 'string' ? reply : JSON.stringify(reply))

/** A connection to one of a node's two programs. */
async function open(cluster: Cluster, node: NodeId, port: 'client' | 'admin', deadlineMs: number): Promise<RespConnection> {
  const stream = await cluster.dial(node, port, deadlineMs).catch((error: unknown) => {
    throw new StoreError('REFUSED', `no connection to ${node}: ${(error as Error).message}`, { cause: error })
  })
  return new RespConnection(stream, cluster.clock)
}

/** Asks over a connection of its own, everything at once. */
async function once(cluster: Cluster, node: NodeId, port: 'client' | 'admin', commands: readonly (readonly string[])[], deadlineMs: number): Promise<readonly Reply[]> {
  const connection = await open(cluster, node, port, deadlineMs)
  try {
    return await Promise.all(commands.map((words) => connection.ask(words, deadlineMs)))
  } finally {
    connection.close()
  }
}

const keyText = (key: Json | undefined): string => (typeof key === 'string' ? key : JSON.stringify(key ?? null))

function wordsOf({ f, key, value }: Invocation): string[] {
  if (f === 'read') return ['GET', keyText(key)]
  if (f === 'write') return ['SET', keyText(key), JSON.stringify(value ?? null)]
  if (f === 'delete') return ['DEL', keyText(key)]
  throw new ClusterError('unknown-function', `the client of Redis knows read, write and delete, not "${f}"`)
}

const valueOf = (reply: Reply): Json => (reply === null ? null : (JSON.parse(text(reply)) as Json))

/** One process's client, at home on one node. */
class SentinelClient implements Client {
  readonly #cluster: Cluster
  readonly #home: NodeId
  readonly #deadlineMs: number
  readonly #places: ReadonlyMap<string, NodeId>
  #sentinel: RespConnection | undefined
  readonly #primaries = new Map<NodeId, RespConnection>()

  constructor(cluster: Cluster, home: NodeId, deadlineMs: number, places: ReadonlyMap<string, NodeId>) {
    this.#cluster = cluster
    this.#home = home
    this.#deadlineMs = deadlineMs
    this.#places = places
  }

  async invoke(op: Invocation): Promise<Completion> {
    const end = this.#cluster.clock.now() + this.#deadlineMs * 1e6
    const leftMs = (): number => Math.max(1, (end - this.#cluster.clock.now()) / 1e6)
    const words = wordsOf(op)
    let sent = false
    try {
      const connection = await this.#primary(leftMs)
      sent = true
      const reply = await connection.ask(words, leftMs())
      return op.f === 'read' ? { type: 'ok', value: valueOf(reply) } : { type: 'ok' }
    } catch (error) {
      // An error that Redis answers with (READONLY, LOADING, NOREPLICAS, ...) means that it did nothing.
      const refused = !sent || error instanceof ReplyError
      const code = error instanceof ReplyError || error instanceof StoreError ? error.code : 'MALFORMED'
      return { type: op.f === 'read' || refused ? 'fail' : 'info', error: code }
    }
  }

  /** A connection to whom the sentinel at home takes for the primary. */
  async #primary(leftMs: () => number): Promise<RespConnection> {
    if (this.#sentinel === undefined || this.#sentinel.broken) this.#sentinel = await open(this.#cluster, this.#home, 'admin', leftMs())
    const answer = await this.#sentinel.ask(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME], leftMs())
    const address = Array.isArray(answer) ? (answer as readonly Reply[]).map(text).join(':') : ''
    const node = this.#places.get(address)
    if (node === undefined) throw new StoreError('REFUSED', `the sentinel of ${this.#home} names ${address || 'nobody'} as primary, which is no node of this cluster`)
    const known = this.#primaries.get(node)
    if (known !== undefined && !known.broken) return known
    const connection = await open(this.#cluster, node, 'client', leftMs())
    this.#primaries.set(node, connection)
    return connection
  }

  close(): void {
    this.#sentinel?.close()
    for (const connection of this.#primaries.values()) connection.close()
  }
}

async function peek(cluster: Cluster, node: NodeId, keys: readonly Json[], deadlineMs: number): Promise<Peek[]> {
  const replies = await once(cluster, node, 'client', keys.map((key) => ['GET', keyText(key)]), deadlineMs)
  return keys.map((key, index) => ({ key, value: valueOf(replies[index]!) }))
}

/** How often this server gave its whole state to a replica, or took up again where one had stopped. */
async function counters(cluster: Cluster, node: NodeId, deadlineMs: number): Promise<Record<string, number>> {
  const [stats] = await once(cluster, node, 'client', [['INFO', 'stats']], deadlineMs)
  return Object.fromEntries([...text(stats!).matchAll(/^(sync_\w+):(\d+)/gm)].map(([, name, count]) => [name!, Number(count)]))
}
