/**
 * Hinted handoff (Dynamo, SOSP 2007, section 4.6): a node that stands in for a replica keeps the cell with a hint whose
 * it is, answers reads from it meanwhile, and hands it over when that replica is back.
 *
 * Hints are durable and merge like cells: for each replica and key only the latest is kept, so their number is bounded
 * by the keys written while the replica was away, and by `max`, beyond which a node refuses to stand in.
 */
import type { Clock, Disk, NodeId, Table, TableWrite, Timer } from '../../../harness/env.ts'
import type { Bug } from '../bugs.ts'
import { StoreError } from '../errors.ts'
import { NOBODY, WRITE } from '../messages.ts'
import type { Rpc } from '../rpc.ts'
import { decodeCell, encodeCell } from '../records.ts'
import { ABSENT, mergeCells } from '../versions.ts'
import type { Cell } from '../versions.ts'

/** Hints handed over to one replica at a time. */
const HANDED_AT_ONCE = 64

/** What hints are kept and handed over with. */
export interface HintsOptions {
  readonly clock: Clock
  readonly rpc: Rpc
  readonly intervalMs: number
  readonly max: number
  readonly sync: boolean
  readonly suspects: (node: NodeId) => boolean
  readonly bugs: readonly Bug[]
}

/** What this node keeps for others. */
export class Hints {
  readonly #table: Table
  readonly #options: HintsOptions
  readonly #byReplica = new Map<NodeId, Map<string, Cell>>()
  readonly #busy = new Set<NodeId>()
  #lastWrite: Promise<unknown> = Promise.resolve()
  #timer: Timer | undefined
  #stopped = false
  /** `kept` and `handed` since this start; a hint that takes the place of an older one for the same key is not one more. */
  readonly counts = { pending: 0, kept: 0, handed: 0 }

  private constructor(table: Table, options: HintsOptions) {
    this.#table = table
    this.#options = options
  }

  /** Opens the hints that the disk holds. */
  static async open(disk: Disk, options: HintsOptions): Promise<Hints> {
    const hints = new Hints(await disk.open('hints'), options)
    for await (const [diskKey, record] of hints.#table.scan({})) {
      const slash = diskKey.indexOf('/')
      const key = diskKey.slice(slash + 1)
      hints.#remember(diskKey.slice(0, slash), key, decodeCell(key, record))
    }
    return hints
  }

  /** Keeps a cell for a replica that is down. Resolves when it is on disk, to whether a value was kept before. */
  async keep(replica: NodeId, key: string, cell: Cell): Promise<boolean> {
    if (this.counts.pending >= this.#options.max) throw new StoreError('BUSY', `this node keeps ${this.counts.pending} cells for others already`)
    const before = this.#byReplica.get(replica)?.get(key) ?? ABSENT
    const merged = mergeCells(before, cell)
    const record = encodeCell(merged)
    if (before === ABSENT) this.counts.kept++
    this.#remember(replica, key, decodeCell(key, record))
    await this.#write([{ key: `${replica}/${key}`, value: record }])
    return before.value !== null
  }

  /** The latest cell that is kept for any replica of this key. */
  read(key: string): Cell {
    let latest = ABSENT
    for (const cells of this.#byReplica.values()) latest = mergeCells(latest, cells.get(key) ?? ABSENT)
    return latest
  }

  start(): void {
    if (this.#options.bugs.includes('forget-hints')) return
    const next = (): void => {
      if (this.#stopped) return
      for (const replica of this.#byReplica.keys()) {
        if (!this.#busy.has(replica) && !this.#options.suspects(replica)) void this.#handOver(replica)
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

  #remember(replica: NodeId, key: string, cell: Cell): void {
    const cells = this.#byReplica.get(replica) ?? new Map<string, Cell>()
    this.#byReplica.set(replica, cells)
    if (!cells.has(key)) this.counts.pending++
    cells.set(key, cell)
  }

  /** Gives a replica what is its own, in batches, as long as it takes them. Never rejects: what stays is tried again. */
  async #handOver(replica: NodeId): Promise<void> {
    const { rpc, suspects } = this.#options
    const cells = this.#byReplica.get(replica)!
    this.#busy.add(replica)
    try {
      while (cells.size > 0 && !this.#stopped && !suspects(replica)) {
        const batch = [...cells].slice(0, HANDED_AT_ONCE)
        const answers = await Promise.all(batch.map(([key, cell]) => rpc.gather(WRITE, { to: [replica], request: [key, cell, NOBODY], need: 1 })))
        // A hint that was replaced meanwhile is a newer one, and stays.
        const taken = batch.filter(([key, cell], i) => answers[i]!.complete && cells.get(key) === cell)
        for (const [key] of taken) cells.delete(key)
        this.counts.pending -= taken.length
        this.counts.handed += taken.length
        if (taken.length > 0) await this.#write(taken.map(([key]) => ({ key: `${replica}/${key}`, value: undefined })))
        if (taken.length < batch.length) break
      }
    } catch {
      // A disk that fails refuses new hints and says so to whoever brings them; those in memory are still handed over.
    } finally {
      this.#busy.delete(replica)
    }
  }
}
