import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isolationLevels, models } from '../../checker/verdict.ts'
import { impliedLevels } from '../../checker/transactions/levels.ts'
import { implied } from '../../checker/ladder.ts'
import { layoutLattice } from './lattice.ts'

const ladder = models.map((model) => ({ model, verdict: 'holds' as const, by: model }))

test('every model stands below all that imply it, and every implication is a line', () => {
  const { rungs, lines } = layoutLattice(ladder, implied)
  assert.is(rungs.length, ladder.length)
  assert.is(lines.length, models.reduce((sum, model) => sum + implied[model].length, 0))
  for (const [stronger, weaker] of lines) assert.ok(stronger.y < weaker.y)
})

test('no two boxes touch, and all are inside', () => {
  const { rungs, width } = layoutLattice(ladder, implied)
  for (const a of rungs) {
    assert.ok(a.x - a.width / 2 >= 0 && a.x + a.width / 2 <= width)
    for (const b of rungs) if (a !== b && a.y === b.y) assert.ok(Math.abs(a.x - b.x) >= (a.width + b.width) / 2 + 10, `${a.rung.model} and ${b.rung.model}`)
  }
})

test('isolation levels are drawn as the lattice that they are', () => {
  const { rungs, lines } = layoutLattice(isolationLevels.map((model) => ({ model })), impliedLevels)
  assert.is(rungs.length, isolationLevels.length)
  for (const [stronger, weaker] of lines) assert.ok(stronger.y < weaker.y)
})

test('a ladder of which only some rungs were judged is drawn too', () => {
  assert.is(layoutLattice([], implied).rungs.length, 0)
  assert.is(layoutLattice(ladder.filter((rung) => rung.model === 'eventual'), implied).lines.length, 0)
})

test.run()
