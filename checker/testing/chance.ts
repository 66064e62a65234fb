/** Seeded chance for tests of the checkers, which may not reach up into the harness for its streams. */
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** Draws integers in [0, bound). */
export type Chance = (bound: number) => number

/** A stream of chance for one seed. */
export function chance(seed: number): Chance {
  const generator = xoroshiro128plus(seed)
  return (bound) => ((generator.next() >>> 0) / 2 ** 32 * bound) | 0
}
