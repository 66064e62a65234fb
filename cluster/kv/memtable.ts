/**
 * What a replica's storage has in memory: cells that are in the commit log alone, which stay until they are in the table
 * as well, and beside them a cache of what was touched last.
 */
import type { Changing } from './commit-log.ts'
import type { Cell } from './versions.ts'

/** The latest cell of a key. */
export interface Entry extends Changing {
  readonly key: string
  readonly token: number
  cell: Cell
  /** The cell's record as long as it is on its way to the table; undefined: nothing shall be there. */
  record: Uint8Array | undefined
  /** Whether the cell is all that is known of the key. Otherwise the table may hold something that it has to be merged with. */
  known: boolean
  /** The turn in which it was last to be brought to the table. */
  turn: number
}

const ENTRY_OVERHEAD_BYTES = 128

/** About how many bytes of memory an entry takes. */
export function weightOf({ key, cell }: Entry): number {
  return ENTRY_OVERHEAD_BYTES + key.length + (cell.value?.length ?? 0)
}

/** Entries by key. */
export class Memtable {
  readonly #cacheBytes: number
  /** Two generations: when the young one is full it becomes the old one, and what was not touched since is forgotten. */
  #young = new Map<string, Entry>()
  #old = new Map<string, Entry>()
  #youngBytes = 0
  /** What is not in the table yet, and what is being brought there. */
  #pending = new Map<string, Entry>()
  #moving: ReadonlyMap<string, Entry> = new Map<string, Entry>()
  /** How often what is pending was taken, and one. */
  #turn = 1

  constructor(cacheBytes: number) {
    this.#cacheBytes = cacheBytes
  }

  find(key: string): Entry | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const entry = this.#old.get(key) ?? this.#pending.get(key) ?? this.#moving.get(key)
    if (entry !== undefined) this.keep(entry)
    return entry
  }

  /** Remembers an entry for a while. */
  keep(entry: Entry): void {
    this.#young.set(entry.key, entry)
    this.#youngBytes += weightOf(entry)
    if (this.#youngBytes * 2 <= this.#cacheBytes) return
    this.#old = this.#young
    this.#young = new Map()
    this.#youngBytes = 0
  }

  /** Remembers an entry until it has been brought to the table. */
  pin(entry: Entry): void {
    if (entry.turn === this.#turn) return
    entry.turn = this.#turn
    this.#pending.set(entry.key, entry)
  }

  /** Whether there is anything that is not in the table. */
  get isClean(): boolean {
    return this.#pending.size === 0 && this.#moving.size === 0
  }

  /** All that is to be brought to the table now; what changes from here on is for the next time. */
  takePending(): readonly Entry[] {
    this.#moving = this.#pending
    this.#pending = new Map()
    this.#turn++
    return [...this.#moving.values()]
  }

  /** What was taken is in the table. */
  release(): void {
    this.#moving = new Map()
  }

  /** What is not in the table and lies at `from <= place < to` on the disk, in that order. */
  between(from: string, to: string): Entry[] {
    const found: Entry[] = []
    for (const entry of this.#moving.values()) if (entry.diskKey >= from && entry.diskKey < to && !this.#pending.has(entry.key)) found.push(entry)
    for (const entry of this.#pending.values()) if (entry.diskKey >= from && entry.diskKey < to) found.push(entry)
    return found.sort((a, b) => (a.diskKey < b.diskKey ? -1 : 1))
  }
}
