/**
 * How often a read goes into a table: of keys that are there, which must, and of keys that are not, which Bloom filters
 * are there to spare it: the node's own (`filtered-disk.ts`), and LevelDB's.
 *
 * LevelDB does not count that, but it tells how many bytes its cache of uncompressed blocks holds. With a cache that
 * nothing falls out of, and values that compress, each block that a read is the first to look into adds itself to these
 * bytes, and nothing else does while nobody writes. So a read during which they grew went into a table. One that finds
 * all of its blocks in the cache is missed: no more than the share of the tables that the reads have been in before it, and
 * the present keys show how many these are.
 */
import { parseArgs } from 'node:util'
import { realClock } from '../../../harness/clock.ts'
import type { Table } from '../../../harness/env.ts'
import { openLevel, tableOf } from '../../drivers/real/level-disk.ts'
import type { Level } from '../../drivers/real/level-disk.ts'
import { FilteredTable } from '../filtered-disk.ts'
import type { Storage } from '../storage.ts'
import { entryName, spread, withLargeStore } from './large-store.ts'

/** More than the reads bring in. */
const BLOCK_CACHE_BYTES = 2 ** 30
const STORAGE_CACHE_BYTES = 2 ** 20
/** Of each value, so that blocks are kept compressed. */
const RANDOM_SHARE = 0.5
const LEVELS = 7

/** What is read, and whether the node's own filter stands before LevelDB's. */
const TRIALS = [
  { what: 'present keys', absent: false, filtered: true },
  { what: "absent keys, by LevelDB's filters alone", absent: true, filtered: false },
  { what: 'absent keys', absent: true, filtered: true },
] as const

async function main(args: string[], print: (line: string) => void): Promise<void> {
  const { values } = parseArgs({ args, options: { entries: { type: 'string', default: '10000000' }, bytes: { type: 'string', default: '100' }, reads: { type: 'string', default: '20000' } } })
  const [entries, bytes, reads] = [Number(values.entries), Number(values.bytes), Number(values.reads)]
  await withLargeStore({ entries, bytes, random: RANDOM_SHARE }, STORAGE_CACHE_BYTES, print, async (dir, open) => {
    for (const { what, absent, filtered } of TRIALS) {
      const level = await openLevel(dir, 'store', { cacheBytes: BLOCK_CACHE_BYTES })
      const table = filtered ? await withFilter(tableOf(level), print) : tableOf(level)
      const storage = await open(table)
      // Beyond the last entry nothing was written.
      const touched = await readsOfTables(level, storage, [...spread(reads, entries)].map((index) => entryName(absent ? 2 * entries + index : index)))
      print(`reads of ${what}: ${touched.toLocaleString('en')} of ${reads.toLocaleString('en')} went into a table (${((touched / reads) * 100).toFixed(2)} %); tables on levels 0 to ${LEVELS - 1}: ${tablesOf(level)}`)
      await storage.close()
    }
  })
}

/** The table with its filter made. */
async function withFilter(table: Table, print: (line: string) => void): Promise<Table> {
  const filtered = new FilteredTable(table, realClock())
  const [began, before] = [performance.now(), process.resourceUsage()]
  await filtered.filtered()
  const after = process.resourceUsage()
  const cpuSeconds = (after.userCPUTime + after.systemCPUTime - before.userCPUTime - before.systemCPUTime) / 1e6
  print(`its filter was made in ${((performance.now() - began) / 1000).toFixed(1)} s, with ${cpuSeconds.toFixed(1)} s of processor time`)
  return filtered
}

/** How many of these reads brought in a block of a table. */
async function readsOfTables(level: Level, storage: Storage, keys: readonly string[]): Promise<number> {
  let touched = 0
  let held = bytesHeld(level)
  for (const key of keys) {
    await storage.read(key)
    const now = bytesHeld(level)
    if (now !== held) touched++
    held = now
  }
  return touched
}

function bytesHeld(level: Level): number {
  return Number(level.getProperty('leveldb.approximate-memory-usage'))
}

function tablesOf(level: Level): string {
  return Array.from({ length: LEVELS }, (_, at) => level.getProperty(`leveldb.num-files-at-level${at}`)).join(', ')
}

export const bench = { name: 'kv-absent-reads', describes: 'how many reads of keys that are not there go into a table, beside keys that are [--entries N] [--bytes N] [--reads N]', run: main }
