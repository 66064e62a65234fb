/**
 * A disk whose tables answer for most of the keys that they do not hold from memory. LevelDB has a filter for every block of
 * every table, but a key is looked for in one table of each level, and each of these filters lets some keys through; here
 * is one filter (`key-filter.ts`) for all.
 *
 * It is made when a key is first asked for, and again, twice as large as need be, when it is full: everything that is in the
 * table is read once, behind the back of whoever reads and writes, who ask the old one meanwhile, or the table. That a key was
 * removed, only the next filter knows. What must never happen is that it misses a key. So a key is added before it is
 * written, to the filter that is being made as well; and the reading begins when the writes that were under way at that
 * time have ended. A table that cannot be read as a whole has no new filter.
 */
import { sleep } from '../../harness/clock.ts'
import type { Clock, Disk, Journal, Table, TableWrite } from '../../harness/env.ts'
import { murmur3 } from './hash.ts'
import { KeyFilter } from './key-filter.ts'

/** A filter has room for so many keys at least. */
const KEYS_MIN = 1 << 16
/** A new filter has room for so many times what is there. */
const ROOM = 2
/** Hashes that are gathered in one piece, and put into a filter in one turn of the event loop. */
const AT_ONCE = 1 << 14

/** A disk with a filter in front of each table. */
export class FilteredDisk implements Disk {
  readonly #disk: Disk
  readonly #clock: Clock

  constructor(disk: Disk, clock: Clock) {
    this.#disk = disk
    this.#clock = clock
  }

  async open(name: string): Promise<FilteredTable> {
    return new FilteredTable(await this.#disk.open(name), this.#clock)
  }

  openJournal(name: string): Promise<Journal> {
    return this.#disk.openJournal(name)
  }
}

/** A table with a filter in front. Keys are latin1, as the store's are. */
export class FilteredTable implements Table {
  readonly #table: Table
  readonly #clock: Clock
  #filter: KeyFilter | undefined
  /** The keys of the filter that is being made. */
  #gathered: Hashes | undefined
  #making: Promise<void> | undefined
  readonly #writing = new Set<Promise<void>>()

  constructor(table: Table, clock: Clock) {
    this.#table = table
    this.#clock = clock
  }

  get(key: string): Promise<Uint8Array | undefined> {
    if (this.#filter === undefined) void this.filtered()
    else if (!this.#filter.mayHold(murmur3(key))) return Promise.resolve(undefined)
    return this.#table.get(key)
  }

  write(writes: readonly TableWrite[], options: { readonly sync: boolean }): Promise<void> {
    for (const { key, value } of writes) if (value !== undefined) this.#add(murmur3(key))
    const written = this.#table.write(writes, options)
    const ended = written.then(
      () => void this.#writing.delete(ended),
      () => void this.#writing.delete(ended),
    )
    this.#writing.add(ended)
    return written
  }

  scan(range: { readonly from?: string; readonly to?: string; readonly limit?: number }): AsyncIterable<readonly [key: string, value: Uint8Array]> {
    return this.#table.scan(range)
  }

  async close(): Promise<void> {
    await this.#table.close()
    await this.#making
  }
  /** Makes a filter of what is there now, unless that is under way or has failed. Never rejects. */
  filtered(): Promise<void> {
    this.#making ??= this.#make().then(
      () => {
        this.#making = undefined
      },
      () => {
        this.#gathered = undefined
      },
    )
    return this.#making
  }

  async #make(): Promise<void> {
    const hashes = (this.#gathered = new Hashes())
    await Promise.all(this.#writing)
    for await (const [key] of this.#table.scan({})) hashes.push(murmur3(key))
    const filter = new KeyFilter(Math.max(KEYS_MIN, hashes.count * ROOM))
    for (let some = hashes.take(); some !== undefined; some = hashes.take()) {
      for (const hash of some) filter.add(hash)
      await sleep(this.#clock, 0)
    }
    this.#filter = filter
    this.#gathered = undefined
  }

  #add(hash: number): void {
    this.#gathered?.push(hash)
    this.#filter?.add(hash)
    if (this.#filter?.isFull === true) void this.filtered()
  }
}

/** Hashes that are gathered before anyone knows how many there will be: four bytes each. */
class Hashes {
  readonly #full: Uint32Array[] = []
  #last = new Uint32Array(AT_ONCE)
  #used = 0
  /** How many have come. */
  count = 0

  push(hash: number): void {
    if (this.#used === AT_ONCE) {
      this.#full.push(this.#last)
      this.#last = new Uint32Array(AT_ONCE)
      this.#used = 0
    }
    this.#last[this.#used++] = hash
    this.count++
  }

  /** Takes some of them out; undefined when there are none. */
  take(): Uint32Array | undefined {
    const full = this.#full.pop()
    if (full !== undefined) return full
    const rest = this.#last.slice(0, this.#used)
    this.#used = 0
    return rest.length === 0 ? undefined : rest
  }
}
