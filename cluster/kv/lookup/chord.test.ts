import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ChordRing } from './testing/chord-ring.ts'

test('a lookup finds the first node at or after the token, wherever it begins', () =>
  ChordRing.run({ nodes: 60, seed: 1 }, async (ring) => {
    await ring.settle()
    const { right, meanHops } = await ring.lookups(500)
    assert.is(right, 500)
    assert.ok(meanHops <= 0.6 * Math.log2(60) + 1, `${meanHops} hops`)
  }))

test('what a node knows of others grows with the logarithm of their number', () =>
  ChordRing.run({ nodes: 200, seed: 2 }, async (ring) => {
    await ring.settle()
    assert.ok(ring.stateMax() <= 5 * Math.log2(200), `${ring.stateMax()} nodes are known to one`)
  }))

test('nodes that join at once end in the one right ring', () =>
  ChordRing.run({ nodes: 5, seed: 3 }, async (ring) => {
    await ring.settle()
    ring.join(30)
    await ring.settle()
    assert.is(ring.misplaced(), 0)
  }))

test('with half of the nodes gone at once, what survives is found again', () =>
  ChordRing.run({ nodes: 64, seed: 4 }, async (ring) => {
    await ring.settle()
    ring.killHalf()
    await ring.settle()
    assert.is((await ring.lookups(500)).right, 500)
  }))

test('two rings become one when the nodes that were lost can be reached again', () =>
  ChordRing.run({ nodes: 20, seed: 5 }, async (ring) => {
    await ring.settle()
    const back = ring.killHalf()
    await ring.settle()
    ring.revive(back)
    await ring.settle()
    assert.is(ring.misplaced(), 0)
  }))

test('a node without others answers for the whole ring', () =>
  ChordRing.run({ nodes: 1, seed: 6 }, async (ring) => {
    assert.equal(await ring.lookups(10), { right: 10, meanHops: 0 })
  }))

test.run()
