/**
 * One replica's cells: a log-structured store in small (O'Neil, Cheng, Gawlick and O'Neil, "The log-structured
 * merge-tree", Acta Informatica 33, 1996) over LevelDB, which is one itself.
 *
 * A write merges into the cell in memory at once and is confirmed when the commit log (`commit-log.ts`) has it under the
 * sync policy. From time to time a checkpoint brings what is in memory (`memtable.ts`) to the table and cuts the log off. A
 * read never returns a cell that a crash could still take back: it waits for the cell's commit. Otherwise two readers
 * could see a value that then never was.
 *
 * A write of a key that is not in memory does not wait for the disk to say what was there: the log takes it as something
 * to be merged with the table's cell, which is read afterwards, before anybody may read the key or hears of the change.
 * So long as these reads keep up with the writes, a write costs the log alone. It is not done where the answer depends on
 * what was there: deletions, which say whether they found anything, and replicas that a protocol guards.
 *
 * Records lie in the order of their tokens (`d` + eight hex digits + key), so that a range of the ring is a range of
 * the disk. Each carries a checksum; a record that fails it is refused, never taken for absent.
 */
import type { Clock, Disk, Table, Timer } from '../../harness/env.ts'
import type { Bug } from './bugs.ts'
import { CommitLog, diskFailure, recoverLog } from './commit-log.ts'
import type { Commit, SyncOptions } from './commit-log.ts'
import { StoreError } from './errors.ts'
import { Memtable, weightOf } from './memtable.ts'
import type { Entry } from './memtable.ts'
import { decodeCell, encodeCell, recorded } from './records.ts'
import type { Partitioner } from './partitioner.ts'
import { ABSENT, compareVersions } from './versions.ts'
import type { Cell, ConflictRule } from './versions.ts'

/** How a replica stores. */
export interface StorageOptions extends SyncOptions {
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

/** The log is cut off after so much of it, or so long after its first change. */
const LOG_BYTES_MAX = 4 * 1024 * 1024
const CHECKPOINT_AFTER_MS = 1_000
/** Entries that a checkpoint brings to the table in one write: others have their turn in between. */
const CHECKPOINT_AT_ONCE = 256
/** Reads under way at a time for the sake of writes that did not wait for them: libuv has four threads for all that the disk does. */
const LOOKUPS_AT_ONCE = 3
/** Writes that did not wait may take this share of the cache; beyond, they do wait. */
const UNKNOWN_SHARE = 4

export class Storage {
  readonly #table: Table
  readonly #clock: Clock
  readonly #partitioner: Partitioner
  readonly #options: StorageOptions
  readonly #log: CommitLog
  readonly #memory: Memtable
  readonly #loading = new Map<string, Promise<Entry>>()
  /** Entries whose cells in the table nobody has looked up yet, the oldest first, and what all that are not known weigh. */
  readonly #toLookUp = new Set<Entry>()
  #unknownBytes = 0
  #lookups = 0
  #checkpoint: Promise<void> | undefined
  #checkpointTimer: Timer | undefined
  #failure: StoreError | undefined
  readonly #observers: CellObserver[] = []
  #admits: Admission | undefined

  private constructor(table: Table, clock: Clock, partitioner: Partitioner, options: StorageOptions) {
    this.#table = table
    this.#clock = clock
    this.#partitioner = partitioner
    this.#options = options
    this.#memory = new Memtable(options.cacheBytes)
    const sync = options.sync === 'always' && options.bugs.includes('skip-fsync') ? 'never' : options.sync
    this.#log = new CommitLog(table, clock, { sync, syncIntervalMs: options.syncIntervalMs }, failure => (this.#failure ??= failure))
  }

  /** Opens what a former life left. Rejects when its log is corrupt. */
  static async open(disk: Disk, clock: Clock, partitioner: Partitioner, options: StorageOptions): Promise<Storage> {
    const table = await disk.open('store')
    await recoverLog(table, (diskKey, below, above) => {
      const [old, young] = [decodeCell(keyIn(diskKey), below), decodeCell(keyIn(diskKey), above)]
      const merged = options.conflicts.merge(old, young)
      return merged === old ? below : merged === young ? above : encodeCell(merged)
    })
    return new Storage(table, clock, partitioner, options)
  }

  /** How many commits went to disk. */
  get commits(): number {
    return this.#log.written
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
    const entry = this.#memory.find(key)
    return entry?.known === true ? settled(entry) : this.#load(key).then(settled)
  }

