/**
 * An object of any model as the streaming window meets it: its states and the types of its operations, each known by one
 * record, and the transitions between them that were asked for last.
 */
import { traitsOf } from './problem.ts'
import { Structures } from './structural.ts'
import { same } from './values.ts'
import type { Model, ModelOperation } from './model.ts'
import type { Json } from './values.ts'

/** States and types to remember before those that nobody needs are looked for. */
const REMEMBERED_MAX = 1024
/** Transitions to remember, as a power of two: where there is room for one, the one asked for last. */
const TRANSITION_BITS = 9

const NOWHERE: readonly State[] = []

export interface State {
  readonly value: Json
  readonly number: number
  /** The state alone. */
  readonly itself: readonly State[]
  /** Whether it is needed, and the response for which that was asked last (live-frontier.ts). */
  isNeeded: boolean
  asked: number
}

/** Operations that are interchangeable: function, arguments, result, outcome and, where it matters, who asked are equal. */
export interface Type {
  readonly number: number
  readonly operation: ModelOperation
  readonly pure: boolean
  /** Possible in every state. */
  readonly total: boolean
  /** Of one that overwrites the state, whatever that was: the states afterwards. */
  readonly constant: readonly State[] | undefined
  /** It proves nothing and has no effect. */
  readonly ignored: boolean
  /** Of one whose outcome is not known: what it turned out to be: the first result, others, or failure. */
  answer: Type | undefined
  answers: Map<unknown, Type> | undefined
  failure: Type | undefined
  /** When operations of it were invoked that crashed; undefined while none did. */
  crashed: number[] | undefined
  /** For the walk at hand: how many may take effect without a response; -1: not looked at. */
  available: number
}

/** Types by function, then by argument. */
type Types = Map<string, Map<unknown, Type>>

export class LiveObject {
  readonly init: State
  /** Every state that nobody can see any more before it is overwritten. */
  readonly unseen: State
  readonly #model: Model
  #structures = new Structures()
  #states = new Map<unknown, State>()
  /** Those whose outcome is not known: where it does not matter who asks, and by who asks. */
  #asked: Types = new Map()
  #askedBy = new Map<unknown, Types>()
  #remembered = 0
  #numbers = 0
  /** By hash of state and type: the transition. */
  readonly #from: (State | undefined)[] = []
  readonly #by: (Type | undefined)[] = []
  readonly #to: (readonly State[])[] = []

