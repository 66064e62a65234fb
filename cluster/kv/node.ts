/**
 * One node of the store, put together: a replica that any client may use as its coordinator. It touches the world
 * through its Env alone, so the same node runs as a process, in a container and on the simulator's virtual clock.
 */
import type { Env, NodeId } from '../../harness/env.ts'
import type { RunningNode } from '../system.ts'
import { adminCommands } from './admin.ts'
import type { NodeConfig } from './config.ts'
import { Promises } from './client-cache/call-backs.ts'
import { Door } from './door.ts'
import { StoreError } from './errors.ts'
import { eventually } from './eventually.ts'
import type { Eventually } from './eventually.ts'
import { FaultyDisk } from './faulty-disk.ts'
import { frontDoorCommands } from './front-door.ts'
import { hasLeft } from './lookup/asking.ts'
import { Directory } from './lookup/directory.ts'
import { overlayOf } from './lookup/lookups.ts'
import { isOpen } from './lookup/lookup.ts'
import type { Lookup, Overlay } from './lookup/lookup.ts'
import { remembered } from './lookup/remembered.ts'
import { Absentees } from './membership/absentees.ts'
import { changesOfViews, membershipCommands } from './membership/commands.ts'
import { fixedMembers } from './membership/fixed.ts'
import { countedFrom, viewToStartIn } from './membership/joining.ts'
import { Liveness } from './membership/liveness.ts'
import { Moving } from './membership/moving.ts'
import { OverlayMembers, overlayNote } from './membership/overlay-members.ts'
import { LOADS, placesByBytes } from './membership/places.ts'
import { Upkeep } from './membership/upkeep.ts'
import { everyone, ringChoices, staying } from './membership/view.ts'
import { Views } from './membership/views.ts'
import { Ledger } from './ledger.ts'
import { READ, VERSION, WRITE } from './messages.ts'
import { Custody } from './repair/custody.ts'
import { RangeDigests, UNKNOWN_ARCS } from './repair/hash-tree.ts'
import { Hints } from './repair/hints.ts'
import { TombstoneCollection } from './repair/tombstones.ts'
import { Reconciler } from './repair/reconcile.ts'
import { replicationOf } from './replication/protocols.ts'
import type { Coordinator, Replication } from './replication/replication.ts'
import { successionOf } from './replication/targets.ts'
import { TOKENS, partitioners } from './partitioner.ts'
import type { Partitioner } from './partitioner.ts'
import { Rpc } from './rpc.ts'
import { Storage } from './storage.ts'
import type { CellObserver } from './storage.ts'
import { Timestamps } from './timestamps.ts'
import { conflictRules, siblingsOf } from './siblings.ts'
import { ABSENT } from './versions.ts'
import type { Cell, ConflictRule } from './versions.ts'

const ARGUMENTS_MAX = 1024
const ADMIN_ARGUMENTS_MAX = 1 << 16
/** How long PEEK believes what a lookup said of an arc. */
const ARCS_REMEMBERED_MS = 50
const AUTHENTICATION_DEADLINE_MS = 5000

/** Starts a node on what its disk holds. Resolves when its ports accept connections. */
export async function startNode(given: Env, config: NodeConfig): Promise<RunningNode> {
  const disk = new FaultyDisk(given.disk, given.clock)
  const env = { ...given, disk }
  const replica = await startReplica(env, config)
  const doors = doorsOf(env, config, replica)
  // Nobody is answered before this node has found those whom it joins: alone it would confirm what nobody else knows.
  await replica.overlay?.start()
  await replica.overlayMembers?.meet()
  await env.network.listen('client', stream => doors.client.accept(stream))
  await env.network.listen('admin', stream => doors.admin.accept(stream))
  replica.liveness.start()
  replica.repair.start()
  replica.overlayMembers?.start()
  replica.moving.enter(replica.views.view)
  replica.absentees.start()
  replica.tombstones?.start()
  replica.hints?.start()
  env.log.info(`${config.id} runs, incarnation ${replica.incarnation}: ${config.replication}, N=${config.replicas} R=${config.read_quorum} W=${config.write_quorum}, sync ${config.sync}`)
  if (config.bugs.length > 0) env.log.warn(`${config.id} has planted bugs: ${config.bugs.join(', ')}`)
  return {
    stop: async () => {
      replica.repair.stop()
      replica.moving.stop()
      replica.absentees.stop()
      replica.tombstones?.stop()
      replica.overlay?.stop()
      replica.overlayMembers?.stop()
      replica.liveness.stop()
      replica.rpc.close()
      doors.client.close()
      doors.admin.close()
      await env.network.close()
      await replica.hints?.stop()
      await replica.replication.close?.()
      await replica.ledger.close()
      await replica.storage.close()
    },
  }
}

