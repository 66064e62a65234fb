import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { parseArguments } from '../command.ts'
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
async function checked(lines: readonly string[], ...words: string[]): Promise<{ readonly code: number; readonly text: string }> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-check-'))
  const said: string[] = []
  const log = console.log
  console.log = (line: string) => void said.push(line)
  try {
    const file = path.join(dir, 'history.jsonl')
    await writeFile(file, lines.map((line) => `${line}\n`).join(''))
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

test.run()
