/**
 * Hinted handoff (Dynamo, SOSP 2007, section 4.6): a node that stands in for a replica keeps the cell with a hint whose
 * it is, answers reads from it meanwhile, and hands it over when that replica is back.
 *
 * Hints are durable and merge like cells: for each replica and key only the latest is kept, so their number is bounded
 * by the keys written while the replica was away, and by `max`, beyond which a node refuses to stand in. They lie on the
 * disk in the order in which they were kept (replica / stamp / key; the stamp is microseconds by the wall clock, and
 * unique) and are handed over in that order, batch by batch: the next batch leaves when the replica has all of the one
 * before. A hint that is older than `ttlMs` is dropped; what it would have brought is left to anti-entropy.
 */
import type { Clock, Disk, NodeId, Table, TableWrite, Timer } from '../../../harness/env.ts'
import type { Bug } from '../bugs.ts'
import { StoreError } from '../errors.ts'
import { NOBODY, WRITE } from '../messages.ts'
import type { Rpc } from '../rpc.ts'
import { decodeCell, encodeCell } from '../records.ts'
import { ABSENT } from '../versions.ts'
import type { Cell, ConflictRule } from '../versions.ts'

/** Hints handed over to one replica at a time. */
const HANDED_AT_ONCE = 64

/** What hints are kept and handed over with. */
export interface HintsOptions {
  readonly clock: Clock
  readonly rpc: Rpc
  readonly intervalMs: number
  readonly max: number
  /** 0: hints are kept for ever. */
  readonly ttlMs: number
  readonly sync: boolean
  readonly suspects: (node: NodeId) => boolean
  /** Whether a node is a member. What was kept for one that is not any more goes to the key's replicas. */
  readonly isMember: (node: NodeId) => boolean
  readonly replicasOf: (key: string) => readonly NodeId[]
  readonly conflicts: ConflictRule
  readonly bugs: readonly Bug[]
}

/** One cell that is kept for a replica. */
interface Hint {
  readonly cell: Cell
  readonly stamp: number
}

/** What this node keeps for others. */
export class Hints {
  readonly #table: Table
  readonly #options: HintsOptions
  /** Replica -> key -> hint, in the order of their stamps. */
  readonly #byReplica = new Map<NodeId, Map<string, Hint>>()
  readonly #busy = new Set<NodeId>()
  #lastWrite: Promise<unknown> = Promise.resolve()
  #lastStamp = 0
  #timer: Timer | undefined
  #stopped = false
  /** All but `pending` since this start; a hint that takes the place of an older one for the same key is not one more. */
  readonly counts = { pending: 0, kept: 0, handed: 0, expired: 0 }

  private constructor(table: Table, options: HintsOptions) {
    this.#table = table
    this.#options = options
  }

  /** Opens the hints that the disk holds. */
  static async open(disk: Disk, options: HintsOptions): Promise<Hints> {
    const hints = new Hints(await disk.open('hints'), options)
    for await (const [at, record] of hints.#table.scan({})) {
      const [replica, stamp] = at.split('/', 2) as [NodeId, string]
      const key = at.slice(replica.length + stamp.length + 2)
      hints.#remember(replica, key, { cell: decodeCell(key, record), stamp: Number(stamp) })
    }
    return hints
  }

