import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { context } from './testing/context.ts'
import { historyOf, picture, sessions } from './testing/operations.ts'
import { loadHistory } from './testing/load.ts'
import { Suite } from './testing/monotone.ts'
import { sequential } from './sequential.ts'
import { soak } from './sequential.soak.ts'
import type { Operation } from './testing/operations.ts'

const suite = new Suite()

const verdict = async (operations: readonly Operation[]): Promise<string> => (await sequential.judge(suite.seen(historyOf(operations)), context)).verdict

test('a stale read is sequential as long as its session saw nothing newer', async () => {
  assert.is(await verdict(picture(`
    0: |w x 1|   |w x 2|
    1:                     |r x 1|   |r x 2|
  `)), 'holds')
})

test('two sessions that see concurrent writes in opposite orders are causal, and not sequential', async () => {
  assert.is(await verdict(sessions('w x 1', 'w x 2', 'r x 1, r x 2', 'r x 2, r x 1')), 'violated')
})

test("Dekker's test: both wrote, and neither sees the other's write", async () => {
  assert.is(await verdict(sessions('w x 1, r y nil', 'w y 1, r x nil')), 'violated')
})

test('what is not causal is not sequential, with the smaller witness', async () => {
  const judged = await sequential.judge(suite.seen(historyOf(sessions('w x 1', 'r x 1, w y 2', 'r y 2, r x nil'))), context)
  assert.is(judged.verdict, 'violated')
  assert.is(judged.witnesses[0]!.operations.length, 5)
})

test('atomic registers under load are ordered without going back', async () => {
  const judged = await sequential.judge(loadHistory({ operations: 20_000, processes: 20, keys: 10, crashEvery: 500, staleEvery: 0, seed: 3 }), context)
  assert.is(judged.verdict, 'holds')
})

test('sequential consistency agrees with its definition on random histories', async () => {
  const lines: string[] = []
  assert.ok(await soak.run(2_000, 1, (line) => lines.push(line)), lines.join('\n'))
})

test('nothing comes between the two halves of a compare-and-set: of two that expect the same value one must fail', async () => {
  assert.is(await verdict(sessions('w x 1, c x 1 2', 'c x 1 3')), 'violated')
  assert.is(await verdict(sessions('w x 1, c x 1 2', 'c x 2 3', 'r x 1, r x 2, r x 3')), 'holds')
})

test('a witness is told with the fewest operations', async () => {
  const { witnesses } = await sequential.judge(suite.seen(historyOf(sessions('w y 9, r y 9', 'w x 1, r y 9', 'w x 2', 'r x 1, r x 2', 'r x 2, r x 1, r y 9'))), context)
  assert.is(witnesses[0]!.operations.length, 6)
})

test('every history above is monotone along the ladder', () => suite.check())

test.run()
