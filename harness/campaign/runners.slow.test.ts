import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { realClock } from '../clock.ts'
import { createRunners, type Runners } from './runners.ts'
import type { Task } from './task.ts'

const LONG_MS = 300_000
const cwd = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-runners-'))
test.after(() => rm(cwd, { recursive: true, force: true }))

async function task(name: string, time: string, preset = 'abd'): Promise<Task> {
  const dir = path.join(cwd, name)
  await mkdir(dir)
  const words = ['--preset', preset, '--driver', 'process', '--nodes', '3', '--clients', '3', '--rate', '100', '--nemesis', 'none', '--time', time, '--seed', '1']
  return { configuration: 'abd', nemesis: 'none', seed: 1, words, repeat: 'npx splitbrain run', dir }
}

async function using<T>(work: (runners: Runners) => Promise<T>): Promise<T> {
  const runners = createRunners(realClock(), cwd)
  try {
    return await work(runners)
  } finally {
    await runners.close()
  }
}

test('one process carries out one run after the other, and says what it keeps of each', () => using(async (runners) => {
  for (const name of ['first', 'second']) {
    const outcome = await runners.run(await task(name, '1s'), LONG_MS)
    assert.is(outcome.type, 'done')
    if (outcome.type !== 'done') return
    assert.is(outcome.record.verdict, 'holds')
    assert.equal(outcome.files.map((file) => file.name), ['history.jsonl'])
  }
}))

test('a run that takes longer than its limit has failed: it is not one that was given back', () => using(async (runners) => {
  const outcome = await runners.run(await task('late', '5m'), 1_000)
  assert.is(outcome.type, 'failed')
  assert.match(JSON.stringify(outcome), 'it did not end within 1 s')
}))

test('what goes on when everything is stopped was stopped, and has not failed', () => using(async (runners) => {
  const outcome = runners.run(await task('stopped', '5m'), LONG_MS)
  runners.stop()
  assert.is((await outcome).type, 'stopped')
}))

test('what cannot be carried out has failed, with the sentence', () => using(async (runners) => {
  const outcome = await runners.run(await task('nonsense', '1s', 'none-such'), LONG_MS)
  assert.is(outcome.type, 'failed')
  assert.match(JSON.stringify(outcome), 'There is no preset')
}))

test.run()
