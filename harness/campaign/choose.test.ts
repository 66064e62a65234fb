import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { chooseCell, narrowEnough } from './choose.ts'

const cell = (decided: number, violated: number, expectedMs = 1_000, unknown = 0) => ({ decided, violated, unknown, expectedMs, pending: 0, stopped: false })

test('cells take turns while nothing fails', () => {
  assert.is(chooseCell([cell(1, 0), cell(0, 0), cell(1, 0)], 60_000, 5)?.index, 1)
  assert.is(chooseCell([cell(1, 0), cell(1, 0), cell(1, 0)], 60_000, 5)?.index, 0)
})

test('a cell that fails now and then is worth more than one that never or always does', () => {
  assert.is(chooseCell([cell(10, 0), cell(10, 5), cell(10, 10)], 60_000, 100)?.index, 1)
})

test('a run that does not fit into the budget is not begun', () => {
  assert.is(chooseCell([cell(0, 0, 20_000), cell(3, 0, 2_000)], 10_000, 5)?.index, 1)
  assert.is(chooseCell([cell(0, 0, 20_000)], 10_000, 5)?.index, undefined)
})

test('every cell gets its seeds and no more', () => {
  assert.is(chooseCell([cell(5, 0), cell(4, 0)], 60_000, 5)?.index, 1)
  assert.is(chooseCell([cell(5, 0), cell(3, 0, 1_000, 2)], 60_000, 5)?.index, undefined)
})

test('runs under way count, and a cell that has ended gets none', () => {
  assert.is(chooseCell([{ ...cell(0, 0), pending: 4 }, cell(3, 0)], 60_000, 5)?.index, 1)
  assert.is(chooseCell([{ ...cell(2, 0), pending: 3 }], 60_000, 5), undefined)
  assert.is(chooseCell([{ ...cell(2, 1), stopped: true }], 60_000, 5), undefined)
})

test('enough is known of a cell when the interval of its rate is narrow', () => {
  const until = { confidence: 0.95, width: 0.1 }
  assert.not(narrowEnough(0, 34, until))
  assert.ok(narrowEnough(0, 35, until))
  assert.not(narrowEnough(50, 100, until))
  assert.not(narrowEnough(0, 35, { ...until, confidence: 0.99 }))
})

test.run()
