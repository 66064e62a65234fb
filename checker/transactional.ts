/**
 * The judgement of transactions: which isolation levels are refuted, and which is the strongest that is not.
 *
 * `txn` operations over lists (`append`) or registers (`w`) are judged by the cycles of their dependencies (Adya 1999;
 * Kingsbury and Alvaro 2020); `transactions/` has the parts. The judgement as such is violated when the promised level is.
 */
import type { Judgement } from './judgement.ts'
import type { Anomaly } from './transactions/analysis.ts'
import { anomalyNames, refutes, strongestLevels, weakestLevels, weakerLevels, type AnomalyType } from './transactions/levels.ts'
import { isolationLevels, isolationSchema, type IsolationLevel, type IsolationSection, type JudgementVerdict, type Witness } from './verdict.ts'
import { isolationOf, type Isolation } from './transactions/isolation.ts'
import { COMMITTED } from './transactions/transactions.ts'

const WITNESSES = 20

/** Judges transactions against an isolation level. `model`, where it is known: list-append or rw-register. */
export function transactional(promised: IsolationLevel, model?: string): Judgement {
  return {
    name: 'transactions',
    describes: `decides which isolation levels the transactions allow, by cycles of dependencies; violated when ${promised} is refuted`,
    judge: (history) => verdictOf(isolationOf(history), promised, model),
  }
}

/** The section `isolation` of `verdict.json`, where transactions were judged. */
export function isolationIn(verdicts: readonly JudgementVerdict[]): { isolation?: IsolationSection } {
  const section = isolationSchema.safeParse(verdicts.find(({ judgement }) => judgement === 'transactions')?.metrics['isolation'])
  return section.success ? { isolation: section.data } : {}
}

function verdictOf(isolation: Isolation, promised: IsolationLevel, model: string | undefined): JudgementVerdict {
  const { transactions, levels, anomalies } = isolation
  const reason = isolation.reason ?? (model !== undefined && model !== transactions.model && transactions.count > 0 ? `the transactions are those of ${transactions.model}, not of ${model}` : undefined)
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
  const metrics = { transactions: transactions.count, committed, isolation: summary }
  const found = `strongest level not refuted: ${summary.strongest.join(', ') || 'none'}`
  if (verdict === 'violated') return { ...base, verdict, summary: `${promised} is refuted (${countsOf(summary)}); ${found}. ${breaking[0]?.explanation ?? ''}`.trim(), witnesses, metrics }
  if (verdict === 'unknown') return { ...base, verdict, reason: `the order of versions is not known well enough to decide ${promised}`, summary: `${promised} is undecided; ${found}.`, witnesses, metrics }
  return { ...base, verdict, summary: `${promised} holds: not refuted by ${transactions.count} transactions${anomalies.length > 0 ? ` (${countsOf(summary)} break stronger levels)` : ''}.`, witnesses, metrics }
}

function summarize({ levels, anomalies }: Isolation, promised: IsolationLevel): IsolationSection {
  const refuted = isolationLevels.filter((level) => levels[level] === 'violated')
  const not = weakestLevels(refuted)
  const counts: Record<string, number> = {}
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

/** Kinds of anomalies that a sentence names. */
const NAMED = 3

/** "2 x dirty write (G0), 1 x lost update and 4 more kinds". */
export function countsOf({ anomalies }: IsolationSection): string {
  const kinds = Object.entries(anomalies).map(([type, count]) => `${count} x ${anomalyNames[type as AnomalyType]}`)
  return kinds.length <= NAMED + 1 ? kinds.join(', ') : `${kinds.slice(0, NAMED).join(', ')} and ${kinds.length - NAMED} more kinds`
}

function refutesLevel(type: AnomalyType, level: IsolationLevel): boolean {
  return refutes[type].some((one) => one === level || weakerLevels(level).includes(one))
}

function witnessOf({ transactions }: Isolation, { type, transactions: involved, key, explanation: why, edges }: Anomaly): Witness {
  // That of a cycle begins with the name of its anomaly.
  const explanation = edges === undefined ? `${anomalyNames[type]}: ${why}` : why
  const operations = [...new Set(involved)].map((t) => transactions.row[t]!).sort((a, b) => a - b)
  return { ...(key < 0 ? {} : { key: transactions.keys[key] as Witness['key'] }), operations, explanation, ...(edges === undefined ? {} : { edges: edges.map((edge) => ({ ...edge, from: transactions.row[edge.from]!, to: transactions.row[edge.to]! })) }) }
}
