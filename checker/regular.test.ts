import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { context } from './testing/context.ts'
import { historyOf, picture } from './testing/operations.ts'
import { Suite } from './testing/monotone.ts'
import { regular } from './regular.ts'
import { safe } from './safe.ts'
import { soak } from './regular.soak.ts'
import { staleness } from './staleness.ts'
import type { JudgementVerdict } from './verdict.ts'

const suite = new Suite()

const judge = (text: string): JudgementVerdict => regular.judge(suite.seen(historyOf(picture(text))), context) as JudgementVerdict
const age = (text: string): JudgementVerdict => staleness.judge(suite.seen(historyOf(picture(text))), context) as JudgementVerdict

test('a read that returns an overwritten value is refused, with the write that replaced it', () => {
  const verdict = judge(`
    0: |w x 1|   |w x 2|
    1:                     |r x 1|
  `)
  assert.is(verdict.verdict, 'violated')
  assert.is(verdict.witnesses[0]!.operations.length, 3)
  assert.match(verdict.witnesses[0]!.explanation, 'process 1 read x = 1, although process 0 wrote x = 2 before it')
})

test('a read may return the old or the new value while a write is under way, and even new, then old', () => {
  assert.is(judge(`
    0: |w x 1|   |w x 2--------------------|
    1:              |r x 2|   |r x 1|
  `).verdict, 'holds')
})

test('a read of the initial value after an acknowledged write is refused', () => {
  assert.is(judge(`
    0: |w x 1|
    1:           |r x nil|
  `).verdict, 'violated')
})

test('a safe register may return anything during a write, and nothing from nowhere', () => {
  const isSafe = (text: string): string => (safe.judge(suite.seen(historyOf(picture(text))), context) as JudgementVerdict).verdict
  const flicker = `
    0: |w x 1|   |w x 2|   |w x 3-------|
    1:                        |r x 1|
  `
  assert.is(judge(flicker).verdict, 'violated')
  assert.is(isSafe(flicker), 'holds')
  assert.is(isSafe(flicker.replace('r x 1', 'r x 9')), 'violated')
  assert.is(isSafe(`
    0: |w x 1|   |w x 2|
    1:                     |r x 1|
  `), 'violated')
})

test('a read of a value before its write began is refused', () => {
  assert.is(judge(`
    0:            |w x 1|
    1: |r x 1|
  `).verdict, 'violated')
})

test('a write of unknown outcome overlaps everything after it', () => {
  assert.is(judge(`
    0: |w x 1?
    1:          |w x 2|          |r x 1|
  `).verdict, 'holds')
  assert.is(judge(`
    0: |w x 1|
    1:          |w x 2?
    2:                     |r x 1|
  `).verdict, 'holds')
})

test('operations that only touch are concurrent', () => {
  const operations = picture(`
    0: |w x 1|
    1:          |r x nil|
  `)
  const touching = operations.map((o) => (o.f === 'read' ? { ...o, start: operations[0]!.end } : o))
  assert.is((regular.judge(suite.seen(historyOf(touching)), context) as JudgementVerdict).verdict, 'holds')
})

test('staleness counts from the acknowledgement of the write that replaced the value', () => {
  const { metrics, verdict } = age(`
    0: |w x 1|   |w x 2|
    1:                           |r x 1|   |r x 2|
  `)
  assert.is(verdict, 'holds')
  assert.is(metrics['reads'], 2)
  assert.is(metrics['stale_reads'], 1)
  assert.is(metrics['stale_share'], 0.5)
  // The second bar of w(x,2) stands at column 22 (and ends half a column early), the read begins at column 32.
  assert.is(Math.round((metrics['max_ms'] as number) * 10) / 10, 9.5)
})

test('a value that had been read was in effect, though its write was not yet acknowledged', () => {
  const { metrics } = age(`
    0: |w x 1-----------------------------------------|
    1:          |r x 1|
    2:                    |w x 2|       |r x 1|
  `)
  assert.is(metrics['stale_reads'], 1)
})

test('regularity agrees with its definition on random histories, and linearizable reads are never stale', async () => {
  const lines: string[] = []
  assert.ok(await soak.run(3_000, 1, (line) => lines.push(line)), lines.join('\n'))
})

test('every history above is monotone along the ladder', () => suite.check())

test.run()
