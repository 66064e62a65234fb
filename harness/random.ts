/**
 * Chance: seeded, splittable streams on pure-rand's xoroshiro128+.
 *
 * A stream is named by its path from the root (seed, then the names of the forks), and its 128-bit state is a
 * SHA-256 of that path. A fork therefore depends neither on how much its parent drew before nor on its siblings:
 * a new consumer takes a new name and shifts nobody else's numbers.
 */
import { createHash } from 'node:crypto'
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus'
import type { Random } from './env.ts'

const TWO_TO_32 = 2 ** 32

/** The root stream of a seed (any finite number; 1 and 1.5 differ). */
export function seededRandom(seed: number): Random {
  if (!Number.isFinite(seed)) throw new RangeError(`a seed must be a finite number, not ${seed}`)
  return stream(createHash('sha256').update(`seed ${seed}`).digest())
}

function stream(path: Buffer): Random {
  const generator = xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => path.readInt32LE(offset)))
  const next = (): number => generator.next() >>> 0
  return {
    int: (bound) => uniform(next, bound),
    float: () => next() / TWO_TO_32,
    fork: (name) => stream(createHash('sha256').update(path).update(name).digest()),
  }
}

/** Exactly uniform, by rejection; from the high bits, because the lowest bits of xoroshiro128+ are the weak ones. */
function uniform(next: () => number, bound: number): number {
  if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 31) throw new RangeError(`a bound must be an integer from 1 to 2^31, not ${bound}`)
  const width = Math.floor(TWO_TO_32 / bound)
  const limit = width * bound
  let drawn = next()
  while (drawn >= limit) drawn = next()
  return Math.floor(drawn / width)
}

/** One element of the list, each with the same chance. */
export function pick<T>(random: Random, list: readonly T[]): T {
  if (list.length === 0) throw new RangeError('there is nothing to pick from an empty list')
  return list[random.int(list.length)]!
}

/** A new list of the same elements, each order with the same chance (Fisher and Yates). */
export function shuffle<T>(random: Random, list: readonly T[]): T[] {
  const shuffled = [...list]
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = random.int(last + 1)
    const held = shuffled[last]!
    shuffled[last] = shuffled[other]!
    shuffled[other] = held
  }
  return shuffled
}

/** The time to the next event of a Poisson process with this mean. */
export function exponential(random: Random, mean: number): number {
  return -Math.log(1 - random.float()) * mean
}
