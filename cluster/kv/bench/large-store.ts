/**
 * One replica's storage on a real disk with many entries: what the benchmarks of large stores share.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomFillSync } from 'node:crypto'
import { realClock } from '../../../harness/clock.ts'
import type { Disk, Table } from '../../../harness/env.ts'
import { LevelDisk } from '../../drivers/real/level-disk.ts'
import { FilteredDisk } from '../filtered-disk.ts'
import { partitioners } from '../partitioner.ts'
import { encodeCell, placeOf } from '../records.ts'
import { Storage } from '../storage.ts'
import { lastWriteWins } from '../versions.ts'
import type { Cell } from '../versions.ts'

/** Entries of one write while a store is filled. */
const FILL_AT_ONCE = 1_000

/** How a store is filled. */
export interface Fill {
  readonly entries: number
  /** Of each value. */
  readonly bytes: number
  /** How much of each value is random, 0 to 1: the rest is what compression gains. */
  readonly random: number
}

/** The name of an entry. Names that were not written come beyond the last, and lie on the ring among the others. */
export function entryName(index: number): string {
  return `entry:${index}`
}

/** Fills a store in a folder of its own, in the way that checkpoints bring cells to the table, has `body` open it anew with as large a cache, on a table of its own if it likes, and removes it. */
export async function withLargeStore(fill: Fill, cacheBytes: number, print: (line: string) => void, body: (dir: string, open: (table?: Table) => Promise<Storage>) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'splitbrain-large-'))
  const disk = new LevelDisk(dir)
  const opened = async (table?: Table): Promise<Storage> =>
    Storage.open({ open: async () => table ?? (await filteredTable(disk)), openJournal: (name) => disk.openJournal(name) }, realClock(), partitioners.murmur3, { sync: 'periodic', syncIntervalMs: 1_000, cacheBytes, conflicts: lastWriteWins, bugs: [] })
  try {
    const began = performance.now()
    await fillWith(disk, fill)
    const seconds = (performance.now() - began) / 1000
    print(`${fill.entries.toLocaleString('en')} entries of ${fill.bytes} bytes written in ${seconds.toFixed(1)} s: ${Math.round(fill.entries / seconds).toLocaleString('en')}/s, ${FILL_AT_ONCE} in one write`)
    await body(dir, opened)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** The store's table as a node has it that has run for a while: its filter is made. */
async function filteredTable(disk: Disk): Promise<Table> {
  const table = await new FilteredDisk(disk, realClock()).open('store')
  await table.filtered()
  return table
}

/** Writes the value of an entry. */
export function writeEntry(storage: Storage, index: number, fill: Fill, counter: number): Promise<boolean> {
  return storage.apply(entryName(index), cellOf(fill, counter))
}

function cellOf({ bytes, random }: Fill, counter: number): Cell {
  return { counter, writer: 'n1.1', value: randomFillSync(Buffer.alloc(bytes), 0, Math.floor(bytes * random)) }
}

/** Fills the store of a node that does not run, and closes its disk. */
export async function fillWith(disk: LevelDisk, fill: Fill): Promise<void> {
  const table = await disk.open('store')
  const { entries } = fill
  for (let from = 0; from < entries; from += FILL_AT_ONCE) {
    const writes = Array.from({ length: Math.min(FILL_AT_ONCE, entries - from) }, (_, i) => ({
      key: placeOf(entryName(from + i), partitioners.murmur3).diskKey,
      value: encodeCell(cellOf(fill, 1)),
    }))
    await table.write(writes, { sync: false })
  }
  await disk.close()
}

/** So many indices spread evenly over [0, range): a step near the golden ratio visits a range evenly without repeating itself soon. */
export function* spread(count: number, range: number): Generator<number> {
  for (let i = 0; i < count; i++) yield Math.floor(((i * 0.618_033_988_749_895) % 1) * range)
}

/** Calls `body` one time after the other with indices spread evenly over [0, range), and resolves to how long a call took on average and in the middle, in milliseconds. */
export async function timeCalls(calls: number, range: number, body: (index: number) => unknown): Promise<{ readonly meanMs: number; readonly medianMs: number }> {
  const times: number[] = []
  for (const index of spread(calls, range)) {
    const began = performance.now()
    await body(index)
    times.push(performance.now() - began)
  }
  times.sort((a, b) => a - b)
  return { meanMs: times.reduce((sum, one) => sum + one, 0) / calls, medianMs: times[calls >>> 1]! }
}
