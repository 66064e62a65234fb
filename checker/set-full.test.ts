import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { RunBuilder } from './testing/run.ts'
import { context } from './testing/context.ts'
import { setFull } from './set-full.ts'
import type { JudgementVerdict } from './verdict.ts'

const judged = (run: RunBuilder, staleIsViolation = false): JudgementVerdict => setFull({ staleIsViolation }).judge(run.history(), context) as JudgementVerdict
/** Element 1: added at 0, missed at 10. */
const missed = (): RunBuilder => new RunBuilder().op('add', 's', 1, { from: 0, to: 5 }).read('s', [], 10, 12)

test('an element that the last read misses is lost', () => {
  const { verdict, metrics } = judged(missed())
  assert.is(verdict, 'violated')
  assert.is(metrics['lost'], 1)
})

test('one that was removed after it was missed is stale: nothing could show it any more', () => {
  const run = (): RunBuilder => missed().op('remove', 's', 1, { from: 20, to: 25 }).read('s', [], 30, 32)
  const { verdict, metrics } = judged(run())
  assert.is(verdict, 'holds')
  assert.is(metrics['lost'], 0)
  assert.is(metrics['stale'], 1)
  assert.is(judged(run(), true).verdict, 'violated')
})

test('one that is still there at the last look after its removal has risen from the dead', () => {
  const gone = (): RunBuilder => new RunBuilder().op('add', 's', 1, { from: 0, to: 5 }).op('remove', 's', 1, { from: 10, to: 15 })
  assert.is(judged(gone().read('s', [1], 20, 22)).metrics['resurrected'], 1)
  assert.is(judged(gone().read('s', [1], 20, 22).read('s', [], 30, 32)).metrics['resurrected'], 0)
})

test('one that may have been added again after its removal, or while it lasted, is no resurrection', () => {
  const gone = (): RunBuilder => new RunBuilder().op('add', 's', 1, { from: 0, to: 5 }).op('remove', 's', 1, { from: 10, to: 15 })
  assert.is(judged(gone().op('add', 's', 1, { from: 16, to: 18 }).read('s', [1], 20, 22)).verdict, 'holds')
  assert.is(judged(gone().op('add', 's', 1, { from: 12, to: 18, outcome: 'info' }).read('s', [1], 20, 22)).verdict, 'holds')
  assert.is(judged(gone().op('add', 's', 1, { from: 16, to: 18, outcome: 'fail' }).read('s', [1], 20, 22)).verdict, 'violated')
})

test('one that was seen beside a read that misses it may be gone: stale, not resurrected', () => {
  const { metrics } = judged(new RunBuilder().op('add', 's', 1, { from: 0, to: 5 }).op('remove', 's', 1, { from: 10, to: 15 }).read('s', [1], 20, 24).read('s', [], 22, 26))
  assert.equal([metrics['resurrected'], metrics['stale']], [0, 1])
})

test('what is missed between two removes is not stale: the first may have taken it', () => {
  const twice = new RunBuilder().op('add', 's', 1, { from: 0, to: 5 }).op('remove', 's', 1, { from: 10, to: 15 }).read('s', [], 20, 22).op('remove', 's', 1, { from: 30, to: 35 })
  assert.is(judged(twice, true).verdict, 'holds')
})

test('elements are counted, not adds and reads', () => {
  const { metrics } = judged(missed().op('add', 's', 1, { from: 1, to: 6 }).read('s', [9, 9, 8, 8], 20, 22).read('s', [9, 9], 30, 32))
  assert.equal([metrics['added'], metrics['acknowledged'], metrics['lost'], metrics['duplicated'], metrics['unexpected']], [1, 1, 1, 2, 2])
})

test('a lost element never became visible', () => {
  assert.is(judged(missed()).metrics['visible_max_ms'], null)
  assert.is(judged(missed().read('s', [1], 20, 22)).metrics['visible_max_ms'], 5)
})

test.run()
