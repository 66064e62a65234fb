/**
 * Two replicas make some ranges of tokens equal, cell by cell: one sends its versions, the other answers with what is
 * newer there and with the keys whose newer cells it wants. Where neither of two cells need be the newer one (siblings),
 * they go both ways. Tombstones are cells like others, so deletions spread too.
 *
 * They go through the ranges page by page (`stretch.ts`): a question holds so many versions at most, an answer so many
 * cells, and says how far it goes. What is over when a peer falls silent need not be done again.
 */
import type { NodeId } from '../../../harness/env.ts'
import { NOBODY, WRITE, count, keyCell, encodeKeyCell, list, text, writerName } from '../messages.ts'
import type { KeyCell, Kind } from '../messages.ts'
import type { Partitioner, TokenRange } from '../partitioner.ts'
import type { Rpc } from '../rpc.ts'
import type { Storage } from '../storage.ts'
import { cellsIn, contains, headOf, keyOrNull, rangesFrom, restOf, stretchCodec, whole } from '../stretch.ts'
import type { Stretch } from '../stretch.ts'
import { ABSENT, compareVersions } from '../versions.ts'
import type { Cell, ConflictRule } from '../versions.ts'

/** A key with its version alone. */
type KeyVersion = readonly [key: string, counter: number, writer: string]

/** My versions in this stretch. Replies with newer cells, the keys whose cells it lacks, and the last key of the stretch that this goes up to; null: all of it. */
export const RECONCILE: Kind<readonly [stretch: Stretch, versions: readonly KeyVersion[]], readonly [newer: readonly KeyCell[], wanted: readonly string[], upTo: string | null]> = {
  code: 7,
  ofView: true,
  request: {
    encode: ([stretch, versions]) => [stretchCodec.encode(stretch), versions],
    decode: input => {
      const [stretch, versions] = list(input, 2)
      return [stretchCodec.decode(stretch), list(versions).map(keyVersion)] as const
    },
  },
  reply: {
    encode: ([newer, wanted, upTo]) => [newer.map(encodeKeyCell), wanted, upTo],
    decode: input => {
      const [newer, wanted, upTo] = list(input, 3)
      return [list(newer).map(keyCell), list(wanted).map(text), keyOrNull(upTo)] as const
    },
  },
}

function keyVersion(input: unknown): KeyVersion {
  const [key, counter, writer] = list(input, 3)
  return [text(key), count(counter), writerName(writer)]
}

/** What fits into one page: bytes of versions asked about, and of cells given. One more of each may come on top. */
export interface PageLimits {
  readonly versionBytes: number
  readonly cellBytes: number
}

/** A page of small keys takes a few tens of milliseconds, far less than a request waits for its answer. */
const LIMITS: PageLimits = { versionBytes: 1 << 18, cellBytes: 1 << 20 }

/** A key and its version take about so much beyond the key and the value. */
const OVERHEAD_BYTES = 64

/** What came of making two nodes equal. */
export interface Reconciled {
  /** How many cells went either way. */
  readonly repaired: number
  /** The ranges, or what is left of them, of which the peer has not given all that it had newer; what is wanted of this node is on its way. */
  readonly left: readonly TokenRange[]
}

/** What a reconciler works with. */
export interface ReconcilerOptions {
  readonly rpc: Rpc
  readonly storage: Storage
  readonly partitioner: Partitioner
  readonly conflicts: ConflictRule
  readonly limits?: PageLimits
}

/** Reconciles this node's storage with that of others. */
export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #limits: PageLimits

  constructor(options: ReconcilerOptions) {
    this.#options = options
    this.#limits = options.limits ?? LIMITS
    options.rpc.serve(RECONCILE, ([stretch, versions]) => this.#answer(stretch, versions))
  }

  /** Makes both sides equal in these ranges as they are now. */
  async reconcile(peer: NodeId, ranges: readonly TokenRange[], stopped: () => boolean): Promise<Reconciled> {
    const { rpc, storage, partitioner } = this.#options
    let repaired = 0
    for (let left = whole(ranges); ; ) {
      const [page, versions] = await this.#versionsIn(left)
      const answer = await rpc.gather(RECONCILE, { to: [peer], request: [page, versions], need: 1 })
      if (!answer.complete) return { repaired, left: rangesFrom(left, partitioner) }
      const [newer, wanted, upTo] = answer.replies[0]!
      await Promise.all(newer.map(([key, cell]) => storage.apply(key, cell)))
      await this.#give(peer, wanted)
      repaired += newer.length + wanted.length
      const reached = upTo ?? page.upTo
      if (reached === null) return { repaired, left: [] }
      const rest = restOf(left, reached, partitioner)
      if (rest === undefined || stopped()) return { repaired, left: rangesFrom(rest ?? left, partitioner) }
      left = rest
    }
  }

  /** What this node holds at the beginning of a stretch, and how far that goes. */
  async #versionsIn(stretch: Stretch): Promise<readonly [page: Stretch, versions: KeyVersion[]]> {
    const { storage, partitioner } = this.#options
    const versions: KeyVersion[] = []
    let bytes = 0
    for await (const [key, { counter, writer }] of cellsIn(storage, stretch)) {
      versions.push([key, counter, writer])
      bytes += OVERHEAD_BYTES + key.length
      if (bytes > this.#limits.versionBytes) return [headOf(stretch, key, partitioner), versions]
    }
    return [stretch, versions]
  }

  async #give(peer: NodeId, keys: readonly string[]): Promise<void> {
    const { rpc, storage } = this.#options
    let bytes = 0
    for (const key of keys) {
      const cell = await storage.read(key)
      rpc.send(peer, WRITE, [key, cell, NOBODY])
      bytes += sizeOf(key, cell)
      if (bytes > this.#limits.cellBytes) return
    }
  }

  /** The peer's question: here is what I hold in this stretch, what do you hold? */
  async #answer(stretch: Stretch, theirs: readonly KeyVersion[]): Promise<readonly [KeyCell[], string[], string | null]> {
    const { storage, partitioner, conflicts } = this.#options
    const theirVersions = new Map<string, Cell>()
    for (const [key, counter, writer] of theirs) theirVersions.set(key, { counter, writer, value: null })
    const newer: KeyCell[] = []
    const wanted: string[] = []
    let bytes = 0
    for await (const [key, cell] of cellsIn(storage, stretch)) {
      const order = compareVersions(cell, theirVersions.get(key) ?? ABSENT)
      theirVersions.delete(key)
      const bothWays = order !== 0 && !conflicts.ordered
      if (order < 0 || bothWays) wanted.push(key)
      if (order <= 0 && !bothWays) continue
      newer.push([key, cell])
      bytes += sizeOf(key, cell)
      if (bytes <= this.#limits.cellBytes) continue
      const page = headOf(stretch, key, partitioner)
      return [newer, [...wanted, ...[...theirVersions.keys()].filter(other => contains(page, other, partitioner))], key]
    }
    return [newer, [...wanted, ...theirVersions.keys()], null]
  }
}

function sizeOf(key: string, cell: Cell): number {
  return OVERHEAD_BYTES + key.length + (cell.value?.length ?? 0)
}
