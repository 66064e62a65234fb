/**
 * Witnesses for models other than registers. What may be left out without making a violation of its own: everything
 * after the response that broke the history; operations that never change the state; and, where the model says that
 * elements do not influence each other (`about`), all operations on an element at once.
 */
import { firstIllegal } from './prefix.ts'
import { operationAt } from './problem.ts'
import { canonical } from './values.ts'
import type { History } from './history.ts'
import type { Model } from './model.ts'
import type { KeyRows } from './order.ts'
import type { Part } from './problem.ts'
import type { Json } from './values.ts'
import type { WindowResult } from './window.ts'

export interface ModelWitness {
  /** Rows of invocations. */
  readonly operations: readonly number[]
  readonly explanation: string
  /** Rank of the response that broke the history. */
  readonly illegal: number
  /** States that were still possible just before it. */
  readonly states: readonly Json[]
}

/** Finds the breaking response, shrinks what led to it, and says what is wrong. `suspects` are known to be a violation by themselves. */
export function explainModel(history: History, key: KeyRows, model: Model, rankOf: (row: number) => number, solve: (part: Part) => WindowResult, suspects: readonly number[] = [...key.rows]): ModelWitness {
  const all = new Set(suspects)
  const illegal = firstIllegal(key.events, (until) => solve({ rows: all, until }).type === 'violated')
  const until = illegal + 1
  const refutes = (rows: ReadonlySet<number>): boolean => rows.size > 0 && solve({ rows, until }).type === 'violated'
  let rows: ReadonlySet<number> = all
  for (const group of groups(history, rows, model)) {
    const fewer = new Set([...rows].filter((row) => !group.has(row)))
    if (fewer.size < rows.size && refutes(fewer)) rows = fewer
  }
  const last = solve({ rows, until })
  const operations = [...rows].filter((row) => rankOf(row) < until)
  const stuck = operations.find((row) => history.pair[row]! >= 0 && rankOf(history.pair[row]!) === illegal) ?? operations.at(-1)!
  return { operations, explanation: sentence(history, model, stuck, operations.length, last.states), illegal, states: last.states }
}

/** Sets of operations that may be left out together, large ones first: halves of the elements, single elements, single reads. */
function groups(history: History, rows: ReadonlySet<number>, model: Model): ReadonlySet<number>[] {
  const byElement = new Map<string, number[]>()
  const reads: number[] = []
  for (const row of rows) {
    const operation = operationAt(history, row, model)
    if (model.traits?.(operation).pure) reads.push(row)
    for (const element of model.about?.(operation) ?? []) byElement.set(canonical(element), [...(byElement.get(canonical(element)) ?? []), row])
  }
  return [...halves([...byElement.values()]), ...halves(reads.map((row) => [row]))]
}

/** All, halves, quarters ... single lists, each as one set. */
function halves(lists: readonly (readonly number[])[]): ReadonlySet<number>[] {
  const sets: ReadonlySet<number>[] = []
  for (let size = lists.length >> 1; size >= 1; size >>= 1) {
    for (let from = 0; from < lists.length; from += size) sets.push(new Set(lists.slice(from, from + size).flat()))
  }
  return sets
}

function sentence(history: History, model: Model, row: number, count: number, states: readonly Json[]): string {
  const { f, input, output } = operationAt(history, row, model)
  const what = `${f}${input === null ? '' : ` of ${JSON.stringify(input)}`}${output === undefined || output === null ? '' : ` that returned ${JSON.stringify(output)}`}`
  const could = states.length === 0 ? '' : `: given the other ${count - 1} operations, the ${model.name} could only be ${states.slice(0, 4).map((state) => JSON.stringify(state)).join(' or ')}${states.length > 4 ? ' or ...' : ''} before its response`
  return `The ${what} by process ${history.processName(row)} (event ${row}) cannot be placed${could}.`
}
