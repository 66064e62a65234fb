/**
 * One replica's cells: a log-structured store in small (O'Neil, Cheng, Gawlick and O'Neil, "The log-structured
 * merge-tree", Acta Informatica 33, 1996) over LevelDB, which is one itself.
 *
 * A write merges into the cell in memory at once and is confirmed when the commit log (`commit-log.ts`) has it under the
 * sync policy. From time to time a checkpoint (`checkpoints.ts`) brings what is in memory (`memtable.ts`) to the table. A
 * read never returns a cell that a crash could still take back: it waits for the cell's commit. Otherwise two readers
 * could see a value that then never was.
 *
 * A write of a key that is not in memory does not wait for the disk to say what was there: the log takes it as something
 * to be merged with the table's cell, which is read afterwards, before anybody may read the key or hears of the change.
 * Such a blind write (`blind-writes.ts`) costs the log alone. It is not done where the answer depends on what was there:
 * deletions, which say whether they found anything, and replicas that a protocol guards.
 */
import type { Clock, Disk, Journal, Table } from '../../harness/env.ts'
import { BlindWrites } from './blind-writes.ts'
import type { Bug } from './bugs.ts'
import { Checkpoints } from './checkpoints.ts'
import { CommitLog, recoverLog } from './commit-log.ts'
import type { Commit, SyncOptions } from './commit-log.ts'
import { StoreError } from './errors.ts'
import type { Eventually } from './eventually.ts'
import { nextLife } from './lives.ts'
import { Memtable } from './memtable.ts'
import type { Entry } from './memtable.ts'
import type { Partitioner } from './partitioner.ts'
import { decodeCell, encodeCell, keyIn, placeOf, recorded, tokenPrefix } from './records.ts'
import { ABSENT, compareVersions } from './versions.ts'
import type { Cell, ConflictRule } from './versions.ts'

/** How a replica stores. */
export interface StorageOptions extends SyncOptions {
  readonly cacheBytes: number
  readonly conflicts: ConflictRule
  readonly bugs: readonly Bug[]
}

/** Told of every change of a cell, in the order of the changes. */
export type CellObserver = (token: number, before: Cell, after: Cell, key: string) => void

/** Whether a replica may still take this cell for this key. */
export type Admission = (key: string, before: Cell, cell: Cell) => boolean

export class Storage {
  readonly #table: Table
  readonly #journal: Journal
  readonly #partitioner: Partitioner
  readonly #options: StorageOptions
  readonly #log: CommitLog
  readonly #memory: Memtable
  readonly #loading = new Map<string, Promise<Entry>>()
  readonly #blind: BlindWrites
  readonly #checkpoints: Checkpoints
  #failure: StoreError | undefined
  readonly #observers: CellObserver[] = []
  #admits: Admission | undefined

  private constructor({ table, journal }: { readonly table: Table; readonly journal: Journal }, clock: Clock, partitioner: Partitioner, options: StorageOptions) {
    this.#table = table
    this.#journal = journal
    this.#partitioner = partitioner
    this.#options = options
    this.#memory = new Memtable(options.cacheBytes)
    const onFailure = (failure: StoreError): void => void (this.#failure ??= failure)
    const sync = options.sync === 'always' && options.bugs.includes('skip-fsync') ? 'never' : options.sync
    this.#log = new CommitLog(journal, clock, { sync, syncIntervalMs: options.syncIntervalMs }, onFailure)
    this.#blind = new BlindWrites(options.cacheBytes, key => this.#load(key))
    this.#checkpoints = new Checkpoints({ table, sync: sync !== 'never', clock, log: this.#log, memory: this.#memory, complete: ({ key }) => this.#load(key), onFailure })
  }

  /** Opens what a former life left. Rejects when its log is corrupt. */
  static async open(disk: Disk, clock: Clock, partitioner: Partitioner, options: StorageOptions): Promise<Storage> {
    const table = await disk.open('store')
    const journal = await disk.openJournal('store')
    await recoverLog(journal, table, (diskKey, below, above) => {
      const [old, young] = [decodeCell(keyIn(diskKey), below), decodeCell(keyIn(diskKey), above)]
      const merged = options.conflicts.merge(old, young)
      return merged === old ? below : merged === young ? above : encodeCell(merged)
    })
    return new Storage({ table, journal }, clock, partitioner, options)
  }

  /** How many commits went to disk. */
  get commits(): number {
    return this.#log.written
  }

  /** Counts this start of the node, durably, from the life `before` on. Throws when the last count is not what was written. */
  async nextIncarnation(before = 0): Promise<number> {
    const stored = await this.#table.get('mincarnation')
    const counter = nextLife(stored === undefined ? before : decodeCell('incarnation', stored).counter)
    await this.#table.write([{ key: 'mincarnation', value: encodeCell({ counter, writer: '', value: null }) }], { sync: true })
    return counter
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

  /** The cells with `from <= token < to`, by token; of these, if so wished, those alone that lie behind one key and up to another. What changes meanwhile may be given as it was. */
  async *scan(from: number, to: number, { after = null, upTo = null }: { readonly after?: string | null; readonly upTo?: string | null } = {}): AsyncIterable<readonly [key: string, cell: Cell]> {
    const behind = (key: string): string => `${placeOf(key, this.#partitioner).diskKey}\0`
    const [first, end] = [tokenPrefix(from), to >= 2 ** 32 ? 'e' : tokenPrefix(to)]
    const low = after !== null && behind(after) > first ? behind(after) : first
    const high = upTo !== null && behind(upTo) < end ? behind(upTo) : end
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
      await this.#checkpoints.make()
    }
    this.#checkpoints.cancel()
    this.#log.close()
    this.#failure ??= new StoreError('DISK', 'the storage is closed')
    await this.#journal.close()
    await this.#table.close()
  }

  /** Whether this cell may be put on top of one that nobody has looked at. */
  #needsNoLookup(cell: Cell): boolean {
    return cell.value !== null && this.#admits === undefined && this.#blind.hasRoom && !this.#has('last-arrival-wins')
  }

  #put(key: string, cell: Cell): Promise<boolean> {
    const entry: Entry = { key, ...placeOf(key, this.#partitioner), cell: ABSENT, record: undefined, known: false, commit: undefined, turn: 0 }
    this.#write(entry, cell)
    this.#memory.keep(entry)
    this.#blind.lookUp(entry)
    return this.#confirmed(entry, false)
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
        const entry: Entry = { key, ...place, cell, record, known: true, commit: undefined, turn: 0 }
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
    entry.known = true
    this.#blind.settle(entry)
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
    entry.cell = cell
    entry.record = record
    if (!entry.known) this.#blind.weigh(entry)
    const commit = this.#log.add(entry)
    this.#memory.pin(entry)
    this.#checkpoints.changed()
    return commit
  }

  #tell({ key, token, cell }: Entry, before: Cell): void {
    for (const observe of this.#observers) observe(token, before, cell, key)
  }

  #confirmed({ commit }: Entry, existed: boolean): Promise<boolean> {
    return commit === undefined || commit.onDisk || this.#has('ack-before-disk') ? Promise.resolve(existed) : commit.doneWith(existed)
  }

  #has(bug: Bug): boolean {
    return this.#options.bugs.includes(bug)
  }
}

function settled({ cell, commit }: Entry): Eventually<Cell> {
  return commit === undefined || commit.onDisk ? cell : commit.done.then(() => cell)
}
