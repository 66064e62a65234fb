/**
 * etcd, unmodified, as a system under test: one `etcd` per node, and a client that speaks its JSON gateway.
 *
 * Writes go through Raft. A linearizable read asks the leader for a read index that a majority confirms (Raft
 * dissertation, section 6.4); a serializable one is answered from the replica's own state, which may be behind.
 */
import type { Completion, Invocation, Json } from '../../checker/history/index.ts'
import { sleep } from '../../harness/clock.ts'
import type { NodeId } from '../../harness/env.ts'
import type { Cluster } from '../cluster.ts'
import { ClusterError } from '../cluster.ts'
import type { Client, Command, NodeAddresses, NodeSpec, Peek, System, SystemMembership } from '../system.ts'
import { EtcdError, bytesOf, call, counters, jsonOf, keyOf, memberList, status, valueOf } from './etcd-gateway.ts'
import type { KeyValue, Member } from './etcd-gateway.ts'
import { installed } from './installed.ts'

/** How reads are answered. */
export type EtcdReads = 'linearizable' | 'serializable'

/** What each kind of reads promises. */
export const etcdPromises: Readonly<Record<EtcdReads, string>> = {
  linearizable: 'linearizable; the minority side of a partition is unavailable',
  serializable: 'sequential: writes are ordered by Raft, reads are answered by any replica, also on the minority side, and may be stale',
}

/** How long one member may take to answer. */
const ASK_DEADLINE_MS = 1_000

/** An etcd cluster whose clients read in this way. */
export function etcdSystem(reads: EtcdReads): System {
  const peerAddresses = new Map<NodeId, string>()
  return {
    name: reads === 'linearizable' ? 'etcd' : `etcd-${reads}`,
    expected: reads === 'linearizable' ? 'linearizable' : 'sequential',
    promise: etcdPromises[reads],
    functions: ['read', 'write', 'delete', 'cas'],
    sharedAddresses: true,
    // Without pre-vote (not in 3.4 by default) a healed node disrupts the leader once more.
    settleMs: 30_000,
    nodes: (ids, spares = []) => [...ids, ...spares].map((id): NodeSpec => ({
      id,
      command: (addresses, joining) => {
        for (const [node, { peer }] of Object.entries(addresses.shared!)) peerAddresses.set(node, peer)
        return command(id, addresses, joining === undefined ? ids : [...joining, id], joining === undefined ? 'new' : 'existing')
      },
      image: { executables: [installed('etcd', 'etcd-server')] },
    })),
    client: (cluster, node, { deadlineMs }) => new EtcdClient(cluster, node, deadlineMs, reads),
    ping: async (cluster, node, deadlineMs) => (await fetch(`http://${cluster.address(node, 'client')}/version`, { signal: AbortSignal.timeout(deadlineMs) })).ok,
    ready: async (cluster, deadlineMs) => (await Promise.all(cluster.nodes.map(({ id }) => status(cluster, id, deadlineMs)))).every(({ leader }) => leader !== undefined && leader !== '0'),
    primaries: async (cluster) => {
      const seen = await Promise.all(cluster.nodes.map(async ({ id }) => ({ id, seen: await status(cluster, id, ASK_DEADLINE_MS).catch(() => undefined) })))
      return seen.filter((node) => node.seen !== undefined && node.seen.leader === node.seen.header.member_id).map(({ id }) => id)
    },
    peek,
    counters,
    membership: membershipOf(peerAddresses),
  }
}

function command(id: NodeId, { listen, shared, dataDir }: NodeAddresses, members: readonly NodeId[], state: 'new' | 'existing'): Command {
  const places = shared!
  const options = {
    name: id,
    'data-dir': dataDir,
    'listen-peer-urls': `http://${listen.peer}`,
    'listen-client-urls': `http://${listen.client}`,
    'initial-advertise-peer-urls': `http://${places[id]!.peer}`,
    'advertise-client-urls': `http://${places[id]!.client}`,
    'initial-cluster': members.map((member) => `${member}=http://${places[member]!.peer}`).join(','),
    'initial-cluster-state': state,
    'initial-cluster-token': 'splitbrain',
    logger: 'zap',
    'log-outputs': 'stderr',
  }
  return { file: installed('etcd', 'etcd-server'), args: Object.entries(options).map(([name, value]) => `--${name}=${value}`) }
}

/** Refusals after which the operation certainly has not happened and never will: it was not proposed. */
const NOT_PROPOSED = /too many requests|no leader|not capable|request is too large/

/**
 * One process's client. After an error it first sees whether anybody listens, so that a dead node costs a `fail` (nothing
 * was sent) rather than an `info`.
 */
class EtcdClient implements Client {
  readonly #cluster: Cluster
  readonly #node: NodeId
  readonly #deadlineMs: number
  readonly #reads: EtcdReads
  #doubtful = true

  constructor(cluster: Cluster, node: NodeId, deadlineMs: number, reads: EtcdReads) {
    this.#cluster = cluster
    this.#node = node
    this.#deadlineMs = deadlineMs
    this.#reads = reads
  }

