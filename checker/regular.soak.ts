/** Random small histories: regularity, safety, staleness and the ladder's lines against their definitions by brute force. */
import { ages } from './testing/ages.ts'
import { context } from './testing/context.ts'
import { historyOf } from './testing/operations.ts'
import { linearizable as linearizableOracle, regular as regularOracle, safe as safeOracle } from './testing/oracles.ts'
import { regular } from './regular.ts'
import { safe } from './safe.ts'
import { drawHistory, soakOf } from './testing/soak.ts'
import { staleness } from './staleness.ts'
import type { Age } from './testing/ages.ts'
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
  return unlikeAges(operations, metrics, count)
}

/** Where staleness measures something else than its definition, in words. */
function unlikeAges(operations: readonly Operation[], metrics: JudgementVerdict['metrics'], count: Count): string | undefined {
  const each = ages(operations)
  const stale = each.filter(({ ms }) => ms > 0)
  count('stale reads', stale.length)
  const wrong = Object.entries({
    reads: each.length,
    stale_reads: stale.length,
    stale_share: stale.length / each.length,
    p50_ms: quantile(each, 0.5, ({ ms }) => ms),
    p99_ms: quantile(each, 0.99, ({ ms }) => ms),
    stale_p50_ms: quantile(stale, 0.5, ({ ms }) => ms),
    stale_p99_ms: quantile(stale, 0.99, ({ ms }) => ms),
    max_ms: quantile(each, 1, ({ ms }) => ms),
    versions_behind_p99: quantile(stale, 0.99, ({ versions }) => versions),
    versions_behind_max: quantile(stale, 1, ({ versions }) => versions),
  }).find(([name, value]) => !(Math.abs((metrics[name] as number) - value) < 1e-9))
  if (wrong !== undefined) return `staleness: ${wrong[0]} is ${JSON.stringify(metrics[wrong[0]])}, by definition ${wrong[1]}`
  const after = each.flatMap(({ sinceWrite }) => sinceWrite ?? [])
  let [reads, consistent] = [0, 0]
  for (const step of metrics['t_visibility'] as { t_ms: number | null; reads: number; consistent: number }[]) {
    reads += step.reads
    consistent += step.consistent
    const until = after.filter(({ ms }) => ms <= (step.t_ms ?? Infinity))
    if (reads !== until.length || consistent !== until.filter((one) => one.consistent).length) return `t-visibility: ${consistent} of ${reads} reads up to ${step.t_ms} ms are consistent, by definition ${until.filter((one) => one.consistent).length} of ${until.length}`
  }
  return reads === after.length ? undefined : `t-visibility: ${reads} reads, by definition ${after.length}`
}

/** The smallest measure that at least such a share of the reads do not exceed; 0 without reads. */
function quantile(reads: readonly Age[], share: number, measure: (one: Age) => number): number {
  return reads.map(measure).sort((a, b) => a - b).find((one) => reads.filter((other) => measure(other) <= one).length >= share * reads.length) ?? 0
}

export const soak = soakOf(import.meta.url, {
  name: 'oracle-regular',
  describes: 'regular and safe registers and staleness against brute force; no read of a linearizable history is stale',
  full: 200_000,
  slice: 5_000,
  draw: drawHistory,
  check: disagreement,
  says: (cases, counted) => `${cases} histories, ${counted('not regular')} of them not regular, ${counted('not safe')} not safe, ${counted('stale reads')} reads stale`,
})
