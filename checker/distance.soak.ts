/** Random small histories: k-atomicity and delta-atomicity against their definitions by brute force. */
import { context } from './testing/context.ts'
import { deltaAtomicity } from './delta-atomicity.ts'
import { deltaAtomic, kAtomic, linearizable } from './testing/oracles.ts'
import { historyOf, randomOperations } from './testing/operations.ts'
import { kAtomicity } from './k-atomicity.ts'
import { chance } from './testing/chance.ts'
import type { JudgementVerdict } from './verdict.ts'
import type { Operation } from './testing/operations.ts'

/** What disagrees, in words. */
function disagreement(operations: readonly Operation[], tally: number[]): string | undefined {
  const history = historyOf(operations)
  const { verdict, metrics } = kAtomicity.judge(history, context) as JudgementVerdict
  if (verdict === 'unknown') return undefined
  const { k_min: low, k_max: high } = metrics as { k_min: number | null; k_max: number | null }
  const writes = operations.filter((o) => o.f === 'write').length
  const k = Array.from({ length: writes + 1 }, (_, at) => at + 1).find((one) => kAtomic(operations, one))
  if (low === null || high === null ? k !== undefined : k === undefined || k < low || k > high || (low <= 2 && low !== high)) return `we say ${low} to ${high}, the smallest k is ${k}`
  tally[Math.min(3, k ?? 0)]!++
  const delta = (deltaAtomicity.judge(history, context) as JudgementVerdict).metrics['delta_ms'] as number | null
  if ((delta === 0) !== linearizable(operations)) return `delta ${delta} ms, but it is ${linearizable(operations) ? '' : 'not '}linearizable`
  if (delta === null) return k === undefined ? undefined : 'no delta, but there is a k'
  if (!deltaAtomic(operations, delta)) return `not atomic with delta ${delta} ms`
  return delta > 0 && deltaAtomic(operations, delta - 1e-6) ? `atomic with less than delta ${delta} ms` : undefined
}

export const soak = {
  name: 'oracle-distance',
  describes: 'k-atomicity and delta-atomicity against brute force',
  full: 200_000,
  slice: 3_000,
  run: (cases: number, seed: number, print: (line: string) => void): Promise<boolean> => {
    const random = chance(seed)
    const tally = [0, 0, 0, 0]
    for (let at = 0; at < cases; at++) {
      const operations = randomOperations(random, { processes: 2 + random(3), operations: 3 + random(8), keys: 1, noise: [0, 20, 50, 100][random(4)]! })
      const wrong = disagreement(operations, tally)
      if (wrong === undefined) continue
      print(`case ${at} of seed ${seed}: ${wrong}`)
      print(JSON.stringify(operations, undefined, 1))
      return Promise.resolve(false)
    }
    print(`${cases} histories; k is 1 in ${tally[1]}, 2 in ${tally[2]}, more in ${tally[3]}, none in ${tally[0]}`)
    return Promise.resolve(true)
  },
}
