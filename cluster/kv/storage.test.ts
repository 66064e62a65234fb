import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { VirtualClock, sleep } from '../../harness/clock.ts'
import { partitioners } from './partitioner.ts'
import { Storage } from './storage.ts'
import type { StorageOptions } from './storage.ts'
import { MemoryDisk } from './testing/memory-disk.ts'
import { ABSENT, lastWriteWins } from './versions.ts'
import type { Cell } from './versions.ts'

const cell = (counter: number, value: string | null, writer = 'n1.1'): Cell => ({ counter, writer, value: value === null ? null : Buffer.from(value) })
const valueOf = (held: Cell): string | null => (held.value === null ? null : Buffer.from(held.value).toString())
const options: StorageOptions = { sync: 'always', syncIntervalMs: 100, cacheBytes: 1 << 20, conflicts: lastWriteWins, bugs: [] }

function withStorage(body: (storage: Storage, disk: MemoryDisk, clock: VirtualClock) => Promise<void>, change: Partial<StorageOptions> = {}): Promise<void> {
  const clock = new VirtualClock()
  const disk = new MemoryDisk()
  return clock.run(async () => body(await Storage.open(disk, clock, partitioners.murmur3, { ...options, ...change }), disk, clock))
}

/** Longer than a change stays in the log alone. */
const CHECKPOINT_MS = 1_100

/** Every change that the storage tells of: key, what was there, what is there now. */
function changesOf(storage: Storage): (readonly [string, string | null, string | null])[] {
  const changes: (readonly [string, string | null, string | null])[] = []
  storage.observe((_, before, after, key) => changes.push([key, valueOf(before), valueOf(after)]))
  return changes
}

async function scanOf(storage: Storage): Promise<(readonly [string, string | null])[]> {
  const cells: (readonly [string, string | null])[] = []
  for await (const [key, held] of storage.scan(0, 2 ** 32)) cells.push([key, valueOf(held)])
  return cells
}

/** Whether the promise is settled by the time everything that can happen now has happened. */
async function isSettled(clock: VirtualClock, promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([promise.then(() => true), sleep(clock, 1).then(() => false)])
}

test('a write is confirmed when it is on disk, and not before', () =>
  withStorage(async (storage, disk, clock) => {
    disk.holding = true
    const written = storage.apply('k', cell(1, 'a'))
    assert.not.ok(await isSettled(clock, written))
    assert.ok(disk.held[0]!.sync)
    disk.held[0]!.finish()
    assert.not.ok(await written, 'there was no value before')
  }))

test('a read waits for the cell that it returns to be on disk', () =>
  withStorage(async (storage, disk, clock) => {
    disk.holding = true
    const written = storage.apply('k', cell(1, 'a'))
    const read = Promise.resolve(storage.read('k'))
    assert.not.ok(await isSettled(clock, read))
    disk.held[0]!.finish()
    assert.is(valueOf(await read), 'a')
    await written
  }))

test('writes that come while one is being written go to disk together', () =>
  withStorage(async (storage, disk, clock) => {
    disk.holding = true
    const first = storage.apply('a', cell(1, 'a'))
    await sleep(clock, 1)
    const rest = ['b', 'c', 'd'].map((key) => storage.apply(key, cell(1, key)))
    await sleep(clock, 1)
    disk.held[0]!.finish()
    await first
    await sleep(clock, 1)
    assert.is(disk.held.length, 2)
    disk.held[1]!.finish()
    await Promise.all(rest)
    assert.is(storage.commits, 2)
  }))

test('the greater version stays, whatever the order, also across a restart', async () => {
  const clock = new VirtualClock()
  const disk = new MemoryDisk()
  await clock.run(async () => {
    const before = await Storage.open(disk, clock, partitioners.murmur3, options)
    await before.apply('k', cell(2, 'new'))
    assert.ok(await before.apply('k', cell(1, 'old')), 'there was a value before')
    const after = await Storage.open(disk, clock, partitioners.murmur3, options)
    assert.is(valueOf(await after.read('k')), 'new')
    await after.apply('k', cell(1, 'old'))
    assert.is(valueOf(await after.read('k')), 'new')
    await after.apply('k', cell(3, null))
    assert.equal(await after.read('k'), { ...cell(3, null) })
  })
})

test('a key that nobody wrote is absent', () =>
  withStorage(async (storage) => {
    assert.is(await storage.read('k'), ABSENT)
  }))

