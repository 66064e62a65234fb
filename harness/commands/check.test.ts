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

test.run()
