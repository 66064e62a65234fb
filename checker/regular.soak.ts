/** Random small histories: regularity, safety and the ladder's lines against their definitions by brute force. */
import { context } from './testing/context.ts'
import { historyOf } from './testing/operations.ts'
import { linearizable as linearizableOracle, regular as regularOracle, safe as safeOracle } from './testing/oracles.ts'
import { regular } from './regular.ts'
import { safe } from './safe.ts'
import { soakHistories } from './testing/soak.ts'
import { staleness } from './staleness.ts'
import type { JudgementVerdict } from './verdict.ts'
import type { Operation } from './testing/operations.ts'

/** What disagrees, in words. */
function disagreement(operations: readonly Operation[]): string | undefined {
  const history = historyOf(operations)
  const { verdict } = regular.judge(history, context) as JudgementVerdict
  if (verdict === 'unknown') return undefined
  const truth = regularOracle(operations)
  if ((verdict === 'holds') !== truth) return `we say ${verdict}, by definition it ${truth ? 'holds' : 'is violated'}`
  const weaker = safe.judge(history, context) as JudgementVerdict
  if ((weaker.verdict === 'holds') !== safeOracle(operations)) return `safe: we say ${weaker.verdict}, by definition it ${safeOracle(operations) ? 'holds' : 'is violated'}`
  const { metrics } = staleness.judge(history, context) as JudgementVerdict
  if (linearizableOracle(operations) && !(truth && metrics['stale_reads'] === 0)) return 'linearizable, but a read is said to be stale'
  return undefined
}

export const soak = {
  name: 'oracle-regular',
  describes: 'regular and safe registers against brute force; no read of a linearizable history is stale',
  full: 200_000,
  slice: 5_000,
  run: async (cases: number, seed: number, print: (line: string) => void): Promise<boolean> => {
    let violated = 0
    let unsafe = 0
    const passed = await soakHistories(cases, seed, print, (operations) => {
      if (!regularOracle(operations)) violated++
      if (!safeOracle(operations)) unsafe++
      return disagreement(operations)
    })
    print(`${cases} histories, ${violated} of them not regular, ${unsafe} not safe`)
    return passed
  },
}