test('cells that no longer fit the cache come back from disk', () =>
  withStorage(async (storage) => {
    for (let i = 0; i < 200; i++) await storage.apply(`k${i}`, cell(i + 1, `v${i}`))
    for (let i = 0; i < 200; i++) assert.is(valueOf(await storage.read(`k${i}`)), `v${i}`)
  }, { cacheBytes: 2000 }))

test('a value that is still on its way to disk is found though the cache has forgotten it', () =>
  withStorage(async (storage, disk, clock) => {
    disk.holding = true
    const written = storage.apply('k', cell(5, 'kept'))
    await sleep(clock, 1)
    for (let i = 0; i < 50; i++) await storage.read(`other${i}`)
    const older = storage.apply('k', cell(4, 'late'))
    disk.held[0]!.finish()
    await Promise.all([written, older])
    assert.is(valueOf(await storage.read('k')), 'kept')
  }, { cacheBytes: 500 }))

test('after a failed write nothing is served any more: memory and disk may differ', () =>
  withStorage(async (storage, disk, clock) => {
    disk.holding = true
    const written = storage.apply('k', cell(1, 'a'))
    await sleep(clock, 1)
    disk.held[0]!.fail(new Error('no space left on device'))
    const refusal = async (promise: unknown): Promise<string> => Promise.resolve(promise).then(() => 'served', (error: Error) => error.message)
    assert.match(await refusal(written), /no space left/)
    assert.match(await refusal(storage.read('k')), /no space left/)
    assert.match(await refusal(storage.apply('k', cell(2, 'b'))), /no space left/)
  }))

test('a corrupt record is refused, not taken for absent', () =>
  withStorage(async (storage, disk, clock) => {
    await storage.apply('k', cell(1, 'a'))
    await sleep(clock, CHECKPOINT_MS)
    const reopened = await Storage.open(disk, new VirtualClock(), partitioners.murmur3, options)
    const [key, record] = [...disk.entries][0]!
    disk.entries.set(key, Buffer.from(record).fill(0xff, 18))
    assert.match(await Promise.resolve(reopened.read('k')).then(() => 'served', (error: Error) => error.message), /the record of "k" is corrupt/)
  }))

test('under sync periodic a write is forced to disk within the interval, though no other follows', () =>
  withStorage(async (storage, disk, clock) => {
    await storage.apply('k', cell(1, 'a'))
    disk.holding = true
    await sleep(clock, 99)
    assert.is(disk.held.length, 0)
    await sleep(clock, 2)
    assert.ok(disk.held[0]!.sync)
  }, { sync: 'periodic' }))

test('a write of a key that is not in memory does not wait for the disk to say what was there, and older ones lose all the same', () =>
  withStorage(async (storage, disk, clock) => {
    await storage.apply('k', cell(5, 'newer'))
    await storage.apply('other', cell(5, 'older'))
    await sleep(clock, CHECKPOINT_MS)
    const reopened = await Storage.open(disk, clock, partitioners.murmur3, options)
    const changes = changesOf(reopened)
    const release = disk.holdReads()
    await reopened.apply('k', cell(4, 'late'))
    await reopened.apply('other', cell(6, 'newest'))
    assert.equal(changes, [], 'nobody knows yet what was there')
    const read = Promise.resolve(reopened.read('k'))
    assert.not.ok(await isSettled(clock, read), 'a read waits until it is known')
    release()
    assert.is(valueOf(await read), 'newer')
    assert.is(valueOf(await reopened.read('other')), 'newest')
    assert.equal(changes, [['other', 'older', 'newest']])
  }))

test('a deletion says whether the key had a value, so it waits for the disk', () =>
  withStorage(async (storage, disk, clock) => {
    await storage.apply('k', cell(1, 'a'))
    const reopened = await Storage.open(disk, clock, partitioners.murmur3, options)
    const release = disk.holdReads()
    const deleted = reopened.apply('k', cell(2, null))
    assert.not.ok(await isSettled(clock, deleted))
    release()
    assert.ok(await deleted)
  }))

