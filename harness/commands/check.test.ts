import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { execa } from 'execa'
import { exitCodes } from '../../checker/exit-codes.ts'
import type { VerdictWord } from '../../checker/verdict.ts'
import { parseArguments } from '../command.ts'
import { readHistoryFile } from '../history-file.ts'
import { UsageError } from '../usage-error.ts'
import { checkCommand } from './check.ts'

test('a gzipped history that is cut off is refused with one sentence', async () => {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-check-'))
  const file = path.join(dir, 'history.jsonl.gz')
  try {
    await writeFile(file, gzipSync('{"index":0,"time":1,"process":0,"type":"invoke","f":"read","key":"x"}\n').subarray(0, 40))
    const error = await checkCommand.execute(parseArguments(checkCommand, [file])).then(() => undefined, (reason: unknown) => reason)
    assert.instance(error, UsageError)
    assert.match((error as UsageError).message, /history\.jsonl\.gz begins like gzip but cannot be unpacked: unexpected end of file\. Is it whole\?/)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})

/** What the command prints, and its exit code, for a history given as lines. */
const checked = (lines: readonly string[], ...words: string[]): Promise<Printed> => checkedUpTo('', lines, ...words)

interface Printed {
  readonly code: number
  readonly text: string
}

/** The same for a file that ends in these bytes. */
async function checkedUpTo(end: string, lines: readonly string[], ...words: string[]): Promise<Printed> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-check-'))
  const said: string[] = []
  const log = console.log
  console.log = (line: string) => void said.push(line)
  try {
    const file = path.join(dir, 'history.jsonl')
    await writeFile(file, lines.map((one) => `${one}\n`).join('') + end)
    return { code: await checkCommand.execute(parseArguments(checkCommand, [file, ...words])), text: said.join('\n') }
  } finally {
    console.log = log
    await rm(dir, { recursive: true, force: true })
  }
}

const line = (time: number, process: number, type: string, f: string, value: unknown): string => JSON.stringify({ time, process, type, f, value })
const stale = [
  line(1, 0, 'invoke', 'write', 1), line(2, 0, 'ok', 'write', 1), line(3, 0, 'invoke', 'write', 2), line(4, 0, 'ok', 'write', 2),
  line(5, 1, 'invoke', 'read', null), line(6, 1, 'ok', 'read', 1),
]

test('a violation is explained: the contradiction, the longest prefix, what could not be placed, and what the object could be', async () => {
  const { code, text } = await checked(stale)
  assert.is(code, 1)
  assert.match(text, /Read of 1 by process 1 began after the write of 2 by process 0 was acknowledged/)
  assert.match(text, /The longest linearizable prefix has 5 events \(of 3 operations\); event 5 is the first that no order explains: read that returned 1 by process 1 cannot be placed/)
  assert.match(text, /Before its response the object could be 2\./)
})

test('a history that holds is explained on request, by an order that the verifier accepts', async () => {
  const { code, text } = await checked(stale.slice(0, 4), '--linearization')
  assert.is(code, 0)
  assert.match(text, /One order that explains key null \(2 of 2 operations took effect; the verifier accepts it\)/)
})

/** The sentence with which the command refuses. */
async function refused(lines: readonly string[], ...words: string[]): Promise<string> {
  const error = await checked(lines, ...words).then(({ text }) => assert.unreachable(text), (reason: unknown) => reason)
  assert.instance(error, UsageError, String(error))
  return (error as UsageError).message
}

/** What `--json` prints, which must agree with the exit code. */
async function json(lines: readonly string[], ...words: string[]): Promise<Record<string, unknown>> {
  const { code, text } = await checked(lines, ...words, '--json')
  const printed = JSON.parse(text) as Record<string, unknown>
  assert.is(code, exitCodes[printed['verdict'] as VerdictWord])
  assert.is(code, (await checked(lines, ...words)).code)
  return printed
}

