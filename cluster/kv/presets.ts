/**
 * Well-known combinations of the store's parts, each with what it promises. A promise is
 * what the preset keeps under every fault; what people believe of it beyond that stands in its sentence alone.
 */
import type { Model } from '../../checker/verdict.ts'
import type { NodeId } from '../../harness/env.ts'
import type { NodeConfig, NodeOptions } from './config.ts'
import { majority } from './replication/levels.ts'

/** A named combination. */
export interface Preset {
  readonly name: string
  /** One sentence: what it promises, at what cost. */
  readonly promise: string
  readonly expected: Model
  /** What is left of that for clients that ask another node each time. Absent: all of it. */
  readonly expectedWhenMoving?: Model
  /** What clients can do. Default: read, write, delete. */
  readonly functions?: readonly string[]
  /** When confirmed writes may be lost in spite of all that. Default: never. */
  readonly losesWrites?: 'at failover' | 'when clocks differ'
  /** Its choices for a cluster of this many nodes. */
  options(nodes: number): NodeOptions
}

const common = {
  versions: 'last-write-wins' as const,
  timestamps: 'wall' as const,
  speculative: false,
  tombstone_grace_ms: 0,
  data_centers: 1,
  racks: 1,
  sloppy: false,
  read_repair: false,
  heartbeats: 'direct' as const,
  heartbeat_interval_ms: 0,
  failure_detector: 'timeout' as const,
  suspect_after_ms: 300,
  phi_threshold: 8,
  cleanup_after_ms: 10_000,
  dismiss_after_ms: 0,
  lease_ms: 0,
  hints_max: 100_000,
  hints_ttl_ms: 3 * 3_600_000,
  sync: 'always' as const,
  sync_interval_ms: 100,
  deadline_ms: 500,
  resend_ms: 150,
  anti_entropy_interval_ms: 1_000,
  lookup: 'ring' as const,
  routing: 'iterative' as const,
  lookup_interval_ms: 100,
  hop_deadline_ms: 100,
  directory_keepers: 3,
  replace_after_ms: 30_000,
  partitioner: 'murmur3' as const,
  virtual_nodes: 256,
  key_bytes_max: 64 * 1024,
  value_bytes_max: 8 * 1024 * 1024,
  cache_bytes: 64 * 1024 * 1024,
  connections_max: 10_000,
  half_read_bytes_max: 256 * 1024 * 1024,
  client_cache: 'none' as const,
  cache_ms: 3_000,
  cache_entries_max: 100_000,
  bugs: [],
} satisfies Partial<NodeOptions>

const abd: Preset = {
  name: 'abd',
  promise: 'Linearizable reads and writes from majority quorums with logical timestamps and write-back; whoever cannot reach a majority cannot read or write.',
  expected: 'linearizable',
  options: nodes => ({ ...common, replication: 'abd', replicas: nodes, read_quorum: majority(nodes), write_quorum: majority(nodes) }),
}

const paxos: Preset = {
  name: 'paxos',
  promise: 'Linearizable reads, writes and compare-and-sets by consensus on every key; whoever cannot reach a majority cannot read or write.',
  expected: 'linearizable',
  functions: ['read', 'write', 'delete', 'cas'],
  options: nodes => ({ ...common, replication: 'paxos', heartbeat_interval_ms: 100, replicas: nodes, read_quorum: majority(nodes), write_quorum: majority(nodes) }),
}

const primarySync: Preset = {
  name: 'primary-sync',
  promise: 'Linearizable: an elected primary orders everything, confirms a write when a majority has it, and reads under a lease; nothing is served while a primary is being elected, nor away from a majority.',
  expected: 'linearizable',
  functions: ['read', 'write', 'delete', 'cas'],
  options: nodes => ({ ...common, replication: 'primary', heartbeat_interval_ms: 100, lease_ms: 400, replicas: nodes, read_quorum: majority(nodes), write_quorum: majority(nodes), read_level: 'quorum', write_level: 'quorum' }),
}

const primaryAsync: Preset = {
  name: 'primary-async',
  promise: 'A primary confirms what it has itself and tells its backups later, so a failover loses confirmed writes, and a primary that was cut off goes on until it hears of its successor; replicas become equal soon after.',
  expected: 'eventual',
  losesWrites: 'at failover',
  functions: ['read', 'write', 'delete', 'cas'],
  options: nodes => ({ ...common, replication: 'primary', heartbeat_interval_ms: 100, replicas: nodes, read_quorum: 1, write_quorum: 1, read_level: 'one', write_level: 'one' }),
}

