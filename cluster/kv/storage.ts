/**
 * One replica's cells on its disk, with a cache in front and a group commit behind.
 *
 * A write merges into the cell in memory at once and is confirmed when the batch that holds it is on disk: one batch
 * is being written while the next one fills, so that under load one fsync serves many writes (Gray and Reuter,
 * "Transaction Processing", section 9.4: group commit). A read never returns a cell that a crash could still take
 * back: it waits for the cell's batch. Otherwise two readers could see a value that then never was.
 *
 * Records lie in the order of their tokens (`d` + eight hex digits + key), so that a range of the ring is a range of
 * the disk. Each carries a checksum; a record that fails it is refused, never taken for absent.
 */
import type { Clock, Disk, Table, TableWrite } from '../../harness/env.ts'
import type { Bug } from './bugs.ts'
import { StoreError } from './errors.ts'
import { decodeCell, recorded } from './records.ts'
import type { Partitioner } from './partitioner.ts'
import { ABSENT, compareVersions } from './versions.ts'
import type { Cell, ConflictRule } from './versions.ts'

/** When writes are forced to the disk. */
export interface StorageOptions {
  readonly sync: 'always' | 'periodic' | 'never'
  readonly syncIntervalMs: number
  readonly cacheBytes: number
  readonly conflicts: ConflictRule
  readonly bugs: readonly Bug[]
}

/** A value now, or the promise of one: what is in memory costs no turn of the event loop. */
export type Eventually<T> = T | Promise<T>

/** Maps a value that may be there already. */
export function eventually<T, U>(value: Eventually<T>, map: (value: T) => Eventually<U>): Eventually<U> {
  return value instanceof Promise ? value.then(map) : map(value)
}

/** All of these values, once each of them is there. */
export function allOf<T>(values: readonly Eventually<T>[]): Eventually<readonly T[]> {
  return values.some(value => value instanceof Promise) ? Promise.all(values.map(async value => value)) : (values as readonly T[])
}

/** Told of every change of a cell, in the order of the changes. */
export type CellObserver = (token: number, before: Cell, after: Cell, key: string) => void

/** Whether a replica may still take this cell for this key. */
export type Admission = (key: string, before: Cell, cell: Cell) => boolean

/** The latest cell of a key, and the batch that carries it to disk. */
interface Entry {
  readonly token: number
  /** Where its record lies. */
  readonly diskKey: string
  cell: Cell
  /** The cell's record as long as it is on its way to disk; undefined: nothing shall be there. */
  record: Uint8Array | undefined
  batch: Batch | undefined
}

/** Writes that reach the disk together. */
class Batch {
  readonly entries = new Map<string, Entry>()
  readonly done: Promise<void>
  onDisk = false
  resolve!: () => void
  reject!: (error: StoreError) => void
  constructor() {
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    // Whoever waits for the batch meets the failure there; with nobody waiting it is no unhandled rejection.
    this.done.catch(() => undefined)
  }
}

const CELL_OVERHEAD_BYTES = 128

export class Storage {
  readonly #table: Table
  readonly #clock: Clock
  readonly #partitioner: Partitioner
  readonly #options: StorageOptions
  /** Two generations: when the young one is full it becomes the old one, and what was not touched since is forgotten. */
  #young = new Map<string, Entry>()
  #old = new Map<string, Entry>()
  #youngBytes = 0
  readonly #loading = new Map<string, Promise<Entry>>()
  #filling = new Batch()
  #writing: Batch | undefined
  #flushScheduled = false
  #syncDue = false
  #syncTimer = false
  #failure: StoreError | undefined
  readonly #observers: CellObserver[] = []
  #admits: Admission = () => true
  /** How many batches went to disk. */
  batches = 0

  private constructor(table: Table, clock: Clock, partitioner: Partitioner, options: StorageOptions) {
    this.#table = table
    this.#clock = clock
    this.#partitioner = partitioner
    this.#options = options
  }

  static async open(disk: Disk, clock: Clock, partitioner: Partitioner, options: StorageOptions): Promise<Storage> {
    return new Storage(await disk.open('store'), clock, partitioner, options)
  }

