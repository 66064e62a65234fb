/**
 * The commit log: what was written and is not in the table of cells yet, in the order in which it was confirmed.
 *
 * One commit is being written while the next one fills, so that under load one fsync serves many writes (Gray and
 * Reuter, "Transaction Processing", section 9.4: group commit). A commit is one record of a journal, whole or absent after
 * a crash. A cell that is written again and again reaches the table once, before the log is cut off (`checkpoints.ts`).
 *
 * A record: checksum u32, then for each change flags u8 | length of the key u32 | length of the cell's record u32 | key | record.
 */
import { crc32 } from 'node:zlib'
import type { Clock, Journal, Table, TableWrite } from '../../harness/env.ts'
import { StoreError } from './errors.ts'

/** What happens to one cell. */
export interface Change {
  /** Where its record lies in the table. */
  readonly diskKey: string
  /** undefined: nothing shall be there. */
  readonly record: Uint8Array | undefined
  /** Whether the record takes the place of what the table holds. Otherwise it is to be merged with that. */
  readonly known: boolean
}

/** A cell that is changed again and again. */
export interface Changing extends Change {
  /** What carries it to disk, or has done so; absent: it came from there. */
  commit: Commit | undefined
}

/** When writes are forced to the disk. */
export interface SyncOptions {
  readonly sync: 'always' | 'periodic' | 'never'
  readonly syncIntervalMs: number
}

/** Room that is kept for the next commit. */
const ROOM_BYTES = 64 * 1024
/** Lookups at a time when a former life's log is brought to the table. */
const LOOKUPS_AT_ONCE = 64
const CHECKSUM_BYTES = 4
const HEADER_BYTES = 9
/** What a character takes at most in UTF-8, in which keys are written. */
const CHARACTER_BYTES_MAX = 3
const ABSENT = 1
const ONTO = 2

/** Changes that reach the disk together. */
export class Commit {
  readonly done: Promise<void>
  onDisk = false
  /** Whoever waits for it with the same value shares a promise. */
  readonly #doneWith = new Map<boolean, Promise<boolean>>()
  resolve!: () => void
  reject!: (error: StoreError) => void

  constructor() {
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    // Whoever waits for the commit meets the failure there; with nobody waiting it is no unhandled rejection.
    this.done.catch(() => undefined)
  }

  /** Resolves to the value once the commit is done. */
  doneWith(value: boolean): Promise<boolean> {
    let promise = this.#doneWith.get(value)
    if (promise === undefined) {
      promise = this.done.then(() => value)
      promise.catch(() => undefined)
      this.#doneWith.set(value, promise)
    }
    return promise
  }
}

/** The commit log in a journal. Its owner hears of the first failure, after which nothing is written any more. */
export class CommitLog {
  readonly #journal: Journal
  readonly #clock: Clock
  readonly #options: SyncOptions
  readonly #onFailure: (error: StoreError) => void
  #filling = new Commit()
  /** What the commit that fills is to carry. */
  #changes: Change[] = []
  #writing: Commit | undefined
  #flushScheduled = false
  #syncTimer = false
  #over = false
  /** One commit leaves at a time, in the place of the last one: cells that stay in memory would keep the garbage of others between them. */
  readonly #room = Buffer.allocUnsafeSlow(ROOM_BYTES)
  /** How many commits went to disk. */
  written = 0
  /** Bytes that were written since the last mark. */
  bytes = 0

  constructor(journal: Journal, clock: Clock, options: SyncOptions, onFailure: (error: StoreError) => void) {
    this.#journal = journal
    this.#clock = clock
    this.#options = options
    this.#onFailure = onFailure
  }

