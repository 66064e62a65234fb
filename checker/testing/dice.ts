/** The cheapest of all soaks, for the test of soaks: two dice, which must not show more than they can. */
import { soakOf } from './soak.ts'

/** The soak whose check refuses a sum above `most`. */
export const diceUpTo = (most: number) => soakOf(import.meta.url, {
  name: 'dice',
  describes: 'two dice',
  full: 1,
  slice: 1,
  draw: (random) => [1 + random(6), 1 + random(6)] as const,
  check: ([a, b], count) => {
    if (a === b) count('doubles')
    return a + b > most ? `${a} and ${b} are more than ${most}` : undefined
  },
  says: (cases, counted) => `${cases} throws, ${counted('doubles')} doubles`,
})

/** What threads run. */
export const soak = diceUpTo(12)
