/**
 * What a write wrote. Its invocation says so, and its acknowledgement repeats the value or gives none. In a history where
 * the two differ (Jepsen's clients may fill in a value as they complete) nobody can tell which was written, and every
 * verdict would be a guess: such a history is refused. The same of a compare-and-set that is acknowledged with another pair.
 * Who recorded a history himself knows what was asked for, and may take what his store answered for an answer only: then the
 * value of the invocation counts, here as in every algorithm.
 */
import { HistoryError, INVOKE, OK } from './history.ts'
import { NIL } from './values.ts'
import type { History } from './history.ts'

/** Throws HistoryError for the first write that was acknowledged with another value; lenient, all of them become warnings. O(n). */
export function refuseChangedWrites(history: History, lenient = false): void {
  const writing = history.functions.indexOf('write')
  const comparing = history.functions.indexOf('cas')
  if (writing < 0 && comparing < 0) return
  const { type, f, value, pair, process, values, length } = history
  for (let row = 0; row < length; row++) {
    if (type[row] !== OK || value[row] === NIL || (f[row] !== writing && f[row] !== comparing)) continue
    const begun = pair[row]!
    if (begun < 0 || type[begun] !== INVOKE || process[row]! < 0 || value[row] === value[begun]) continue
    if (f[row] === comparing && !values.isPair(value[row]!)) continue
    const text = (code: number): string => JSON.stringify(values.decode(code))
    const message = `event ${row} acknowledges the ${history.functions[f[row]!]} of ${text(value[begun]!)} that event ${begun} asked for with the value ${text(value[row]!)}, and nobody can tell which was written; give the acknowledgement the same value, or null`
    if (!lenient) throw new HistoryError('CHANGED_WRITE', row, message)
    history.warnings.push(message)
  }
}