test('what was confirmed is there after a crash at any moment: before it was looked up, before and after a checkpoint', async () => {
  for (const crash of ['at once', 'after the lookups', 'after a checkpoint'] as const) {
    await withStorage(async (storage, disk, clock) => {
      await storage.apply('a', cell(3, 'newer'))
      await storage.apply('b', cell(3, 'older'))
      await sleep(clock, CHECKPOINT_MS)
      const second = await Storage.open(disk, clock, partitioners.murmur3, options)
      const release = disk.holdReads()
      await second.apply('a', cell(2, 'late'))
      await second.apply('b', cell(4, 'newest'))
      await second.apply('c', cell(1, 'first'))
      const survivor = disk.copy()
      if (crash !== 'at once') release()
      await sleep(clock, crash === 'after a checkpoint' ? CHECKPOINT_MS : 1)
      const third = await Storage.open(crash === 'at once' ? survivor : disk, clock, partitioners.murmur3, options)
      assert.equal(new Map(await scanOf(third)), new Map([['a', 'newer'], ['b', 'newest'], ['c', 'first']]), crash)
    })
  }
})

test('a checkpoint brings each cell to the table once and cuts the log off', () =>
  withStorage(async (storage, disk, clock) => {
    for (let i = 1; i <= 10; i++) await storage.apply('k', cell(i, `v${i}`))
    assert.is(disk.records.length, 10)
    assert.is(disk.entries.size, 0)
    await sleep(clock, CHECKPOINT_MS)
    assert.is(disk.records.length, 0)
    assert.is(disk.entries.size, 1)
    assert.is(valueOf(await (await Storage.open(disk, clock, partitioners.murmur3, options)).read('k')), 'v10')
  }))

test('a checkpoint has the table synced before it cuts the log off', () =>
  withStorage(async (storage, disk, clock) => {
    await storage.apply('k', cell(1, 'a'))
    disk.holding = true
    await sleep(clock, CHECKPOINT_MS)
    assert.ok(disk.held[0]!.sync)
    assert.is(disk.records.length, 1)
    disk.held[0]!.finish()
    await sleep(clock, 1)
    assert.is(disk.records.length, 0)
  }))

test('under sync periodic writes do not wait while the log is forced to disk', () =>
  withStorage(async (storage, disk, clock) => {
    await storage.apply('a', cell(1, 'a'))
    disk.holding = true
    await sleep(clock, 101)
    disk.holding = false
    const written = storage.apply('b', cell(1, 'b'))
    assert.ok(await isSettled(clock, written))
    disk.held[0]!.finish()
  }, { sync: 'periodic' }))

test('what was removed stays removed, also when the log alone says so', () =>
  withStorage(async (storage, disk, clock) => {
    await storage.apply('k', cell(1, 'a'))
    await sleep(clock, CHECKPOINT_MS)
    assert.ok(await storage.forget('k', cell(1, 'a')))
    assert.equal(await scanOf(storage), [])
    assert.is(await (await Storage.open(disk, clock, partitioners.murmur3, options)).read('k'), ABSENT)
  }))

test('a corrupt log is refused', () =>
  withStorage(async (storage, disk, clock) => {
    await storage.apply('k', cell(1, 'a'))
    disk.records[0]!.bytes = Buffer.from(disk.records[0]!.bytes).fill(0xff, 20)
    assert.match(await Storage.open(disk, clock, partitioners.murmur3, options).then(() => 'opened', (error: Error) => error.message), /commit 1 of the log is corrupt/)
  }))

test('a storage that is closed forces nothing to disk any more', () =>
  withStorage(async (storage, disk, clock) => {
    await storage.apply('k', cell(1, 'a'))
    await storage.close()
    disk.holding = true
    await sleep(clock, 1_000)
    assert.is(disk.held.length, 0)
  }, { sync: 'periodic' }))

test('every start of a node has a number of its own', () =>
  withStorage(async (storage, disk, clock) => {
    assert.is(await storage.nextIncarnation(), 1)
    const second = await Storage.open(disk, clock, partitioners.murmur3, options)
    assert.is(await second.nextIncarnation(), 2)
    const [name, count] = [...disk.entries][0]!
    disk.entries.set(name, Buffer.from(count).fill(0xff, 6, 7))
    assert.match(await second.nextIncarnation().then(() => 'counted', (error: Error) => error.message), /the record of "incarnation" is corrupt/)
  }))

test('a scan gives the cells of a range of tokens, in their order', () =>
  withStorage(async (storage) => {
    const keys = Array.from({ length: 50 }, (_, i) => `k${i}`)
    for (const key of keys) await storage.apply(key, cell(1, key))
    const inRange = keys.filter((key) => partitioners.murmur3.token(key) < 2 ** 31).sort((a, b) => partitioners.murmur3.token(a) - partitioners.murmur3.token(b))
    const scanned: string[] = []
    for await (const [key] of storage.scan(0, 2 ** 31)) scanned.push(key)
    assert.equal(scanned, inRange)
  }))

test.run()
