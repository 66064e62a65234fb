/** Random small histories: sequential consistency against its definition by brute force. */
import { context } from './testing/context.ts'
import { historyOf, randomOperations } from './testing/operations.ts'
import { sequential as oracle } from './testing/oracles.ts'
import { sequential } from './sequential.ts'
import { soakOf } from './testing/soak.ts'
import type { Count } from './testing/soak.ts'
import type { Operation } from './testing/operations.ts'

async function disagreement(operations: readonly Operation[], count: Count): Promise<string | undefined> {
  const { verdict, reason = '' } = await sequential.judge(historyOf(operations), context)
  if (reason.startsWith('vacuous')) return undefined
  const truth = oracle(operations)
  if (!truth) count('violated')
  return verdict === 'unknown' || (verdict === 'holds') !== truth ? `we say ${verdict}, by definition it ${truth ? 'holds' : 'is violated'}` : undefined
}

export const soak = soakOf(import.meta.url, {
  name: 'oracle-sequential',
  describes: 'sequential consistency against brute force',
  full: 200_000,
  slice: 3_000,
  draw: (random) => randomOperations(random, { processes: 2 + random(3), operations: 3 + random(8), keys: 1 + random(2), noise: [0, 20, 50, 100][random(4)]! }),
  check: disagreement,
  says: (cases, counted) => `${cases} histories, ${counted('violated')} of them not sequential`,
})
