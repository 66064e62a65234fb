/**
 * The brute-force oracle: tries every order of the operations that agrees with real time, with every choice of
 * crashed operations that took effect. Exponential, obviously right, and shares nothing with the algorithms that it judges
 * but the model's step function. For histories of up to about ten operations.
 */
import { FAIL, INVOKE } from './history.ts'
import { operationAt } from './problem.ts'
import { canonical } from './values.ts'
import type { History } from './history.ts'
import type { Model, ModelOperation } from './model.ts'
import type { Json } from './values.ts'

interface Interval {
  readonly operation: ModelOperation
  readonly from: number
  /** Infinity for operations that crashed: they may take effect at any later time, or never. */
  readonly to: number
}

/** Whether the history is linearizable (key by key, for models that are partitioned). */
export function oracle(history: History, model: Model): boolean {
  const byKey = new Map<number, Interval[]>()
  for (let row = 0; row < history.length; row++) {
    if (history.type[row] !== INVOKE || history.process[row]! < 0) continue
    const operation = operationAt(history, row, model)
    const end = history.pair[row]!
    if (model.traits?.(operation).ignored ?? (end >= 0 && history.type[end] === FAIL)) continue
    const to = operation.outcome === 'info' ? Infinity : history.timeAt(end)
    const key = model.partitioned === false ? 0 : history.key[row]!
    byKey.set(key, [...(byKey.get(key) ?? []), { operation, from: history.timeAt(row), to }])
  }
  return [...byKey.values()].every((intervals) => hasOrder(intervals, model))
}

function hasOrder(intervals: readonly Interval[], model: Model): boolean {
  if (intervals.length > 30) throw new RangeError(`the oracle takes at most 30 operations, not ${intervals.length}`)
  const deadEnds = new Set<string>()
  const extend = (left: readonly number[], state: Json): boolean => {
    if (left.every((i) => intervals[i]!.to === Infinity)) return true
    const name = `${left.join()} ${canonical(state)}`
    if (deadEnds.has(name)) return false
    for (const i of left) {
      const { operation, from } = intervals[i]!
      // Closed intervals: an operation must wait for another only if that one ended strictly before it began.
      if (left.some((j) => intervals[j]!.to < from)) continue
      const rest = left.filter((j) => j !== i)
      if (model.step(state, operation).some((next) => extend(rest, next))) return true
    }
    deadEnds.add(name)
    return false
  }
  return extend(intervals.map((_, i) => i), model.init)
}
