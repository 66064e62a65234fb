import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseArguments } from '../command.ts'
import { reporterFrom } from './reporters.ts'
import { runCommand } from './run.ts'

test('--junit makes the folder that its file is in: a run is not lost for that', async () => {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-junit-'))
  const file = path.join(dir, 'build', 'reports', 'junit.xml')
  try {
    const reporter = reporterFrom(parseArguments(runCommand, ['--junit', file]), 'one')
    reporter.on({ type: 'end', report: null, repeat: 'npx splitbrain run', elapsed_ms: 1 })
    assert.match(await readFile(file, 'utf8'), /<testsuites/)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})

test.run()