const strict = [line(0, 0, 'invoke', 'write', 1), line(1, 0, 'ok', 'write', 1), line(4, 0, 'invoke', 'cas', [1, 2]), line(5, 0, 'fail', 'cas', [1, 2])]
const lossy = [line(0, 0, 'invoke', 'add', 1), line(1, 0, 'ok', 'add', 1), line(2, 0, 'invoke', 'read', null), line(3, 0, 'ok', 'read', [])]
const x = (f: string, value: unknown): unknown => [[f, 'x', value]]
const late = [
  line(0, 0, 'invoke', 'txn', x('append', 1)), line(1, 0, 'ok', 'txn', x('append', 1)), line(2, 1, 'invoke', 'txn', x('r', null)), line(3, 1, 'ok', 'txn', x('r', [])),
  line(4, 2, 'invoke', 'txn', x('r', null)), line(5, 2, 'ok', 'txn', x('r', [1])),
]
const touching = [line(0, 0, 'invoke', 'write', 1), line(10, 0, 'ok', 'write', 1), line(11, 1, 'invoke', 'read', null), line(20, 1, 'ok', 'read', null)]

test('model and rules count whether one model is asked or many judgements are', async () => {
  for (const more of [[], ['--expect', 'linearizable'], ['--judge', 'linearizable'], ['--judge', 'all']]) {
    assert.is((await checked(strict, '--model', 'cas-register', '--failed-cas', 'strict', ...more)).code, 1, more.join(' '))
    assert.is((await checked(lossy, '--model', 'set', ...more)).code, 1, more.join(' '))
  }
  assert.is((await checked(strict, '--model', 'cas-register')).code, 0)
  assert.is((await json(stale, '--judge', 'linearizable', '--model', 'register'))['verdict'], 'violated')
})

test('the level of transactions is the promise, whether all is judged or only they', async () => {
  for (const more of [[], ['--judge', 'all'], ['--judge', 'transactions']]) {
    assert.is((await checked(late, '--model', 'list-append', '--isolation', 'serializable', ...more)).code, 0, more.join(' '))
    assert.is((await checked(late, '--model', 'list-append', ...more)).code, 1, more.join(' '))
  }
  assert.match((await checked(late, '--isolation', 'serializable', '--judge', 'all')).text, /holds\. Promised serializable\. Holds/)
  assert.match((await checked(late, '--judge', 'all')).text, /violated\. Expected linearizable\. Violated \(transactions\)/)
})

test('an option that would have no effect is refused with what it is about', async () => {
  for (const [option, ...words] of [
    ['isolation', '--isolation', 'nope'],
    ['expect', '--model', 'list-append', '--expect', 'linearizable'],
    ['initial', '--model', 'rw-register', '--initial', '0'],
    ['initial', '--model', 'set', '--initial', '0'],
    ['nil-reads', '--model', 'set', '--nil-reads', 'unknown'],
    ['nil-reads', '--judge', 'set-full', '--nil-reads', 'unknown'],
    ['failed-cas', '--failed-cas', 'strict'],
    ['failed-cas', '--judge', 'causal', '--failed-cas', 'strict'],
    ['model', '--judge', 'durability', '--model', 'register'],
    ['linearization', '--judge', 'all', '--linearization'],
    ['workers', '--expect', 'causal', '--workers', '2'],
    ['time-limit', '--model', 'list-append', '--time-limit', '1s'],
  ] as const) assert.match(await refused(stale, ...words), new RegExp(`^--${option} means nothing .*: it .*\\.$`), words.join(' '))
  assert.match(await refused(stale, '--judge', 'all', '--model', 'foo'), /There is no model "foo"/)
})

