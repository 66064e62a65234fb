/**
 * Which judgements a promise rests on, and what to call it when one of them was violated. JUnit, annotations, campaigns
 * and the page say the same.
 */
import { weakerThan } from '../checker/ladder.ts'
import type { JudgementVerdict, VerdictDocument, Witness } from '../checker/verdict.ts'

/** Judgements that count whatever model was promised. */
const always: ReadonlySet<string> = new Set(['convergence', 'durability', 'vacuity'])

/** Whether a violation of this judgement breaks the promise. */
export function countsFor(document: Pick<VerdictDocument, 'promised' | 'loses_writes'>, judgement: Pick<JudgementVerdict, 'judgement' | 'model' | 'binding'>): boolean {
  if (judgement.judgement === 'durability' && document.loses_writes === true) return false
  if (judgement.binding === true || always.has(judgement.judgement)) return true
  return judgement.model !== undefined && (judgement.model === document.promised || weakerThan(document.promised).includes(judgement.model))
}

/** The violation in a few words: "Not linearizable", "G1a: aborted read", "durability violated". */
export function claimOf({ judgement, model }: Pick<JudgementVerdict, 'judgement' | 'model'>, witness: Witness | undefined): string {
  if (model !== undefined) return `Not ${model}`
  // An anomaly of transactions has a name of its own, with which its explanation begins.
  return judgement === 'transactions' && witness !== undefined ? witness.explanation.split(':')[0]! : `${judgement} violated`
}

/** Judgements that measure and refute nothing. */
const measurements: ReadonlySet<string> = new Set(['staleness', 'k-atomicity', 'delta-atomicity', 'exceptions'])

/** The word for a judgement: its verdict, or that it was measured where there is nothing that could hold. */
export function wordFor({ judgement, verdict }: Pick<JudgementVerdict, 'judgement' | 'verdict'>): string {
  return verdict === 'holds' && measurements.has(judgement) ? 'measured' : verdict
}
