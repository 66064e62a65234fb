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
 */
import { READ, WRITE } from '../messages.ts'
import type { Eventually } from '../storage.ts'
import { mergeCells } from '../versions.ts'
import type { Cell } from '../versions.ts'
import { tooFew } from './replication.ts'
import type { Coordinator, Replication } from './replication.ts'

/** The quorum protocol. */
export function quorumReplication(coordinator: Coordinator): Replication {
  const { self, config, lookup, partitioner, rpc, storage, timestamps } = coordinator
  const { read_quorum: readQuorum, write_quorum: writeQuorum, deadline_ms: deadlineMs } = config

  function read(key: string): Eventually<Cell> {
    const to = lookup.replicas(partitioner.token(key))
    return readQuorum === 1 && to.includes(self) ? storage.read(key) : readFrom(to, key)
  }

  async function readFrom(to: readonly string[], key: string): Promise<Cell> {
    const answers = await rpc.gather(READ, { to, request: key, need: readQuorum })
    if (!answers.complete) throw tooFew('UNAVAILABLE', 'answered the read', readQuorum, answers, deadlineMs)
    return answers.replies.reduce(mergeCells)
  }

  function write(key: string, value: Uint8Array | null): Promise<boolean> {
    const to = lookup.replicas(partitioner.token(key))
    const cell: Cell = { counter: timestamps.wall(), writer: timestamps.writer, value }
    if (writeQuorum > 1 || !to.includes(self)) return writeTo(to, key, cell)
    for (const peer of to) if (peer !== self) rpc.send(peer, WRITE, [key, cell])
    return storage.apply(key, cell)
  }

  async function writeTo(to: readonly string[], key: string, cell: Cell): Promise<boolean> {
    const stored = await rpc.gather(WRITE, { to, request: [key, cell], need: writeQuorum })
    if (!stored.complete) throw tooFew('INDETERMINATE', 'confirmed the write', writeQuorum, stored, deadlineMs)
    return stored.replies.includes(true)
  }

  return { read, write }
}