/** The parts of a node that clients do not see. */
interface Replica {
  readonly incarnation: number
  readonly partitioner: Partitioner
  readonly storage: Storage
  readonly rpc: Rpc
  readonly replication: Replication
  readonly liveness: Liveness
  readonly lookup: Lookup
  readonly overlay: Overlay | undefined
  readonly overlayMembers: OverlayMembers | undefined
  readonly repair: Upkeep | Custody
  readonly views: Views
  readonly ledger: Ledger
  readonly moving: Moving
  readonly absentees: Absentees
  readonly tombstones: TombstoneCollection | undefined
  readonly hints: Hints | undefined
}

async function startReplica(env: Env, config: NodeConfig): Promise<Replica> {
  const { clock, disk } = env
  const { id: self } = config
  const partitioner = partitioners[config.partitioner]
  const conflicts = conflictRules[config.versions]
  const storage = await Storage.open(disk, clock, partitioner, { sync: config.sync, syncIntervalMs: config.sync_interval_ms, cacheBytes: config.cache_bytes, conflicts, bugs: config.bugs })
  const ledger = await Ledger.open(disk, 'views', { clock, sync: true })
  const view = await viewToStartIn(env, config, ledger)
  const incarnation = await storage.nextIncarnation(countedFrom(env, config, view))
  const timestamps = new Timestamps({ clock, node: self, incarnation, kind: config.timestamps })
  const digests = config.lookup === 'ring' ? undefined : await digestsOf(storage, partitioner, self, timestamps)
  const rpc = new Rpc({ self, incarnation, clock, network: env.network, log: env.log, deadlineMs: config.deadline_ms, resendMs: config.resend_ms })
  const views = new Views({ self, view, ledger, rpc, writer: timestamps.writer, choices: ringChoices(config), clock, random: env.random.fork('views'), log: env.log })
  const liveness = new Liveness({ self, generation: incarnation, members: () => (config.lookup === 'ring' ? everyone(views.view) : config.nodes), config, clock, random: env.random.fork('liveness'), rpc })
  const suspects = (node: NodeId): boolean => liveness.suspects(node)
  const hints = config.sloppy
    ? await Hints.open(disk, { clock, rpc, intervalMs: config.heartbeat_interval_ms, max: config.hints_max, ttlMs: config.hints_ttl_ms, sync: config.sync === 'always', suspects, isMember: node => everyone(views.view).includes(node), replicasOf: key => views.replicas(partitioner.token(key)), conflicts, bugs: config.bugs })
    : undefined
  const promises = config.client_cache === 'call-backs' ? new Promises({ rpc, storage, clock, incarnation, giveUpMs: config.deadline_ms / 2, max: config.cache_entries_max }) : undefined
  let overlayMembers: OverlayMembers | undefined
  serveReplica({ rpc, storage, hints, self, conflicts, promises, isOut: () => overlayMembers?.isOut === true })
  const reconciler = new Reconciler({ rpc, storage, partitioner, conflicts })
  const overlay = await overlayOf(env, config, rpc, suspects, overlayNote(ledger)?.known)
  const lookup = overlay ?? views
  const replication = await replicationOf(config.replication, { self, config, incarnation, clock, disk, log: env.log, random: env.random.fork('replication'), partitioner, lists: views, staying: () => staying(views.view), lookup, ...relaysOf(overlay, config, partitioner), rpc, storage, timestamps, topology: views.topology, conflicts, keepFor: keepFor(hints), suspects })
  const care = { self, intervalMs: config.anti_entropy_interval_ms, clock, random: env.random.fork('anti-entropy'), rpc, reconciler, storage, partitioner }
  const repair = overlay === undefined || digests === undefined ? await Upkeep.open({ ...care, views, letGo: replication.letGo, witness: cell => timestamps.witness(cell) }) : new Custody({ ...care, lookup: overlay, digests })
  if (isOpen(overlay) && repair instanceof Custody) overlayMembers = new OverlayMembers({ self, joining: config.joining === true, overlay, custody: repair, ledger, rpc, clock, log: env.log })
  rpc.serve(LOADS, () => (repair instanceof Upkeep ? repair.loads() : []))
  const moving = new Moving({ self, views, rpc, storage, reconciler, succession: successionOf(config), takeOver: replication.takeOver, ended: replication.ended, clock, random: env.random.fork('moving'), log: env.log })
  const absentees = new Absentees({ self, afterMs: config.dismiss_after_ms, views, liveness, clock, log: env.log })
  views.onEnter = entered => {
    if (repair instanceof Upkeep) repair.enter()
    moving.enter(entered)
  }
  const tombstones = config.tombstone_grace_ms === 0 ? undefined : new TombstoneCollection({ graceMs: config.tombstone_grace_ms, clock, storage })
  return { incarnation, partitioner, storage, rpc, replication, liveness, lookup, overlay, overlayMembers, repair, views, ledger, moving, absentees, tombstones, hints }
}

