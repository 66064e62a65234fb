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
      assert.equal(await found(dir), bytes >= 8 + 'first'.length ? ['first'] : [], `${bytes} bytes`)
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
    await truncate(file!, 8 + 1 + 3)
    assert.equal(await found(dir), ['a'])
  }))

test('a length that was spoilt is refused', () =>
  withFolder(async (dir) => {
    await append(await FileJournal.open(dir), 'a', 'b')
    const [file] = await filesOf(dir)
    const bytes = await readFile(file!)
    bytes[9]! ^= 0x40
    await writeFile(file!, bytes)
    assert.match(await found(dir).then(() => 'read', (error: Error) => error.message), /file 0+1 is corrupt at byte 9/)
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
