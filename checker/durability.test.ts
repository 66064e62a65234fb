import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { context } from './testing/context.ts'
import { durability, durabilityOf } from './durability.ts'
import { faultWindows } from './faults.ts'
import { Suite } from './testing/monotone.ts'
import { RunBuilder } from './testing/run.ts'
import type { JudgementVerdict } from './verdict.ts'

const suite = new Suite()

const judge = (run: RunBuilder): JudgementVerdict => {
  const history = suite.seen(run.history())
  return durability.judge(history, { ...context, faults: faultWindows(history) }) as JudgementVerdict
}
const two = (): RunBuilder => new RunBuilder().write('x', 1, 0, 5).write('x', 2, 10, 15)

test('an acknowledged write is lost when what is left is certainly older', () => {
  const verdict = judge(two().peek('x', 50, { n1: 1, n2: 1 }))
  assert.is(verdict.verdict, 'violated')
  assert.equal(durabilityOf(verdict), { acknowledged: 2, lost: 1 })
  assert.match(verdict.witnesses[0]!.explanation, 'process 1 wrote x = 2 and was told that it succeeded; what is left is older: process 0 wrote x = 1')
})

test('every acknowledged write of a key is lost when nothing is left', () => {
  assert.is(durabilityOf(judge(two().peek('x', 50, { n1: null, n2: null }))).lost, 2)
})

test('one replica that holds it is enough', () => {
  assert.is(judge(two().peek('x', 50, { n1: 1, n2: 2 })).verdict, 'holds')
})

test('a concurrent write may rightly have won, and so may one of unknown outcome', () => {
  assert.is(judge(new RunBuilder().write('x', 1, 0, 12).write('x', 2, 10, 15).peek('x', 50, { n1: 1 })).verdict, 'holds')
  assert.is(judge(new RunBuilder().op('write', 'x', 1, { from: 0, to: 5, outcome: 'info' }).write('x', 2, 10, 15).peek('x', 50, { n1: 1 })).verdict, 'holds')
})

test('a write of unknown outcome that had been read before is older too', () => {
  assert.is(judge(new RunBuilder().op('write', 'x', 1, { from: 0, to: 5, outcome: 'info' }).read('x', 1, 6, 8).write('x', 2, 10, 15).peek('x', 50, { n1: 1 })).verdict, 'violated')
})

test('a deleted key that is back has lost its delete', () => {
  assert.is(judge(new RunBuilder().write('x', 1, 0, 5).op('delete', 'x', null, { from: 10, to: 15 }).peek('x', 50, { n1: 1 })).verdict, 'violated')
  assert.is(judge(new RunBuilder().write('x', 1, 0, 5).op('delete', 'x', null, { from: 10, to: 15 }).peek('x', 50, { n1: null })).verdict, 'holds')
})

test('a deleted key that is back although it had been deleted several times is told as resurrected', () => {
  const run = (): RunBuilder => new RunBuilder().write('x', 1, 0, 5).op('delete', 'x', null, { from: 10, to: 15 }).op('delete', 'x', null, { from: 20, to: 25 })
  const verdict = judge(run().peek('x', 50, { n1: 1 }))
  assert.is(verdict.metrics['resurrected'], 2)
  assert.match(verdict.witnesses[0]!.explanation, 'the delete is undone: what is left is older: process 0 wrote x = 1')
  assert.is(judge(run().peek('x', 50, { n1: null })).verdict, 'holds')
  assert.is(durabilityOf(judge(run().write('x', 2, 30, 35).peek('x', 50, { n1: null }))).lost, 1)
})

test('a write of unknown outcome that took effect is recovered', () => {
  assert.is(judge(two().op('write', 'x', 3, { from: 20, to: 25, outcome: 'info' }).peek('x', 50, { n1: 3 })).metrics['recovered'], 1)
})

test('of concurrent writes none may be missing where siblings are kept', () => {
  const run = (): RunBuilder => new RunBuilder().write('x', 1, 0, 20).write('x', 2, 10, 15).write('x', 3, 12, 16)
  assert.is(judge(run().peek('x', 50, { n1: [1, 2, 3] })).metrics['siblings_dropped'], 0)
  assert.equal((({ sibling_keys, siblings_dropped }) => [sibling_keys, siblings_dropped])(judge(run().peek('x', 50, { n1: [1, 2] })).metrics), [1, 1])
})

test('siblings keep their writes', () => {
  assert.is(judge(two().peek('x', 50, { n1: [1, 2] })).verdict, 'holds')
})

test('where replicas cannot be read, the final reads of clients count', () => {
  assert.is(judge(two().quiesce(40).read('x', 1, 50, 55)).verdict, 'violated')
  assert.is(judge(two().quiesce(40).read('x', 2, 50, 55)).verdict, 'holds')
  assert.is(judge(two().read('x', 1, 20, 25)).verdict, 'unknown')
})

test('a replica that was silent at the end may still hold it', () => {
  const verdict = judge(two().peek('x', 7, { n1: 1, n2: 1 }).peek('x', 50, { n1: 1 }))
  assert.is(verdict.verdict, 'unknown')
  assert.match(verdict.reason!, 'n2 did not answer')
})

test('losses are told apart by the period in which the write was acknowledged', () => {
  const verdict = judge(new RunBuilder().write('x', 1, 0, 5).fault('kill', 8, 20, 25).write('x', 2, 10, 15).peek('x', 50, { n1: 1 }))
  assert.equal((verdict.metrics['lost_by_period'] as unknown[])[2], { period: '1:kill', lost: 1, resurrected: 0, recovered: 0 })
})

test('what a node held before it handed a key over is not there at the end', () => {
  const verdict = judge(new RunBuilder().write('x', 1, 0, 5).peek('x', 50, { n1: 1, n2: null }).peek('x', 60, { n2: null }).peek('y', 60, { n1: null }))
  assert.is(verdict.metrics['lost'], 1)
})

test('a write is not lost to itself, whoever read it too early', () => {
  assert.is(judge(new RunBuilder().read('x', 1, 0, 5).write('x', 1, 10, 15).peek('x', 50, { n1: 1 })).verdict, 'holds')
})

test('every history above is monotone along the ladder', () => suite.check())

test.run()
