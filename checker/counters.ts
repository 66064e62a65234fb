/**
 * What the nodes themselves counted, as the observer heard it at the end of the run: evidence of which parts of the
 * store were at work (hints, repairs, elections). It comes from the system under test, so it is shown and never judged.
 */
import { OBSERVER, OK } from './history/index.ts'
import { countersSchema } from './verdict.ts'
import type { History } from './history/index.ts'
import type { Counters } from './verdict.ts'

/** The section of the document; nothing where nobody was asked, or where what was recorded are no counters. The last event counts. O(n). */
export function countersIn(history: History): { readonly counters?: Counters } {
  const f = history.functions.indexOf('counters')
  if (f < 0) return {}
  for (let row = history.length - 1; row >= 0; row--) {
    if (history.process[row] !== OBSERVER || history.f[row] !== f || history.type[row] !== OK) continue
    const heard = countersSchema.safeParse(history.event(row).value)
    return heard.success ? { counters: heard.data } : {}
  }
  return {}
}
