import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { context } from './testing/context.ts'
import { exceptions } from './exceptions.ts'
import { History } from './history/index.ts'
import { judge } from './judge.ts'
import { logPatterns } from './log-patterns.ts'
import { parseObjectives, registerJudgements, slo } from './index.ts'
import { RunBuilder } from './testing/run.ts'
import type { JudgementVerdict } from './verdict.ts'

const hundred = (): RunBuilder => {
  const run = new RunBuilder()
  for (let at = 0; at < 100; at++) run.write('x', at, at * 1000, at * 1000 + at + 1)
  return run
}
const meets = (text: string, run = hundred()): JudgementVerdict => slo(parseObjectives(text)).judge(run.history(), context) as JudgementVerdict

test('an objective is met when the quantile, by nearest rank, is below its limit', () => {
  assert.is(meets('p99<99.5ms').verdict, 'holds')
  assert.is(meets('p99<99ms').verdict, 'violated')
  assert.is(meets('p50<50ms').verdict, 'violated')
  assert.is(meets('p50<51ms').verdict, 'holds')
  assert.is(meets('p100<0.1s').verdict, 'violated')
})

test('a missed objective shows the slowest operations', () => {
  const { witnesses, summary } = meets('p99<50ms')
  assert.is(witnesses[0]!.operations.length, 10)
  assert.is(witnesses[0]!.operations[0], 198)
  assert.is(summary, 'p99<50ms: 99.0 ms.')
})

test('latency counts from the intended start, of the function named', () => {
  const run = new RunBuilder().op('read', 'x', null, { from: 100, to: 104, intended: 20 }).write('x', 1, 0, 500)
  assert.is(meets('read:p50<85ms', run).verdict, 'holds')
  assert.is(meets('read:p50<84ms', run).verdict, 'violated')
  assert.is(meets('delete:p50<1s', run).verdict, 'unknown')
})

test('availability counts every operation that did not succeed', () => {
  const run = hundred().op('write', 'x', 7, { from: 1, to: 2, outcome: 'fail' }).op('read', 'x', null, { from: 3 })
  assert.is(meets('availability>98%', run).verdict, 'holds')
  assert.is(meets('availability>98.1%,p50<1s', run).verdict, 'violated')
})

test('an objective that cannot be read is refused with an example', () => {
  assert.throws(() => parseObjectives('fast'), /"fast" is no objective; write for example/)
})

test('a missed objective makes the verdict violated, and the sentence says that the promise held all the same', async () => {
  const document = await judge(new RunBuilder().write('x', 1, 0, 400).read('x', 1, 500, 510).history(), { run: null, promised: 'linearizable', judgements: [...registerJudgements(), slo(parseObjectives('p99<300ms'))] })
  assert.is(document.verdict, 'violated')
  assert.is(document.promise_verdict, 'holds')
  assert.match(document.sentence, /^Promised linearizable\. Holds: not refuted by 2 operations\. Missed its objectives: p99<300ms: 400\.0 ms\./)
})

test('a panic in a log is told with its line, and breaks the promise where the pattern was given', async () => {
  const logs = [{ node: 'n1', text: 'started\n' }, { node: 'n2', text: 'started\nPanic: index out of range\n' }]
  const verdict = logPatterns(logs).judge(new History(), context) as JudgementVerdict
  assert.is(verdict.verdict, 'violated')
  assert.is(verdict.witnesses[0]!.explanation, 'n2.log:2: Panic: index out of range')
  assert.is((logPatterns(logs, /out of memory/).judge(new History(), context) as JudgementVerdict).verdict, 'holds')
  assert.is((logPatterns([{ node: 'n1', text: 'ready\nready' }], /ready/g).judge(new History(), context) as JudgementVerdict).metrics['matches'], 2)
  assert.is((logPatterns([]).judge(new History(), context) as JudgementVerdict).verdict, 'unknown')
  const run = hundred().read('x', 99, 200_000, 200_001).history()
  const judged = async (pattern?: RegExp): Promise<string> => (await judge(run, { run: null, promised: 'linearizable', judgements: [...registerJudgements(), logPatterns(logs, pattern)] })).verdict
  assert.is(await judged(), 'holds')
  assert.is(await judged(/panic/i), 'violated')
})

test('errors are counted by their code', () => {
  const history = new History()
  for (const [process, error] of ['timeout', 'refused: n1', 'refused: n2'].entries()) {
    history.push({ time: process * 2, process, type: 'invoke', f: 'read', key: 'x' })
    history.push({ time: process * 2 + 1, process, type: error === 'timeout' ? 'info' : 'fail', f: 'read', key: 'x', error })
  }
  const { metrics } = exceptions.judge(history, context) as JudgementVerdict
  assert.equal((metrics['errors'] as { code: string; fail: number; info: number }[]).map(({ code, fail, info }) => [code, fail, info]), [['refused', 2, 0], ['timeout', 0, 1]])
})

test.run()
