/**
 * Two replicas make some ranges of tokens equal, cell by cell: one sends its versions, the other answers with what is
 * newer there and with the keys whose newer cells it wants. Where neither of two cells need be the newer one (siblings),
 * they go both ways. Tombstones are cells like others, so deletions spread too.
 */
import type { NodeId } from '../../../harness/env.ts'
import { NOBODY, RECONCILE, WRITE } from '../messages.ts'
import type { KeyCell, KeyVersion } from '../messages.ts'
import type { TokenRange } from '../partitioner.ts'
import type { Rpc } from '../rpc.ts'
import type { Storage } from '../storage.ts'
import { ABSENT, compareVersions } from '../versions.ts'
import type { Cell, ConflictRule } from '../versions.ts'

/** Bytes of cells given in one exchange. */
const BYTES_AT_ONCE = 1 << 20
const CELL_OVERHEAD_BYTES = 64

/** What came of making two nodes equal. */
export interface Reconciled {
  /** How many cells went either way. */
  readonly repaired: number
  /** Whether the peer has given all that it had newer; what is wanted of this node is on its way. */
  readonly complete: boolean
}

/** Reconciles this node's storage with that of others. */
export class Reconciler {
  readonly #rpc: Rpc
  readonly #storage: Storage

  readonly #conflicts: ConflictRule

  constructor(rpc: Rpc, storage: Storage, conflicts: ConflictRule) {
    this.#rpc = rpc
    this.#storage = storage
    this.#conflicts = conflicts
    rpc.serve(RECONCILE, ([ranges, versions]) => this.#answer(ranges, versions))
  }

  /** Makes both sides equal in these ranges as they are now. */
  async reconcile(peer: NodeId, ranges: readonly TokenRange[], stopped: () => boolean): Promise<Reconciled> {
    let repaired = 0
    for (let more = true; more; ) {
      const versions = await this.#versionsIn(ranges)
      const answer = await this.#rpc.gather(RECONCILE, { to: [peer], request: [ranges, versions], need: 1 })
      if (!answer.complete) return { repaired, complete: false }
      const [newer, wanted, leftOut] = answer.replies[0]!
      await Promise.all(newer.map(([key, cell]) => this.#storage.apply(key, cell)))
      await this.#give(peer, wanted)
      repaired += newer.length + wanted.length
      if (leftOut && (stopped() || newer.length === 0)) return { repaired, complete: false }
      more = leftOut
    }
    return { repaired, complete: true }
  }

  async #versionsIn(ranges: readonly TokenRange[]): Promise<KeyVersion[]> {
    const versions: KeyVersion[] = []
    for (const range of ranges) {
      for await (const [key, cell] of this.#storage.scan(...range)) versions.push([key, cell.counter, cell.writer])
    }
    return versions
  }

  async #give(peer: NodeId, keys: readonly string[]): Promise<void> {
    let bytes = 0
    for (const key of keys) {
      const cell = await this.#storage.read(key)
      this.#rpc.send(peer, WRITE, [key, cell, NOBODY])
      bytes += key.length + sizeOf(cell)
      if (bytes > BYTES_AT_ONCE) return
    }
  }

  /** The peer's question: here is what I hold in these ranges, what do you hold? */
  async #answer(ranges: readonly TokenRange[], theirs: readonly KeyVersion[]): Promise<readonly [KeyCell[], string[], boolean]> {
    const theirVersions = new Map<string, Cell>()
    for (const [key, counter, writer] of theirs) theirVersions.set(key, { counter, writer, value: null })
    const newer: KeyCell[] = []
    const wanted: string[] = []
    let bytes = 0
    let more = false
    for (const range of ranges) {
      for await (const [key, cell] of this.#storage.scan(...range)) {
        const order = compareVersions(cell, theirVersions.get(key) ?? ABSENT)
        theirVersions.delete(key)
        const bothWays = order !== 0 && !this.#conflicts.ordered
        if (order < 0 || bothWays) wanted.push(key)
        if (order <= 0 && !bothWays) continue
        if (bytes > BYTES_AT_ONCE) more = true
        else newer.push([key, cell])
        bytes += key.length + sizeOf(cell)
      }
    }
    return [newer, [...wanted, ...theirVersions.keys()], more]
  }
}

function sizeOf(cell: Cell): number {
  return CELL_OVERHEAD_BYTES + (cell.value?.length ?? 0)
}
