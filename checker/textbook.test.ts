/** The textbook pairs: what each well-known mistake looks like to clients, and the neighbouring history that is right. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { historyOf, picture } from './testing/operations.ts'
import { Suite } from './testing/monotone.ts'
import { judge } from './judge.ts'
import { RunBuilder } from './testing/run.ts'
import { isolationOf } from './transactions/isolation.ts'
import { atOnce, historyOfTransactions } from './transactions/testing/small.ts'
import type { History } from './history/index.ts'
import type { Model, VerdictDocument } from './verdict.ts'

const suite = new Suite()

const judged = (history: History, promised: Model = 'linearizable'): Promise<VerdictDocument> => judge(suite.seen(history), { run: null, promised })
const rung = ({ ladder }: VerdictDocument, model: Model): string => ladder.find((one) => one.model === model)!.verdict

test('R + W > N is not linearizable: while a write is half done one reader finds it and the next does not', async () => {
  // N = 3. The write has reached n1; the first reader asks n1 and n2, the second n2 and n3.
  const document = await judged(historyOf(picture(`
    0: |w x 1|   |w x 2-----------------------------|
    1:                |r x 2|
    2:                           |r x 1|
  `)))
  assert.is(rung(document, 'linearizable'), 'violated')
  assert.is(rung(document, 'regular'), 'holds')
  assert.is(rung(document, 'sequential'), 'holds')
  // The first reader writes back what it read (ABD): the second finds it.
  assert.is((await judged(historyOf(picture(`
    0: |w x 1|   |w x 2-----------------------------|
    1:                |r x 2|
    2:                           |r x 2|
  `)))).verdict, 'holds')
})

test('read your writes is lost when a client moves to a replica that lags, and kept when it stays', async () => {
  const moved = (second: string, value: number | null): History => historyOf([
    { process: 0, f: 'write', key: 'x', value: 1, start: 0, end: 5, outcome: 'ok' },
    { process: 0, f: 'read', key: 'x', value, start: 10, end: 12, outcome: 'ok' },
    { process: 1, f: 'read', key: second, value: null, start: 20, end: 21, outcome: 'ok' },
  ])
  const away = await judged(moved('y', null), 'read-your-writes')
  assert.is(away.verdict, 'violated')
  assert.equal(away.judgements.find((one) => one.judgement === 'read-your-writes')!.witnesses[0]!.operations, [0, 2])
  assert.is((await judged(moved('y', 1), 'read-your-writes')).verdict, 'holds')
})

test('a deleted key comes back from a replica that missed the delete and the collection of its tombstone', async () => {
  const run = (left: number | null): Promise<VerdictDocument> => judged(new RunBuilder().write('x', 1, 0, 5).op('delete', 'x', null, { from: 10, to: 15 }).read('x', null, 20, 22).quiesce(30).peek('x', 40, { n1: left, n2: left, n3: left }).history(), 'eventual')
  const back = await run(1)
  assert.is(back.verdict, 'violated')
  assert.is(back.judgements.find((one) => one.judgement === 'durability')!.metrics['resurrected'], 1)
  assert.is((await run(null)).verdict, 'holds')
})

test('two primaries: each side of a partition acknowledges writes, and those of one are lost after the heal', async () => {
  const sides = { left: ['n1'], right: ['n2', 'n3'] }
  const run = (): RunBuilder => new RunBuilder().write('x', 1, 0, 5, 'n1').fault('partition(halves)', 10, 90, 95, { sides })
    .write('x', 2, 20, 25, 'n1').read('x', 2, 30, 32, 'n1').write('x', 3, 40, 45, 'n2').read('x', 3, 50, 52, 'n2').write('x', 4, 60, 65, 'n1').read('x', 3, 70, 72, 'n2').quiesce(100)
  const both = await judged(run().peek('x', 110, { n1: 3, n2: 3, n3: 3 }).history())
  assert.is(rung(both, 'linearizable'), 'violated')
  assert.is(both.durability.lost, 1)
  assert.match(both.sentence, 'into partition(halves)')
  // One primary: the left side refuses.
  const one = await judged(new RunBuilder().write('x', 1, 0, 5, 'n1').fault('partition(halves)', 10, 90, 95, { sides }).op('write', 'x', 2, { from: 20, to: 25, node: 'n1', outcome: 'fail' }).write('x', 3, 40, 45, 'n2').read('x', 3, 50, 52, 'n2').quiesce(100).peek('x', 110, { n1: 3, n2: 3, n3: 3 }).history())
  assert.is(one.verdict, 'holds')
})

test('last write wins by a clock that runs ahead: a later write is acknowledged and never seen', async () => {
  // n1 is five seconds ahead. What it wrote at 0 s beats what n2 writes at 1 s.
  const skewed = await judged(new RunBuilder().write('x', 1, 0, 5, 'n1').write('x', 2, 1_000, 1_005, 'n2').read('x', 1, 2_000, 2_002, 'n2').quiesce(3_000).peek('x', 3_100, { n1: 1, n2: 1 }).history())
  assert.is(skewed.verdict, 'violated')
  assert.is(rung(skewed, 'linearizable'), 'violated')
  assert.is(rung(skewed, 'eventual'), 'holds')
  assert.is(skewed.durability.lost, 1)
  const right = await judged(new RunBuilder().write('x', 1, 0, 5, 'n1').write('x', 2, 1_000, 1_005, 'n2').read('x', 2, 2_000, 2_002, 'n2').quiesce(3_000).peek('x', 3_100, { n1: 2, n2: 2 }).history())
  assert.is(right.verdict, 'holds')
})

test('a lost update: two clients read the same and both compare-and-set it', async () => {
  const run = (second: 'ok' | 'fail'): Promise<VerdictDocument> => judged(new RunBuilder().write('x', 1, 0, 5).op('cas', 'x', [1, 2], { from: 10, to: 20 }).op('cas', 'x', [1, 3], { from: 12, to: 22, outcome: second }).read('x', second === 'ok' ? 3 : 2, 30, 32).history())
  const lost = await run('ok')
  assert.is(rung(lost, 'linearizable'), 'violated')
  assert.is(rung(lost, 'sequential'), 'violated')
  assert.is((await run('fail')).verdict, 'holds')
})

test('a long fork: two readers see two writes in opposite orders', () => {
  const levels = (second: number | null) => isolationOf(historyOfTransactions(atOnce([[['w', 'x', 1]], [['w', 'y', 1]], [['r', 'x', 1], ['r', 'y', null]], [['r', 'x', second], ['r', 'y', 1]]]))).levels
  // Parallel snapshot isolation is snapshot isolation with long forks (Sovran et al. 2011).
  assert.is(levels(null)['parallel-snapshot-isolation'], 'holds')
  assert.is(levels(null)['snapshot-isolation'], 'violated')
  assert.is(levels(1)['strict-serializable'], 'holds')
})

test('write skew: both doctors see the other on call, and both leave', () => {
  const levels = (dave: string) => isolationOf(historyOfTransactions(atOnce([
    [['w', 'carol', 'on call'], ['w', 'dave', 'on call']],
    [['r', 'carol', 'on call'], ['r', 'dave', 'on call'], ['w', 'carol', 'at home']],
    [['r', 'carol', 'on call'], ['r', 'dave', 'on call'], ['w', 'dave', dave]],
    [['r', 'carol', 'at home'], ['r', 'dave', dave]],
  ]))).levels
  // Snapshot isolation admits it, serializability does not (Berenson et al. 1995).
  assert.is(levels('at home')['snapshot-isolation'], 'holds')
  assert.is(levels('at home').serializable, 'violated')
})

test('every history above is monotone along the ladder', () => suite.check())

test.run()
