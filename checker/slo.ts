/**
 * A service-level objective: `p99.9<300ms`, `read:p99<50ms`, `availability>99.5%`; several are parted by commas. Latency
 * is that of operations that succeeded, from their intended start (`latency.ts`), and is taken exactly, from all of
 * them; the quantile is the smallest latency that so large a share of them did not exceed (nearest rank). Availability
 * is ok / attempted. Both over the whole run, faults included: that is what a user gets.
 */
import { INVOKE, OK } from './history/index.ts'
import type { History } from './history/index.ts'
import type { Judgement } from './judgement.ts'
import type { JudgementVerdict, Witness } from './verdict.ts'

/** One objective. `f`: only operations of this function. Limits in milliseconds, or as a share. */
export type Objective =
  | { readonly type: 'latency'; readonly text: string; readonly f: string | undefined; readonly quantile: number; readonly limitMs: number }
  | { readonly type: 'availability'; readonly text: string; readonly f: string | undefined; readonly share: number }

const WITNESSES = 10
const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000 }

/** Reads objectives. Throws an Error with a sentence for the user. */
export function parseObjectives(text: string): Objective[] {
  return text.split(',').map((part): Objective => {
    const one = part.trim()
    const latency = /^(?:([\w-]+):)?p(\d+(?:\.\d+)?)<(\d+(?:\.\d+)?)(us|ms|s)$/.exec(one)
    if (latency && Number(latency[2]) <= 100) return { type: 'latency', text: one, f: latency[1], quantile: Number(latency[2]) / 100, limitMs: Number(latency[3]) * UNITS[latency[4]!]! }
    const share = /^(?:([\w-]+):)?availability>(\d+(?:\.\d+)?)%$/.exec(one)
    if (share && Number(share[2]) <= 100) return { type: 'availability', text: one, f: share[1], share: Number(share[2]) / 100 }
    throw new Error(`"${one}" is no objective; write for example p99.9<300ms, read:p99<50ms or availability>99.5%.`)
  })
}

/** Every objective is met. */
export const slo = (objectives: readonly Objective[]): Judgement => ({
  name: 'slo',
  binding: true,
  describes: 'latency quantiles and availability over the whole run meet the objectives given with --slo',
  judge: (history) => judge(history, objectives),
})

interface Measured {
  readonly objective: Objective
  readonly operations: number
  /** Milliseconds or a share; null when there was nothing to measure. */
  readonly value: number | null
  readonly met: boolean
  /** The invocations that are too slow, slowest first, or that did not succeed. */
  readonly culprits: readonly number[]
}

function judge(history: History, objectives: readonly Objective[]): JudgementVerdict {
  const measured = objectives.map((objective) => measure(history, objective))
  const operations = measured.reduce((most, one) => Math.max(most, one.operations), 0)
  const metrics = { objectives: measured.map(({ objective, value, met, operations: count }) => ({ objective: objective.text, [objective.type === 'latency' ? 'measured_ms' : 'measured_share']: value, met, operations: count })) }
  const base = { judgement: 'slo', operations, metrics }
  const missed = measured.filter((one) => one.value !== null && !one.met)
  const told = (one: Measured): string => `${one.objective.text}: ${one.value === null ? 'nothing to measure' : one.objective.type === 'latency' ? `${one.value.toFixed(1)} ms` : `${(one.value * 100).toFixed(2)} %`}`
  const summary = `${measured.map(told).join('; ')}.`
  if (missed.length > 0) {
    const witnesses = missed.map((one): Witness => ({ operations: one.culprits.slice(0, WITNESSES), explanation: `${told(one)}, over ${one.operations} operations; ${one.culprits.length} of them ${one.objective.type === 'latency' ? 'took longer' : 'did not succeed'}` }))
    return { ...base, verdict: 'violated', witnesses, summary }
  }
  const empty = measured.find((one) => one.value === null)
  if (empty !== undefined) return { ...base, verdict: 'unknown', reason: `vacuous: nothing to measure for ${empty.objective.text}`, witnesses: [], summary }
  return { ...base, verdict: 'holds', witnesses: [], summary }
}

function measure(history: History, objective: Objective): Measured {
  const rows: number[] = []
  for (let row = 0; row < history.length; row++) {
    if (history.type[row] === INVOKE && history.process[row]! >= 0 && (objective.f === undefined || history.functions[history.f[row]!] === objective.f)) rows.push(row)
  }
  const succeeded = (row: number): boolean => history.pair[row]! >= 0 && history.type[history.pair[row]!] === OK
  if (objective.type === 'availability') {
    const failed = rows.filter((row) => !succeeded(row))
    const share = rows.length === 0 ? null : 1 - failed.length / rows.length
    return { objective, operations: rows.length, value: share, met: share !== null && share > objective.share, culprits: failed }
  }
  const ok = rows.filter(succeeded)
  const latencyOf = (row: number): number => (history.timeAt(history.pair[row]!) - (history.intended.get(row) ?? history.timeAt(row))) / 1e6
  const sorted = Float64Array.from(ok, latencyOf).sort()
  const value = sorted.length === 0 ? null : sorted[Math.max(0, Math.ceil(sorted.length * objective.quantile) - 1)]!
  const slow = value !== null && value >= objective.limitMs ? ok.filter((row) => latencyOf(row) >= objective.limitMs).sort((a, b) => latencyOf(b) - latencyOf(a)) : []
  return { objective, operations: ok.length, value, met: value !== null && value < objective.limitMs, culprits: slow }
}
