/**
 * N, R, W: Gifford's weighted voting (SOSP 1979) as Dynamo and Cassandra practise it, with last-write-wins.
 *
 * A write stamps its value with the coordinator's clock (`timestamps.ts`), sends it to all N replicas and waits for W; a read takes
 * the greatest version that R replicas report. With R + W > N every read quorum meets every completed write. That alone
 * is not linearizable: nothing finishes a write that reached only some replicas (so readers may see it, then not see it),
 * and of two writes the one with the faster clock wins, also when it came first.
 *
 * A quorum of one never waits for another node if this one is a replica: it answers alone and tells the others without
 * waiting; anti-entropy carries what they missed.
 *
 * Levels (`levels.ts`) say per operation how many must answer, and where. With `speculative`, a read asks only as many
 * replicas as it needs, the fastest so far, and the others when these are late (Cassandra's rapid read protection).
 *
 * With `sloppy`, the next nodes on the ring stand in for replicas that are believed to be down (Dynamo, SOSP 2007,
 * section 4.6): more is available, and quorums need not meet any more. With `read_repair`, a read hands the newest cell
 * to the replicas that answered it with an older one.
 *
 * While members change, a write goes to the replicas of today and to those of tomorrow, and needs enough of both; a read
 * asks those of today, which have everything. An operation under which the view changes begins anew.
 */
import type { NodeId } from '../../../harness/env.ts'
import type { Eventually } from '../eventually.ts'
import type { Gathered, Reserve } from '../gather.ts'
import { NOBODY, READ, WRITE } from '../messages.ts'
import type { Location } from '../lookup/lookup.ts'
import { VIEWS_MAX } from '../rpc.ts'
import { compareVersions } from '../versions.ts'
import type { Cell } from '../versions.ts'
import { tooFew } from './replication.ts'
import type { Level, Requirement } from './levels.ts'
import { ranges } from './ranges.ts'
import type { Coordinator, Replication } from './replication.ts'
import { requirement, targetsOf, withIncoming } from './targets.ts'
import type { Targets } from './targets.ts'

/** A replica is late when it takes so many times its usual time, and this at least; and every so many reads ask all replicas. */
const LATE_FACTOR = 3
const SPECULATE_MS_MIN = 5
const ASK_ALL_EVERY = 32

/** The quorum protocol, which can also store a cell that somebody else has stamped. */
export interface QuorumReplication extends Replication {
  place(key: string, cell: Cell, level?: Level): Eventually<boolean>
}

