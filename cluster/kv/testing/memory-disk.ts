/**
 * A disk in memory whose writes and reads wait until the test lets them through: for tests of what happens in between.
 */
import type { Disk, Journal, Table } from '../../../harness/env.ts'

/** A write on its way: to a table, a record of the journal, or its sync. */
export interface HeldWrite {
  readonly sync: boolean
  finish(): void
  fail(error: Error): void
}

/** One table, one journal, and the writes that were not let through yet. */
export class MemoryDisk implements Disk {
  readonly entries = new Map<string, Uint8Array>()
  /** The journal's records, each with how many marks came before it. */
  records: { readonly part: number; bytes: Uint8Array }[] = []
  readonly held: HeldWrite[] = []
  /** While false, every write goes through at once. */
  holding = false
  #readable: Promise<void> = Promise.resolve()
  #part = 0

  /** Has reads of single keys wait until the function that this returns is called. */
  holdReads(): () => void {
    let release!: () => void
    this.#readable = new Promise((resolve) => (release = resolve))
    return release
  }

  /** A disk that holds what this one holds now. */
  copy(): MemoryDisk {
    const copy = new MemoryDisk()
    for (const [key, value] of this.entries) copy.entries.set(key, value)
    copy.records = [...this.records]
    copy.#part = this.#part
    return copy
  }

  async open(): Promise<Table> {
    return {
      get: (key) => this.#readable.then(() => this.entries.get(key)),
      write: (writes, { sync }) => this.#write(sync, () => {
        for (const { key, value } of writes) {
          if (value === undefined) this.entries.delete(key)
          else this.entries.set(key, value)
        }
      }),
      scan: (range) => this.#scan(range.from ?? '', range.to ?? '\uffff'),
      close: async () => undefined,
    }
  }

  async openJournal(): Promise<Journal> {
    return {
      read: () => this.#read(),
      append: (bytes, { sync }) => {
        const record = { part: this.#part, bytes: Buffer.from(bytes) }
        return this.#write(sync, () => void this.records.push(record))
      },
      sync: () => this.#write(true, () => undefined),
      mark: () => ++this.#part,
      cut: async (mark) => {
        this.records = this.records.filter(({ part }) => part >= mark)
      },
      close: async () => undefined,
    }
  }

  #write(sync: boolean, apply: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        apply()
        resolve()
      }
      if (this.holding) this.held.push({ sync, finish, fail: reject })
      else finish()
    })
  }

  async *#read(): AsyncIterable<Uint8Array> {
    for (const { bytes } of this.records) yield bytes
  }

  async *#scan(from: string, to: string): AsyncIterable<readonly [string, Uint8Array]> {
    for (const entry of [...this.entries].sort(([a], [b]) => (a < b ? -1 : 1))) if (entry[0] >= from && entry[0] < to) yield entry
  }
}
