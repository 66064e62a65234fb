/** The judgement: what it says of a history that holds, one that does not, and one that it may not finish. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { History } from './history/index.ts'
import { historyOf, sessions } from './testing/operations.ts'
import { judge } from './judge.ts'
import { linearizable } from './linearizable.ts'
import type { Event } from './history/index.ts'
import type { JudgeContext } from './judgement.ts'
import { judgementVerdictSchema } from './verdict.ts'

const context: JudgeContext = { faults: [], timeLimitMs: 1000, memoryLimitMb: 500, elapsedMs: () => 0 }

function history(events: readonly Omit<Event, 'time'>[]): History {
  const all = new History()
  events.forEach((event, time) => all.push({ time, ...event }))
  return all
}

const stale = history([
  { process: 0, type: 'invoke', f: 'write', key: 'a', value: 1 },
  { process: 'nemesis', type: 'info', f: 'partition', value: 'n1' },
  { process: 0, type: 'ok', f: 'write', key: 'a', value: 1 },
  { process: 0, type: 'invoke', f: 'write', key: 'a', value: 2 },
  { process: 0, type: 'ok', f: 'write', key: 'a', value: 2 },
  { process: 1, type: 'invoke', f: 'read', key: 'a' },
  { process: 1, type: 'ok', f: 'read', key: 'a', value: 1 },
  { process: 1, type: 'invoke', f: 'read', key: 'b' },
  { process: 1, type: 'ok', f: 'read', key: 'b', value: null },
])

test('a stale read is a violation of its key, with rows of the history as its witness', async () => {
  const verdict = judgementVerdictSchema.parse(await linearizable().judge(stale, context))
  assert.is(verdict.verdict, 'violated')
  assert.equal(verdict.witnesses.map(({ key, operations }) => ({ key, operations })), [{ key: 'a', operations: [0, 3, 5] }])
  assert.equal([verdict.operations, verdict.metrics['keys'], verdict.metrics['keys_violated']], [4, 2, 1])
  assert.match(verdict.summary, /^1 of 2 keys not linearizable: Read of 1 by process 1 began after the write of 2/)
})

test('what was not refuted holds, and the sentence says over how much', async () => {
  const verdict = await linearizable({ model: 'register' }).judge(history([{ process: 0, type: 'invoke', f: 'read' }, { process: 0, type: 'ok', f: 'read', value: null }]), context)
  assert.is(verdict.verdict, 'holds')
  assert.is(verdict.summary, 'not refuted: 1 operation on 1 key has a linearization')
})

test('without the memory it needs the verdict is unknown, and the reason says so', async () => {
  const twice = history([0, 1].flatMap((process) => [
    { process, type: 'invoke' as const, f: 'write', value: 1 },
    { process, type: 'ok' as const, f: 'write', value: 1 },
  ]))
  const verdict = await linearizable().judge(twice, { ...context, memoryLimitMb: 0.001 })
  assert.is(verdict.verdict, 'unknown')
  assert.match(verdict.reason!, /memory limit/)
})

test('what a register holds at first is what all judgements are told', async () => {
  const zero = historyOf(sessions('r x 0, w x 1, r x 1'))
  const verdicts = async (initial: number | null): Promise<unknown[]> => (await judge(zero, { run: null, promised: 'linearizable', initial })).ladder.slice(0, 3).map(({ verdict }) => verdict)
  assert.equal(await verdicts(0), ['holds', 'holds', 'holds'])
  assert.equal(await verdicts(null), ['violated', 'violated', 'violated'])
})

test.run()