  /** Writes the cell, as it is when its commit leaves, with the next commit. */
  add(change: Changing): Commit {
    if (change.commit === this.#filling) return this.#filling
    change.commit = this.#filling
    this.#changes.push(change)
    if (!this.#flushScheduled && this.#writing === undefined) {
      this.#flushScheduled = true
      this.#clock.after(0, () => {
        this.#flushScheduled = false
        void this.#flush()
      })
    }
    return this.#filling
  }

  /** Resolves when all changes made so far are on disk. */
  async flushed(): Promise<void> {
    if (this.#changes.length > 0) await this.#filling.done
    else await this.#writing?.done
  }

  /** A place behind the commits that have left so far. */
  mark(): number {
    this.bytes = 0
    return this.#journal.mark()
  }

  /** Removes the commits before the mark. */
  cut(mark: number): Promise<void> {
    return this.#journal.cut(mark)
  }

  /** Nothing is written any more. */
  close(): void {
    this.#over = true
  }

  /** Writes commit after commit until none is left. Never rejects: a failure is told to the owner. */
  async #flush(): Promise<void> {
    while (this.#writing === undefined && this.#changes.length > 0 && !this.#over) {
      const commit = this.#filling
      this.#writing = commit
      const record = encodeCommit(this.#changes, this.#room)
      this.#filling = new Commit()
      this.#changes = []
      const sync = this.#options.sync === 'always'
      try {
        await this.#journal.append(record, { sync })
        this.written++
        this.bytes += record.length
        commit.onDisk = true
        commit.resolve()
      } catch (error) {
        this.#fail(error, commit)
      }
      this.#writing = undefined
      if (!sync) this.#armSync()
    }
  }

  #fail(error: unknown, commit: Commit): void {
    this.#over = true
    const failure = diskFailure(error)
    commit.reject(failure)
    this.#filling.reject(failure)
    this.#onFailure(failure)
  }

  /** Under sync `periodic`, forces the disk within the interval after a write even if no other write follows. */
  #armSync(): void {
    if (this.#options.sync !== 'periodic' || this.#syncTimer) return
    this.#syncTimer = true
    this.#clock.after(this.#options.syncIntervalMs, () => {
      this.#syncTimer = false
      if (!this.#over) this.#journal.sync().catch((error: unknown) => this.#fail(error, this.#filling))
    })
  }
}

/** The error of a replica whose memory and disk may differ: neither can be served any more. */
export function diskFailure(error: unknown): StoreError {
  return new StoreError('DISK', `writing to disk failed, this replica refuses everything until it is restarted: ${String(error)}`, { cause: error })
}

/**
 * Brings what a former life left in the log into the table, and empties the log. `merge` joins two records of the same
 * place. Throws when a commit is not what was written.
 */
export async function recoverLog(journal: Journal, table: Table, merge: (diskKey: string, below: Uint8Array, above: Uint8Array) => Uint8Array): Promise<void> {
  const latest = new Map<string, Change>()
  let commits = 0
  for await (const commit of journal.read()) {
    for (const change of decodeCommit(++commits, commit)) {
      const before = change.known ? undefined : latest.get(change.diskKey)
      const record = before?.record === undefined || change.record === undefined ? change.record : merge(change.diskKey, before.record, change.record)
      latest.set(change.diskKey, { diskKey: change.diskKey, record, known: change.known || before?.known === true })
    }
  }
  const changes = [...latest.values()]
  const writes: TableWrite[] = []
  for (let at = 0; at < changes.length; at += LOOKUPS_AT_ONCE) {
    writes.push(...(await Promise.all(changes.slice(at, at + LOOKUPS_AT_ONCE).map(async ({ diskKey, record, known }) => {
      const below = known ? undefined : await table.get(diskKey)
      return { key: diskKey, value: below === undefined || record === undefined ? record : merge(diskKey, below, record) }
    }))))
  }
  if (writes.length > 0) await table.write(writes, { sync: true })
  await journal.cut(journal.mark())
}

/** The commit of these changes, in the room if it fits there. */
function encodeCommit(changes: readonly Change[], room: Buffer): Buffer {
  let bytesMax = CHECKSUM_BYTES
  for (const { diskKey, record } of changes) bytesMax += HEADER_BYTES + CHARACTER_BYTES_MAX * diskKey.length + (record?.length ?? 0)
  const commit = bytesMax <= room.length ? room : Buffer.allocUnsafeSlow(bytesMax)
  let at = CHECKSUM_BYTES
  for (const { diskKey, record, known } of changes) {
    const keyBytes = commit.write(diskKey, at + HEADER_BYTES)
    commit[at] = (record === undefined ? ABSENT : 0) | (known ? 0 : ONTO)
    commit.writeUInt32LE(keyBytes, at + 1)
    commit.writeUInt32LE(record?.length ?? 0, at + 5)
    at += HEADER_BYTES + keyBytes
    if (record === undefined) continue
    commit.set(record, at)
    at += record.length
  }
  commit.writeUInt32LE(crc32(commit.subarray(CHECKSUM_BYTES, at)), 0)
  return commit.subarray(0, at)
}

function* decodeCommit(number: number, bytes: Uint8Array): Generator<Change> {
  const commit = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (commit.length < CHECKSUM_BYTES || commit.readUInt32LE(0) !== crc32(commit.subarray(CHECKSUM_BYTES))) throw new StoreError('DISK', `commit ${number} of the log is corrupt`)
  for (let at = CHECKSUM_BYTES; at < commit.length; ) {
    const flags = commit[at]!
    const keyAt = at + HEADER_BYTES
    const recordAt = keyAt + commit.readUInt32LE(at + 1)
    at = recordAt + commit.readUInt32LE(at + 5)
    yield { diskKey: commit.toString('utf8', keyAt, recordAt), record: (flags & ABSENT) !== 0 ? undefined : commit.subarray(recordAt, at), known: (flags & ONTO) === 0 }
  }
}
