/**
 * Models: what an object does, as data with functions.
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

export interface Model {
  readonly name: string
  readonly init: Json
  /** The functions it knows. */
  readonly functions: readonly string[]
  step(state: Json, operation: ModelOperation): readonly Json[]
  traits?(operation: ModelOperation): Traits
  /** Operations on different keys are independent objects. Default true. */
  readonly partitioned?: boolean
  /** Only for the register family. */
  readonly register?: RegisterRules
  /** The same model with other rules. */
  variant?(options: RegisterOptions): Model
}

function same(a: Json, b: Json): boolean {
  return a === b || (typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b))
}

function registerFamily(name: string, functions: readonly string[], options: RegisterOptions): Model {
  const rules: RegisterRules = { initial: options.initial ?? null, failedCas: options.failedCas ?? 'drop', nilReads: options.nilReads ?? 'absent' }
  return {
    name,
    init: rules.initial,
    functions,
    register: rules,
    step(state, { f, input, output, outcome }) {
      if (f === 'read') return same(state, output ?? null) ? [state] : []
      if (f === 'write') return [input]
      const [expected, next] = input as [Json, Json]
      if (outcome === 'fail') return same(state, expected) ? [] : [state]
      return same(state, expected) ? [next] : []
    },
    traits({ f, output, outcome }) {
      if (f === 'read') return { pure: true, ignored: outcome !== 'ok' || (rules.nilReads === 'unknown' && (output ?? null) === null) }
      if (f === 'write') return { constant: true, ignored: outcome === 'fail' }
      return outcome === 'fail' ? { pure: true, ignored: rules.failedCas === 'drop' } : {}
    },
    variant: (other) => registerFamily(name, functions, { ...rules, ...other }),
  }
}

/** The models, by name. Each is a function, because some take options. */
export const models = {
  /** `read` and `write` of any value. */
  register: (options: RegisterOptions = {}): Model => registerFamily('register', ['read', 'write'], options),
  /** A register with `cas` of `[expected, new]`. */
  casRegister: (options: RegisterOptions = {}): Model => registerFamily('cas-register', ['read', 'write', 'cas'], options),
} as const
