/**
 * Writes and reads at one replica whose data are many times the memory that it may use, as in the figures that the
 * authors of Cassandra gave (writes 0.12 ms, reads 15 ms on average, over 50 GB). The limit is the kernel's: this
 * process enters a memory control group of its own, which counts the page cache too. That takes root and version 1 or
 * 2 of control groups; without, the benchmark refuses.
 *
 * Beside the times stands how many page faults went to the disk (major ones). LevelDB maps its tables into memory, so a
 * read that goes into a table usually costs one, and a read that the Bloom filters answer need not. Filters and indices
 * lie in the same pages, and compaction reads them too: the faults are an upper bound for the reads that touch a table.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { UsageError } from '../../../harness/usage-error.ts'
import type { Storage } from '../storage.ts'
import { entryName, timeCalls, withLargeStore, writeEntry } from './large-store.ts'
import type { Fill } from './large-store.ts'

const MIB = 2 ** 20
const CACHE_SHARE = 1 / 8
/** How many times its memory a store holds by default. */
const TIMES = 10

/** Where memory is controlled, and what its files are called. */
function controller(): { readonly root: string; readonly limit: string; readonly home: string } {
  const lines = readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n').map((line) => line.split(':'))
  const old = lines.find(([, names]) => names === 'memory')
  return old === undefined
    ? { root: '/sys/fs/cgroup', limit: 'memory.max', home: `/sys/fs/cgroup${lines.find(([, names]) => names === '')?.[2] ?? ''}` }
    : { root: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes', home: `/sys/fs/cgroup/memory${old[2]!}` }
}

/** Has the kernel forget what it holds of the files in a folder: once written, they are read from the disk again. */
function dropCache(dir: string): void {
  execFileSync('sync', ['-f', dir])
  for (const name of readdirSync(dir)) {
    // A file that a compaction has removed meanwhile is in nobody's way.
    if (existsSync(join(dir, name))) spawnSync('dd', [`if=${join(dir, name)}`, 'iflag=nocache', 'count=0', 'status=none'])
  }
}

/** Runs `body` with this process in a group that has so much memory. */
async function limited(bytes: number, body: () => Promise<void>): Promise<void> {
  const { root, limit, home } = controller()
  const group = `${root}/splitbrain-bench-${process.pid}`
  try {
    mkdirSync(group)
    writeFileSync(`${group}/${limit}`, String(bytes))
    writeFileSync(`${group}/cgroup.procs`, String(process.pid))
  } catch (error) {
    throw new UsageError(`This process cannot limit its own memory (${(error as Error).message}); run it as root where control groups can be made.`)
  }
  try {
    await body()
  } finally {
    writeFileSync(`${statSync(home, { throwIfNoEntry: false }) === undefined ? root : home}/cgroup.procs`, String(process.pid))
    rmdirSync(group)
  }
}

async function main(args: string[], print: (line: string) => void): Promise<void> {
  const { values } = parseArgs({ args, options: { memory: { type: 'string', default: '200' }, entries: { type: 'string' }, bytes: { type: 'string', default: '1000' }, operations: { type: 'string', default: '20000' } } })
  const [memory, bytes, operations] = [Number(values.memory) * MIB, Number(values.bytes), Number(values.operations)]
  const entries = values.entries === undefined ? Math.ceil((memory * TIMES) / bytes) : Number(values.entries)
  print(`memory ${values.memory} MiB, values ${((entries * bytes) / memory).toFixed(1)} times that, sync periodic (1 s)`)
  const fill: Fill = { entries, bytes, random: 1 }
  await withLargeStore(fill, memory * CACHE_SHARE, print, async (dir, open) => {
    dropCache(join(dir, 'store'))
    await limited(memory, async () => {
      const storage = await open()
      await measureAll(storage, { ...fill, operations }, print)
      await storage.close()
    })
  })
}

/** Reads and writes of keys that are there and of keys that are not. */
async function measureAll(storage: Storage, { operations, ...fill }: Fill & { readonly operations: number }, print: (line: string) => void): Promise<void> {
  const { entries } = fill
  const measure = async (what: string, from: number, body: (index: number) => unknown): Promise<void> => {
    const before = process.resourceUsage().majorPageFault
    const { meanMs, medianMs } = await timeCalls(operations, entries, (index) => body(from + index))
    const faults = (process.resourceUsage().majorPageFault - before) / operations
    print(`${operations.toLocaleString('en')} ${what.padEnd(24)} ${meanMs.toFixed(3)} ms on average, ${medianMs.toFixed(3)} ms in the middle, ${faults.toFixed(4)} page faults that went to the disk`)
  }
  // Beyond the last entry nothing was written. The first reads open the tables.
  await timeCalls(operations, entries, (index) => storage.read(entryName(2 * entries + index)))
  await measure('reads of present keys:', 0, (index) => storage.read(entryName(index)))
  await measure('reads of absent keys:', 4 * entries, (index) => storage.read(entryName(index)))
  await measure('writes of new keys:', 6 * entries, (index) => writeEntry(storage, index, fill, 2))
  // Others than those that were read: their pages may still be in memory.
  await measure('writes of present keys:', 0, (index) => writeEntry(storage, (index + (entries >>> 1)) % entries, fill, 2))
}

export const bench = { name: 'kv-beyond-memory', describes: 'writes and reads at a replica whose data are ten times its memory [--memory MIB] [--entries N] [--bytes N] [--operations N]; needs root', run: main }
