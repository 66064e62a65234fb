/**
 * Models: what an object does, as data with functions (Porcupine's idea).
 *
 * A model has an initial state and a step: given a state and an operation with its outcome, the states in which the
 * object may be afterwards (none: the operation cannot have happened then). States are JSON values; equal values
 * are equal states. Optional traits tell the checker what it may rely on to be fast; they never change a verdict.
 */
import type { Json } from './values.ts'

/** An operation as a model sees it. */
export interface ModelOperation {
  readonly f: string
  /** What the client asked with. */
  readonly input: Json
  /** What it got; undefined when nobody knows (`info`) or there is nothing to know (`fail`). */
  readonly output: Json | undefined
  readonly outcome: 'ok' | 'fail' | 'info'
  /** Who asks; null unless the model is `perProcess`. */
  readonly process: Json
}

/** What the checker may rely on about an operation, whatever the state. */
export interface Traits {
  /** It never changes the state. */
  readonly pure?: boolean
  /** It is possible in every state. */
  readonly total?: boolean
  /** It is possible in every state and overwrites it: the state afterwards does not depend on the one before. */
  readonly constant?: boolean
  /** It certainly had no effect and proves nothing: leave it out. */
  readonly ignored?: boolean
}

/** The register family, whose algorithms read the operations themselves. */
export interface RegisterRules {
  readonly initial: Json
  readonly failedCas: FailedCas
  readonly nilReads: NilReads
}

/** A failed compare-and-set proves nothing (Knossos) or that the value differed (Porcupine). */
export type FailedCas = 'drop' | 'strict'
/** A read of null saw no value (Porcupine) or is not known to have seen anything (Knossos). */
export type NilReads = 'absent' | 'unknown'

/** What may be chosen about a register. */
export interface RegisterOptions {
  readonly initial?: Json
  readonly failedCas?: FailedCas
  readonly nilReads?: NilReads
}

/** Stands for every state of a model: no JSON, and equal to nothing but itself. */
export const ANYTHING: Json = Object.freeze({ anything: NaN })

export interface Model {
  readonly name: string
  readonly init: Json
  /** The functions it knows. */
  readonly functions: readonly string[]
  step(state: Json, operation: ModelOperation): readonly Json[]
  traits?(operation: ModelOperation): Traits
  /**
   * Whether an operation that never changes the state may become possible from a state that is not overwritten (by a
   * `constant` operation) in between. Default: always.
   */
  reaches?(state: Json, operation: ModelOperation): boolean
  /**
   * A state that stands for all in which the object may be at a moment when it may be in the given one: what is possible in one of
   * them is possible in it, and leads to a state that stands for those to which it leads from them. What only looks may
   * lead to one that stands for fewer. ANYTHING, or a value that is no state otherwise; default: there is none.
   */
  anything?(state: Json): Json
  /** Whether an operation is possible in a state, or may become so when some of these others take effect before it. Default: always. */
  attainable?(state: Json, operation: ModelOperation, others: readonly ModelOperation[]): boolean
  /**
   * The model as far as a history can tell it apart: given all operations on one key, a model that merges states
   * which no operation among them distinguishes, now or later.
   */
  specialized?(operations: readonly ModelOperation[]): Model
  /**
   * The elements that an operation is about, for objects whose behaviour on some of their elements does not depend on the
   * others (queues, stacks, sets). An operation about none concerns them all.
   */
  about?(operation: ModelOperation): readonly Json[]
  /** Operations on different keys are independent objects. Default true. */
  readonly partitioned?: boolean
  /** Who asks matters (locks): operations of different processes are never interchangeable. Default false. */
  readonly perProcess?: boolean
  /** Only for the register family. */
  readonly register?: RegisterRules
  /** The same model with other rules. */
  variant?(options: RegisterOptions): Model
}