  /** Merges a cell in. Resolves when that is as durable as the policy says; for a deletion, to whether the key had a value before. */
  apply(key: string, cell: Cell): Promise<boolean> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const entry = this.#memory.find(key)
    if (entry?.known === true) return this.#merge(entry, cell)
    if (this.#needsNoLookup(cell)) return entry === undefined ? this.#put(key, cell) : this.#merge(entry, cell)
    return this.#load(key).then(loaded => this.#merge(this.#memory.find(key) ?? loaded, cell))
  }

  /**
   * Removes a key's cell, tombstone and all, if it is still this one. Resolves when that is as durable as a write, to
   * whether it was. Nothing then stands against an older cell that comes back: whoever calls this knows that none can,
   * and `still` says whether that is so at the moment of the removal.
   */
  async forget(key: string, cell: Cell, still: () => boolean = () => true): Promise<boolean> {
    const found = this.#memory.find(key)
    const entry = found?.known === true ? found : await this.#load(key)
    if (this.#failure !== undefined) throw this.#failure
    const before = entry.cell
    if (before === ABSENT || compareVersions(before, cell) !== 0 || !still()) return false
    const commit = this.#change(entry, ABSENT, undefined)
    this.#tell(entry, before)
    await commit.done
    return true
  }

  /** The cells with `from <= token < to`, by token. What changes meanwhile may be given as it was. */
  async *scan(from: number, to: number): AsyncIterable<readonly [key: string, cell: Cell]> {
    const [low, high] = [tokenPrefix(from), to >= 2 ** 32 ? 'e' : tokenPrefix(to)]
    const inMemory = this.#memory.between(low, high)
    let next = 0
    for await (const [diskKey, record] of this.#table.scan({ from: low, to: high })) {
      while (next < inMemory.length && inMemory[next]!.diskKey < diskKey) yield* this.#latest(inMemory[next++]!)
      if (inMemory[next]?.diskKey === diskKey) yield* this.#latest(inMemory[next++]!)
      else yield [keyIn(diskKey), decodeCell(keyIn(diskKey), record)]
    }
    while (next < inMemory.length) yield* this.#latest(inMemory[next++]!)
  }

  async *#latest({ key }: Entry): AsyncIterable<readonly [key: string, cell: Cell]> {
    const cell = await this.read(key)
    if (cell !== ABSENT) yield [key, cell]
  }

  /** Resolves when all changes made so far are on disk. */
  flushed(): Promise<void> {
    return this.#log.flushed()
  }

  async close(): Promise<void> {
    while (this.#failure === undefined && !this.#memory.isClean) {
      await this.#log.flushed().catch(() => undefined)
      await this.#toTable()
    }
    this.#checkpointTimer?.cancel()
    this.#log.close()
    this.#failure ??= new StoreError('DISK', 'the storage is closed')
    await this.#table.close()
  }

  /** Whether this cell may be put on top of one that nobody has looked at. */
  #needsNoLookup(cell: Cell): boolean {
    return cell.value !== null && this.#admits === undefined && this.#unknownBytes * UNKNOWN_SHARE < this.#options.cacheBytes && !this.#has('last-arrival-wins')
  }

