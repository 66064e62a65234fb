/**
 * A disk in memory whose writes and reads wait until the test lets them through: for tests of what happens in between.
 */
import type { Disk, Table, TableWrite } from '../../../harness/env.ts'

/** A write on its way. */
export interface HeldWrite {
  readonly writes: readonly TableWrite[]
  readonly sync: boolean
  finish(): void
  fail(error: Error): void
}

/** One table, and the writes that were not let through yet. */
export class MemoryDisk implements Disk {
  readonly entries = new Map<string, Uint8Array>()
  readonly held: HeldWrite[] = []
  /** While false, every write goes through at once. */
  holding = false
  #readable: Promise<void> = Promise.resolve()

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
    return copy
  }

  async open(): Promise<Table> {
    return {
      get: (key) => this.#readable.then(() => this.entries.get(key)),
      write: (writes, { sync }) => this.#write(writes, sync),
      scan: (range) => this.#scan(range.from ?? '', range.to ?? '\uffff'),
      close: async () => undefined,
    }
  }

  #write(writes: readonly TableWrite[], sync: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        for (const { key, value } of writes) {
          if (value === undefined) this.entries.delete(key)
          else this.entries.set(key, value)
        }
        resolve()
      }
      if (this.holding) this.held.push({ writes, sync, finish, fail: reject })
      else finish()
    })
  }

  async *#scan(from: string, to: string): AsyncIterable<readonly [string, Uint8Array]> {
    for (const entry of [...this.entries].sort(([a], [b]) => (a < b ? -1 : 1))) if (entry[0] >= from && entry[0] < to) yield entry
  }
}
