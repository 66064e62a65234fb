/** Random small histories: sequential consistency against its definition by brute force. */
import { context } from './testing/context.ts'
import { historyOf, randomOperations } from './testing/operations.ts'
import { sequential as oracle } from './testing/oracles.ts'
import { sequential } from './sequential.ts'
import { chance } from './testing/chance.ts'

export const soak = {
  name: 'oracle-sequential',
  describes: 'sequential consistency against brute force',
  full: 200_000,
  slice: 3_000,
  run: async (cases: number, seed: number, print: (line: string) => void): Promise<boolean> => {
    const random = chance(seed)
    let violated = 0
    for (let at = 0; at < cases; at++) {
      const operations = randomOperations(random, { processes: 2 + random(3), operations: 3 + random(8), keys: 1 + random(2), noise: [0, 20, 50, 100][random(4)]! })
      const { verdict, reason = '' } = await sequential.judge(historyOf(operations), context)
      if (reason.startsWith('vacuous')) continue
      const truth = oracle(operations)
      if (!truth) violated++
      if ((verdict === 'holds') === truth && verdict !== 'unknown') continue
      print(`case ${at} of seed ${seed}: we say ${verdict}, by definition it ${truth ? 'holds' : 'is violated'}`)
      print(JSON.stringify(operations, undefined, 1))
      return false
    }
    print(`${cases} histories, ${violated} of them not sequential`)
    return true
  },
}
