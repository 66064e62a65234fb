/**
 * One node of the store, put together: a replica that any client may use as its coordinator. It touches the world
 * through its Env alone, so the same node runs as a process, in a container and on the simulator's virtual clock.
 */
import type { Env, NodeId } from '../../harness/env.ts'
import type { RunningNode } from '../system.ts'
import { adminCommands } from './admin.ts'
import type { NodeConfig } from './config.ts'
import { Door } from './door.ts'
import { frontDoorCommands } from './front-door.ts'
import { READ, VERSION, WRITE } from './messages.ts'
import { AntiEntropy } from './repair/anti-entropy.ts'
import { RangeDigests } from './repair/hash-tree.ts'
import { replicationOf } from './replication/protocols.ts'
import { Ring, TOKENS, murmur3Partitioner } from './ring.ts'
import { Rpc } from './rpc.ts'
import { Storage } from './storage.ts'
import type { Eventually } from './storage.ts'
import { Timestamps } from './timestamps.ts'
import { ABSENT } from './versions.ts'
import type { Cell } from './versions.ts'

const ARGUMENTS_MAX = 1024
const ADMIN_ARGUMENTS_MAX = 1 << 16
const AUTHENTICATION_DEADLINE_MS = 5000

/** Starts a node on what its disk holds. Resolves when its ports accept connections. */
export async function startNode(env: Env, config: NodeConfig): Promise<RunningNode> {
  const partitioner = murmur3Partitioner
  const ring = new Ring({ nodes: config.nodes, replicas: config.replicas, virtualNodes: config.virtual_nodes })
  const storage = await Storage.open(env.disk, env.clock, partitioner, { sync: config.sync, syncIntervalMs: config.sync_interval_ms, cacheBytes: config.cache_bytes })
  const incarnation = await storage.nextIncarnation()
  const digests = await digestsOf(storage, ring, config.id)
  const rpc = new Rpc({ self: config.id, incarnation, clock: env.clock, network: env.network, log: env.log, deadlineMs: config.deadline_ms, resendMs: config.resend_ms })
  serveReplica(rpc, storage)
  const timestamps = new Timestamps(env.clock, config.id, incarnation)
  const replication = replicationOf(config.replication, { self: config.id, config, partitioner, lookup: ring, rpc, storage, timestamps })
  const antiEntropy = new AntiEntropy({
    self: config.id,
    nodes: config.nodes,
    intervalMs: config.anti_entropy_interval_ms,
    clock: env.clock,
    random: env.random.fork('anti-entropy'),
    rpc,
    storage,
    digests,
  })

  const stats = (): Record<string, number> => ({
    incarnation,
    clients: clientDoor.counts.connections,
    commands: clientDoor.counts.commands,
    errors: clientDoor.counts.errors,
    requests: rpc.counts.requests,
    requests_expired: rpc.counts.expired,
    messages_malformed: rpc.counts.malformed,
    batches: storage.batches,
    comparisons: antiEntropy.counts.comparisons,
    cells_repaired: antiEntropy.counts.repaired,
  })
  const describe = (): Record<string, Record<string, string | number>> => ({
    Server: { server_name: 'splitbrain', redis_mode: 'standalone', node: config.id, uptime_in_seconds: Math.floor(env.clock.now() / 1e9) },
    Persistence: { loading: 0, sync: config.sync },
    Replication: { protocol: config.replication, nodes: config.nodes.join(','), replicas: config.replicas, read_quorum: config.read_quorum, write_quorum: config.write_quorum },
    Stats: stats(),
  })

  const clientDoor = new Door({
    clock: env.clock,
    log: env.log,
    commands: frontDoorCommands({ config, replication, describe }),
    limits: { argumentsMax: ARGUMENTS_MAX, bulkBytesMax: config.value_bytes_max, totalBytesMax: config.value_bytes_max + config.key_bytes_max + 1024 },
    guarded: false,
  })
  const adminDoor = new Door({
    clock: env.clock,
    log: env.log,
    commands: adminCommands({ token: config.token, nodes: config.nodes, rpc, storage, stats }),
    limits: { argumentsMax: ADMIN_ARGUMENTS_MAX, bulkBytesMax: config.key_bytes_max, totalBytesMax: 16 * 1024 * 1024 },
    guarded: true,
    authenticationDeadlineMs: AUTHENTICATION_DEADLINE_MS,
  })

  await env.network.listen('client', stream => clientDoor.accept(stream))
  await env.network.listen('admin', stream => adminDoor.accept(stream))
  antiEntropy.start()
  env.log.info(`${config.id} runs, incarnation ${incarnation}: ${config.replication}, N=${config.replicas} R=${config.read_quorum} W=${config.write_quorum}, sync ${config.sync}`)

  return {
    stop: async () => {
      antiEntropy.stop()
      rpc.close()
      clientDoor.close()
      adminDoor.close()
      await env.network.close()
      await storage.close()
    },
  }
}

/** The digests of what the disk holds, kept up to date from here on. */
async function digestsOf(storage: Storage, ring: Ring, self: NodeId): Promise<RangeDigests> {
  const digests = new RangeDigests(ring, self)
  for await (const [key, cell] of storage.scan(0, TOKENS)) digests.replace(murmur3Partitioner.token(key), ABSENT, cell)
  storage.observe((at, before, after) => digests.replace(at, before, after))
  return digests
}

/** What any node may ask of this one as a replica. */
function serveReplica(rpc: Rpc, storage: Storage): void {
  const versionOf = (cell: Cell): readonly [number, boolean] => [cell.counter, cell.value !== null]
  rpc.serve(READ, key => storage.read(key))
  rpc.serve(WRITE, ([key, cell]) => storage.apply(key, cell))
  rpc.serve(VERSION, (key): Eventually<readonly [number, boolean]> => {
    const cell = storage.read(key)
    return cell instanceof Promise ? cell.then(versionOf) : versionOf(cell)
  })
}
