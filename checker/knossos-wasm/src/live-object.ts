/**
 * An object of any model as the streaming window meets it. Who follows one order of the operations asks for values of states only;
 * where many orders are walked over, states and types of operations are known by one record each, and the transitions
 * between them that were asked for last are remembered.
 */
import { ANYTHING } from './model.ts'
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
const IMPOSSIBLE: readonly Json[] = []
/** The value of every state that nobody can see any more before it is overwritten: no JSON, and equal to nothing but itself. */
const UNSEEN: Json = Object.freeze({ unseen: NaN })

export interface State {
  readonly value: Json
  readonly number: number
  /** The state alone. */
  readonly itself: readonly State[]
  /** Whether it is needed, and the response for which that was asked last (live-frontier.ts). */
  isNeeded: boolean
  asked: number
}

/** Operations that are interchangeable: function, arguments, result, outcome and, where it matters, who asked are equal. Equal types are one record where they are `known`. */
export interface Type {
  readonly number: number
  readonly operation: ModelOperation
  readonly pure: boolean
  /** Possible in every state. */
  readonly total: boolean
  /** Of one that overwrites the state, whatever that was: the values of the state afterwards. */
  readonly constant: readonly Json[] | undefined
  /** The same as states, once they were asked for. */
  overwritten: readonly State[] | undefined
  /** It proves nothing and has no effect. */
  readonly ignored: boolean
  /** It is the one record of all that are equal to it. */
  isKnown: boolean
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
  readonly #anything: State
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
    this.init = this.state(model.init)
    this.unseen = newState(UNSEEN, this.#numbers++)
    this.#anything = newState(ANYTHING, this.#numbers++)
    this.#forgetTransitions()
  }

  /** The values of the state after an operation; none: it is impossible. */
  next(value: Json, type: Type): readonly Json[] {
    if (type.constant !== undefined) return type.constant
    if (value === UNSEEN) return type.total ? [UNSEEN] : IMPOSSIBLE
    return this.#model.step(value, type.operation)
  }

  /** The states after an operation of a known type. */
  after(state: State, type: Type): readonly State[] {
    if (type.constant !== undefined) return (type.overwritten ??= type.constant.map((value) => this.state(value)))
    const at = (Math.imul(state.number, 0x9e3779b1) ^ Math.imul(type.number, 0x85ebca77)) >>> (32 - TRANSITION_BITS)
    if (this.#from[at] === state && this.#by[at] === type) return this.#to[at]!
    const after = this.#step(state, type)
    this.#from[at] = state
    this.#by[at] = type
    this.#to[at] = after
    return after
  }

  /** Whether an operation may make use of a state, which nothing overwrites before. */
  canUse(value: Json, type: Type): boolean {
    if (type.constant !== undefined || value === UNSEEN) return false
    const { reaches } = this.#model
    if (type.pure) return reaches === undefined ? this.next(value, type).length > 0 : reaches(value, type.operation)
    return type.total ? reaches === undefined : reaches !== undefined || this.next(value, type).length > 0
  }

  /** One that stands for all states in which the object may be when it may be in this one, and operations that crashed took effect or not; undefined where the model has none, or nobody knows this one. */
  anything(value: Json, crashed: Iterable<Type>): State | undefined {
    const model = this.#model
    if (model.anything === undefined || value === UNSEEN) return undefined
    let all = model.anything(value)
    for (const { operation } of crashed) for (const after of model.step(all, operation)) all = model.anything(after)
    return all === ANYTHING ? this.#anything : this.state(all)
  }

  /** Whether an operation is possible, or may become so when some of these others take effect before it. */
  isAttainable(value: Json, type: Type, others: () => readonly ModelOperation[]): boolean {
    return this.#model.attainable === undefined || this.next(value, type).length > 0 || this.#model.attainable(value, type.operation, others())
  }

  #step(state: State, type: Type): readonly State[] {
    const values = this.next(state.value, type)
    if (values.length === 0) return NOWHERE
    if (values.length > 1) return values.map((value) => this.state(value))
    return values[0] === state.value ? state.itself : this.state(values[0]!).itself
  }

  /** The type of an operation that begins: it may have any outcome. Types of arrays and objects, which seldom come twice, are known only once they are asked for. */
  asked(f: string, input: Json, process: Json): Type {
    if (isComposite(input)) return this.#newType({ f, input, output: undefined, outcome: 'info', process })
    const group = this.#group(f, process)
    let type = group.get(input)
    if (type === undefined) {
      type = this.#newType({ f, input, output: undefined, outcome: 'info', process })
      this.#enter(group, input, type)
    }
    return type
  }

  /** The type of an operation that has ended. */
  answered(asked: Type, outcome: 'ok' | 'fail', output: Json): Type {
    const { f, input, process } = asked.operation
    const operation: ModelOperation = { f, input, output: outcome === 'ok' ? output : undefined, outcome, process }
    if (!asked.isKnown || isComposite(output)) return this.#newType(operation)
    return this.#answer(asked, operation) ?? this.#setAnswer(asked, this.#newType(operation))
  }

  /** The one record of all types that are equal to one. */
  known(type: Type): Type {
    if (type.isKnown) return type
    const { f, input, outcome, process } = type.operation
    const group = this.#group(f, process)
    const name = this.#structures.one(input)
    const asked = group.get(name) ?? this.#enter(group, name, outcome === 'info' ? type : this.#newType({ f, input, output: undefined, outcome: 'info', process }))
    return outcome === 'info' ? asked : (this.#answer(asked, type.operation) ?? this.#setAnswer(asked, type))
  }

  #answer(asked: Type, { output, outcome }: ModelOperation): Type | undefined {
    if (outcome === 'fail') return asked.failure
    if (asked.answer !== undefined && same(asked.answer.operation.output!, output!)) return asked.answer
    return asked.answers?.get(this.#structures.one(output!))
  }

  #setAnswer(asked: Type, type: Type): Type {
    const { output, outcome } = type.operation
    if (outcome === 'fail') asked.failure = type
    else if (asked.answer === undefined) asked.answer = type
    else (asked.answers ??= new Map()).set(this.#structures.one(output!), type)
    return this.#remember(type)
  }

  #enter(group: Map<unknown, Type>, name: Json, type: Type): Type {
    group.set(name, type)
    return this.#remember(type)
  }

  #remember(type: Type): Type {
    type.isKnown = true
    this.#remembered++
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
    const { pure = false, total = false, constant = false, ignored = false } = traitsOf(this.#model, operation)
    const made = constant ? this.#model.step(this.init.value, operation) : undefined
    return {
      number: this.#numbers++, operation, pure, total: !pure && (total || constant), constant: made, overwritten: undefined, ignored, isKnown: false,
      answer: undefined, answers: undefined, failure: undefined, crashed: undefined, available: -1,
    }
  }

  /** The one record of a state. */
  state(value: Json): State {
    if (value === UNSEEN) return this.unseen
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
    for (const state of states) this.#keep(state)
    for (const type of types) {
      for (const state of type.overwritten ?? []) this.#keep(state)
      type.answer = undefined
      type.answers = undefined
      type.failure = undefined
    }
    // Types whose outcome is not known must come before those that they turned out to be.
    const known = types.filter(({ isKnown }) => isKnown)
    for (const type of known) type.isKnown = false
    for (const type of known) if (type.operation.outcome === 'info') this.known(type)
    for (const type of known) this.known(type)
  }

  #keep(state: State): void {
    if (state !== this.unseen && state !== this.#anything) this.#states.set(this.#structures.one(state.value), state)
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

const isComposite = (value: Json): boolean => typeof value === 'object' && value !== null
