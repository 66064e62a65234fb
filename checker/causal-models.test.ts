/** The causal models side by side, on the histories by which the literature tells them apart. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { causal } from './causal.ts'
import { causalConvergence } from './causal-convergence.ts'
import { causalMemory } from './causal-memory.ts'
import { context } from './testing/context.ts'
import { historyOf, sessions } from './testing/operations.ts'
import { Suite } from './testing/monotone.ts'
import { sequential } from './sequential.ts'
import { weakCausal } from './weak-causal.ts'
import type { JudgementVerdict } from './verdict.ts'

const suite = new Suite()

const all = [sequential, causalConvergence, causalMemory, causal, weakCausal]

/** The models that a history holds, strongest first. */
async function holds(...texts: readonly string[]): Promise<string[]> {
  const history = suite.seen(historyOf(sessions(...texts)))
  const verdicts = await Promise.all(all.map(async (one) => one.judge(history, context)))
  assert.not(verdicts.some((one) => one.verdict === 'unknown'), verdicts.map((one) => one.summary).join())
  return verdicts.filter((one) => one.verdict === 'holds').map((one) => one.judgement)
}

const rowsOf = async (judged: JudgementVerdict | Promise<JudgementVerdict>): Promise<number> => (await judged).witnesses[0]!.operations.length

test('two sessions that each find the other has overwritten them apply writes one by one, but not in one order (figure 3a)', async () => {
  assert.equal(await holds('w x 1, r x 2', 'w x 2, r x 1'), ['causal-memory', 'causal', 'weak-causal'])
})

test('a session that learns late of a write that its own had overtaken converges, but has no memory (figure 3b)', async () => {
  assert.equal(await holds('w z 1, w x 1, w y 1', 'w x 2, r z nil, r y 1, r x 2'), ['causal-convergence', 'causal', 'weak-causal'])
})

test('a session that goes back and forth between concurrent writes is weakly causal only (figure 3c)', async () => {
  assert.equal(await holds('w x 1', 'w x 2, r x 1, r x 2, r x 1'), ['weak-causal'])
})

test('causal memory and causal convergence together are not yet sequential consistency (figure 3d)', async () => {
  assert.equal(await holds('w x 1, r y nil, w y 1, r x 1', 'w x 2, r y nil, w y 2, r x 2'), ['causal-convergence', 'causal-memory', 'causal', 'weak-causal'])
})

test('an answer without its question breaks all of them (figure 3e)', async () => {
  assert.equal(await holds('w x 1, w y 1', 'r y 1, w x 2', 'r x 2, r x 1'), [])
})

test('causes in a circle break all of them', async () => {
  assert.equal(await holds('r x 1, w y 2', 'r y 2, w x 1'), [])
})

test('two sessions that read concurrent writes in opposite orders cannot both be right about one order, and four reads show it', async () => {
  const history = suite.seen(historyOf(sessions('w x 1, w z 5, w y 7', 'w x 2', 'r z 5, r x 1, r x 2, r y 7', 'r x 2, r x 1')))
  assert.is((await causalMemory.judge(history, context)).verdict, 'holds')
  const verdict = await causalConvergence.judge(history, context)
  assert.is(verdict.verdict, 'violated')
  assert.is(await rowsOf(verdict), 6)
  assert.match(verdict.summary, /no one order of the writes explains these 6 operations: process 0 wrote x = 1/)
})

test('the witness against causal memory holds only what it needs', async () => {
  const history = suite.seen(historyOf(sessions('w z 1, w x 1, w y 1, w q 3', 'w p 1, w x 2, r z nil, r y 1, r p 1, r x 2')))
  assert.is(await rowsOf(causalMemory.judge(history, context)), 7)
})

test('every history above is monotone along the ladder', () => suite.check())

test.run()
