import { appendFile, mkdtemp, readFile, readdir, rm, truncate, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FileJournal } from './file-journal.ts'

async function withFolder(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'splitbrain-journal-'))
  try {
    await body(join(dir, 'journal'))
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function append(journal: FileJournal, ...records: string[]): Promise<void> {
  for (const record of records) await journal.append(Buffer.from(record), { sync: false })
}

async function appendSynced(dir: string, ...records: (string | Buffer)[]): Promise<void> {
  const journal = await FileJournal.open(dir)
  for (const record of records) await journal.append(Buffer.from(record as string), { sync: true })
  await journal.close()
}

/** How many bytes these records take, each between its header and what ends it, up to a multiple of eight. */
const bytesOf = (...records: string[]): number => records.reduce((sum, { length }) => sum + 8 * Math.ceil((16 + length + 1) / 8), 0)

/** What a new life finds. */
async function found(dir: string): Promise<string[]> {
  const records: string[] = []
  for await (const record of (await FileJournal.open(dir)).read()) records.push(Buffer.from(record).toString())
  return records
}

const filesOf = async (dir: string): Promise<string[]> => (await readdir(dir)).sort().map((name) => join(dir, name))

test('a new life finds what was appended, in its order, over all marks', () =>
  withFolder(async (dir) => {
    const journal = await FileJournal.open(dir)
    await append(journal, 'a', 'b')
    journal.mark()
    await journal.append(Buffer.from('c'), { sync: true })
    await append(journal, '')
    assert.equal(await found(dir), ['a', 'b', 'c', ''])
  }))

test('a cut removes what lies before the mark, and nothing else', () =>
  withFolder(async (dir) => {
    const journal = await FileJournal.open(dir)
    await append(journal, 'a')
    const mark = journal.mark()
    assert.is(journal.mark(), mark, 'nothing was appended in between')
    await append(journal, 'b')
    await journal.cut(mark)
    assert.equal(await found(dir), ['b'])
    await journal.cut(journal.mark())
    assert.equal(await found(dir), [])
  }))

test('what a former life left stays until it is cut', () =>
  withFolder(async (dir) => {
    await append(await FileJournal.open(dir), 'a')
    const second = await FileJournal.open(dir)
    const mark = second.mark()
    await append(second, 'b')
    assert.equal(await found(dir), ['a', 'b'])
    await second.cut(mark)
    assert.equal(await found(dir), ['b'])
  }))

test('a record that was being written when the process or the power failed is none, wherever it was torn', () =>
  withFolder(async (dir) => {
    await append(await FileJournal.open(dir), 'first', 'second')
    const [file] = await filesOf(dir)
    const whole = await readFile(file!)
    for (let bytes = whole.length - 1; bytes >= 0; bytes--) {
      await truncate(file!, bytes)
      assert.equal(await found(dir), bytes >= bytesOf('first') ? ['first'] : [], `${bytes} bytes`)
    }
    await writeFile(file!, whole)
    await appendFile(file!, Buffer.alloc(100))
    assert.equal(await found(dir), ['first', 'second'], 'the file was made longer, and nothing came there')
  }))

test('nothing is found behind a record that was torn', () =>
  withFolder(async (dir) => {
    const journal = await FileJournal.open(dir)
    await append(journal, 'a', 'b')
    journal.mark()
    await append(journal, 'c')
    const [file] = await filesOf(dir)
    await truncate(file!, bytesOf('a') + 3)
    assert.equal(await found(dir), ['a'])
  }))

test('where records are synced one by one they take the place of zeros, and the file becomes longer now and then', () =>
  withFolder(async (dir) => {
    const journal = await FileJournal.open(dir)
    const lengths = new Set<number>()
    for (let i = 0; i < 100; i++) {
      await journal.append(Buffer.alloc(1_000, i + 1), { sync: true })
      lengths.add((await readFile((await filesOf(dir))[0]!)).length)
    }
    assert.ok(lengths.size < 6, [...lengths].join(' '))
    journal.mark()
    await append(journal, 'in the next file')
    const records = await found(dir)
    assert.is(records.length, 101)
    records.slice(0, 100).forEach((record, i) => assert.equal(Buffer.from(record), Buffer.alloc(1_000, i + 1)))
  }))

test('a record that was written over zeros in part is none, wherever it was torn', () =>
  withFolder(async (dir) => {
    await appendSynced(dir, 'first', 'second')
    const [file] = await filesOf(dir)
    const whole = await readFile(file!)
    const last = bytesOf('first') + 16 + 'second'.length
    for (let bytes = last + 1; bytes >= 0; bytes--) {
      await writeFile(file!, Buffer.concat([whole.subarray(0, bytes), Buffer.alloc(whole.length - bytes)]))
      const first = bytes > 16 + 'first'.length ? ['first'] : []
      assert.equal(await found(dir), bytes > last ? ['first', 'second'] : first, `${bytes} bytes`)
    }
  }))

test('a record is none that lacks a sector, unless another one follows: then it was safe once', () =>
  withFolder(async (dir) => {
    const large = Buffer.alloc(3_000, 'x')
    await appendSynced(dir, 'first', large)
    const [file] = await filesOf(dir)
    const alone = await readFile(file!)
    for (let from = 512; from < 3_000; from += 512) {
      await writeFile(file!, Buffer.from(alone).fill(0, from, from + 512))
      assert.equal(await found(dir), ['first'], `without the bytes from ${from}`)
    }
    await rm(dir, { recursive: true })
    await appendSynced(dir, 'first', large, 'last')
    await writeFile(file!, (await readFile(file!)).fill(0, 1_024, 1_536))
    const records = await found(dir)
    assert.equal([records.length, records[1] === large.toString()], [3, false])
  }))

test('a record that has zeros itself is none only when it lacks more of them, and never once another file was begun', () =>
  withFolder(async (dir) => {
    const record = Buffer.concat([Buffer.alloc(2_000), Buffer.alloc(2_000, 'x')])
    await appendSynced(dir, 'first', record)
    const [file] = await filesOf(dir)
    const whole = await readFile(file!)
    for (const at of [100, 1_000, 3_000]) {
      const spoilt = Buffer.from(whole)
      spoilt[at]! ^= 1
      await writeFile(file!, spoilt)
      assert.is((await found(dir)).length, 2, `byte ${at} is spoilt`)
    }
    const torn = Buffer.from(whole).fill(0, 2_560, 3_072)
    await writeFile(file!, torn)
    assert.equal(await found(dir), ['first'])
    const next = await FileJournal.open(dir)
    await next.append(Buffer.from('after the restart'), { sync: true })
    await writeFile(file!, torn)
    assert.is((await found(dir)).length, 3)
  }))

test('a record that was confirmed is handed out or refused, whichever bit of it has flipped', () =>
  withFolder(async (dir) => {
    await appendSynced(dir, 'first', 'second')
    const [file] = await filesOf(dir)
    const whole = await readFile(file!)
    for (let bit = 0; bit < 8 * (bytesOf('first', 'second') + 16); bit++) {
      const spoilt = Buffer.from(whole)
      spoilt[bit >> 3]! ^= 1 << (bit & 7)
      await writeFile(file!, spoilt)
      const records = await found(dir).catch((error: Error) => error.message)
      assert.ok(typeof records === 'string' ? /is corrupt at byte/.test(records) : records.length === 2, `bit ${bit}: ${String(records)}`)
    }
  }))

test('a length that was spoilt is refused', () =>
  withFolder(async (dir) => {
    await append(await FileJournal.open(dir), 'a', 'b')
    const [file] = await filesOf(dir)
    const bytes = await readFile(file!)
    bytes[bytesOf('a')]! ^= 0x40
    await writeFile(file!, bytes)
    assert.match(await found(dir).then(() => 'read', (error: Error) => error.message), /file 0+1 is corrupt at byte 24/)
  }))

test('where a file is missing, those before it were to be removed as well', () =>
  withFolder(async (dir) => {
    const journal = await FileJournal.open(dir)
    for (const record of ['a', 'b', 'c', 'd']) {
      await append(journal, record)
      journal.mark()
    }
    await unlink((await filesOf(dir))[1]!)
    assert.equal(await found(dir), ['c', 'd'])
    assert.is((await filesOf(dir)).length, 2)
  }))

test('once it could not make something safe, it says so of everything', () =>
  withFolder(async (dir) => {
    const journal = await FileJournal.open(dir)
    await append(journal, 'a')
    const mark = journal.mark()
    await append(journal, 'b')
    await unlink((await filesOf(dir))[0]!)
    const outcome = (promise: Promise<void>): Promise<string> => promise.then(() => 'done', (error: NodeJS.ErrnoException) => error.code!)
    assert.is(await outcome(journal.cut(mark)), 'ENOENT')
    assert.is(await outcome(journal.sync()), 'ENOENT')
    assert.is(await outcome(journal.append(Buffer.from('c'), { sync: true })), 'ENOENT')
  }))

test.run()
