/**
 * In which terms a verdict is told: those of the ladder, or isolation levels where clients carried out transactions and
 * nothing on the ladder was decided but convergence.
 */
import type { VerdictDocument } from './verdict.ts'

/** What was promised, and the strongest that was not refuted; null when nothing was left. */
export interface Terms {
  readonly promised: string
  /** Several isolation levels where none implies the other: "causal, snapshot-isolation". */
  readonly strongest: string | null
}

/** Whether isolation levels tell the verdict. */
export function toldByIsolation({ isolation, ladder }: Pick<VerdictDocument, 'isolation' | 'ladder'>): boolean {
  return isolation !== undefined && ladder.every(({ model, verdict }) => model === 'eventual' || verdict === 'unknown')
}

/** The terms of a verdict document. */
export function termsOf(document: Pick<VerdictDocument, 'isolation' | 'ladder' | 'promised' | 'strongest'>): Terms {
  if (!toldByIsolation(document)) return { promised: document.promised, strongest: document.strongest }
  const { promised, strongest } = document.isolation!
  return { promised, strongest: strongest.length === 0 ? null : strongest.join(', ') }
}
