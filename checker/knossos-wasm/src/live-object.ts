/**
 * An object of any model as the streaming window meets it: its states and the types of its operations, each known by one
 * record, and the transitions between them that were asked for.
 */
import { traitsOf } from './problem.ts'
import { canonical } from './values.ts'
import type { Model, ModelOperation } from './model.ts'
import type { Json } from './values.ts'

/** States and types to remember before those that nobody needs are looked for. */
const REMEMBERED_MAX = 4096

export interface State {
  readonly value: Json
  readonly number: number
  readonly after: Map<Type, readonly State[]>
}

/** Operations that are interchangeable: function, arguments, result, outcome and, where it matters, who asked are equal. */
export interface Type {
  readonly number: number
  readonly operation: ModelOperation
  readonly pure: boolean
  /** Possible in every state. */
  readonly total: boolean
  readonly constant: boolean
  /** It proves nothing and has no effect. */
  readonly ignored: boolean
  /** When operations of it were invoked that crashed. */
  readonly crashed: number[]
  /** For the walk at hand: how many may take effect without a response; -1: not looked at. */
  available: number
}

/** Types by argument, then by result. */
type Types = Map<unknown, Map<unknown, Type>>

export class LiveObject {
  readonly init: State
  readonly #model: Model
  #scalars = new Map<Json, State>()
  #composites = new Map<string, State>()
  /** By outcome and function (and process). */
  #types = new Map<string, Types>()
  #remembered = 0
  #numbers = 0

  constructor(model: Model) {
    this.#model = model
    this.init = this.#state(model.init)
  }

  /** The states after an operation; none: it is impossible. */
  after(state: State, type: Type): readonly State[] {
    let after = state.after.get(type)
    if (after === undefined) {
      const values = this.#model.step(state.value, type.operation)
      after = values.length === 1 && values[0] === state.value ? [state] : values.map((value) => this.#state(value))
      state.after.set(type, after)
    }
    return after
  }

  /** The type of an operation; without an outcome that says more, one that may have done anything (`info`). */
  type(f: string, input: Json, output: Json | undefined, outcome: 'ok' | 'fail' | 'info', process: Json): Type {
    const answers = this.#answers(f, input, outcome, process)
    const got = nameOf(output)
    let type = answers.get(got)
    if (type === undefined) {
      type = this.#newType({ f, input, output, outcome, process })
      answers.set(got, type)
    }
    return type
  }

  #answers(f: string, input: Json, outcome: string, process: Json): Map<unknown, Type> {
    const group = process === null ? (outcome === 'ok' ? f : `${outcome} ${f}`) : `${outcome} ${f} ${canonical(process)}`
    let types = this.#types.get(group)
    if (types === undefined) this.#types.set(group, (types = new Map()))
    const asked = nameOf(input)
    let answers = types.get(asked)
    if (answers === undefined) types.set(asked, (answers = new Map()))
    return answers
  }

  #newType(operation: ModelOperation): Type {
    this.#remembered++
    const { pure = false, total = false, constant = false, ignored = false } = traitsOf(this.#model, operation)
    return { number: this.#numbers++, operation, pure, total: !pure && (total || constant), constant, ignored, crashed: [], available: -1 }
  }

  #state(value: Json): State {
    const isScalar = typeof value !== 'object' || value === null
    const text = isScalar ? '' : canonical(value)
    const known = isScalar ? this.#scalars.get(value) : this.#composites.get(text)
    if (known !== undefined) return known
    const state: State = { value, number: this.#numbers++, after: new Map() }
    this.#remembered++
    if (isScalar) this.#scalars.set(value, state)
    else this.#composites.set(text, state)
    return state
  }

  /** Whether it is time to forget what nobody needs. */
  get isFull(): boolean {
    return this.#remembered > REMEMBERED_MAX
  }

  /** Forgets all states and types but these. */
  forget(states: Iterable<State>, types: Iterable<Type>): void {
    this.#scalars = new Map()
    this.#composites = new Map()
    this.#types = new Map()
    this.#remembered = 0
    for (const state of states) {
      state.after.clear()
      if (typeof state.value !== 'object' || state.value === null) this.#scalars.set(state.value, state)
      else this.#composites.set(canonical(state.value), state)
    }
    for (const type of types) {
      const { f, input, output, outcome, process } = type.operation
      this.#answers(f, input, outcome, process).set(nameOf(output), type)
    }
  }
}

/** Values by what they are; arrays and objects by their text, marked so that it is no other value's. */
function nameOf(value: Json | undefined): unknown {
  return typeof value === 'object' && value !== null ? `\u0000${canonical(value)}` : value
}
