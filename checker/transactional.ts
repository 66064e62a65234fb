/**
 * The judgement of transactions: which isolation levels are refuted, and which is the strongest that is not.
 *
 * `txn` operations over lists (`append`) or registers (`w`) are judged by the cycles of their dependencies (Adya 1999;
 * Kingsbury and Alvaro 2020); `transactions/` has the parts. The judgement as such is violated when the promised level is.
 */
import type { Judgement } from './judgement.ts'
import type { Anomaly } from './transactions/analysis.ts'
import { anomalyNames, isolationLevels, refutes, strongestLevels, weakestLevels, weakerLevels, type AnomalyType, type IsolationLevel } from './transactions/levels.ts'
import { isolationOf, type Isolation } from './transactions/isolation.ts'
import { COMMITTED } from './transactions/transactions.ts'
import type { Json } from './history/index.ts'
import type { JudgementVerdict, Witness } from './verdict.ts'

const WITNESSES = 20

/** Judges transactions against an isolation level. */
export function transactional(promised: IsolationLevel): Judgement {
  return {
    name: 'transactions',
    describes: `decides which isolation levels the transactions allow, by cycles of dependencies; violated when ${promised} is refuted`,
    judge: (history) => verdictOf(isolationOf(history), promised),
  }
}

/** The section `isolation` of `verdict.json`. */
export interface IsolationSummary {
  readonly promised: IsolationLevel
  readonly levels: Readonly<Record<IsolationLevel, 'holds' | 'violated' | 'unknown'>>
  /** The strongest levels that hold. */
  readonly strongest: readonly IsolationLevel[]
  /** The weakest levels that are refuted, and everything stronger. */
  readonly not: readonly IsolationLevel[]
  readonly also_not: readonly IsolationLevel[]
  /** How many of each anomaly were found. */
  readonly anomalies: Readonly<Partial<Record<AnomalyType, number>>>
}

function verdictOf(isolation: Isolation, promised: IsolationLevel): JudgementVerdict {
  const { transactions, levels, anomalies, reason } = isolation
  const committed = transactions.status.reduce((sum, one) => sum + (one === COMMITTED ? 1 : 0), 0)
  const base = { judgement: 'transactions', operations: transactions.count }
  if (reason !== undefined || committed === 0) {
    const why = reason ?? 'vacuous: no transaction committed'
    return { ...base, verdict: 'unknown', reason: why, summary: `Not judged: ${why}.`, witnesses: [], metrics: {} }
  }
  const summary = summarize(isolation, promised)
  const verdict = levels[promised]
  const breaking = anomalies.filter(({ type }) => refutesLevel(type, promised))
  const witnesses = [...breaking, ...anomalies.filter((one) => !breaking.includes(one))].slice(0, WITNESSES).map((one): Witness => witnessOf(isolation, one))
  const metrics = { transactions: transactions.count, committed, ...(summary as unknown as { [name: string]: Json }) } as JudgementVerdict['metrics']
  const found = `strongest level not refuted: ${summary.strongest.join(', ') || 'none'}`
  if (verdict === 'violated') return { ...base, verdict, summary: `${promised} is refuted (${countsOf(summary)}); ${found}. ${breaking[0]?.explanation ?? ''}`.trim(), witnesses, metrics }
  if (verdict === 'unknown') return { ...base, verdict, reason: `the order of versions is not known well enough to decide ${promised}`, summary: `${promised} is undecided; ${found}.`, witnesses, metrics }
  return { ...base, verdict, summary: `${promised} holds: not refuted by ${transactions.count} transactions${anomalies.length > 0 ? ` (${countsOf(summary)} break stronger levels)` : ''}.`, witnesses, metrics }
}

function summarize({ levels, anomalies }: Isolation, promised: IsolationLevel): IsolationSummary {
  const refuted = isolationLevels.filter((level) => levels[level] === 'violated')
  const not = weakestLevels(refuted)
  const counts: Partial<Record<AnomalyType, number>> = {}
  for (const { type } of anomalies) counts[type] = (counts[type] ?? 0) + 1
  return {
    promised,
    levels,
    strongest: strongestLevels(isolationLevels.filter((level) => levels[level] === 'holds')),
    not,
    also_not: refuted.filter((level) => !not.includes(level)),
    anomalies: counts,
  }
}

/** "2 dirty writes (G0), 1 lost update". */
function countsOf({ anomalies }: IsolationSummary): string {
  return Object.entries(anomalies).map(([type, count]) => `${count} x ${anomalyNames[type as AnomalyType]}`).join(', ')
}

function refutesLevel(type: AnomalyType, level: IsolationLevel): boolean {
  return refutes[type].some((one) => one === level || weakerLevels(level).includes(one))
}

function witnessOf({ transactions }: Isolation, { transactions: involved, key, explanation }: Anomaly): Witness {
  const operations = [...new Set(involved)].map((t) => transactions.row[t]!).sort((a, b) => a - b)
  return { ...(key < 0 ? {} : { key: transactions.keys[key] as Witness['key'] }), operations, explanation }
}
