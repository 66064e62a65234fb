/**
 * Runs that did not come to their end: somebody stopped them, or they died. What they were to show they have not shown,
 * and what is judged of the state at rest cannot be told from what there was no time to repair.
 */
import { OBSERVER, type History } from './history/index.ts'

/** Why the run behind a history was cut short; undefined where it was not. Histories without an observer do not tell where their run ends. O(events). */
export function cutShort(history: History): string | undefined {
  let observed = false
  let rested = false
  const [interrupted, quiesce] = [history.functions.indexOf('interrupted'), history.functions.indexOf('quiesce')]
  for (let row = 0; row < history.length; row++) {
    if (history.process[row] !== OBSERVER) continue
    observed = true
    if (history.f[row] === interrupted) return 'the run was interrupted'
    rested ||= history.f[row] === quiesce
  }
  return observed && !rested ? 'the history ends before the run did' : undefined
}
