/**
 * The register family: a value that is read, written, deleted, and compared-and-set. A delete leaves null, whatever it is
 * asked with and whether or not there was a value.
 */
import { ANYTHING } from '../model.ts'
import type { Json } from '../values.ts'
import { same } from '../values.ts'
import type { Model, RegisterOptions, RegisterRules } from '../model.ts'

/** `read` and `write` of any value, and `delete`. */
export const register = (options: RegisterOptions = {}): Model => registerFamily('register', ['read', 'write', 'delete'], options)

/** A register with `cas` of `[expected, new]`. */
export const casRegister = (options: RegisterOptions = {}): Model => registerFamily('cas-register', ['read', 'write', 'delete', 'cas'], options)

function registerFamily(name: string, functions: readonly string[], options: RegisterOptions): Model {
  const rules: RegisterRules = { initial: options.initial ?? null, failedCas: options.failedCas ?? 'drop', nilReads: options.nilReads ?? 'absent' }
  return {
    name,
    init: rules.initial,
    functions,
    register: rules,
    step(state, { f, input, output, outcome }) {
      if (f === 'read') return same(state, output ?? null) ? [state] : state === ANYTHING ? [output ?? null] : []
      if (f === 'write') return [input]
      if (f === 'delete') return [null]
      const [expected, next] = input as [Json, Json]
      if (outcome === 'fail') return same(state, expected) ? [] : [state]
      return same(state, expected) || state === ANYTHING ? [next] : []
    },
    anything: () => ANYTHING,
    traits({ f, output, outcome }) {
      if (f === 'read') return { pure: true, ignored: outcome !== 'ok' || (rules.nilReads === 'unknown' && (output ?? null) === null) }
      if (f === 'write' || f === 'delete') return { constant: true, ignored: outcome === 'fail' }
      return outcome === 'fail' ? { pure: true, ignored: rules.failedCas === 'drop' } : {}
    },
    variant: (other) => registerFamily(name, functions, { ...rules, ...other }),
  }
}