  #put(key: string, cell: Cell): Promise<boolean> {
    const entry: Entry = { key, ...placeOf(key, this.#partitioner), cell: ABSENT, record: undefined, known: false, commit: undefined }
    this.#write(entry, cell)
    this.#memory.keep(entry)
    this.#toLookUp.add(entry)
    this.#lookUp()
    return this.#confirmed(entry, false)
  }

  /** Looks up what lies under cells that were put without. Never rejects: who reads such a key, or the checkpoint, meets the failure again. */
  #lookUp(): void {
    for (const entry of this.#toLookUp) {
      if (this.#lookups >= LOOKUPS_AT_ONCE) return
      this.#toLookUp.delete(entry)
      if (entry.known) continue
      this.#lookups++
      void this.#load(entry.key)
        .catch(() => undefined)
        .then(() => {
          this.#lookups--
          this.#lookUp()
        })
    }
  }

  #load(key: string): Promise<Entry> {
    const under = this.#loading.get(key)
    if (under !== undefined) return under
    const place = placeOf(key, this.#partitioner)
    const loading = this.#table.get(place.diskKey).then(
      record => {
        this.#loading.delete(key)
        const cell = record === undefined ? ABSENT : decodeCell(key, record)
        const written = this.#memory.find(key)
        if (written !== undefined) return this.#joined(written, cell, record)
        const entry: Entry = { key, ...place, cell, record, known: true, commit: undefined }
        this.#memory.keep(entry)
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

  /** Merges what was written with what the table turns out to hold below. */
  #joined(entry: Entry, below: Cell, record: Uint8Array | undefined): Entry {
    if (entry.known) return entry
    this.#unknownBytes -= weightOf(entry)
    entry.known = true
    const merged = this.#options.conflicts.merge(below, entry.cell)
    if (merged === below) entry.record = record
    else if (merged !== entry.cell) entry.record = encodeCell(merged)
    entry.cell = merged
    if (merged !== below) this.#tell(entry, below)
    return entry
  }

  #merge(entry: Entry, cell: Cell): Promise<boolean> {
    const before = entry.cell
    const existed = before.value !== null
    if (this.#admits !== undefined && !this.#admits(entry.key, before, cell)) return Promise.resolve(existed)
    const merged = this.#has('last-arrival-wins') ? cell : this.#options.conflicts.merge(before, cell)
    if (merged === before) return this.#confirmed(entry, existed)
    this.#write(entry, merged)
    if (entry.known) this.#tell(entry, before)
    return this.#confirmed(entry, existed)
  }

  /** The value may be a view into a network buffer: the entry keeps a copy of its own, in its record. */
  #write(entry: Entry, cell: Cell): void {
    const { record, held } = recorded(cell)
    if (held.value === null && this.#has('forget-tombstones')) this.#change(entry, ABSENT, undefined)
    else this.#change(entry, held, record)
  }

  #change(entry: Entry, cell: Cell, record: Uint8Array | undefined): Commit {
    if (!entry.known) this.#unknownBytes -= entry.commit === undefined ? 0 : weightOf(entry)
    entry.cell = cell
    entry.record = record
    if (!entry.known) this.#unknownBytes += weightOf(entry)
    entry.commit = this.#log.add(entry)
    this.#memory.pin(entry)
    if (this.#log.bytes > LOG_BYTES_MAX) void this.#toTable()
    else this.#armCheckpoint()
    return entry.commit
  }

  #tell({ key, token, cell }: Entry, before: Cell): void {
    for (const observe of this.#observers) observe(token, before, cell, key)
  }

  #confirmed({ commit }: Entry, existed: boolean): Promise<boolean> {
    return commit === undefined || commit.onDisk || this.#has('ack-before-disk') ? Promise.resolve(existed) : commit.done.then(() => existed)
  }

  #has(bug: Bug): boolean {
    return this.#options.bugs.includes(bug)
  }

  #armCheckpoint(): void {
    if (this.#checkpointTimer !== undefined || this.#checkpoint !== undefined) return
    this.#checkpointTimer = this.#clock.after(CHECKPOINT_AFTER_MS, () => void this.#toTable())
  }

  /** Makes a checkpoint, unless one is under way. Never rejects. */
  #toTable(): Promise<void> {
    this.#checkpointTimer?.cancel()
    this.#checkpointTimer = undefined
    this.#checkpoint ??= this.#makeCheckpoint().then(
      () => {
        this.#checkpoint = undefined
        if (!this.#memory.isClean) this.#armCheckpoint()
      },
      (error: unknown) => void (this.#failure ??= diskFailure(error)),
    )
    return this.#checkpoint
  }

  /**
   * Brings to the table what memory holds beyond it, then cuts the log off. What changes meanwhile is in the log behind the
   * cut, and in memory for the next time.
   */
  async #makeCheckpoint(): Promise<void> {
    const upTo = this.#log.written
    const entries = this.#memory.takePending()
    for (let at = 0; at < entries.length; at += CHECKPOINT_AT_ONCE) {
      const some = entries.slice(at, at + CHECKPOINT_AT_ONCE)
      for (const entry of some) if (!entry.known) await this.#load(entry.key)
      await this.#table.write(some.map(({ diskKey, record }) => ({ key: diskKey, value: record })), { sync: false })
    }
    await this.#table.write(this.#log.cut(upTo), { sync: false })
    this.#memory.release()
  }
}

function settled({ cell, commit }: Entry): Eventually<Cell> {
  return commit === undefined || commit.onDisk ? cell : commit.done.then(() => cell)
}

/** Where a key stands on the ring, and where its record lies in the table `store`. */
export function placeOf(key: string, partitioner: Partitioner): { readonly token: number; readonly diskKey: string } {
  const token = partitioner.token(key)
  return { token, diskKey: tokenPrefix(token) + key }
}

function tokenPrefix(token: number): string {
  return `d${token.toString(16).padStart(8, '0')}`
}

/** The key whose record lies there. */
function keyIn(diskKey: string): string {
  return diskKey.slice(9)
}