/** What level ANY falls back on: the coordinator keeps the cell for every replica. */
function keepFor(hints: Hints | undefined): Coordinator['keepFor'] {
  return async (replicas, key, cell) => {
    if (hints === undefined) throw new StoreError('UNAVAILABLE', 'definite: this node keeps nothing for others')
    const kept = await Promise.all(replicas.map(replica => hints.keep(replica, key, cell)))
    return kept.includes(true)
  }
}

/** With a recursive directory its keepers carry out the operations. */
function relaysOf(overlay: Overlay | undefined, { routing }: NodeConfig, partitioner: Partitioner): { relaysOf?: (key: string) => readonly NodeId[] } {
  return overlay instanceof Directory && routing === 'recursive' ? { relaysOf: key => overlay.keepersOf(partitioner.token(key)) } : {}
}

/** The digests of what the disk holds where no node knows the ring as a whole, kept up to date from here on; the clock learns the versions on the way. */
async function digestsOf(storage: Storage, partitioner: Partitioner, self: NodeId, timestamps: Timestamps): Promise<RangeDigests> {
  const digests = new RangeDigests(UNKNOWN_ARCS, self)
  const changed: CellObserver = (at, before, after) => {
    digests.replace(at, before, after)
    timestamps.witness(after)
  }
  for await (const [key, cell] of storage.scan(0, TOKENS)) changed(partitioner.token(key), ABSENT, cell, key)
  storage.observe(changed)
  return digests
}

/** Where on the ring a new member should stand, after what the members hold now; those that do not answer count for nothing. */
async function placesFor({ rpc, views }: Replica, places: number): Promise<readonly number[] | null> {
  const members = views.view.members.map(({ id }) => id)
  const { replies, from } = await rpc.gather(LOADS, { to: members, request: null, need: members.length })
  return placesByBytes(views.serving, new Map(from.map((node, i) => [node, replies[i]!])), places)
}

/** What any node may ask of this one as a replica, or as one who stands in for a replica. */
function serveReplica({ rpc, storage, hints, self, conflicts, promises, isOut }: Pick<Replica, 'rpc' | 'storage' | 'hints'> & { readonly self: NodeId; readonly conflicts: ConflictRule; readonly promises: Promises | undefined; readonly isOut: () => boolean }): void {
  const { merge } = conflicts
  const versionOf = (cell: Cell): readonly [number, boolean] => [cell.counter, cell.value !== null]
  rpc.serve(READ, (key): Eventually<Cell> => {
    const cell = storage.read(key)
    if (hints === undefined || hints.counts.pending === 0) return cell
    const kept = hints.read(key)
    return eventually(cell, own => merge(own, kept))
  })
  rpc.serve(WRITE, ([key, cell, standIns]) => {
    if (isOut()) throw hasLeft(self)
    for (let i = 0; i < standIns.length; i += 2) {
      if (standIns[i] === self && hints !== undefined) return hints.keep(standIns[i + 1]!, key, cell)
    }
    const applied = storage.apply(key, cell)
    return promises === undefined ? applied : applied.then(existed => promises.changed(key).then(() => existed))
  })
  rpc.serve(VERSION, (key): Eventually<readonly [number, boolean]> => eventually(storage.read(key), versionOf))
}