  /** Keeps a cell for a replica that is down. Resolves when it is on disk, to whether a value was kept before. */
  async keep(replica: NodeId, key: string, cell: Cell): Promise<boolean> {
    if (this.counts.pending >= this.#options.max) throw new StoreError('BUSY', `this node keeps ${this.counts.pending} cells for others already`)
    const before = this.#byReplica.get(replica)?.get(key)
    const record = encodeCell(this.#options.conflicts.merge(before?.cell ?? ABSENT, cell))
    const stamp = Math.max(this.#lastStamp + 1, Math.floor(this.#options.clock.wall() * 1000))
    if (before === undefined) this.counts.kept++
    this.#remember(replica, key, { cell: decodeCell(key, record), stamp })
    const older = before === undefined ? [] : [{ key: diskKey(replica, key, before), value: undefined }]
    await this.#write([...older, { key: diskKey(replica, key, { stamp }), value: record }])
    return (before?.cell ?? ABSENT).value !== null
  }

  /** The latest cell that is kept for any replica of this key. */
  read(key: string): Cell {
    let latest = ABSENT
    for (const hints of this.#byReplica.values()) latest = this.#options.conflicts.merge(latest, hints.get(key)?.cell ?? ABSENT)
    return latest
  }

  start(): void {
    if (this.#options.bugs.includes('forget-hints')) return
    const next = (): void => {
      if (this.#stopped) return
      for (const replica of this.#byReplica.keys()) {
        if (this.#busy.has(replica)) continue
        this.#expire(replica)
        if (this.#mayHandOver(replica)) void this.#handOver(replica)
      }
      this.#timer = this.#options.clock.after(this.#options.intervalMs, next)
    }
    this.#timer = this.#options.clock.after(this.#options.intervalMs, next)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#table.close()
  }

  /** One write after the other: the disk must not end with an older cell than memory. */
  #write(writes: readonly TableWrite[]): Promise<void> {
    const written = this.#lastWrite.then(() => this.#table.write(writes, { sync: this.#options.sync }))
    this.#lastWrite = written.catch(() => undefined)
    return written
  }

  #remember(replica: NodeId, key: string, hint: Hint): void {
    const hints = this.#byReplica.get(replica) ?? new Map<string, Hint>()
    this.#byReplica.set(replica, hints)
    this.#lastStamp = Math.max(this.#lastStamp, hint.stamp)
    // What is set anew goes to the end.
    if (!hints.delete(key)) this.counts.pending++
    hints.set(key, hint)
  }

  /** Lets go of hints, and of their records on the disk. */
  async #drop(replica: NodeId, dropped: readonly (readonly [key: string, hint: Hint])[]): Promise<void> {
    if (dropped.length === 0) return
    const hints = this.#byReplica.get(replica)!
    for (const [key] of dropped) hints.delete(key)
    this.counts.pending -= dropped.length
    await this.#write(dropped.map(([key, hint]) => ({ key: diskKey(replica, key, hint), value: undefined })))
  }

  /** Drops what is too old. The oldest come first, so that this costs nothing when there is nothing to drop. */
  #expire(replica: NodeId): void {
    const { ttlMs, clock } = this.#options
    if (ttlMs === 0) return
    const oldest = (clock.wall() - ttlMs) * 1000
    const expired: (readonly [string, Hint])[] = []
    for (const entry of this.#byReplica.get(replica)!) {
      if (entry[1].stamp >= oldest) break
      expired.push(entry)
    }
    this.counts.expired += expired.length
    // A disk that fails says so to whoever brings the next hint.
    void this.#drop(replica, expired).catch(() => undefined)
  }

  /** Whoever is back, or will never be. */
  #mayHandOver(replica: NodeId): boolean {
    return !this.#options.suspects(replica) || !this.#options.isMember(replica)
  }

  /** Gives a replica what is its own, in batches, as long as it takes them. Never rejects: what stays is tried again. */
  async #handOver(replica: NodeId): Promise<void> {
    const { rpc, isMember, replicasOf } = this.#options
    const hints = this.#byReplica.get(replica)!
    this.#busy.add(replica)
    try {
      while (hints.size > 0 && !this.#stopped && this.#mayHandOver(replica)) {
        const batch = firstOf(hints, HANDED_AT_ONCE)
        const answers = await Promise.all(batch.map(([key, { cell }]) => {
          const to = isMember(replica) ? [replica] : replicasOf(key)
          return rpc.gather(WRITE, { to, request: [key, cell, NOBODY], need: to.length })
        }))
        // A hint that was replaced meanwhile is a newer one, and stays.
        const taken = batch.filter(([key, hint], i) => answers[i]!.complete && hints.get(key) === hint)
        this.counts.handed += taken.length
        await this.#drop(replica, taken)
        if (!answers.every(({ complete }) => complete)) break
      }
    } catch {
      // A disk that fails refuses new hints and says so to whoever brings them; those in memory are still handed over.
    } finally {
      this.#busy.delete(replica)
    }
  }
}

/** As long as the stamps of the next 250 years. */
const STAMP_DIGITS = 16

/** Where a hint lies on the disk: each replica's by their stamps. */
function diskKey(replica: NodeId, key: string, { stamp }: Pick<Hint, 'stamp'>): string {
  return `${replica}/${String(stamp).padStart(STAMP_DIGITS, '0')}/${key}`
}

function firstOf<T>(items: Iterable<T>, count: number): T[] {
  const first: T[] = []
  for (const item of items) {
    if (first.push(item) === count) break
  }
  return first
}
