/**
 * Linearizable registers from majority quorums: Attiya, Bar-Noy and Dolev, "Sharing memory robustly in message-passing
 * systems" (JACM 42(1), 1995), with many writers as in Lynch and Shvartsman (FTCS 1997).
 *
 * A write first asks a quorum for the greatest version, then stores its value under a greater one at a quorum.
 * A read asks a quorum, takes the cell of the greatest version, and stores that at a quorum before it answers:
 * otherwise a later read could miss what an earlier one returned. When the whole read quorum holds the same version
 * the value is at a quorum already and the second phase is left out.
 *
 * While members change, a quorum is one of the old replicas and one of the new at the same time (Gilbert, Lynch and
 * Shvartsman, "RAMBO", Distributed Computing 23, 2010), and a phase begins anew when the view changes under it.
 */
import type { NodeId } from '../../../harness/env.ts'
import { NOBODY, READ, VERSION, WRITE } from '../messages.ts'
import { compareVersions, mergeCells } from '../versions.ts'
import type { Cell } from '../versions.ts'
import { tooFew } from './replication.ts'
import type { Coordinator, Replication } from './replication.ts'
import { quorumOf } from './targets.ts'

/** The ABD protocol. */
export function abdReplication(coordinator: Coordinator): Replication {
  const { config, rpc, timestamps } = coordinator
  const { read_quorum: readQuorum, write_quorum: writeQuorum, bugs } = config

  /** Whether those who answered are a quorum for writes as well. */
  function isWriteQuorum(key: string, from: readonly NodeId[]): boolean {
    const { need, enough } = quorumOf(coordinator, key, writeQuorum)
    return from.length >= need && (enough === undefined || enough(from))
  }

  async function read(key: string): Promise<Cell> {
    const answers = await rpc.gatherInView(READ, key, () => quorumOf(coordinator, key, bugs.includes('read-one-replica') ? 1 : readQuorum))
    if (!answers.complete) throw tooFew('UNAVAILABLE', 'answered the read', readQuorum, answers, config)
    const latest = answers.replies.reduce(mergeCells)
    // The shortcut rests on the read quorum being as large as a write quorum.
    const settled = isWriteQuorum(key, answers.from) && answers.replies.every(cell => compareVersions(cell, latest) === 0)
    if (settled || bugs.includes('no-write-back') || bugs.includes('read-one-replica')) return latest
    const stored = await rpc.gatherInView(WRITE, [key, latest, NOBODY], () => quorumOf(coordinator, key, writeQuorum))
    if (!stored.complete) throw tooFew('UNAVAILABLE', 'confirmed the write-back', writeQuorum, stored, config)
    return latest
  }

  async function write(key: string, value: Uint8Array | null): Promise<boolean> {
    const versions = await rpc.gatherInView(VERSION, key, () => quorumOf(coordinator, key, readQuorum))
    if (!versions.complete) throw tooFew('UNAVAILABLE', 'told their version', readQuorum, versions, config)
    let seen = 0
    let existed = false
    for (const [counter, exists] of versions.replies) {
      if (counter > seen || (counter === seen && exists)) existed = exists
      seen = Math.max(seen, counter)
    }
    const counter = bugs.includes('wall-clock-versions') ? timestamps.wall() : timestamps.logical(seen)
    const cell: Cell = { counter, writer: timestamps.writer, value }
    const stored = await rpc.gatherInView(WRITE, [key, cell, NOBODY], () => quorumOf(coordinator, key, bugs.includes('ack-before-replicating') ? 1 : writeQuorum))
    if (!stored.complete) throw tooFew('INDETERMINATE', 'confirmed the write', writeQuorum, stored, config)
    return existed
  }

  return { read, write }
}