const transactional = ['read', 'write', 'delete', 'cas', 'txn']

const twoPhaseCommit: Preset = {
  name: '2pc',
  promise: 'Strict serializable transactions over keys that one node each holds, by two-phase commit and locks; a key is gone while its node is, and locked while a coordinator that died after the votes is.',
  expected: 'linearizable',
  functions: transactional,
  options: () => ({ ...common, replication: '2pc', replicas: 1, read_quorum: 1, write_quorum: 1 }),
}

const paxosCommit: Preset = {
  name: 'paxos-commit',
  promise: 'Strict serializable transactions as with 2pc, with the votes kept by a majority: no death of a coordinator blocks anybody, at one more round trip.',
  expected: 'linearizable',
  functions: transactional,
  options: () => ({ ...common, replication: 'paxos-commit', replicas: 1, read_quorum: 1, write_quorum: 1 }),
}

const quorum: Preset = {
  name: 'quorum',
  promise: 'Replicas become equal, no more: R + W > N with last-write-wins by wall clock is widely believed to be linearizable, since a read quorum meets every completed write, at one round trip each.',
  expected: 'eventual',
  losesWrites: 'when clocks differ',
  options: nodes => ({ ...common, replication: 'quorum', anti_entropy_interval_ms: 3_000, replicas: nodes, read_quorum: majority(nodes), write_quorum: majority(nodes) }),
}

const one: Preset = {
  name: 'one',
  promise: 'Any replica answers alone and tells the others later: always available, stale while the network is cut, equal again soon after.',
  expected: 'eventual',
  losesWrites: 'when clocks differ',
  options: nodes => ({ ...common, replication: 'quorum', replicas: nodes, read_quorum: 1, write_quorum: 1 }),
}

const dynamo: Preset = {
  name: 'dynamo',
  promise: 'N=3, R=W=2 with sloppy quorums and hinted handoff: any two nodes that see each other read and write; stale while the network is cut, equal again soon after.',
  expected: 'eventual',
  losesWrites: 'when clocks differ',
  options: nodes => ({
    ...common,
    replication: 'quorum',
    replicas: Math.min(3, nodes),
    read_quorum: Math.min(2, nodes),
    write_quorum: Math.min(2, nodes),
    sloppy: true,
    read_repair: true,
    heartbeats: 'gossip',
    heartbeat_interval_ms: 100,
  }),
}

/** N=3, R=W=2 on whatever replicas a lookup finds. */
const found = (nodes: number) => ({ ...common, replication: 'quorum' as const, read_repair: true, anti_entropy_interval_ms: 500, replicas: Math.min(3, nodes), read_quorum: Math.min(2, nodes), write_quorum: Math.min(2, nodes) })

const chord: Preset = {
  name: 'chord',
  promise: 'Keys are found by successors and fingers in O(log N) messages and held by three successors; a ring that is cut goes on as two and becomes one again, so reads may be stale until then.',
  expected: 'eventual',
  losesWrites: 'when clocks differ',
  options: nodes => ({ ...found(nodes), lookup: 'chord' }),
}

const leafSet: Preset = {
  name: 'leaf-set',
  promise: 'Keys are found by prefix in O(log N) messages and held by the three nodes numerically closest; where the network is cut other nodes are closest, so reads may be stale until replicas agree again.',
  expected: 'eventual',
  losesWrites: 'when clocks differ',
  options: nodes => ({ ...found(nodes), lookup: 'leaf-set', routing: 'recursive' }),
}

const directoryRecursive: Preset = {
  name: 'directory-recursive',
  promise: "A replicated directory relays every operation to the key's three replicas: whoever reaches none of its keepers does nothing; stale while the network is cut, equal again soon after.",
  expected: 'eventual',
  losesWrites: 'when clocks differ',
  options: nodes => ({ ...found(nodes), lookup: 'directory', routing: 'recursive', heartbeat_interval_ms: 100 }),
}

const directoryIterative: Preset = {
  name: 'directory-iterative',
  promise: "A replicated directory says who holds a key and the coordinator asks these itself, at one more round trip; stale while the network is cut, equal again soon after.",
  expected: 'eventual',
  losesWrites: 'when clocks differ',
  options: nodes => ({ ...found(nodes), lookup: 'directory', heartbeat_interval_ms: 100 }),
}


