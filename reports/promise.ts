/**
 * Which judgements a promise (or what was expected instead) rests on, and what to call it when one of them was violated.
 * JUnit, annotations, campaigns and the page say the same.
 */
import { weakerThan } from '../checker/ladder.ts'
import { brokenBeside, requests, requestsMissed, termsOf, toldByIsolation } from '../checker/terms.ts'
import type { JudgementVerdict, VerdictDocument, VerdictWord, Witness } from '../checker/verdict.ts'

/** Judgements that count whatever model was promised. */
const always: ReadonlySet<string> = new Set(['convergence', 'durability', 'vacuity'])

/** Whether a violation of this judgement breaks the promise. */
export function countsFor(document: Pick<VerdictDocument, 'promised' | 'loses_writes'>, judgement: Pick<JudgementVerdict, 'judgement' | 'model' | 'binding'>): boolean {
  if (judgement.judgement === 'durability' && document.loses_writes === true) return false
  if (judgement.binding === true || always.has(judgement.judgement)) return true
  return judgement.model !== undefined && (judgement.model === document.promised || weakerThan(document.promised).includes(judgement.model))
}

/** What became of the promise alone, without what was asked for beside it; of an older document, the whole verdict. */
export function promiseVerdict({ promise_verdict: own, verdict }: Pick<VerdictDocument, 'promise_verdict' | 'verdict'>): VerdictWord {
  return own ?? verdict
}

/** What a verdict is measured by: "linearizable (promised)", "linearizable (expected)". */
export function measureOf({ promised, expected }: { readonly promised: string; readonly expected: boolean }): string {
  return `${promised} (${expected ? 'expected' : 'promised'})`
}

/** Why a violation does not count: nobody promised or expected the contrary. */
export function uncounted({ expected }: Pick<VerdictDocument, 'expected'>): string {
  return expected === true ? 'not asked for' : 'not promised'
}

const kept: Readonly<Record<VerdictWord, string>> = { holds: 'Kept its promise', violated: 'Broke its promise', unknown: 'Unknown' }
const met: Readonly<Record<VerdictWord, string>> = { holds: 'Met what was expected', violated: 'Fell short of what was expected', unknown: 'Unknown' }

/** A verdict in a few words, and what it is about: what was broken, or else what was promised or expected. */
export function headlineOf(document: VerdictDocument): { readonly word: string; readonly about: string } {
  const { promised, expected } = termsOf(document)
  const own = promiseVerdict(document)
  const missed = requestsMissed(document).map(({ judgement }) => requests[judgement]!)
  if (own !== 'violated' && missed.length > 0) return { word: missed.join('. '), about: `${promised}: ${own}` }
  const rung = document.ladder.find(({ model }) => model === document.promised)
  const beside = toldByIsolation(document) || rung?.verdict === 'violated' ? [] : brokenBeside(document)
  return { word: (expected ? met : kept)[own], about: own === 'violated' && beside.length > 0 ? beside.map(({ judgement }) => judgement).join(', ') : promised }
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
