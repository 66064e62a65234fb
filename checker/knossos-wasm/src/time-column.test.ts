/** Times keep every bit, however they are stored. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { History } from './history.ts'
import { chance } from './testing/random-history.ts'

function historyAt(times: readonly number[]): History {
  const history = new History()
  for (const [row, time] of times.entries()) history.push({ time, process: row, type: 'invoke', f: 'read' })
  return history
}

const year = 365 * 86_400e9

test('times near and far, out of order, fractional and negative come back as they were', () => {
  const next = chance(3)
  const kinds: readonly (readonly [string, (row: number) => number])[] = [
    ['neighbours', (row) => row * 50_000],
    ['far from the start', (row) => 2 ** 53 - 1e6 + row],
    ['a year apart', (row) => row * year],
    ['one pause', (row) => row + (row > 100 ? 5e9 : 0)],
    ['fractions', (row) => row / 3],
    ['below the first', (row) => (row % 64 === 63 ? row - 100 : row)],
    ['no order', () => next(2 ** 31) * (next(3) - 1)],
  ]
  for (const [name, at] of kinds) {
    const times = Array.from({ length: 3000 }, (_, row) => at(row))
    const history = historyAt(times)
    assert.equal(times.map((_, row) => history.timeAt(row)), times, name)
  }
})

test('a history knows whether its rows stand in order of time, invocations first', () => {
  assert.ok(historyAt([1, 1, 2]).inTimeOrder)
  assert.not.ok(historyAt([1, 2, 1]).inTimeOrder)
  const history = historyAt([1])
  history.push({ time: 2, process: 0, type: 'ok', f: 'read' })
  assert.ok(history.inTimeOrder)
  history.push({ time: 2, process: 1, type: 'invoke', f: 'read' })
  assert.not.ok(history.inTimeOrder)
})

test.run()
