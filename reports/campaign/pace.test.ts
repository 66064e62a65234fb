import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createPace, paceWords } from './pace.ts'

const second = 1000

test('a speed is that of the last half minute, and unknown at first', () => {
  const pace = createPace()
  pace.tell(100, 0)
  assert.is(pace.perSecond(10 * second), undefined)
  for (let at = 1; at <= 60; at++) pace.tell(100 + at, at * second)
  assert.is(pace.perSecond(60 * second), 1)
  for (let at = 61; at <= 90; at++) pace.tell(160 + 10 * (at - 60), at * second)
  assert.is(pace.perSecond(90 * second), 10)
})

test('runs that take longer than half a minute have a speed, too', () => {
  const pace = createPace()
  for (const at of [0, 100, 200]) pace.tell(at / 100, at * second)
  assert.is(pace.perSecond(200 * second), 0.01)
})

test('however often it is told, what it remembers and says stays right', () => {
  const pace = createPace()
  for (let done = 0; done <= 100_000; done++) pace.tell(done, done)
  assert.is(Math.round(pace.perSecond(100_000)!), 1000)
})

test('time left is said in seconds, minutes, hours, and not where it cannot be known', () => {
  const words = (total: number | null, perSecond: number | undefined) => paceWords({ done: 100, total, workers: 0, waiting: null }, perSecond)
  assert.is(words(150, 1), '[100/150] 1.0 runs/s, about 50 s left')
  assert.is(words(10_000, 10), '[100/10,000] 10 runs/s, about 17 min left')
  assert.is(words(100_000, 10), '[100/100,000] 10 runs/s, about 2 h 47 min left')
  assert.is(words(100, 10), '[100/100] 10 runs/s')
  assert.is(words(null, 10), '[100] 10 runs/s')
  assert.is(words(150, undefined), '[100/150]')
})

test.run()