  async invoke(op: Invocation): Promise<Completion> {
    const { clock } = this.#cluster
    const began = clock.now()
    if (this.#doubtful) {
      const stream = await this.#cluster.dial(this.#node, 'client', this.#deadlineMs).catch(() => undefined)
      if (stream === undefined) return { type: 'fail', error: 'REFUSED' }
      stream.close()
    }
    try {
      const completion = await this.#carryOut(op, this.#deadlineMs - (clock.now() - began) / 1e6)
      this.#doubtful = false
      return completion
    } catch (error) {
      this.#doubtful = true
      const { name, message } = error as Error
      const certain = op.f === 'read' || (error instanceof EtcdError && NOT_PROPOSED.test(message))
      return { type: certain ? 'fail' : 'info', error: error instanceof EtcdError ? message : name }
    }
  }

  async #carryOut({ f, key, value }: Invocation, leftMs: number): Promise<Completion> {
    const ask = <T>(method: string, body: Record<string, unknown>): Promise<T> => call(this.#cluster, this.#node, method, body, leftMs)
    switch (f) {
      case 'read': {
        const { kvs = [] } = await ask<{ kvs?: KeyValue[] }>('kv/range', { key: keyOf(key), serializable: this.#reads === 'serializable' })
        return { type: 'ok', value: kvs[0] === undefined ? null : jsonOf(kvs[0].value) }
      }
      case 'write':
        await ask('kv/put', { key: keyOf(key), value: valueOf(value) })
        return { type: 'ok' }
      case 'delete':
        await ask('kv/deleterange', { key: keyOf(key) })
        return { type: 'ok' }
      case 'cas': {
        const [before, after] = value as readonly [Json, Json]
        const compare = [{ key: keyOf(key), target: 'VALUE', result: 'EQUAL', value: valueOf(before) }]
        const { succeeded } = await ask<{ succeeded?: boolean }>('kv/txn', { compare, success: [{ request_put: { key: keyOf(key), value: valueOf(after) } }] })
        return succeeded === true ? { type: 'ok' } : { type: 'fail', error: 'CHANGED' }
      }
      default:
        throw new ClusterError('unknown-function', `etcd's client knows read, write, delete and cas, not "${f}"`)
    }
  }

  close(): void {
    // Connections are pooled; they close when they are idle.
  }
}

const EVERYTHING = bytesOf('\0')

/** What one replica holds: everything, in one serializable read. */
async function peek(cluster: Cluster, node: NodeId, keys: readonly Json[], deadlineMs: number): Promise<Peek[]> {
  const { kvs = [] } = await call<{ kvs?: KeyValue[] }>(cluster, node, 'kv/range', { key: EVERYTHING, range_end: EVERYTHING, serializable: true }, deadlineMs)
  const held = new Map(kvs.map(({ key, value }) => [key, jsonOf(value)]))
  return keys.map((key) => ({ key, value: held.get(keyOf(key)) ?? null }))
}

/** Members are added and removed through Raft, one at a time (Raft dissertation, section 4.1); a new one copies the leader's log, and has no name until it has started. */
function membershipOf(peerAddresses: ReadonlyMap<NodeId, string>): SystemMembership {
  const urlOf = (node: NodeId): string => `http://${peerAddresses.get(node)}`
  const isNode = (node: NodeId) => ({ name, peerURLs }: Member): boolean => name === node || peerURLs.includes(urlOf(node))
  return {
    admit: (cluster, node, deadlineMs) => anyOf(cluster, node, deadlineMs, async (asked) => {
      const known = (await memberList(cluster, asked, ASK_DEADLINE_MS)).some(isNode(node))
      if (!known) await call(cluster, asked, 'cluster/member/add', { peerURLs: [urlOf(node)] }, ASK_DEADLINE_MS)
    }),
    dismiss: (cluster, node, deadlineMs) => anyOf(cluster, node, deadlineMs, async (asked) => {
      const member = (await memberList(cluster, asked, ASK_DEADLINE_MS)).find(isNode(node))
      if (member !== undefined) await call(cluster, asked, 'cluster/member/remove', { ID: member.ID }, ASK_DEADLINE_MS)
    }),
    members: async (cluster, asked, deadlineMs) => {
      const list = await memberList(cluster, asked, deadlineMs)
      return list.map((member) => [...peerAddresses.keys()].find((node) => isNode(node)(member)) ?? member.peerURLs[0]!)
    },
  }
}

const RETRY_MS = 200

/**
 * Asks one member after the other, not `except`, until one does it. etcd refuses to change its members while some have
 * been connected for less than five seconds, or no leader is known: then they are asked again.
 */
async function anyOf(cluster: Cluster, except: NodeId, deadlineMs: number, ask: (node: NodeId) => Promise<unknown>): Promise<void> {
  const end = cluster.clock.now() + deadlineMs * 1e6
  for (;;) {
    let last: unknown = new ClusterError('no-member', 'there is no other member to ask')
    for (const { id } of cluster.nodes.filter((node) => node.id !== except)) {
      try {
        await ask(id)
        return
      } catch (error) {
        last = error
      }
    }
    if (cluster.clock.now() > end) throw last
    await sleep(cluster.clock, RETRY_MS)
  }
}
