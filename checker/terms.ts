/**
 * In which terms a verdict is told: those of the ladder, or isolation levels where clients carried out transactions and
 * nothing on the ladder was decided but convergence.
 */
import type { JudgementVerdict, VerdictDocument } from './verdict.ts'

/** What was promised or expected, and the strongest that was not refuted; null when nothing was left, or nothing was answered. */
export interface Terms {
  readonly promised: string
  /** It was asked for, whatever the system promises. */
  readonly expected: boolean
  /** Several isolation levels where none implies the other: "causal, snapshot-isolation". */
  readonly strongest: string | null
}

/** Whether isolation levels tell the verdict. */
export function toldByIsolation({ isolation, ladder }: Pick<VerdictDocument, 'isolation' | 'ladder'>): boolean {
  return isolation !== undefined && ladder.every(({ model, verdict }) => model === 'eventual' || verdict === 'unknown')
}

/** The terms of a verdict document. */
export function termsOf(document: Pick<VerdictDocument, 'isolation' | 'ladder' | 'promised' | 'expected' | 'strongest' | 'operations'>): Terms {
  const nothing = document.operations.ok === 0
  if (!toldByIsolation(document)) return { promised: document.promised, expected: document.expected === true, strongest: nothing ? null : document.strongest }
  const { promised, strongest } = document.isolation!
  // Isolation levels are the system's own, whatever model was asked for.
  return { promised, expected: false, strongest: nothing || strongest.length === 0 ? null : strongest.join(', ') }
}

/** Judgements of what is asked for beside the promise (--slo, --log-pattern), and what to say of a store that did not do it. */
export const requests: Readonly<Record<string, string>> = { slo: 'Missed its objectives', 'log-patterns': 'Logged what it must not' }

/** What was asked for beside the promise and not done. */
export function requestsMissed({ judgements }: Pick<VerdictDocument, 'judgements'>): JudgementVerdict[] {
  return judgements.filter(({ judgement, verdict, binding }) => verdict === 'violated' && binding === true && judgement in requests)
}

/** What broke the promise beside its rung of the ladder: convergence, durability, the workload's own object. */
export function brokenBeside({ judgements, loses_writes: losesWrites }: Pick<VerdictDocument, 'judgements' | 'loses_writes'>): JudgementVerdict[] {
  const counts = losesWrites === true ? ['convergence'] : ['convergence', 'durability']
  return judgements.filter(({ judgement, verdict, binding }) => verdict === 'violated' && !(judgement in requests) && (binding === true || counts.includes(judgement)))
}
