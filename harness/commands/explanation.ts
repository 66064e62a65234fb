/**
 * What `splitbrain check` says about one history and one model, beside the verdict: for a violation the smallest
 * contradiction, how far the history is linearizable, and what the object could have been there; for a history that holds,
 * on request, the order that explains it.
 */
import { faultIn } from 'knossos-wasm'
import type { CheckResult, KeyVerdict, Model } from 'knossos-wasm'
import type { History } from '../../checker/history/index.ts'

/** How many operations of a witness, or of an order, are printed. */
const LINES_MAX = 20
const STATES_MAX = 8

/** The lines that explain a violation. */
export function violationLines(history: History, { perKey, witness, stats }: CheckResult): string[] {
  if (witness === undefined) return []
  const broken = perKey.find((key) => key.witness === witness)!
  return [witness.explanation, ...operationLines(history, witness.operations), ...prefixLines(history, broken, stats.keys > 1)]
}

/** How far the key's history is linearizable, which operation could not be placed, and what it could have met. */
function prefixLines(history: History, { key, operations, decidedEvents, stuck, finalStates }: KeyVerdict, named: boolean): string[] {
  if (stuck === undefined) return []
  const before = `The longest linearizable prefix${named ? ` of key ${JSON.stringify(key)}` : ''} has ${decidedEvents} events (of ${operations} operations); event ${history.pair[stuck]!} is the first that no order explains: ${nameOf(history, stuck)} cannot be placed.`
  if (finalStates === undefined || finalStates.length === 0) return [before]
  const states = finalStates.slice(0, STATES_MAX).map((state) => JSON.stringify(state))
  return [before, `Before its response the object could be ${states.join(', or ')}${finalStates.length > STATES_MAX ? `, or ${finalStates.length - STATES_MAX} others` : ''}.`]
}

function nameOf(history: History, row: number): string {
  const { f, value, process } = history.event(row)
  const end = history.pair[row]!
  const got = end < 0 ? null : (history.event(end).value ?? null)
  const argument = (value ?? null) === null ? '' : ` of ${JSON.stringify(value)}`
  return `${f}${argument}${got === null || JSON.stringify(got) === JSON.stringify(value) ? '' : ` that returned ${JSON.stringify(got)}`} by process ${process}`
}

/** The order that explains a history, key by key, and that the independent verifier accepts it. */
export function linearizationLines(history: History, { perKey }: CheckResult, model: Model): string[] {
  return perKey.flatMap(({ key, linearization = [], operations }) => {
    const fault = faultIn(history, key, linearization, model)
    return [`One order that explains key ${JSON.stringify(key)} (${linearization.length} of ${operations} operations took effect; ${fault === undefined ? 'the verifier accepts it' : `the verifier refuses it: ${fault}`}):`, ...operationLines(history, linearization)]
  })
}

/** Events of operations, as they stand in the file. */
export function operationLines(history: History, rows: readonly number[]): string[] {
  const lines = rows.slice(0, LINES_MAX).flatMap((row) => [row, ...(history.pair[row]! < 0 ? [] : [history.pair[row]!])]).map((row) => `  ${JSON.stringify(history.event(row))}`)
  return rows.length > LINES_MAX ? [...lines, `  ... and ${rows.length - LINES_MAX} more operations`] : lines
}
