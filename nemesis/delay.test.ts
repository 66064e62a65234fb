import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seededRandom } from '../harness/random.ts'
import { isWhole } from './delay.ts'

const drawn = { delayMs: 20, jitterMs: 180 }

test('one message quicker than the delay shows a whole link, however slow the others were', () => {
  assert.ok(isWhole([150, 19, 150], drawn))
  assert.not.ok(isWhole([150, 21, 150], drawn))
})

test('ten in a row in the lowest quarter of the jitter show it on a busy machine; nine do not', () => {
  assert.ok(isWhole([150, ...Array.from({ length: 10 }, () => 60)], drawn))
  assert.not.ok(isWhole([150, ...Array.from({ length: 9 }, () => 60)], drawn))
})

test('a link that is still delayed is not taken for whole', () => {
  const random = seededRandom(7)
  for (let round = 0; round < 2_000; round++) {
    const ms = Array.from({ length: 100 }, () => drawn.delayMs + random.float() * drawn.jitterMs)
    assert.not.ok(isWhole(ms, drawn))
  }
})

test.run()
