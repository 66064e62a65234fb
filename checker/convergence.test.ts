import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { context } from './testing/context.ts'
import { convergence, convergenceOf } from './convergence.ts'
import { durability } from './durability.ts'
import { faultWindows } from './faults.ts'
import { Suite } from './testing/monotone.ts'
import { RunBuilder } from './testing/run.ts'
import type { JudgementVerdict } from './verdict.ts'

const suite = new Suite()

const judge = (run: RunBuilder): JudgementVerdict => {
  const history = suite.seen(run.history())
  return convergence.judge(history, { ...context, faults: faultWindows(history) }) as JudgementVerdict
}
const partitioned = (): RunBuilder => new RunBuilder().write('x', 1, 0, 5).fault('partition', 10, 100, 110).write('x', 2, 20, 25)

test('replicas that come to agree converge at the first look from which none differs', () => {
  const verdict = judge(partitioned().quiesce(120).peek('x', 150, { n1: 2, n2: 1 }).peek('x', 200, { n1: 2, n2: 2 }).peek('x', 250, { n1: 2, n2: 2 }))
  assert.is(verdict.verdict, 'holds')
  assert.equal(convergenceOf(verdict), { agreed: true, time_to_converge_ms: 90, keys: 1, diverged_keys: 0 })
  assert.is(verdict.metrics['counted_from'], 'the heal')
})

test('agreement that does not last is no convergence', () => {
  const verdict = judge(partitioned().peek('x', 150, { n1: 2, n2: 2 }).peek('x', 200, { n1: 2, n2: 1 }).peek('x', 250, { n1: 2, n2: 2 }))
  assert.is(verdict.metrics['time_to_converge_ms'], 140)
})

test('agreement on one value and then on another counts from the last', () => {
  const verdict = judge(partitioned().peek('x', 150, { n1: 2, n2: 2 }).peek('x', 200, { n1: 1, n2: 1 }))
  assert.is(verdict.metrics['time_to_converge_ms'], 90)
})

test('the time counts from the last write when that is later than the heal', () => {
  const verdict = judge(partitioned().write('x', 3, 130, 140).peek('x', 150, { n1: 3, n2: 3 }))
  assert.is(verdict.metrics['time_to_converge_ms'], 10)
  assert.is(verdict.metrics['counted_from'], 'the last write')
})

test('replicas that still differ at the last look have diverged, and the witness shows what they hold', () => {
  const verdict = judge(partitioned().peek('x', 150, { n1: 2, n2: 1 }))
  assert.is(verdict.verdict, 'violated')
  assert.match(verdict.witnesses[0]!.explanation, 'replicas of x still differ: n1 2, n2 1')
  assert.equal(convergenceOf(verdict), { agreed: false, time_to_converge_ms: null, keys: 1, diverged_keys: 1 })
})

test('to agree on a value that nobody wrote is no convergence', () => {
  assert.is(judge(partitioned().peek('x', 150, { n1: 9, n2: 9 })).verdict, 'violated')
})

test('to agree on nothing is convergence: what was confirmed and is lost is a question of durability', () => {
  const lost = partitioned().peek('x', 150, { n1: null, n2: null })
  assert.is(judge(lost).verdict, 'holds')
  const history = lost.history()
  assert.is((durability.judge(history, { ...context, faults: faultWindows(history) }) as JudgementVerdict).verdict, 'violated')
  assert.is(judge(new RunBuilder().op('write', 'x', 1, { from: 0, to: 5, outcome: 'info' }).peek('x', 50, { n1: null, n2: null })).verdict, 'holds')
  assert.is(judge(new RunBuilder().write('x', 1, 0, 5).op('delete', 'x', null, { from: 6, to: 8 }).peek('x', 50, { n1: null, n2: null })).verdict, 'holds')
})

test('a node that answers, and has handed its only key over, is no replica any more; one that is silent is', () => {
  const moved = (): RunBuilder => new RunBuilder().write('x', 1, 0, 5).peek('x', 50, { n1: 1, n2: 1 })
  assert.is(judge(moved().noReplica(100, ['n2']).peek('x', 100, { n1: 1, n3: 1 }).noReplica(150, ['n2']).peek('x', 150, { n1: 1, n3: 1 })).verdict, 'holds')
  assert.match(judge(moved().peek('x', 100, { n1: 1, n3: 1 })).reason!, 'n2 did not answer')
})

test('siblings are agreement when all replicas hold the same ones', () => {
  assert.is(judge(new RunBuilder().write('x', 1, 0, 5).write('x', 2, 0, 5).peek('x', 50, { n1: [1, 2], n2: [2, 1] })).verdict, 'holds')
  assert.is(judge(new RunBuilder().write('x', 1, 0, 5).write('x', 2, 0, 5).peek('x', 50, { n1: [1, 2], n2: [2] })).verdict, 'violated')
})

test('a replica that did not answer at the end leaves the verdict open', () => {
  const verdict = judge(partitioned().peek('x', 50, { n1: 1, n2: 1, n3: 1 }).peek('x', 150, { n1: 2, n2: 2 }))
  assert.is(verdict.verdict, 'unknown')
  assert.match(verdict.reason!, 'n3 did not answer')
  assert.is(convergenceOf(verdict).agreed, null)
})

test('a node that answers for other keys but not for this one is no replica of it any more', () => {
  const run = partitioned().peek('x', 50, { n1: 1, n2: 1, n3: 1 }).peek('x', 150, { n1: 2, n2: 2 }).peek('y', 150, { n2: null, n3: null })
  assert.is(judge(run).verdict, 'holds')
})

test('replicas that were not read, or only during the fault, prove nothing', () => {
  assert.match(judge(partitioned()).reason!, 'not read')
  assert.match(judge(partitioned().peek('x', 50, { n1: 1, n2: 1 })).reason!, 'not read after')
})

test('looks during the run say how often replicas differed', () => {
  const verdict = judge(partitioned().peek('x', 30, { n1: 2, n2: 1 }).peek('x', 40, { n1: 2, n2: 2 }).peek('x', 150, { n1: 2, n2: 2 }))
  assert.equal((verdict.metrics['disagreement'] as unknown[])[2], { period: '1:partition', looks: 2, differed: 1 })
})

test('a value that one replica shows later than all agreed on another is no agreement', () => {
  const verdict = judge(partitioned().peek('x', 150, { n1: 1, n2: 1 }).peek('x', 200, { n1: 2 }))
  assert.is(verdict.verdict, 'unknown')
})

test('of a key for which no replica ever answered nothing can be said', () => {
  const verdict = judge(partitioned().peek('x', 150, {}).peek('y', 150, { n1: null }))
  assert.is(verdict.verdict, 'unknown')
  assert.match(verdict.reason!, 'no replica ever answered')
})

test('every history above is monotone along the ladder', () => suite.check())

test.run()
