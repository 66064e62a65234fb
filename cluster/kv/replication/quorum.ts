/**
 * N, R, W: Gifford's weighted voting (SOSP 1979) as Dynamo and Cassandra practise it, with last-write-wins.
 *
 * A write stamps its value with the coordinator's wall clock, sends it to all N replicas and waits for W; a read takes
 * the greatest version that R replicas report. With R + W > N every read quorum meets every completed write. That alone
 * is not linearizable: nothing finishes a write that reached only some replicas (so readers may see it, then not see it),
 * and of two writes the one with the faster clock wins, also when it came first.
 *
 * A quorum of one never waits for another node if this one is a replica: it answers alone and tells the others without
 * waiting; anti-entropy carries what they missed.
 *
 * With `sloppy`, the next nodes on the ring stand in for replicas that are believed to be down (Dynamo, SOSP 2007,
 * section 4.6): more is available, and quorums need not meet any more. With `read_repair`, a read hands the newest cell
 * to the replicas that answered it with an older one.
 */
import type { NodeId } from '../../../harness/env.ts'
import { NOBODY, READ, WRITE } from '../messages.ts'
import type { StandIns } from '../messages.ts'
import type { Location } from '../lookup/lookup.ts'
import type { Gathered } from '../rpc.ts'
import type { Eventually } from '../storage.ts'
import { compareVersions, mergeCells } from '../versions.ts'
import type { Cell } from '../versions.ts'
import { tooFew } from './replication.ts'
import type { Coordinator, Replication } from './replication.ts'

/** Whom to ask about a key: its replicas, or those who stand in for some of them. */
interface Targets {
  readonly to: readonly NodeId[]
  readonly standIns: StandIns
}

/** The quorum protocol, which can also store a cell that somebody else has stamped. */
export interface QuorumReplication extends Replication {
  place(key: string, cell: Cell): Eventually<boolean>
}

/** The quorum protocol. */
export function quorumReplication(coordinator: Coordinator): QuorumReplication {
  const { self, config, lookup, partitioner, rpc, storage, timestamps } = coordinator
  const { read_quorum: readQuorum, write_quorum: writeQuorum } = config

  function targetsOf({ replicas, substitutes }: Location): Targets {
    return config.sloppy ? withSubstitutes(replicas, substitutes, coordinator.suspects) : { to: replicas, standIns: NOBODY }
  }

  /** Goes on at once where the lookup knows the answer. */
  function locate<T>(key: string, goOn: (location: Location) => Eventually<T>): Eventually<T> {
    const found = lookup.find(partitioner.token(key))
    return found instanceof Promise ? found.then(goOn) : goOn(found)
  }

  function readAt(location: Location, key: string): Eventually<Cell> {
    const { to } = targetsOf(location)
    return readQuorum === 1 && to.includes(self) ? storage.read(key) : readFrom(location, to, key)
  }

  async function readFrom({ replicas }: Location, to: readonly NodeId[], key: string): Promise<Cell> {
    const answers = await rpc.gather(READ, { to, request: key, need: readQuorum })
    if (!answers.complete) throw tooFew('UNAVAILABLE', 'answered the read', readQuorum, answers, config)
    const latest = answers.replies.reduce(mergeCells)
    if (config.read_repair) repair(key, latest, replicas, answers)
    return latest
  }

  function repair(key: string, latest: Cell, replicas: readonly NodeId[], { replies, from }: Gathered<Cell>): void {
    for (let i = 0; i < from.length; i++) {
      if (compareVersions(replies[i]!, latest) < 0 && replicas.includes(from[i]!)) rpc.send(from[i]!, WRITE, [key, latest, NOBODY])
    }
  }

  function placeAt(location: Location, key: string, cell: Cell): Promise<boolean> {
    const targets = targetsOf(location)
    if (writeQuorum > 1 || !targets.to.includes(self) || targets.standIns.length > 0) return writeTo(targets, key, cell)
    for (const peer of targets.to) if (peer !== self) rpc.send(peer, WRITE, [key, cell, NOBODY])
    return storage.apply(key, cell)
  }

  function place(key: string, cell: Cell): Eventually<boolean> {
    return locate(key, location => placeAt(location, key, cell))
  }

  async function writeTo({ to, standIns }: Targets, key: string, cell: Cell): Promise<boolean> {
    const stored = await rpc.gather(WRITE, { to, request: [key, cell, standIns], need: writeQuorum })
    if (!stored.complete) throw tooFew('INDETERMINATE', 'confirmed the write', writeQuorum, stored, config)
    return stored.replies.includes(true)
  }

  return {
    read: key => locate(key, location => readAt(location, key)),
    write: (key, value) => place(key, { counter: timestamps.wall(), writer: timestamps.writer, value }),
    place,
  }
}

/** Puts the next node that is up in the place of each replica that is down. Where nobody is left, the replica is asked after all. */
function withSubstitutes(replicas: readonly NodeId[], substitutes: readonly NodeId[], suspects: (node: NodeId) => boolean): Targets {
  if (!replicas.some(suspects)) return { to: replicas, standIns: NOBODY }
  const free = substitutes.filter(node => !suspects(node))
  const standIns: NodeId[] = []
  const to = replicas.map(replica => {
    const substitute = suspects(replica) ? free.shift() : undefined
    if (substitute !== undefined) standIns.push(substitute, replica)
    return substitute ?? replica
  })
  return { to, standIns }
}