/** The quorum protocol. */
export function quorumReplication(coordinator: Coordinator): QuorumReplication {
  const { self, config, conflicts, lookup, partitioner, rpc, storage, timestamps } = coordinator
  const { read_quorum: readQuorum, write_quorum: writeQuorum } = config
  let reads = 0
  let readRepairs = 0

  /** Goes on at once where the lookup knows the answer. */
  function locate<T>(key: string, goOn: (location: Location) => Eventually<T>): Eventually<T> {
    const found = lookup.find(partitioner.token(key))
    return found instanceof Promise ? found.then(goOn) : goOn(found)
  }

  function readAt(location: Location, key: string, level = config.read_level, views = 1): Eventually<Cell> {
    const { to } = targetsOf(location, coordinator)
    const required = requirement(level, location.replicas, readQuorum, coordinator)
    if (required.need === 1 && required.enough === undefined && to.includes(self)) return storage.read(key)
    return readFrom(location, to, key, required, () => (views < VIEWS_MAX ? locate(key, anew => readAt(anew, key, level, views + 1)) : undefined))
  }

  async function readFrom({ replicas }: Location, to: readonly NodeId[], key: string, required: Requirement, again: () => Eventually<Cell> | undefined): Promise<Cell> {
    const answers = await rpc.gather(READ, { to, request: key, need: required.need, enough: required.enough, reserve: speculation(to, required) })
    const repeated = answers.complete || !answers.outdated ? undefined : await again()
    if (repeated !== undefined) return repeated
    if (!answers.complete) throw tooFew('UNAVAILABLE', 'answered the read', required.need, answers, config)
    const latest = answers.replies.reduce(conflicts.merge)
    timestamps.witness(latest)
    if (config.read_repair) repair(key, latest, replicas, answers)
    return latest
  }

  /** Holds back all but the replicas that answered fastest so far, until these are late. Now and then all are asked, to learn who is fast. */
  function speculation(to: readonly NodeId[], { need, enough }: Requirement): Reserve | undefined {
    if (!config.speculative || enough !== undefined || need >= to.length || ++reads % ASK_ALL_EVERY === 0) return undefined
    const byLatency = [...to].sort((a, b) => rpc.latencyMs(READ, a) - rpc.latencyMs(READ, b))
    return { nodes: byLatency.slice(need), afterMs: Math.max(SPECULATE_MS_MIN, LATE_FACTOR * rpc.latencyMs(READ, byLatency[need - 1]!)) }
  }

  function repair(key: string, latest: Cell, replicas: readonly NodeId[], { replies, from }: Gathered<Cell>): void {
    for (let i = 0; i < from.length; i++) {
      if (compareVersions(replies[i]!, latest) === 0 || !replicas.includes(from[i]!)) continue
      readRepairs++
      rpc.send(from[i]!, WRITE, [key, latest, NOBODY])
    }
  }

  function placeAt(location: Location, key: string, cell: Cell, level = config.write_level, views = 1): Promise<boolean> {
    const targets = targetsOf(location, coordinator)
    if (level === 'any' && location.replicas.every(coordinator.suspects)) return coordinator.keepFor(location.replicas, key, cell)
    const required = requirement(level, location.replicas, writeQuorum, coordinator)
    const again = (): Eventually<boolean> | undefined => (views < VIEWS_MAX ? locate(key, anew => placeAt(anew, key, cell, level, views + 1)) : undefined)
    if (location.incoming !== undefined) return writeTo(key, cell, ...withIncoming(targets, required, location.incoming, level, coordinator), again)
    if (required.need > 1 || required.enough !== undefined || !targets.to.includes(self) || targets.standIns.length > 0) return writeTo(key, cell, targets, required, again)
    for (const peer of targets.to) if (peer !== self) rpc.send(peer, WRITE, [key, cell, NOBODY])
    return applyHere(key, cell, again)
  }

  /** Confirms alone; where the view changed meanwhile, when those who hold the key now have it as well. */
  function applyHere(key: string, cell: Cell, again: () => Eventually<boolean> | undefined): Promise<boolean> {
    const { epoch } = rpc
    return storage.apply(key, cell).then(existed => (rpc.epoch === epoch ? existed : (again() ?? existed)))
  }

  function place(key: string, cell: Cell, level?: Level): Eventually<boolean> {
    return locate(key, location => placeAt(location, key, cell, level))
  }

  function writeTo(key: string, cell: Cell, { to, standIns }: Targets, { need, enough }: Requirement, again: () => Eventually<boolean> | undefined): Promise<boolean> {
    return rpc.gather(WRITE, { to, request: [key, cell, standIns], need, enough }).then(stored => {
      if (stored.complete) return stored.replies.includes(true)
      return (stored.outdated ? again() : undefined) ?? Promise.reject(tooFew('INDETERMINATE', 'confirmed the write', need, stored, config))
    })
  }

  return {
    hasLevels: true,
    read: (key, level) => locate(key, location => readAt(location, key, level)),
    write: (key, value, _, level) => place(key, timestamps.cell(value), level),
    place,
    ...(partitioner.ordered && config.versions === 'last-write-wins' ? { range: ranges(coordinator) } : {}),
    ...(config.read_repair ? { stats: () => ({ read_repairs: readRepairs }) } : {}),
  }
}
