/**
 * Small durable notes that a protocol must not forget: promises, votes, decisions. Each has a name and a checksum,
 * and lies in a table of its own beside the cells.
 *
 * Notes are in memory as well, so reading one costs nothing. One batch is being written while the next one fills, as
 * in `storage.ts`; `forget` waits for the next batch, since remembering too long harms nobody.
 */
import type { Clock, Disk, Table, TableWrite } from '../../harness/env.ts'
import { StoreError } from './errors.ts'
import { murmur3Bytes } from './hash.ts'

const CHECKSUM_BYTES = 4

interface Batch {
  readonly writes: Map<string, Uint8Array | undefined>
  readonly done: Promise<void>
  resolve(): void
  reject(error: Error): void
}

function newBatch(): Batch {
  let resolve!: () => void
  let reject!: (error: Error) => void
  const done = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  // Whoever waits for the batch meets the failure there.
  done.catch(() => undefined)
  return { writes: new Map(), done, resolve, reject }
}

/** A table of notes. */
export class Ledger {
  readonly #table: Table
  readonly #clock: Clock
  readonly #sync: boolean
  readonly #notes = new Map<string, Uint8Array>()
  #filling = newBatch()
  #writing: Batch | undefined
  #scheduled = false
  #failure: StoreError | undefined

  private constructor(table: Table, clock: Clock, sync: boolean) {
    this.#table = table
    this.#clock = clock
    this.#sync = sync
  }

  /** Opens the ledger `name` with what it holds. `sync`: a note survives a power loss once it is confirmed. */
  static async open(disk: Disk, name: string, { clock, sync }: { readonly clock: Clock; readonly sync: boolean }): Promise<Ledger> {
    const ledger = new Ledger(await disk.open(name), clock, sync)
    for await (const [key, record] of ledger.#table.scan({})) ledger.#notes.set(key, checked(name, key, record))
    return ledger
  }

  get(name: string): Uint8Array | undefined {
    return this.#notes.get(name)
  }

  /** All notes, in no particular order. */
  entries(): IterableIterator<[name: string, note: Uint8Array]> {
    return this.#notes.entries()
  }

  /** Resolves when the note is durable. It can be read at once. */
  put(name: string, note: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const record = Buffer.allocUnsafe(CHECKSUM_BYTES + note.length)
    record.set(note, CHECKSUM_BYTES)
    record.writeUInt32LE(murmur3Bytes(record, CHECKSUM_BYTES), 0)
    this.#notes.set(name, record.subarray(CHECKSUM_BYTES))
    this.#filling.writes.set(name, record)
    this.#schedule()
    return this.#filling.done
  }

  /** Strikes a note out, on disk with the next batch. */
  forget(name: string): void {
    if (this.#notes.delete(name)) this.#filling.writes.set(name, undefined)
  }

  /** Resolves when all that was noted and struck out so far is on disk. */
  flushed(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.#filling.writes.size === 0) return this.#writing?.done ?? Promise.resolve()
    this.#schedule()
    return this.#filling.done
  }

  async close(): Promise<void> {
    while (this.#failure === undefined && (this.#writing !== undefined || this.#filling.writes.size > 0)) {
      if (this.#writing === undefined) await this.#flush()
      else await this.#writing.done.catch(() => undefined)
    }
    this.#failure ??= new StoreError('DISK', 'the ledger is closed')
    await this.#table.close()
  }

  #schedule(): void {
    if (this.#scheduled || this.#writing !== undefined) return
    this.#scheduled = true
    this.#clock.after(0, () => {
      this.#scheduled = false
      void this.#flush()
    })
  }

  /** Writes batch after batch until none is left. Never rejects: a failure is kept, and everything refused from then on. */
  async #flush(): Promise<void> {
    while (this.#writing === undefined && this.#filling.writes.size > 0 && this.#failure === undefined) {
      const batch = this.#filling
      this.#writing = batch
      this.#filling = newBatch()
      const writes: TableWrite[] = [...batch.writes].map(([key, value]) => ({ key, value }))
      try {
        await this.#table.write(writes, { sync: this.#sync })
        batch.resolve()
      } catch (error) {
        this.#failure = new StoreError('DISK', `writing to disk failed, this node promises nothing until it is restarted: ${String(error)}`, { cause: error })
        batch.reject(this.#failure)
        this.#filling.reject(this.#failure)
      }
      this.#writing = undefined
    }
  }
}

function checked(ledger: string, name: string, bytes: Uint8Array): Uint8Array {
  const record = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (record.length < CHECKSUM_BYTES || record.readUInt32LE(0) !== murmur3Bytes(record, CHECKSUM_BYTES)) throw new StoreError('DISK', `the note "${name}" of the ledger ${ledger} is corrupt`)
  return record.subarray(CHECKSUM_BYTES)
}
