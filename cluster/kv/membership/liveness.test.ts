import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { simulate } from '../testing/simulate.ts'
import type { Bench } from '../testing/simulate.ts'
import { accrualDetector, timeoutDetector } from './detectors.ts'

const MS = 1e6

test('T_fail: silence for longer makes a node suspect, and a word from it takes that back', () => {
  const detector = timeoutDetector({ failAfterMs: 300 })
  detector.heard('a', 0)
  assert.not.ok(detector.suspects('a', 300 * MS))
  assert.ok(detector.suspects('a', 301 * MS))
  detector.heard('a', 400 * MS)
  assert.not.ok(detector.suspects('a', 500 * MS))
  assert.not.ok(detector.suspects('never heard of', 500 * MS))
})

/** Heartbeats at these intervals, then silence: after how many milliseconds is it suspected? */
function suspectedAfterMs(intervalsMs: readonly number[]): number {
  const detector = accrualDetector({ intervalMs: 100, threshold: 8 })
  let now = 0
  for (const interval of intervalsMs) detector.heard('a', (now += interval * MS))
  let ms = 0
  while (!detector.suspects('a', now + ms * MS)) ms++
  return ms
}

test('phi accrual: who comes like clockwork is suspected soon, who is slow or irregular later', () => {
  const steady = suspectedAfterMs(Array.from({ length: 100 }, () => 100))
  const slow = suspectedAfterMs(Array.from({ length: 100 }, () => 300))
  const irregular = suspectedAfterMs(Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 20 : 180)))
  assert.ok(steady > 150 && steady < 300, `${steady} ms`)
  assert.ok(slow > 2 * steady, `${slow} ms`)
  assert.ok(irregular > 1.5 * steady, `${irregular} ms`)
})

test('phi accrual: the silence of a node that was down does not make it harder to suspect the next time', () => {
  const detector = accrualDetector({ intervalMs: 100, threshold: 8 })
  for (let i = 0; i < 50; i++) detector.heard('a', i * 100 * MS)
  detector.heard('a', 60_000 * MS)
  assert.ok(detector.suspects('a', 60_500 * MS))
})

const suspected = async (bench: Bench, id: string): Promise<number> => (await bench.stats(id))['suspected']!

for (const failureDetector of ['timeout', 'accrual'] as const) {
  test(`gossip, ${failureDetector}: a node that dies is suspected by all, one that only a bridge reaches by nobody`, () =>
    simulate({ preset: 'dynamo', overrides: { failure_detector: failureDetector } }, async (bench) => {
      await bench.sleep(3000)
      await bench.partition(['n1', 'n2'], ['n4', 'n5'])
      await bench.sleep(2000)
      assert.is(await suspected(bench, 'n1'), 0)
      await bench.node('n3').kill()
      await bench.sleep(1000)
      assert.equal([await suspected(bench, 'n1'), await suspected(bench, 'n4')], [3, 3])
      await bench.node('n3').start()
      await bench.until(async () => (await suspected(bench, 'n1')) === 0, 3000)
    }))
}

test('a member that stays dead is let go, and what it held is on as many nodes as before', () =>
  simulate({ preset: 'dynamo', overrides: { dismiss_after_ms: 2000 } }, async (bench) => {
    const keys = Array.from({ length: 30 }, (_, i) => `key${i}`)
    for (const key of keys) assert.equal(await bench.write('n1', key, key), { type: 'ok' })
    await bench.node('n5').kill()
    await bench.until(async () => (await bench.cluster.membership!.members('n1', 1000).catch(() => [])).length === 4, 10_000)
    await bench.sleep(3000)
    for (const key of keys) {
      const held = await Promise.all(['n1', 'n2', 'n3', 'n4'].map((id) => bench.system.peek!(bench.cluster, id, [key], 1000)))
      assert.equal(held.flat().map(({ value }) => value), [key, key, key])
    }
  }))

test.run()
