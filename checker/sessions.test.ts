import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { causal } from './causal.ts'
import { causalConvergence, causalMemory, sequential } from './testing/oracles.ts'
import { context } from './testing/context.ts'
import { historyOf, picture, sessions } from './testing/operations.ts'
import { loadHistory } from './testing/load.ts'
import { Suite } from './testing/monotone.ts'
import { monotonicReads, monotonicWrites, pram, readYourWrites, writesFollowReads } from './sessions.ts'
import { visibilityOf } from './visibility.ts'
import type { Operation } from './testing/operations.ts'
import type { JudgementVerdict } from './verdict.ts'

const suite = new Suite()

const all = [readYourWrites, monotonicReads, monotonicWrites, writesFollowReads, pram, causal]

/** The names of the models that the history violates. */
function violated(operations: readonly Operation[]): string[] {
  const history = suite.seen(historyOf(operations))
  return all.filter((judgement) => (judgement.judge(history, context) as JudgementVerdict).verdict === 'violated').map((judgement) => judgement.name)
}

test('a session that misses its own write has no read your writes', () => {
  assert.equal(violated(sessions('w x 1, r x nil')), ['read-your-writes', 'pram', 'causal'])
  assert.equal(violated(sessions('w x 1, w x 2, r x 1')), ['read-your-writes', 'pram', 'causal'])
})

test("a session may find another session's write in place of its own", () => {
  assert.equal(violated(sessions('w x 1, r x 2', 'w x 2')), [])
})

test('a session that sees less than it has seen has no monotonic reads', () => {
  assert.equal(violated(sessions('w x 1', 'r x 1, r x nil')), ['monotonic-reads', 'pram', 'causal'])
  assert.equal(violated(sessions('w x 1, w x 2', 'r x 2, r x 1')), ['monotonic-reads', 'pram', 'causal'])
  assert.equal(violated(sessions('w x 1', 'w x 2', 'r x 1, r x 2, r x 1')), ['monotonic-reads', 'pram', 'causal'])
})

test('a session that goes back to its own write after it was replaced has no monotonic reads', () => {
  assert.equal(violated(sessions('w x 1, r x 2, r x 1', 'w x 2')), ['monotonic-reads', 'pram', 'causal'])
})

test('two sessions may see concurrent writes in opposite orders', () => {
  const operations = sessions('w x 1', 'w x 2', 'r x 1, r x 2', 'r x 2, r x 1')
  assert.equal(violated(operations), [])
  assert.not(sequential(operations))
})

test('to see a write but not what its session wrote before breaks monotonic writes', () => {
  assert.equal(violated(sessions('w x 1, w y 2', 'r y 2, r x nil')), ['monotonic-writes', 'pram', 'causal'])
})

test('to see a write but not what its session had read breaks writes follow reads, and not PRAM', () => {
  assert.equal(violated(sessions('w x 1', 'r x 1, w y 2', 'r y 2, r x nil')), ['writes-follow-reads', 'causal'])
})

test('an answer read before its question breaks causality (Ahamad et al. 1995, on one key)', () => {
  assert.equal(violated(sessions('w x 1', 'r x 1, w x 2', 'r x 2, r x 1')), ['writes-follow-reads', 'causal'])
})

test('a store that converges causally but does not apply writes one by one is causal here (Bouajjani et al. 2017, figure 3)', () => {
  const operations = sessions('w z 1, w x 1, w y 1', 'w x 2, r z nil, r y 1, r x 2')
  assert.ok(causalConvergence(operations))
  assert.not(causalMemory(operations))
  assert.equal(violated(operations), [])
})

test('causes in a circle are a violation of causality alone', () => {
  assert.equal(violated(sessions('r x 1, w y 2', 'r y 2, w x 1')), ['writes-follow-reads', 'causal'])
})

test('a value that nobody wrote, or whose write failed, breaks everything', () => {
  assert.equal(violated(sessions('w x 1', 'r x 7')), all.map((judgement) => judgement.name))
  assert.equal(violated(sessions('w x 1, w x 2!', 'r x 2')), all.map((judgement) => judgement.name))
})

test('a write of unknown outcome may be seen, or not, and even late', () => {
  assert.equal(violated(sessions('w x 1, w x 2?', 'r x 1, r x 2')), [])
  assert.equal(violated(sessions('w x 1, w x 2?', 'r x 1, r x 1')), [])
  assert.equal(violated(sessions('w x 2?', 'r x nil, w x 1, r x 1, r x 2')), [])
})

test('a value written twice is never guessed at', () => {
  const verdict = readYourWrites.judge(suite.seen(historyOf(sessions('w x 1, w x 2, r x 1', 'w x 1'))), context) as JudgementVerdict
  assert.is(verdict.verdict, 'unknown')
  assert.match(verdict.reason!, 'more than once')
})

test('a violation elsewhere is found although some values were written twice', () => {
  assert.equal(violated(sessions('w x 1, w x 1, r x 1, w y 1, r y nil')), ['read-your-writes', 'pram', 'causal'])
})

test('a successful compare-and-set reads and writes', () => {
  assert.equal(violated(picture(`
    0: |w x 1|  |c x 1 2|            |r x 1|
    1:                     |r x 2|
  `)), ['read-your-writes', 'pram', 'causal'])
})

test('a history without reads is nothing to judge', () => {
  const verdict = causal.judge(suite.seen(historyOf(sessions('w x 1'))), context) as JudgementVerdict
  assert.is(verdict.verdict, 'unknown')
  assert.match(verdict.reason!, 'vacuous')
})

test('the witness names the rows and says why', () => {
  const verdict = monotonicWrites.judge(suite.seen(historyOf(sessions('w x 1, w y 2', 'r y 2, r x nil'))), context) as JudgementVerdict
  assert.is(verdict.witnesses[0]!.operations.length, 4)
  assert.is(verdict.witnesses[0]!.key, 'x')
  assert.match(verdict.witnesses[0]!.explanation, 'process 0 wrote x = 1 before the write that shows in "process 1 read y = 2", yet later process 1 read x = nil')
})

test('atomic registers under load break nothing; stale reads are found', () => {
  const load = { operations: 20_000, processes: 10, keys: 3, crashEvery: 500, seed: 3 }
  assert.is(visibilityOf(loadHistory({ ...load, staleEvery: 0 }), context).breaches.length, 0)
  assert.ok(visibilityOf(loadHistory({ ...load, staleEvery: 20 }), context).breaches.length > 0)
})

test('every history above is monotone along the ladder', () => suite.check())

test.run()
