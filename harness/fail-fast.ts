/**
 * `--fail-fast`: judges a run while it goes on, and ends its clients' work at the first response that breaks what the
 * system promises. The run is then torn down and judged like any other; what it had still to show is not shown.
 */
import type { Event } from '../checker/history/index.ts'
import type { Judgement } from '../checker/judgement.ts'
import type { Model } from '../checker/verdict.ts'

/** A watcher of a run's events. */
export interface FailFast {
  readonly push: (event: Event) => void
  /** Aborted at the first violation. */
  readonly signal: AbortSignal
}

/** Whether a violation of the promise can show before the end. */
export function canFailFast(judgements: readonly Judgement[], promised: Model): boolean {
  return judgements.some(({ watch }) => watch?.model === promised)
}

/** Watches for violations of the promise; `warn` hears why it stops, or why it can watch no longer. */
export function failFast(judgements: readonly Judgement[], promised: Model, warn: (message: string) => void): FailFast {
  const working = new AbortController()
  let watches = judgements.flatMap(({ watch }) => (watch?.model === promised ? [watch.start()] : []))
  const push = (event: Event): void => {
    if (working.signal.aborted || typeof event.process !== 'number') return
    for (const watch of watches) {
      const violation = watch.push(event)
      if (violation !== undefined) {
        warn(`not ${promised}, so the run ends here: ${violation}`)
        working.abort()
        return
      }
      if (watch.leaves !== undefined) {
        warn(`--fail-fast can watch no longer: ${watch.leaves}`)
        watches = watches.filter((one) => one !== watch)
      }
    }
  }
  return { push, signal: working.signal }
}
