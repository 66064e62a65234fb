/** How far from atomic: k-atomicity, delta-atomicity, versions behind and t-visibility. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { context } from './testing/context.ts'
import { deltaAtomicity } from './delta-atomicity.ts'
import { historyOf, picture } from './testing/operations.ts'
import { kAtomicity } from './k-atomicity.ts'
import { loadHistory } from './testing/load.ts'
import { Suite } from './testing/monotone.ts'
import { soak } from './distance.soak.ts'
import { staleness } from './staleness.ts'
import type { Judgement } from './judgement.ts'
import type { JudgementVerdict } from './verdict.ts'

const suite = new Suite()

const measured = (judgement: Judgement, text: string): JudgementVerdict['metrics'] => (judgement.judge(suite.seen(historyOf(picture(text))), context) as JudgementVerdict).metrics
const k = (text: string): unknown[] => [measured(kAtomicity, text)['k_min'], measured(kAtomicity, text)['k_max']]

const behind = (read: string): string => `
  0: |w x 1|   |w x 2|   |w x 3|
  1:                               |r x ${read}|
`

test('k counts how many writes back the oldest read went', () => {
  assert.equal(k(behind('3')), [1, 1])
  assert.equal(k(behind('2')), [2, 2])
  assert.equal(k(behind('1')), [3, 3])
  assert.equal(k(behind('nil')), [4, 4])
})

test('new, then old during one write is not atomic, but 2-atomic', () => {
  assert.equal(k(`
    0: |w x 1|   |w x 2--------------------|
    1:              |r x 2|   |r x 1|
  `), [2, 2])
})

test('delta is how much earlier the stale read would have had to begin', () => {
  assert.is(measured(deltaAtomicity, behind('3'))['delta_ms'], 0)
  const delta = measured(deltaAtomicity, behind('2'))['delta_ms'] as number
  assert.ok(Math.abs(delta - (35.001 - 31.5)) < 1, String(delta))
  assert.ok((measured(deltaAtomicity, behind('1'))['delta_ms'] as number) > delta)
})

test('no k and no delta explain a value from nowhere', () => {
  assert.equal(k(behind('9')), [null, null])
  assert.is(measured(deltaAtomicity, behind('9'))['delta_ms'], null)
})

test('a stale read knows how many versions it is behind, and how long after a write it was', () => {
  const metrics = measured(staleness, behind('1'))
  assert.is(metrics['versions_behind_max'], 2)
  assert.equal((metrics['t_visibility'] as { reads: number; consistent: number }[]).map(({ reads, consistent }) => [reads, consistent]), [[1, 0]])
  assert.is((measured(staleness, behind('3'))['t_visibility'] as { consistent: number }[])[0]!.consistent, 1)
})

test('a long history of real registers has k 1 and delta 0', () => {
  const history = loadHistory({ operations: 20_000, processes: 20, keys: 5, crashEvery: 100, staleEvery: 0, seed: 3 })
  assert.is((kAtomicity.judge(history, context) as JudgementVerdict).metrics['k_max'], 1)
  assert.is((deltaAtomicity.judge(history, context) as JudgementVerdict).metrics['delta_ms'], 0)
})

test('both agree with their definitions by brute force', async () => {
  assert.ok(await soak.run(1_500, 4, () => undefined))
})

test('every history above is monotone along the ladder', () => suite.check())

test.run()
