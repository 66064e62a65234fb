import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { STARTS_MAX, livesBefore, membershipOf, nextLife, startOf } from './lives.ts'

test('no two lives have one number, however far apart the memberships and however many the starts', () => {
  const memberships = [0, 1, 2, 1024, 1025, 2048, 2 ** 20, 2 ** 32 - 1]
  const starts = [1, 2, 1023, 1024, 1025, STARTS_MAX - 1]
  const lives = memberships.flatMap((membership) => starts.map((start) => nextLife(livesBefore(membership) + start - 1)))
  assert.is(new Set(lives).size, memberships.length * starts.length)
  assert.equal(lives.map((life) => [membershipOf(life), startOf(life)]), memberships.flatMap((membership) => starts.map((start) => [membership, start])))
})

test('a life beyond the last of its membership is refused, not taken for one of the next', () => {
  assert.throws(() => nextLife(livesBefore(3) + STARTS_MAX - 1), /invariant/)
})

test.run()
