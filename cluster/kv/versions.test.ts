import { test } from 'uvu'
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { ABSENT, compareVersions, mergeCells } from './versions.ts'
import type { Cell } from './versions.ts'

/** Few different versions, so that ties are common. */
const cells: fc.Arbitrary<Cell> = fc.record({
  counter: fc.integer({ min: 1, max: 3 }),
  writer: fc.constantFrom('n1.1', 'n1.2', 'n2.1'),
  value: fc.option(fc.uint8Array({ maxLength: 2 }), { nil: null }),
})
const plain = (cell: Cell): unknown => ({ ...cell, value: cell.value === null ? null : [...cell.value] })
const same = (a: Cell, b: Cell): void => assert.equal(plain(a), plain(b))

test('merging is commutative, also for cells that claim one version', () => {
  fc.assert(fc.property(cells, cells, (a, b) => same(mergeCells(a, b), mergeCells(b, a))))
})

test('merging is associative', () => {
  fc.assert(fc.property(cells, cells, cells, (a, b, c) => same(mergeCells(mergeCells(a, b), c), mergeCells(a, mergeCells(b, c)))))
})

test('merging is idempotent, and hands back what was there', () => {
  fc.assert(fc.property(cells, (a) => assert.is(mergeCells(a, { ...a }), a)))
})

test('the merge has the greater version, and every cell beats absence', () => {
  fc.assert(fc.property(cells, cells, (a, b) => assert.ok(compareVersions(mergeCells(a, b), a) >= 0)))
  fc.assert(fc.property(cells, (a) => assert.is(mergeCells(ABSENT, a), a)))
})

test('replicas that saw the same cells in different orders, some of them twice, hold the same', () => {
  fc.assert(fc.property(fc.array(cells, { minLength: 1 }), fc.func(fc.integer()), (seen, order) => {
    const shuffled = [...seen, ...seen].map((cell, i) => ({ cell, at: order(i) })).sort((a, b) => a.at - b.at).map(({ cell }) => cell)
    same(seen.reduce(mergeCells, ABSENT), shuffled.reduce(mergeCells, ABSENT))
  }))
})

test.run()