  /** Counts this start of the node, durably: `before` + 1, + 2, ... */
  async nextIncarnation(before = 0): Promise<number> {
    const stored = await this.#table.get('mincarnation')
    const incarnation = stored === undefined ? before + 1 : Number(Buffer.from(stored).toString()) + 1
    await this.#table.write([{ key: 'mincarnation', value: Buffer.from(String(incarnation)) }], { sync: true })
    return incarnation
  }

  /** From now on `observer` hears of every change as well. */
  observe(observer: CellObserver): void {
    this.#observers.push(observer)
  }

  /** From now on a cell is merged in only if `admits` says so, whichever way it came; otherwise nothing changes. */
  guard(admits: Admission): void {
    this.#admits = admits
  }

  /** The key's cell, as a crash would leave it; ABSENT when there is none. */
  read(key: string): Eventually<Cell> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const entry = this.#find(key)
    return entry === undefined ? this.#load(key).then(settled) : settled(entry)
  }

  /** Merges a cell in. Resolves when that is as durable as the policy says, to whether the key had a value before. */
  apply(key: string, cell: Cell): Promise<boolean> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const entry = this.#find(key)
    if (entry !== undefined) return this.#merge(key, entry, cell)
    return this.#load(key).then(loaded => this.#merge(key, this.#find(key) ?? loaded, cell))
  }

  /**
   * Removes a key's cell, tombstone and all, if it is still this one. Resolves when that is as durable as a write, to
   * whether it was. Nothing then stands against an older cell that comes back: whoever calls this knows that none can,
   * and `still` says whether that is so at the moment of the removal.
   */
  async forget(key: string, cell: Cell, still: () => boolean = () => true): Promise<boolean> {
    const entry = this.#find(key) ?? (await this.#load(key))
    if (this.#failure !== undefined) throw this.#failure
    if (entry.cell === ABSENT || compareVersions(entry.cell, cell) !== 0 || !still()) return false
    const before = entry.cell
    entry.cell = ABSENT
    entry.record = undefined
    entry.batch = this.#filling
    this.#filling.entries.set(key, entry)
    for (const observe of this.#observers) observe(entry.token, before, ABSENT, key)
    this.#scheduleFlush()
    await entry.batch.done
    return true
  }

  /** The cells on disk with `from <= token < to`, by token. What is still on its way there is missing. */
  async *scan(from: number, to: number): AsyncIterable<readonly [key: string, cell: Cell]> {
    for await (const [diskKey, record] of this.#table.scan({ from: tokenPrefix(from), to: to >= 2 ** 32 ? 'e' : tokenPrefix(to) })) {
      const key = diskKey.slice(9)
      yield [key, decodeCell(key, record)]
    }
  }

  /** Resolves when all changes made so far are on disk, for those who scan it. */
  async flushed(): Promise<void> {
    if (this.#filling.entries.size > 0) await this.#filling.done
    else await this.#writing?.done
  }

  async close(): Promise<void> {
    while (this.#writing !== undefined || this.#filling.entries.size > 0) {
      if (this.#failure !== undefined) break
      if (this.#writing === undefined) await this.#flush()
      else await this.#writing.done.catch(() => undefined)
    }
    this.#failure ??= new StoreError('DISK', 'the storage is closed')
    await this.#table.close()
  }

  #find(key: string): Entry | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const entry = this.#old.get(key) ?? this.#filling.entries.get(key) ?? this.#writing?.entries.get(key)
    if (entry !== undefined) this.#keep(key, entry)
    return entry
  }

  #keep(key: string, entry: Entry): void {
    this.#young.set(key, entry)
    this.#youngBytes += CELL_OVERHEAD_BYTES + key.length + (entry.cell.value?.length ?? 0)
    if (this.#youngBytes * 2 <= this.#options.cacheBytes) return
    this.#old = this.#young
    this.#young = new Map()
    this.#youngBytes = 0
  }

  #load(key: string): Promise<Entry> {
    const under = this.#loading.get(key)
    if (under !== undefined) return under
    const token = this.#partitioner.token(key)
    const diskKey = tokenPrefix(token) + key
    const loading = this.#table.get(diskKey).then(
      record => {
        this.#loading.delete(key)
        const entry: Entry = { token, diskKey, cell: record === undefined ? ABSENT : decodeCell(key, record), record: undefined, batch: undefined }
        this.#keep(key, entry)
        return entry
      },
      (error: unknown) => {
        this.#loading.delete(key)
        throw new StoreError('DISK', `reading "${key}" failed: ${String(error)}`, { cause: error })
      },
    )
    this.#loading.set(key, loading)
    return loading
  }

  #merge(key: string, entry: Entry, cell: Cell): Promise<boolean> {
    const before = entry.cell
    const existed = before.value !== null
    if (!this.#admits(key, before, cell)) return Promise.resolve(existed)
    const merged = this.#has('last-arrival-wins') ? cell : this.#options.conflicts.merge(before, cell)
    if (merged === before) return entry.batch === undefined || entry.batch.onDisk ? Promise.resolve(existed) : entry.batch.done.then(() => existed)
    // The value may be a view into a network buffer: the entry keeps a copy of its own, in its record.
    const { record, held } = recorded(merged)
    const after = held.value === null && this.#has('forget-tombstones') ? ABSENT : held
    entry.cell = after
    entry.record = after === ABSENT ? undefined : record
    entry.batch = this.#filling
    this.#filling.entries.set(key, entry)
    for (const observe of this.#observers) observe(entry.token, before, after, key)
    this.#scheduleFlush()
    return this.#has('ack-before-disk') ? Promise.resolve(existed) : entry.batch.done.then(() => existed)
  }

  #has(bug: Bug): boolean {
    return this.#options.bugs.includes(bug)
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#writing !== undefined) return
    this.#flushScheduled = true
    this.#clock.after(0, () => {
      this.#flushScheduled = false
      void this.#flush()
    })
  }

  /** Writes batch after batch until none is left. Never rejects: a failure is kept, and everything refused from then on. */
  async #flush(): Promise<void> {
    while (this.#writing === undefined && this.#filling.entries.size > 0 && this.#failure === undefined) {
      const batch = this.#filling
      this.#writing = batch
      this.#filling = new Batch()
      const sync = (this.#options.sync === 'always' && !this.#has('skip-fsync')) || this.#syncDue
      const writes: TableWrite[] = []
      for (const entry of batch.entries.values()) writes.push({ key: entry.diskKey, value: entry.record })
      try {
        await this.#table.write(writes, { sync })
        this.batches++
        batch.onDisk = true
        batch.resolve()
      } catch (error) {
        this.#fail(error, batch)
      }
      this.#writing = undefined
      if (sync) this.#syncDue = false
      else this.#armSync()
    }
  }

  /** What memory holds may not be what the disk holds: neither can be served any more. */
  #fail(error: unknown, batch: Batch): void {
    this.#failure = new StoreError('DISK', `writing to disk failed, this replica refuses everything until it is restarted: ${String(error)}`, { cause: error })
    batch.reject(this.#failure)
    this.#filling.reject(this.#failure)
  }

  /** Under sync `periodic`, forces the disk within the interval after a write even if no other write follows. */
  #armSync(): void {
    if (this.#options.sync !== 'periodic' || this.#syncTimer) return
    this.#syncTimer = true
    this.#clock.after(this.#options.syncIntervalMs, () => {
      this.#syncTimer = false
      this.#syncDue = true
      if (this.#failure !== undefined || this.#writing !== undefined) return
      // A log is synced up to its end: syncing one small write syncs all before it.
      this.#table.write([{ key: 'msync', value: new Uint8Array(1) }], { sync: true }).then(
        () => (this.#syncDue = false),
        (error: unknown) => this.#fail(error, this.#filling),
      )
    })
  }
}

function settled(entry: Entry): Eventually<Cell> {
  const { cell, batch } = entry
  return batch === undefined || batch.onDisk ? cell : batch.done.then(() => cell)
}

function tokenPrefix(token: number): string {
  return `d${token.toString(16).padStart(8, '0')}`
}