/** The two ports that speak RESP. */
function doorsOf(env: Env & { readonly disk: FaultyDisk }, config: NodeConfig, replica: Replica): { readonly client: Door; readonly admin: Door } {
  const { clock, log } = env
  const { rpc, partitioner, lookup, overlay, overlayMembers, storage, repair, views, hints, replication } = replica
  const stats = (): Record<string, number> => ({
    incarnation: replica.incarnation,
    clients: client.counts.connections,
    commands: client.counts.commands,
    errors: client.counts.errors,
    requests: rpc.counts.requests,
    requests_expired: rpc.counts.expired,
    messages_malformed: rpc.counts.malformed,
    batches: storage.commits,
    comparisons: repair.counts.comparisons,
    cells_repaired: repair.counts.repaired,
    suspected: everyone(views.view).filter(node => replica.liveness.suspects(node)).length,
    epoch_of_members: views.view.epoch,
    cells_fetched: replica.moving.counts.fetched,
    cells_handed: repair instanceof Upkeep ? repair.handed : repair.counts.handed,
    cells_astray: (repair instanceof Upkeep ? repair.hasStrays : overlayMembers?.owes === true) ? 1 : 0,
    ...(replica.tombstones === undefined ? {} : { tombstones_collected: replica.tombstones.collected }),
    ...(hints === undefined ? {} : { hints_kept: hints.counts.kept, hints_pending: hints.counts.pending, hints_handed: hints.counts.handed, hints_expired: hints.counts.expired }),
    ...replication.stats?.(),
  })
  const describe = (): Record<string, Record<string, string | number>> => ({
    Server: { server_name: 'splitbrain', redis_mode: 'standalone', node: config.id, uptime_in_seconds: Math.floor(clock.now() / 1e9) },
    Persistence: { loading: 0, sync: config.sync },
    Replication: { protocol: config.replication, nodes: views.view.members.map(({ id }) => id).join(','), replicas: config.replicas, read_quorum: config.read_quorum, write_quorum: config.write_quorum },
    Stats: stats(),
  })
  const nodeLines = (): string[] => {
    const { topology } = views
    return everyone(views.view).map(node => [node, node === config.id ? 'myself' : 'other', replica.liveness.suspects(node) ? 'suspected' : 'up', topology.dataCenter(node), topology.rack(node)].join(' '))
  }
  const client = new Door({
    clock,
    log,
    commands: frontDoorCommands({ config, replication, describe, nodeLines }),
    limits: { argumentsMax: ARGUMENTS_MAX, bulkBytesMax: config.value_bytes_max, totalBytesMax: config.value_bytes_max + config.key_bytes_max + 1024 },
    connectionsMax: config.connections_max,
    halfReadBytesMax: config.half_read_bytes_max,
    guarded: false,
  })
  const arcs = overlay === undefined ? lookup : remembered(lookup, clock, ARCS_REMEMBERED_MS)
  const holds = (key: string): Eventually<boolean> => eventually(arcs.find(partitioner.token(key)), ({ replicas }) => replicas.includes(config.id))
  const changes = overlayMembers ?? changesOfViews({ views, clock, virtualNodes: config.virtual_nodes, placesFor: () => placesFor(replica, config.virtual_nodes) })
  const admin = new Door({
    clock,
    log,
    commands: new Map([...adminCommands({ token: config.token, self: config.id, nodes: env.network.nodes, rpc, storage, valuesOf: config.versions === 'vector-clocks' ? cell => siblingsOf(cell).map(({ value }) => value) : cell => [cell.value], holds, clock, disk: env.disk, stats, waits: () => replication.waits?.() ?? [] }), ...membershipCommands({ changes, machines: env.network.nodes, fixed: fixedMembers(config) })]),
    limits: { argumentsMax: ADMIN_ARGUMENTS_MAX, bulkBytesMax: config.key_bytes_max, totalBytesMax: 16 * 1024 * 1024 },
    connectionsMax: config.connections_max,
    halfReadBytesMax: config.half_read_bytes_max,
    guarded: true,
    authenticationDeadlineMs: AUTHENTICATION_DEADLINE_MS,
  })
  return { client, admin }
}
