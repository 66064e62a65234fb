/** Random small histories: k-atomicity and delta-atomicity against their definitions by brute force. */
import { context } from './testing/context.ts'
import { deltaAtomicity } from './delta-atomicity.ts'
import { deltaAtomic, kAtomic, linearizable } from './testing/oracles.ts'
import { historyOf, randomOperations } from './testing/operations.ts'
import { kAtomicity } from './k-atomicity.ts'
import { soakOf } from './testing/soak.ts'
import type { Count } from './testing/soak.ts'
import type { JudgementVerdict } from './verdict.ts'
import type { Operation } from './testing/operations.ts'

/** What disagrees, in words. */
function disagreement(operations: readonly Operation[], count: Count): string | undefined {
  const history = historyOf(operations)
  const { verdict, metrics } = kAtomicity.judge(history, context) as JudgementVerdict
  if (verdict === 'unknown') return undefined
  const { k_min: low, k_max: high } = metrics as { k_min: number | null; k_max: number | null }
  const writes = operations.filter((o) => o.f === 'write').length
  const k = Array.from({ length: writes + 1 }, (_, at) => at + 1).find((one) => kAtomic(operations, one))
  if (low === null || high === null ? k !== undefined : k === undefined || k < low || k > high || (low <= 2 && low !== high)) return `we say ${low} to ${high}, the smallest k is ${k}`
  count(k === undefined ? 'none' : k > 2 ? 'more' : String(k))
  const delta = (deltaAtomicity.judge(history, context) as JudgementVerdict).metrics['delta_ms'] as number | null
  if ((delta === 0) !== linearizable(operations)) return `delta ${delta} ms, but it is ${linearizable(operations) ? '' : 'not '}linearizable`
  if (delta === null) return k === undefined ? undefined : 'no delta, but there is a k'
  if (!deltaAtomic(operations, delta)) return `not atomic with delta ${delta} ms`
  return delta > 0 && deltaAtomic(operations, delta - 1e-6) ? `atomic with less than delta ${delta} ms` : undefined
}

export const soak = soakOf(import.meta.url, {
  name: 'oracle-distance',
  describes: 'k-atomicity and delta-atomicity against brute force',
  full: 200_000,
  slice: 3_000,
  draw: (random) => randomOperations(random, { processes: 2 + random(3), operations: 3 + random(8), keys: 1, noise: [0, 20, 50, 100][random(4)]! }),
  check: disagreement,
  says: (cases, counted) => `${cases} histories; k is 1 in ${counted('1')}, 2 in ${counted('2')}, more in ${counted('more')}, none in ${counted('none')}`,
})
