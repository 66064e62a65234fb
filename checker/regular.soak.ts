/** Random small histories: regularity, safety and the ladder's lines against their definitions by brute force. */
import { context } from './testing/context.ts'
import { historyOf } from './testing/operations.ts'
import { linearizable as linearizableOracle, regular as regularOracle, safe as safeOracle } from './testing/oracles.ts'
import { regular } from './regular.ts'
import { safe } from './safe.ts'
import { drawHistory, soakOf } from './testing/soak.ts'
import { staleness } from './staleness.ts'
import type { Count } from './testing/soak.ts'
import type { JudgementVerdict } from './verdict.ts'
import type { Operation } from './testing/operations.ts'

/** What disagrees, in words. */
function disagreement(operations: readonly Operation[], count: Count): string | undefined {
  const history = historyOf(operations)
  const truth = regularOracle(operations)
  const safety = safeOracle(operations)
  if (!truth) count('not regular')
  if (!safety) count('not safe')
  const { verdict } = regular.judge(history, context) as JudgementVerdict
  if (verdict === 'unknown') return undefined
  if ((verdict === 'holds') !== truth) return `we say ${verdict}, by definition it ${truth ? 'holds' : 'is violated'}`
  const weaker = safe.judge(history, context) as JudgementVerdict
  if ((weaker.verdict === 'holds') !== safety) return `safe: we say ${weaker.verdict}, by definition it ${safety ? 'holds' : 'is violated'}`
  const { metrics } = staleness.judge(history, context) as JudgementVerdict
  if (linearizableOracle(operations) && !(truth && metrics['stale_reads'] === 0)) return 'linearizable, but a read is said to be stale'
  return undefined
}

export const soak = soakOf(import.meta.url, {
  name: 'oracle-regular',
  describes: 'regular and safe registers against brute force; no read of a linearizable history is stale',
  full: 200_000,
  slice: 5_000,
  draw: drawHistory,
  check: disagreement,
  says: (cases, counted) => `${cases} histories, ${counted('not regular')} of them not regular, ${counted('not safe')} not safe`,
})
