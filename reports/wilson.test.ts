import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { wilson } from './wilson.ts'

test('Wilson’s interval has the values of his formula', () => {
  const { low, high } = wilson(8, 10)
  assert.is(low.toFixed(4), '0.4902')
  assert.is(high.toFixed(4), '0.9433')
})

test('nothing seen is not nothing there', () => {
  assert.is(wilson(0, 10).low, 0)
  assert.ok(wilson(0, 10).high > 0.25)
  assert.is(wilson(10, 10).high, 1)
  assert.equal(wilson(0, 0), { low: 0, high: 1 })
})

test('another confidence, another width', () => {
  // Half of the width at 50 of 100 is z / sqrt(n + z^2) / 2, with z = 2.575829 for 99 % and 1.644854 for 90 %.
  for (const [confidence, z] of [[0.99, 2.575829], [0.9, 1.644854]] as const) {
    const { low, high } = wilson(50, 100, confidence)
    assert.ok(Math.abs((high - low) / 2 - z / Math.sqrt(100 + z * z) / 2) < 1e-6)
  }
})

test.run()