test('a run is judged by its plan: options of files are refused before anything is read', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-check-'))
  try {
    for (const words of [['--model', 'foo'], ['--judge', 'durability'], ['--initial', '0'], ['--lenient'], ['--time-limit', '1s']]) {
      const error = await checkCommand.execute(parseArguments(checkCommand, [folder, ...words])).then(() => undefined, (reason: unknown) => reason)
      assert.match((error as UsageError).message, new RegExp(`^${words[0]!} means nothing for a run: `))
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('JSON, text and exit code say the same', async () => {
  assert.is((await json([]))['verdict'], 'unknown')
  assert.match(String((await json([]))['reason']), /holds no register operation of a client$/)
  assert.equal(await json(touching, '--judge', 'causal').then(({ verdict, sentence }) => [verdict, sentence]), ['holds', 'Judged by causal. Holds.'])
  assert.equal(await json(touching, '--judge', 'causal,regular').then(({ verdict, sentence }) => [verdict, sentence]), ['violated', 'Judged by causal, regular. Violated: regular.'])
  assert.is((await json(lossy, '--judge', 'all'))['verdict'], 'violated')
  assert.is((await json(lossy, '--judge', 'causal'))['verdict'], 'unknown')
  assert.is((await json(late, '--model', 'list-append'))['verdict'], 'violated')
})

test('a torn end is told in every form', async () => {
  for (const [lines, ...words] of [[stale], [stale, '--judge', 'causal'], [stale, '--expect', 'causal'], [late, '--model', 'list-append']] as const) {
    const torn = '{"time":20,"proc'
    assert.match((await checkedUpTo(torn, lines, ...words)).text, /^\S+ ends in the middle of a line: its writer was killed/)
    assert.is((JSON.parse((await checkedUpTo(torn, lines, ...words, '--json')).text) as { truncated?: boolean }).truncated, true)
    assert.not.match((await checked(lines, ...words)).text, /ends in the middle/)
  }
})

test('where the initial value was also written, what a stronger rung says of a named one counts', async () => {
  const lines = [line(0, 0, 'invoke', 'write', null), line(1, 0, 'ok', 'write', null), line(2, 0, 'invoke', 'read', null), line(3, 0, 'ok', 'read', null)]
  assert.is((await json(lines, '--judge', 'linearizable,regular'))['verdict'], 'holds')
  assert.match((await checked(lines, '--judge', 'linearizable,regular')).text, /regular +holds +implied by linearizable; by itself: Not refuted, but 1 reads returned the initial value, which was also written/)
  assert.is((await json(lines, '--judge', 'regular'))['verdict'], 'unknown')
})

test('where no operation succeeded no model was seen to hold, for one model as for every judgement', async () => {
  const silent = [line(1, 0, 'invoke', 'write', 1), line(2, 0, 'info', 'write', 1), line(3, 1, 'invoke', 'read', null)]
  for (const words of [[], ['--model', 'cas-register'], ['--judge', 'linearizable'], ['--judge', 'all'], ['--expect', 'causal']]) {
    const { code, text } = await checked(silent, ...words)
    assert.is(code, exitCodes.unknown, `${words.join(' ')}: ${text}`)
  }
  assert.is((await checked(['add', 'read'].map((f, at) => line(at, at, 'invoke', f, 1)), '--model', 'set')).code, exitCodes.unknown)
})

test('what a terminal would obey is written out', async () => {
  const key = '\u001b[31mred\u009b2J\u202e'
  const { text } = await checked(stale.map((one) => JSON.stringify({ ...(JSON.parse(one) as object), key })), '--judge', 'all')
  assert.is(Array.from('\u001b\u009b\u202e').some((character) => text.includes(character)), false)
  assert.match(text, /process 1 read \\u001b\[31mred\\u009b2J\\u202e = 1/)
})

test('a history may come through a pipe, also gzipped', async () => {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-check-'))
  const pipe = path.join(dir, 'pipe')
  const text = stale.map((one) => `${one}\n`).join('')
  try {
    await execa('mkfifo', [pipe])
    for (const bytes of [Buffer.from(text), gzipSync(text)]) {
      const [history] = await Promise.all([readHistoryFile(pipe, false), writeFile(pipe, bytes)])
      assert.is(history.length, stale.length)
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})

test.run()
