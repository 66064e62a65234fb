/**
 * k-atomicity: the smallest k such that some order of the operations, in real time, shows every read one of the last
 * k writes to its key (Aiyer, Alvisi and Bazzi, On the Availability of Non-strict Quorum Systems, 2005). 1 is
 * linearizable; N replicas read and written in part often give 2. A measurement: it never says violated. Decided
 * exactly for 1 and 2 (`two-atomic.ts`); beyond that bounded from both sides, because no efficient algorithm is known.
 * Keys are independent, and the history's k is that of its worst key.
 */
import { boundsOf, isAtomic } from './two-atomic.ts'
import { clustersOf, whyNoDistance } from './clusters.ts'
import { describer } from './describe.ts'
import { registersOf, whyIncomplete, whyVacuous } from './registers.ts'
import type { History } from './history/index.ts'
import type { JudgeContext, Judgement } from './judgement.ts'
import type { JudgementVerdict } from './verdict.ts'

/** How many writes behind reads are, at most, in the kindest order. */
export const kAtomicity: Judgement = {
  name: 'k-atomicity',
  describes: 'measures the smallest k such that every read returns one of the last k writes of some order in real time: exact for 1 and 2, bounded above; O(n log n + c n) with c concurrent writes',
  judge,
}

function judge(history: History, context: JudgeContext): JudgementVerdict {
  const registers = registersOf(history, context)
  const base = { judgement: 'k-atomicity', operations: registers.reads + registers.writes, witnesses: [] }
  const reason = whyVacuous(registers) ?? whyIncomplete(history, registers) ?? whyNoDistance(registers)
  if (reason !== undefined) return { ...base, metrics: {}, verdict: 'unknown', reason, summary: `Not measured: ${reason}.` }
  const keys = clustersOf(registers)
  const impossible = keys.find((one) => one.impossible >= 0)
  if (impossible !== undefined) {
    return { ...base, metrics: { k_min: null, k_max: null }, verdict: 'holds', summary: `No k is large enough: ${describer(history, registers)(impossible.impossible)}, which nobody had written.` }
  }
  const bounds = keys.map((one) => (isAtomic(registers, one, 1) ? { low: 1, high: 1 } : isAtomic(registers, one, 2) ? { low: 2, high: 2 } : boundsOf(registers, one)))
  const low = bounds.reduce((most, one) => Math.max(most, one.low), 1)
  const high = bounds.reduce((most, one) => Math.max(most, one.high), 1)
  const metrics = { k_min: low, k_max: high, keys: keys.length, keys_1: bounds.filter((one) => one.high === 1).length, keys_2: bounds.filter((one) => one.high === 2).length }
  return { ...base, metrics, verdict: 'holds', summary: `Every read returned ${low === 1 ? 'the last write' : `one of the last ${low === high ? low : `${low} to ${high}`} writes`} to its key (${metrics.keys_1} of ${keys.length} keys: the last).` }
}
