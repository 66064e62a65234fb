import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { exponential, pick, seededRandom, shuffle } from './random.ts'
import type { Random } from './env.ts'

/** Pearson's statistic of observed counts against equal expectation. */
function chiSquared(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}

/** Far in the tail (about 6 sigma) of the chi-squared distribution with this many degrees of freedom. */
function unlikely(degrees: number): number {
  return degrees + 6 * Math.sqrt(2 * degrees) + 12
}

function draws(random: Random, count: number, bound: number): number[] {
  return Array.from({ length: count }, () => random.int(bound))
}

test('the same seed draws the same numbers, another seed others', () => {
  assert.equal(draws(seededRandom(7), 100, 1000), draws(seededRandom(7), 100, 1000))
  assert.not.equal(draws(seededRandom(7), 100, 1000), draws(seededRandom(8), 100, 1000))
  assert.not.equal(draws(seededRandom(1), 100, 1000), draws(seededRandom(1.5), 100, 1000))
  assert.throws(() => seededRandom(Number.NaN), /finite/)
})

test('these are the numbers of seed 1: a change of them breaks every recorded seed', () => {
  assert.equal(draws(seededRandom(1), 5, 1000), [794, 329, 117, 419, 510])
  assert.equal(draws(seededRandom(1).fork('network'), 5, 1000), [819, 155, 991, 788, 956])
})

test('a fork depends on seed and name alone, not on what was drawn or forked before', () => {
  const untouched = seededRandom(3)
  const used = seededRandom(3)
  draws(used, 1000, 6)
  draws(used.fork('somebody'), 10, 6)
  assert.equal(draws(used.fork('nemesis'), 50, 1000), draws(untouched.fork('nemesis'), 50, 1000))
  used.fork('nemesis')
  const before = seededRandom(3)
  draws(before, 1010, 6)
  draws(used, 10, 6)
  assert.equal(draws(used, 20, 1000), draws(before, 20, 1000), 'forking does not draw')
})

test('forks of different names, depths and parents are different streams', () => {
  const root = seededRandom(1)
  const streams = [root, root.fork('a'), root.fork('b'), root.fork('a').fork('b'), root.fork('b').fork('a'), root.fork('ab'), seededRandom(2).fork('a')]
  const firsts = new Set(streams.map((random) => draws(random, 4, 2 ** 31).join()))
  assert.is(firsts.size, streams.length)
})

test('integers are uniform for bounds that do and do not divide 2^32', () => {
  for (const bound of [2, 3, 7, 10, 64, 1000]) {
    const counts = new Array<number>(bound).fill(0)
    const random = seededRandom(bound)
    for (let draw = 0; draw < 200_000; draw++) counts[random.int(bound)]!++
    assert.ok(chiSquared(counts) < unlikely(bound - 1), `bound ${bound}: ${chiSquared(counts)}`)
  }
  assert.is(seededRandom(1).int(1), 0)
  const large = draws(seededRandom(5), 10_000, 2 ** 31)
  assert.ok(large.every((drawn) => Number.isInteger(drawn) && drawn >= 0 && drawn < 2 ** 31))
  assert.ok(large.some((drawn) => drawn > 2 ** 30))
  for (const bound of [0, -1, 1.5, 2 ** 31 + 1, Number.NaN]) assert.throws(() => seededRandom(1).int(bound), /bound/)
})

test('floats are uniform in [0, 1)', () => {
  const counts = new Array<number>(100).fill(0)
  const random = seededRandom(11)
  for (let draw = 0; draw < 200_000; draw++) counts[Math.floor(random.float() * 100)]!++
  assert.ok(chiSquared(counts) < unlikely(99))
})

test('sibling forks are not correlated: all pairs of their draws are equally frequent', () => {
  const root = seededRandom(42)
  for (const [left, right] of [['n1', 'n2'], ['1', '2'], ['a', 'aa'], ['', ' ']] as const) {
    const a = root.fork(left)
    const b = root.fork(right)
    const pairs = new Array<number>(64).fill(0)
    for (let draw = 0; draw < 64_000; draw++) pairs[a.int(8) * 8 + b.int(8)]!++
    assert.ok(chiSquared(pairs) < unlikely(63), `${left} and ${right}: ${chiSquared(pairs)}`)
  }
})

test('the first draws of many forks are uniform too', () => {
  const root = seededRandom(9)
  const counts = new Array<number>(16).fill(0)
  for (let name = 0; name < 32_000; name++) counts[root.fork(`stream ${name}`).int(16)]!++
  assert.ok(chiSquared(counts) < unlikely(15))
})

test('a pick reaches every element and refuses an empty list', () => {
  const random = seededRandom(1)
  assert.is(new Set(Array.from({ length: 200 }, () => pick(random, ['a', 'b', 'c']))).size, 3)
  assert.throws(() => pick(random, []), /empty/)
})

test('a shuffle keeps the elements, spares its argument, and every order is equally likely', () => {
  const random = seededRandom(1)
  const list = ['a', 'b', 'c', 'd']
  const counts = new Map<string, number>()
  for (let turn = 0; turn < 24_000; turn++) {
    const order = shuffle(random, list).join('')
    counts.set(order, (counts.get(order) ?? 0) + 1)
  }
  assert.equal(list, ['a', 'b', 'c', 'd'])
  assert.is(counts.size, 24)
  assert.ok(chiSquared([...counts.values()]) < unlikely(23))
})

test('exponential times have the mean that was asked for, and its variance', () => {
  const random = seededRandom(1)
  const times = Array.from({ length: 100_000 }, () => exponential(random, 20))
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length
  const variance = times.reduce((sum, time) => sum + (time - mean) ** 2, 0) / times.length
  assert.ok(times.every((time) => time >= 0 && Number.isFinite(time)))
  assert.ok(Math.abs(mean - 20) < 0.4, `mean ${mean}`)
  assert.ok(Math.abs(variance - 400) < 20, `variance ${variance}`)
})

test.run()
