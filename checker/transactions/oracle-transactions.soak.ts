/**
 * Random small histories of transactions over lists and registers, against every level's definition by brute force: what
 * we call violated no world allows, what we say holds some world allows. Undecided levels are counted; where every order
 * of versions is known there may be none.
 */
import { chance } from '../testing/chance.ts'
import { isolationOf } from './isolation.ts'
import { isolationLevels } from '../verdict.ts'
import { allowedLevels } from './testing/oracle.ts'
import { historyOfTransactions, randomTransactions, type Small } from './testing/small.ts'

/** What is wrong with our verdicts on a history, or undefined; counts what we leave undecided. */
export function disagreement(transactions: readonly Small[], counts: { violated: number; undecided: number }): string | undefined {
  const { levels, reason } = isolationOf(historyOfTransactions(transactions))
  if (reason !== undefined) return `not judged: ${reason}`
  const allowed = allowedLevels(transactions)
  for (const level of isolationLevels) {
    if (levels[level] === 'unknown') counts.undecided++
    if (levels[level] === 'violated') counts.violated++
    if (levels[level] === 'violated' && allowed.has(level)) return `${level}: we say violated, by definition it is allowed`
    if (levels[level] === 'holds' && !allowed.has(level)) return `${level}: we say it holds, by definition it is violated`
  }
  return undefined
}

export const soak = {
  name: 'oracle-transactions',
  describes: 'isolation levels of list-append and register transactions against brute force',
  full: 200_000,
  slice: 2_000,
  run: (cases: number, seed: number, print: (line: string) => void): Promise<boolean> => {
    const random = chance(seed)
    const counts = { violated: 0, undecided: 0 }
    for (let at = 0; at < cases; at++) {
      const model = at % 2 === 0 ? 'list-append' : 'rw-register'
      const transactions = randomTransactions(random, { model, transactions: 2 + random(4), keys: 1 + random(3), processes: 1 + random(3), noise: [0, 20, 50][random(3)]! })
      const wrong = disagreement(transactions, counts)
      if (wrong === undefined) continue
      print(`case ${at} of seed ${seed}: ${wrong}`)
      print(JSON.stringify(transactions, undefined, 1))
      return Promise.resolve(false)
    }
    print(`${cases} histories, ${counts.violated} levels violated, ${counts.undecided} undecided of ${cases * isolationLevels.length}`)
    return Promise.resolve(true)
  },
}
