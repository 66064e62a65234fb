/**
 * How often a read goes into a table: of keys that are there, which must, and of keys that are not, which the Bloom filters
 * are there to spare it.
 *
 * LevelDB does not count that, but it tells how many bytes its cache of uncompressed blocks holds. With a cache that
 * nothing falls out of, and values that compress, each block that a read is the first to look into adds itself to these
 * bytes, and nothing else does while nobody writes. So a read during which they grew went into a table. One that finds
 * all of its blocks in the cache is missed: no more than the share of the tables that the reads have been in before it, and
 * the present keys show how many these are.
 */
import { parseArgs } from 'node:util'
import type { Disk } from '../../../harness/env.ts'
import { openLevel, tableOf } from '../../drivers/real/level-disk.ts'
import type { Level } from '../../drivers/real/level-disk.ts'
import type { Storage } from '../storage.ts'
import { entryName, spread, withLargeStore } from './large-store.ts'

/** More than the reads bring in. */
const BLOCK_CACHE_BYTES = 2 ** 30
const STORAGE_CACHE_BYTES = 2 ** 20
/** Of each value, so that blocks are kept compressed. */
const RANDOM_SHARE = 0.5
const LEVELS = 7

async function main(args: string[], print: (line: string) => void): Promise<void> {
  const { values } = parseArgs({ args, options: { entries: { type: 'string', default: '10000000' }, bytes: { type: 'string', default: '100' }, reads: { type: 'string', default: '20000' } } })
  const [entries, bytes, reads] = [Number(values.entries), Number(values.bytes), Number(values.reads)]
  await withLargeStore({ entries, bytes, random: RANDOM_SHARE }, STORAGE_CACHE_BYTES, print, async (dir, open) => {
    // Beyond the last entry nothing was written.
    for (const [what, from] of [['present', 0], ['absent', 2 * entries]] as const) {
      const level = await openLevel(dir, 'store', { cacheBytes: BLOCK_CACHE_BYTES })
      const disk: Disk = { open: () => Promise.resolve(tableOf(level)) }
      const storage = await open(disk)
      const touched = await readsOfTables(level, storage, [...spread(reads, entries)].map((index) => entryName(from + index)))
      print(`${reads.toLocaleString('en')} reads of ${what} keys: ${((touched / reads) * 100).toFixed(2)} % went into a table; tables on levels 0 to ${LEVELS - 1}: ${tablesOf(level)}`)
      await storage.close()
    }
  })
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
