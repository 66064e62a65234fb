/**
 * Random small histories of transactions over lists and registers, against every level's definition by brute force: what
 * we call violated no world allows, what we say holds some world allows. Undecided levels are counted; where every order
 * of versions is known there may be none.
 */
import { soakOf, type Count } from '../testing/soak.ts'
import { isolationOf } from './isolation.ts'
import { isolationLevels } from '../verdict.ts'
import { allowedLevels } from './testing/oracle.ts'
import { historyOfTransactions, randomTransactions, type Small } from './testing/small.ts'

/** What is wrong with our verdicts on a history, or undefined; counts what we leave undecided. */
function disagreement(transactions: readonly Small[], count: Count): string | undefined {
  const { levels, reason } = isolationOf(historyOfTransactions(transactions))
  if (reason !== undefined) return `not judged: ${reason}`
  const allowed = allowedLevels(transactions)
  for (const level of isolationLevels) {
    if (levels[level] === 'unknown') count('undecided')
    if (levels[level] === 'violated') count('violated')
    if (levels[level] === 'violated' && allowed.has(level)) return `${level}: we say violated, by definition it is allowed`
    if (levels[level] === 'holds' && !allowed.has(level)) return `${level}: we say it holds, by definition it is violated`
  }
  return undefined
}

export const soak = soakOf(import.meta.url, {
  name: 'oracle-transactions',
  describes: 'isolation levels of list-append and register transactions against brute force',
  full: 200_000,
  slice: 2_000,
  draw: (random) => randomTransactions(random, { model: random(2) === 0 ? 'list-append' : 'rw-register', transactions: 2 + random(4), keys: 1 + random(3), processes: 1 + random(3), noise: [0, 20, 50][random(3)]! }),
  check: disagreement,
  says: (cases, counted) => `${cases} histories, ${counted('violated')} levels violated, ${counted('undecided')} undecided of ${cases * isolationLevels.length}`,
})
