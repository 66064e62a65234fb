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
  /** Row of the invocation that it answers. */
  readonly stuck: number
  /** States that were still possible just before it. */
  readonly states: readonly Json[]
}

/** Whether a part of a key's history is certainly not linearizable; and what the general engine says about it. */
export interface Judge {
  refutes(part: Part): boolean
  solve(part: Part): WindowResult
}

/** Finds the breaking response, shrinks what led to it, and says what is wrong. `suspects` are known to be a violation by themselves. */
export function explainModel(history: History, key: KeyRows, model: Model, rankOf: (row: number) => number, judge: Judge, suspects: readonly number[] = [...key.rows]): ModelWitness {
  const all = new Set(suspects)
  const illegal = firstIllegal(key.events, (until) => judge.refutes({ rows: all, until }))
  const until = illegal + 1
  const begun = suspects.filter((row) => rankOf(row) < until)
  let rows: ReadonlySet<number> = new Set(begun)
  for (const groups of groupsOf(history, begun, model)) rows = without(rows, groups, (fewer) => judge.refutes({ rows: fewer, until }))
  const last = judge.solve({ rows, until })
  const operations = [...rows]
  const stuck = operations.find((row) => history.pair[row]! >= 0 && rankOf(history.pair[row]!) === illegal) ?? operations.at(-1)!
  return { operations, explanation: sentence(history, model, stuck, operations.length, last.states), illegal, stuck, states: last.states }
}

/** Operations that may be left out together: those on one element; a single one that never changes the state. */
function groupsOf(history: History, rows: readonly number[], model: Model): readonly (readonly (readonly number[])[])[] {
  const byElement = new Map<string, number[]>()
  const reads: number[][] = []
  for (const row of rows) {
    const operation = operationAt(history, row, model)
    if (model.traits?.(operation).pure) reads.push([row])
    for (const element of model.about?.(operation) ?? []) {
      const known = byElement.get(canonical(element))
      if (known === undefined) byElement.set(canonical(element), [row])
      else known.push(row)
    }
  }
  return [[...byElement.values()], reads]
}

/** Leaves out as many groups as possible: half of them, quarters, ... single ones (Zeller and Hildebrandt 2002). */
function without(rows: ReadonlySet<number>, groups: readonly (readonly number[])[], refutes: (rows: ReadonlySet<number>) => boolean): ReadonlySet<number> {
  let kept = rows
  let left = groups
  for (let chunk = left.length; chunk >= 1; chunk = Math.min(chunk, left.length) >> 1) {
    for (let from = 0; from < left.length;) {
      const out = new Set(left.slice(from, from + chunk).flat())
      const fewer = new Set([...kept].filter((row) => !out.has(row)))
      if (fewer.size > 0 && refutes(fewer)) {
        kept = fewer
        left = [...left.slice(0, from), ...left.slice(from + chunk)]
      } else from += chunk
    }
  }
  return kept
}

function sentence(history: History, model: Model, row: number, count: number, states: readonly Json[]): string {
  const { f, input, output } = operationAt(history, row, model)
  const what = `${f}${input === null ? '' : ` of ${JSON.stringify(input)}`}${output === undefined || output === null ? '' : ` that returned ${JSON.stringify(output)}`}`
  const could = states.length === 0 ? '' : `: given the other ${count - 1} operations, the ${model.name} could only be ${states.slice(0, 4).map((state) => JSON.stringify(state)).join(' or ')}${states.length > 4 ? ' or ...' : ''} before its response`
  return `The ${what} by process ${history.processName(row)} (event ${row}) cannot be placed${could}.`
}
