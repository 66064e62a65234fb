/**
 * Blind writes: cells that were put on top of what the table holds, which nobody has looked at yet. That is done behind
 * the write's back, a few at a time. So long as these reads keep up with the writes, a write costs the log alone; when
 * they do not, the share of memory that blind writes may take is used up, and writes look first.
 */
import { weightOf } from './memtable.ts'
import type { Entry } from './memtable.ts'

/** Reads under way at a time: libuv has four threads for all that the disk does. */
const LOOKUPS_AT_ONCE = 3

/** The blind writes of one storage. */
export class BlindWrites {
  readonly #bytesMax: number
  readonly #lookUp: (key: string) => Promise<unknown>
  /** Entries that nobody looks up yet, the oldest first. */
  readonly #waiting = new Set<Entry>()
  readonly #weights = new Map<Entry, number>()
  #bytes = 0
  #lookups = 0

  /** `lookUp` merges what the table holds of a key into its entry, after which that is known. */
  constructor(bytesMax: number, lookUp: (key: string) => Promise<unknown>) {
    this.#bytesMax = bytesMax
    this.#lookUp = lookUp
  }

  /** Whether there may be one more. */
  get hasRoom(): boolean {
    return this.#bytes < this.#bytesMax
  }

  /** The entry, which is not known, has this cell now. */
  weigh(entry: Entry): void {
    this.#forget(entry)
    const weight = weightOf(entry)
    this.#weights.set(entry, weight)
    this.#bytes += weight
  }

  /** The entry is known. */
  settle(entry: Entry): void {
    this.#forget(entry)
    this.#waiting.delete(entry)
  }

  /** Looks up what lies under the entry when its turn comes. Never throws: who reads such a key, or the checkpoint, meets a failure again. */
  lookUp(entry: Entry): void {
    this.#waiting.add(entry)
    this.#next()
  }

  #next(): void {
    for (const entry of this.#waiting) {
      if (this.#lookups >= LOOKUPS_AT_ONCE) return
      this.#waiting.delete(entry)
      this.#lookups++
      void this.#lookUp(entry.key)
        .catch(() => undefined)
        .then(() => {
          this.#lookups--
          this.#next()
        })
    }
  }

  #forget(entry: Entry): void {
    this.#bytes -= this.#weights.get(entry) ?? 0
    this.#weights.delete(entry)
  }
}