  constructor(model: Model) {
    this.#model = model
    this.init = this.#state(model.init)
    this.unseen = newState(null, this.#numbers++)
    this.#forgetTransitions()
  }

  /** The states after an operation; none: it is impossible. */
  after(state: State, type: Type): readonly State[] {
    if (type.constant !== undefined) return type.constant
    const at = (Math.imul(state.number, 0x9e3779b1) ^ Math.imul(type.number, 0x85ebca77)) >>> (32 - TRANSITION_BITS)
    if (this.#from[at] === state && this.#by[at] === type) return this.#to[at]!
    const after = this.#step(state, type)
    this.#from[at] = state
    this.#by[at] = type
    this.#to[at] = after
    return after
  }

  /** Whether an operation may make use of a state, which nothing overwrites before. */
  canUse(state: State, type: Type): boolean {
    if (type.constant !== undefined || state === this.unseen) return false
    const { reaches } = this.#model
    if (type.pure) return reaches === undefined ? this.after(state, type).length > 0 : reaches(state.value, type.operation)
    return type.total ? reaches === undefined : reaches !== undefined || this.after(state, type).length > 0
  }

  #step(state: State, type: Type): readonly State[] {
    if (state === this.unseen) return type.total ? state.itself : NOWHERE
    const values = this.#model.step(state.value, type.operation)
    if (values.length === 0) return NOWHERE
    if (type.pure) return state.itself
    return values.length === 1 ? this.#state(values[0]!).itself : values.map((value) => this.#state(value))
  }

  /** The type of an operation that begins: it may have any outcome. */
  asked(f: string, input: Json, process: Json): Type {
    const group = this.#group(f, process)
    const name = this.#structures.one(input)
    let type = group.get(name)
    if (type === undefined) group.set(name, (type = this.#newType({ f, input, output: undefined, outcome: 'info', process })))
    return type
  }

  /** The type of an operation that has ended. */
  answered(asked: Type, outcome: 'ok' | 'fail', output: Json): Type {
    const { f, input, process } = asked.operation
    if (outcome === 'fail') return (asked.failure ??= this.#newType({ f, input, output: undefined, outcome, process }))
    if (asked.answer === undefined) return (asked.answer = this.#newType({ f, input, output, outcome, process }))
    if (same(asked.answer.operation.output!, output)) return asked.answer
    const answers = (asked.answers ??= new Map<unknown, Type>())
    const name = this.#structures.one(output)
    let type = answers.get(name)
    if (type === undefined) answers.set(name, (type = this.#newType({ f, input, output, outcome, process })))
    return type
  }

  /** Types of a function (and of who asks) by argument. */
  #group(f: string, process: Json): Map<unknown, Type> {
    const types = process === null ? this.#asked : this.#typesOf(process)
    let group = types.get(f)
    if (group === undefined) types.set(f, (group = new Map()))
    return group
  }

  #typesOf(process: Json): Types {
    const name = this.#structures.one(process)
    let types = this.#askedBy.get(name)
    if (types === undefined) this.#askedBy.set(name, (types = new Map()))
    return types
  }

  #newType(operation: ModelOperation): Type {
    this.#remembered++
    const { pure = false, total = false, constant = false, ignored = false } = traitsOf(this.#model, operation)
    const overwritten = constant ? this.#model.step(this.init.value, operation).map((value) => this.#state(value)) : undefined
    return { number: this.#numbers++, operation, pure, total: !pure && (total || constant), constant: overwritten, ignored, answer: undefined, answers: undefined, failure: undefined, crashed: undefined, available: -1 }
  }

  #state(value: Json): State {
    const name = this.#structures.one(value)
    let state = this.#states.get(name)
    if (state === undefined) {
      this.#remembered++
      state = newState(name, this.#numbers++)
      this.#states.set(name, state)
    }
    return state
  }

  /** Whether it is time to forget what nobody needs. */
  get isFull(): boolean {
    return this.#remembered > REMEMBERED_MAX
  }

  /** Forgets all states and types but these. */
  forget(states: Iterable<State>, types: readonly Type[]): void {
    this.#structures = new Structures()
    this.#states = new Map()
    this.#asked = new Map()
    this.#askedBy = new Map()
    this.#remembered = 0
    this.#forgetTransitions()
    for (const state of states) if (state !== this.unseen) this.#states.set(this.#structures.one(state.value), state)
    for (const { constant = [] } of types) for (const state of constant) this.#states.set(this.#structures.one(state.value), state)
    for (const type of types) if (type.operation.outcome === 'info') this.#keep(type)
    for (const type of types) if (type.operation.outcome !== 'info') this.#keep(type)
  }

  /** Types whose outcome is not known must come before those that they turned out to be. */
  #keep(type: Type): void {
    const { f, input, output, outcome, process } = type.operation
    if (outcome === 'info') {
      type.answer = undefined
      type.answers = undefined
      type.failure = undefined
      this.#group(f, process).set(this.#structures.one(input), type)
    } else if (outcome === 'fail') this.asked(f, input, process).failure = type
    else {
      const asked = this.asked(f, input, process)
      if (asked.answer === undefined) asked.answer = type
      else (asked.answers ??= new Map()).set(this.#structures.one(output!), type)
    }
  }

  #forgetTransitions(): void {
    for (let at = 0; at < 1 << TRANSITION_BITS; at++) {
      this.#from[at] = undefined
      this.#by[at] = undefined
      this.#to[at] = NOWHERE
    }
  }
}

function newState(value: Json, number: number): State {
  const state = { value, number, itself: NOWHERE, isNeeded: true, asked: 0 }
  state.itself = [state]
  return state
}
