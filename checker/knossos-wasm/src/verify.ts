/**
 * Checks a linearization without trusting whoever made it: every acknowledged operation stands in it once, no failed
 * one, crashed ones at most once; nothing stands before what had ended before it began; and the model can do it.
 */
import { FAIL, INFO, INVOKE } from './history.ts'
import { operationAt } from './problem.ts'
import { canonical } from './values.ts'
import type { History } from './history.ts'
import type { Model } from './model.ts'
import type { Json } from './values.ts'

/** What is wrong with this order (rows of invocations) of the operations on one key; undefined when nothing is. */
export function faultIn(history: History, key: Json, order: readonly number[], model: Model): string | undefined {
  const left = new Set<number>()
  for (let row = 0; row < history.length; row++) {
    const mine = model.partitioned === false || canonical(history.values.decode(history.key[row]!)) === canonical(key)
    if (mine && history.type[row] === INVOKE && history.process[row]! >= 0) left.add(row)
  }
  let states: readonly Json[] = [model.init]
  let latest = -Infinity
  for (const row of order) {
    if (!left.delete(row)) return `operation ${row} is foreign, or stands there twice`
    const end = history.pair[row]!
    if (end >= 0 && history.type[end] !== INFO && history.timeAt(end) < latest) return `operation ${row} ended before one that stands before it began`
    latest = Math.max(latest, history.timeAt(row))
    states = states.flatMap((state) => model.step(state, operationAt(history, row, model)))
    if (states.length === 0) return `the ${model.name} cannot do operation ${row} here`
  }
  const missing = [...left].find((row) => {
    const operation = operationAt(history, row, model)
    const ignored = model.traits?.(operation).ignored ?? (history.pair[row]! >= 0 && history.type[history.pair[row]!] === FAIL)
    return operation.outcome === 'ok' && !ignored
  })
  return missing === undefined ? undefined : `operation ${missing} was acknowledged but is missing`
}
