import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArguments } from '../command.ts'
import { UsageError } from '../usage-error.ts'
import { compareCommand } from './compare.ts'

test('a run that is not there is said to be missing, on either side', async () => {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-compare-'))
  const missing = path.join(dir, 'missing')
  try {
    await writeFile(path.join(dir, 'plan.json'), '{}')
    for (const words of [[dir, missing], [missing, dir], [missing, missing]]) {
      const error = await compareCommand.execute(parseArguments(compareCommand, words)).then(() => undefined, (reason: unknown) => reason)
      assert.instance(error, UsageError)
      assert.match((error as UsageError).message, `There is no run at ${missing};`)
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})

test.run()