/** Up to three replicas in each of two data centers, hints, speculation: everything but the level is the same. */
function cassandra(level: 'one' | 'quorum' | 'local-quorum' | 'each-quorum', promise: string): Preset {
  return {
    name: `cassandra-${level}`,
    promise,
    expected: 'eventual',
    losesWrites: 'when clocks differ',
    options: nodes => ({
      ...common,
      replication: 'quorum',
      replicas: Math.min(6, nodes),
      data_centers: Math.min(2, nodes),
      racks: 3,
      read_quorum: 1,
      write_quorum: 1,
      read_level: level,
      write_level: level,
      speculative: true,
      sloppy: true,
      read_repair: true,
      heartbeats: 'gossip',
      heartbeat_interval_ms: 100,
      failure_detector: 'accrual',
    }),
  }
}

const cassandraOne = cassandra('one', 'Two data centers, any one replica answers: always available, and stale until hints, read repair and anti-entropy have spread what was written.')
const cassandraQuorum = cassandra('quorum', 'Two data centers, a majority of all replicas answers and the last write wins: fresh while clocks agree and nothing fails half-way, unavailable to whoever reaches fewer replicas or stand-ins.')
const cassandraLocalQuorum = cassandra('local-quorum', "Two data centers, a majority of the coordinator's own answers: fast and available where the other center is cut off, and stale across centers until they have caught up.")
const cassandraEachQuorum = cassandra('each-quorum', 'Two data centers, a majority of each answers: no operation while either cannot be reached, last write wins.')

/** One server for each key, and a cache in every node for its clients. */
const cachedBy = (client_cache: 'polled' | 'call-backs') => (): NodeOptions => ({ ...common, replication: 'abd', replicas: 1, read_quorum: 1, write_quorum: 1, client_cache })

const cachedNfs: Preset = {
  name: 'cached-nfs',
  promise: 'One server holds each key and every node caches for its clients, asking again after 3 s, as NFS: a client that stays with one node sees its own writes and never goes back in time, and sees what others wrote up to 3 s late, key by key; one that moves from node to node finds an older cache there; a key is gone while its server is.',
  expected: 'monotonic-reads',
  expectedWhenMoving: 'eventual',
  options: cachedBy('polled'),
}

const cachedAfs: Preset = {
  name: 'cached-afs',
  promise: 'One server holds each key and tells every node that caches it before it confirms a write, as AFS: reads cost no message; a node whose server crashed, or that was cut off, may be up to 3 s behind: a client that stays with one node sees its own writes and never goes back in time, one that moves there does; a key is gone while its server is.',
  expected: 'monotonic-reads',
  expectedWhenMoving: 'eventual',
  options: cachedBy('call-backs'),
}

const all: readonly Preset[] = [
  abd,
  paxos,
  primarySync,
  twoPhaseCommit,
  paxosCommit,
  cachedAfs,
  cachedNfs,
  primaryAsync,
  quorum,
  one,
  dynamo,
  chord,
  leafSet,
  directoryRecursive,
  directoryIterative,
  cassandraOne,
  cassandraQuorum,
  cassandraLocalQuorum,
  cassandraEachQuorum,
]

/** All presets by name, strongest promise first. */
export const presets: Readonly<Record<string, Preset>> = Object.fromEntries(all.map(preset => [preset.name, preset]))

/** The preset of that name. Throws a sentence that lists the names. */
export function findPreset(name: string): Preset {
  const preset = Object.hasOwn(presets, name) ? presets[name] : undefined
  if (preset === undefined) throw new Error(`there is no preset "${name}"; the presets are ${Object.keys(presets).join(', ')}`)
  return preset
}

/** Another N asks for the quorums that the preset would choose for that many nodes. */
function quorumsFor(preset: Preset, replicas: number | undefined): Partial<NodeOptions> {
  if (replicas === undefined) return {}
  const { read_quorum, write_quorum } = preset.options(replicas)
  return { read_quorum, write_quorum }
}

/** The preset's choices for a cluster that begins with so many nodes, with some changed. */
export function presetOptions(preset: Preset, nodes: number, overrides: Partial<NodeOptions> = {}): NodeOptions {
  return { ...preset.options(nodes), ...quorumsFor(preset, overrides.replicas), ...overrides }
}

/** The configuration of each node of a cluster that runs this preset. */
export function presetConfigs(preset: Preset, nodes: readonly NodeId[], token: string, overrides: Partial<NodeOptions> = {}): NodeConfig[] {
  const options = presetOptions(preset, nodes.length, overrides)
  return nodes.map(id => ({ id, nodes: [...nodes], token, ...options }))
}
