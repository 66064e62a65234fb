import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SEED_MAX } from '../commands/plan-options.ts'
import { chanceOfMiss } from './bisect.ts'
import { tryCommit, type Sample, type Trial } from './trial.ts'

const finding = { judgement: 'linearizable', fingerprint: 'Not linearizable without a fault', size: 2, explanation: 'r→nil' }
const samples: Readonly<Record<string, Sample>> = {
  v: { type: 'shown', finding },
  h: { type: 'held' },
  u: { type: 'unclear', reason: 'too few operations' },
  x: { type: 'impossible', reason: 'n1 did not start' },
}

/** A commit whose runs come to these, one letter each: violated, holds, unclear, impossible. */
async function trial(seeds: number, letters: string, firstSeed = 7): Promise<{ trial: Trial; tried: number[] }> {
  const tried: number[] = []
  const result = await tryCommit(seeds, firstSeed, async (seed) => samples[letters[tried.push(seed) - 1]!]!)
  return { trial: result, tried }
}

test('a commit is bad at the first run that shows the finding, with its seed', async () => {
  assert.equal(await trial(3, 'hv'), { trial: { verdict: 'bad', runs: 2, seed: 8, finding }, tried: [7, 8] })
})

test('a commit is good when every seed holds, and a run that shows nothing does not count', async () => {
  assert.equal((await trial(3, 'hhh')).trial, { verdict: 'good', runs: 3 })
  assert.equal((await trial(3, 'huhuh')).trial, { verdict: 'good', runs: 5 })
  assert.is((await trial(3, 'huhuv')).trial.verdict, 'bad')
})

test('a commit is skipped when as many runs show nothing as should hold, or one cannot be carried out', async () => {
  assert.equal((await trial(2, 'huu')).trial, { verdict: 'skipped', runs: 3, reason: '2 of 3 runs do not count; the last: too few operations' })
  assert.equal((await trial(3, 'hx')).trial, { verdict: 'skipped', runs: 2, reason: 'n1 did not start' })
})

test('the largest seed is followed by the smallest', async () => {
  assert.equal((await trial(2, 'hh', SEED_MAX)).tried, [SEED_MAX, 0])
})

test('how likely a bad commit passes for good is judged by the runs at bad commits', () => {
  const bad = (runs: number): Trial => ({ verdict: 'bad', runs, seed: 1, finding })
  assert.is(chanceOfMiss([bad(1), bad(1), { verdict: 'good', runs: 5 }], 5), null)
  assert.is(chanceOfMiss([bad(1), bad(3), { verdict: 'good', runs: 5 }], 2), 0.25)
})

test.run()
