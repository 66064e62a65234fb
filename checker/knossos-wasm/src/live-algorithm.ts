/**
 * What judges one key while its history is being made: the seam between the monitor and its algorithms (live-algorithms.ts
 * has the table of them).
 *
 * An algorithm is told of every operation of its key, in order of time, and says at a response whether all that it
 * was told so far is linearizable. It is exact or says that it cannot tell; then the key begins anew with the window, which takes any model.
 */
import type { Json } from './values.ts'

/** How an operation ended. */
export type Outcome = 'ok' | 'fail' | 'info'

/** What is known after a response: nothing new, a violation by the operations of these rows (and why, as the predicate of a sentence), or that this algorithm cannot tell. */
export type LiveAnswer =
  | { readonly type: 'possible' }
  | { readonly type: 'violated'; readonly rows: readonly number[]; readonly why: string }
  | { readonly type: 'unclear'; readonly why: string }

export const POSSIBLE: LiveAnswer = { type: 'possible' }

/** One key. `Operation`: what it remembers of one that is open; nobody else looks into it. */
export interface LiveAlgorithm<Operation extends object = object> {
  /** How many operations and values are remembered. */
  readonly size: number
  /** An operation begins at an event of this row. Undefined where its value cannot be told from another that is alive. */
  invoke(f: string, value: Json, row: number, process: number): Operation | undefined
  /** It ends, with this result (`ok`). */
  complete(operation: Operation, outcome: Outcome, value: Json): LiveAnswer
}

/** A violation by these operations, their rows in any order. */
export function violatedBy(rows: readonly number[], why: string): LiveAnswer {
  return { type: 'violated', rows: [...new Set(rows)].filter((row) => row >= 0).sort((a, b) => a - b), why }
}
