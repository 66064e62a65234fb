import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { VirtualClock, sleep } from '../../harness/clock.ts'
import type { Disk, Journal, Table } from '../../harness/env.ts'
import { FilteredDisk } from './filtered-disk.ts'
import type { FilteredTable } from './filtered-disk.ts'
import { MemoryDisk } from './testing/memory-disk.ts'

const value = Buffer.from('v')

/** A disk that counts the keys it is asked for, and whose scans can be stopped half-way or fail. */
class Watched implements Disk {
  readonly memory = new MemoryDisk()
  asked = 0
  scans = 0
  /** Called before each entry of a scan. */
  onEntry: () => Promise<void> | void = () => undefined

  async open(): Promise<Table> {
    const table = await this.memory.open()
    return {
      ...table,
      get: (key) => {
        this.asked++
        return table.get(key)
      },
      scan: (range) => this.#scan(table, range),
    }
  }

  openJournal(): Promise<Journal> {
    return this.memory.openJournal()
  }

  async *#scan(table: Table, range: Parameters<Table['scan']>[0]): ReturnType<Table['scan']> {
    this.scans++
    for await (const entry of table.scan(range)) {
      await this.onEntry()
      yield entry
    }
  }
}

function withTable(present: readonly string[], body: (table: FilteredTable, disk: Watched, clock: VirtualClock) => Promise<void>): Promise<void> {
  const clock = new VirtualClock()
  const disk = new Watched()
  for (const key of present) disk.memory.entries.set(key, value)
  return clock.run(async () => body(await new FilteredDisk(disk, clock).open('store'), disk, clock))
}

const put = (table: Table, ...keys: string[]): Promise<void> => table.write(keys.map((key) => ({ key, value })), { sync: false })
const holds = async (table: Table, key: string): Promise<boolean> => (await table.get(key)) !== undefined
const names = (count: number, prefix = 'k'): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

test('once the filter is made, keys that are not there are not looked for, and those that are there are found', () =>
  withTable(names(100), async (table, disk) => {
    assert.ok(await holds(table, 'k1'))
    await table.filtered()
    disk.asked = 0
    for (const key of names(1_000, 'absent')) assert.not.ok(await holds(table, key))
    assert.ok(disk.asked <= 10, `${disk.asked} of 1,000`)
    await put(table, 'new')
    for (const key of [...names(100), 'new']) assert.ok(await holds(table, key), key)
    assert.is(disk.scans, 1)
  }))

test('a key that is written while the filter is being made is in it, whenever its write began and ended', () =>
  withTable(names(10), async (table, disk, clock) => {
    disk.memory.holding = true
    const early = put(table, 'under way when the making began')
    let go!: () => void
    const gate = new Promise<void>((resolve) => (go = resolve))
    disk.onEntry = () => gate
    const made = table.filtered()
    await sleep(clock, 1)
    assert.is(disk.scans, 0, 'the scan waits for the write that is under way')
    const late = put(table, 'begun before the scan, ended after it')
    disk.memory.held[0]!.finish()
    await early
    await sleep(clock, 1)
    assert.is(disk.scans, 1)
    disk.memory.holding = false
    await put(table, 'written during the scan')
    go()
    await made
    disk.memory.held[1]!.finish()
    await late
    for (const key of [...names(10), 'under way when the making began', 'begun before the scan, ended after it', 'written during the scan']) assert.ok(await holds(table, key), key)
    disk.asked = 0
    assert.not.ok(await holds(table, 'absent'))
    assert.is(disk.asked, 0)
  }))

test('a filter that is full is made anew from what is there, and forgets what was removed', () =>
  withTable([], async (table, disk) => {
    await table.filtered()
    for (let batch = 0; batch < 60; batch++) await put(table, ...names(1_000, `${batch}:`))
    await table.write(names(1_000, '0:').map((key) => ({ key, value: undefined })), { sync: false })
    assert.is(disk.scans, 1)
    for (let batch = 60; batch < 70; batch++) await put(table, ...names(1_000, `${batch}:`))
    assert.is(disk.scans, 2)
    await table.filtered()
    disk.asked = 0
    for (const key of names(1_000, '0:')) assert.not.ok(await holds(table, key))
    assert.ok(disk.asked <= 10, `${disk.asked} of 1,000 that were removed are looked for`)
    for (let batch = 1; batch < 70; batch++) for (const key of names(1_000, `${batch}:`)) assert.ok(await holds(table, key), key)
  }))

test('a table that cannot be read as a whole has no filter: every key is looked for', () =>
  withTable(names(10), async (table, disk) => {
    disk.onEntry = () => Promise.reject(new Error('EIO: i/o error, read'))
    await table.filtered()
    disk.asked = 0
    for (const key of names(10)) assert.ok(await holds(table, key))
    assert.not.ok(await holds(table, 'absent'))
    assert.is(disk.asked, 11)
    assert.is(disk.scans, 1)
  }))

test('whatever is written, removed and asked for while filters are made, a key that is there is found', async () => {
  const step = fc.oneof(fc.record({ put: fc.nat(20) }), fc.record({ remove: fc.nat(20) }), fc.record({ make: fc.constant(true) }), fc.record({ wait: fc.nat(3) }))
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(20)), fc.array(step, { maxLength: 60 }), (present, steps) =>
      withTable(present.map(String), async (table, disk, clock) => {
        disk.onEntry = () => sleep(clock, 1)
        const expected = new Set(present.map(String))
        for (const one of steps) {
          if ('put' in one) {
            await put(table, String(one.put))
            expected.add(String(one.put))
          } else if ('remove' in one) {
            await table.write([{ key: String(one.remove), value: undefined }], { sync: false })
            expected.delete(String(one.remove))
          } else if ('wait' in one) await sleep(clock, one.wait)
          else void table.filtered()
          for (let key = 0; key <= 20; key++) assert.is(await holds(table, String(key)), expected.has(String(key)))
        }
      }),
    ),
    { numRuns: 200 },
  )
})

test.run()
