/**
 * The general engine for histories that are still being made: just-in-time linearization (Lowe 2017; see
 * assembly/engine.ts) of any model, over the open window only.
 *
 * What an open operation will return is not known yet, so it is treated as one that crashed: it may take effect, or not, and
 * returns anything. When its response arrives the window is walked again from its invocation on, knowing more;
 * for that, the frontier (all configurations that are possible) is kept as it was when each open operation was invoked. An
 * operation costs as many steps as events happened while it was open. What lies before the earliest open invocation is
 * forgotten but for the frontier there and the operations that crashed.
 *
 * The frontier can grow beyond all bounds (as many as there are orders of what is open): then this gives up, and says so.
 */
import { traitsOf, typeName } from './problem.ts'
import type { Model, ModelOperation, Traits } from './model.ts'
import type { Json } from './values.ts'
import { canonical } from './values.ts'

/** How many configurations one response may visit. */
const VISITS_MAX = 20_000
/** Acknowledged operations that are open at one moment. */
const SLOTS_MAX = 31
const STATES_MAX = 4096

interface State {
  readonly value: Json
  readonly text: string
  readonly after: Map<Type, readonly State[]>
}

/** Operations that are interchangeable. */
interface Type {
  readonly name: string
  readonly operation: ModelOperation
  readonly traits: Traits
}

/** What may be true at one moment. */
interface Configuration {
  readonly state: State
  /** By slot: which acknowledged operations that are open took effect. */
  readonly done: number
  /** By slot: which open ones may be hidden directly before the last that overwrote the state. */
  readonly hide: number
  /** Crashed (or still open) operations that took effect, by the name of their type, in order. */
  readonly used: readonly string[]
}

/** One operation while it is remembered. */
export interface LiveOperation {
  readonly row: number
  readonly f: string
  readonly input: Json
  readonly process: Json
  /** Events, counted from the first; Infinity while the response is not known, or crashed. */
  readonly invoked: number
  ended: number
  type: Type
  slot: number
  /** The frontier just before the invocation, while it is open. */
  before: readonly Configuration[] | undefined
}

/** What a response says: nothing new, a violation with the states that were possible before it, or that this is too hard. */
export type LiveAnswer = { readonly type: 'possible' } | { readonly type: 'violated'; readonly states: readonly Json[] } | { readonly type: 'too hard' }

const POSSIBLE: LiveAnswer = { type: 'possible' }
const TOO_HARD: LiveAnswer = { type: 'too hard' }

/** The window of one key. */
export class LiveWindow {
  readonly #model: Model
  #states = new Map<string, State>()
  #types = new Map<string, Type>()
  #frontier: readonly Configuration[]
  #events = 0
  /** Operations that are open, or ended after the earliest open invocation; in order of invocation. */
  #recent: LiveOperation[] = []
  /** Operations that crashed and may take effect at any time. */
  readonly #crashed: LiveOperation[] = []
  /** Used by the response at hand: who is open where, and how much was visited. */
  #open: (LiveOperation | undefined)[] = []
  #pure = 0
  #visits = 0

  constructor(model: Model) {
    this.#model = model
    this.#frontier = [{ state: this.#state(model.init), done: 0, hide: 0, used: [] }]
  }

  /** How many operations are remembered. */
  get size(): number {
    return this.#recent.length + this.#crashed.length
  }

  invoke(f: string, input: Json, process: Json, row: number): LiveOperation {
    const type = this.#type({ f, input, output: undefined, outcome: 'info', process })
    const operation: LiveOperation = { row, f, input, process, invoked: this.#events++, ended: Infinity, type, slot: -1, before: this.#frontier }
    this.#recent.push(operation)
    return operation
  }

  complete(operation: LiveOperation, outcome: 'ok' | 'fail' | 'info', output: Json): LiveAnswer {
    const crashed = operation.type
    const from = operation.before!
    const provesNothing = ({ traits: { ignored, pure } }: Type, isCrashed: boolean): boolean => ignored === true || (isCrashed && pure === true)
    operation.before = undefined
    if (outcome === 'info') {
      this.#recent.splice(this.#recent.indexOf(operation), 1)
      if (!provesNothing(crashed, true)) this.#crashed.push(operation)
      this.#forget()
      return POSSIBLE
    }
    const { f, input, process } = operation
    operation.type = this.#type({ f, input, output: outcome === 'ok' ? output : undefined, outcome, process })
    operation.ended = this.#events++
    if (provesNothing(operation.type, false)) {
      this.#recent.splice(this.#recent.indexOf(operation), 1)
      if (provesNothing(crashed, true)) return POSSIBLE
    } else {
      operation.slot = this.#freeSlot(operation)
      if (operation.slot < 0) return TOO_HARD
    }
    const answer = this.#walk(from, operation.invoked)
    if (answer.type === 'possible') this.#forget()
    return answer
  }

  /** Walks over the window again from an event on, with the frontier as it was there. */
  #walk(frontier: readonly Configuration[], from: number): LiveAnswer {
    let now = frontier
    this.#visits = 0
    this.#open = []
    for (const operation of this.#recent) if (operation.slot >= 0 && operation.invoked < from && operation.ended >= from) this.#open[operation.slot] = operation
    for (const [event, operation] of this.#eventsFrom(from)) {
      if (event === operation.invoked) {
        if (operation.before !== undefined) operation.before = now
        if (operation.slot >= 0) this.#open[operation.slot] = operation
        continue
      }
      const next = this.#respond(now, operation, event)
      if (next === undefined) return TOO_HARD
      if (next.length === 0) return { type: 'violated', states: [...new Set(now.map(({ state }) => state))].map(({ value }) => value) }
      this.#open[operation.slot] = undefined
      now = next
    }
    this.#frontier = now
    return POSSIBLE
  }

  #eventsFrom(from: number): (readonly [number, LiveOperation])[] {
    const events: (readonly [number, LiveOperation])[] = []
    for (const operation of this.#recent) {
      if (operation.invoked >= from) events.push([operation.invoked, operation])
      if (operation.slot >= 0 && operation.ended >= from) events.push([operation.ended, operation])
    }
    return events.sort((a, b) => a[0] - b[0])
  }

  /** The frontier after a response; undefined when too much would have to be visited. */
  #respond(frontier: readonly Configuration[], x: LiveOperation, event: number): readonly Configuration[] | undefined {
    const out: Configuration[] = []
    const seen = new Set<string>()
    const todo: Configuration[] = []
    const bit = 1 << x.slot
    const settle = (raw: Configuration, wasHidden: boolean): void => {
      const configuration = this.#eager(raw)
      if ((configuration.done & bit) !== 0 || ((configuration.hide & bit) !== 0 && !wasHidden)) this.#keep(out, { ...configuration, done: configuration.done & ~bit, hide: configuration.hide & ~bit })
      if ((configuration.done & bit) !== 0) return
      const name = `${configuration.state.text} ${configuration.done} ${configuration.hide} ${configuration.used.join()}`
      if (seen.has(name)) return
      seen.add(name)
      todo.push(configuration)
    }
    this.#pure = 0
    for (const operation of this.#open) if (operation?.type.traits.pure) this.#pure |= 1 << operation.slot
    for (const configuration of frontier) settle(configuration, false)
    const maybe = this.#maybe(event)
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      if (++this.#visits > VISITS_MAX) return undefined
      const wasHidden = (next.hide & bit) !== 0
      for (const after of this.#successors(next, maybe)) settle(after, wasHidden)
    }
    return out
  }

  /** Types that may take effect without a response, and how many there are before an event. */
  #maybe(event: number): Map<Type, number> {
    const counts = new Map<Type, number>()
    const count = (operation: LiveOperation): void => {
      const { ignored, pure } = operation.type.traits
      if (operation.invoked < event && ignored !== true && pure !== true) counts.set(operation.type, (counts.get(operation.type) ?? 0) + 1)
    }
    this.#crashed.forEach(count)
    for (const operation of this.#recent) if (operation.before !== undefined) count(operation)
    return counts
  }

  #successors(configuration: Configuration, maybe: ReadonlyMap<Type, number>): Configuration[] {
    const found: Configuration[] = []
    const { state, done, hide, used } = configuration
    for (const operation of this.#open) {
      if (operation === undefined || operation.type.traits.pure || (done & (1 << operation.slot)) !== 0 || this.#hasEarlierTwin(configuration, operation)) continue
      const bit = 1 << operation.slot
      for (const next of this.#after(state, operation.type)) found.push(this.#hiding(operation.type, { state: next, done: done | bit, hide: hide & ~bit, used }))
    }
    for (const [type, count] of maybe) {
      if (used.filter((name) => name === type.name).length >= count) continue
      for (const next of this.#after(state, type)) {
        if (next !== state || type.traits.constant) found.push(this.#hiding(type, { state: next, done, hide, used: [...used, type.name].sort() }))
      }
    }
    return found
  }

  /** An operation that overwrites the state hides those that are possible in every state. */
  #hiding({ traits }: Type, configuration: Configuration): Configuration {
    if (traits.constant !== true) return configuration
    let hide = 0
    for (const operation of this.#open) {
      if (operation !== undefined && (operation.type.traits.total || operation.type.traits.constant) && !operation.type.traits.pure) hide |= 1 << operation.slot
    }
    return { ...configuration, hide: hide & ~configuration.done }
  }

  #hasEarlierTwin({ done, hide }: Configuration, operation: LiveOperation): boolean {
    return this.#open.some((twin) => twin !== undefined && twin !== operation && twin.type === operation.type && twin.ended < operation.ended && ((done | hide) & (1 << twin.slot)) === 0)
  }

  /** Operations that never change the state take effect as soon as they can. */
  #eager(configuration: Configuration): Configuration {
    let { done } = configuration
    for (const operation of this.#open) {
      if (operation !== undefined && operation.type.traits.pure && (done & (1 << operation.slot)) === 0 && this.#after(configuration.state, operation.type).length > 0) done |= 1 << operation.slot
    }
    return done === configuration.done ? configuration : { ...configuration, done }
  }

  /** Adds a configuration unless one is there that is at least as good; takes out those that are not better. */
  #keep(out: Configuration[], fresh: Configuration): void {
    for (const other of out) if (this.#dominates(other, fresh)) return
    let kept = 0
    for (const other of out) if (!this.#dominates(fresh, other)) out[kept++] = other
    out.length = kept
    out.push(fresh)
  }

  #dominates(a: Configuration, b: Configuration): boolean {
    if (a.state !== b.state || (b.hide & ~a.hide) !== 0) return false
    const pure = this.#pure
    if ((b.done & ~a.done & pure) !== 0 || ((a.done ^ b.done) & ~a.hide & ~pure) !== 0) return false
    let at = 0
    for (const name of b.used) if (a.used[at] === name) at++
    return at === a.used.length
  }

  #after(state: State, type: Type): readonly State[] {
    let after = state.after.get(type)
    if (after === undefined) {
      after = this.#model.step(state.value, type.operation).map((next) => this.#state(next))
      state.after.set(type, after)
    }
    return after
  }

  #state(value: Json): State {
    const text = canonical(value)
    let state = this.#states.get(text)
    if (state === undefined) {
      state = { value, text, after: new Map() }
      this.#states.set(text, state)
    }
    return state
  }

  #type(operation: ModelOperation): Type {
    const name = typeName(operation)
    let type = this.#types.get(name)
    if (type === undefined) {
      type = { name, operation, traits: traitsOf(this.#model, operation) }
      this.#types.set(name, type)
    }
    return type
  }

  /** A slot that no operation has which is open together with this one. */
  #freeSlot(mine: LiveOperation): number {
    let taken = 0
    for (const { slot, ended, invoked } of this.#recent) if (slot >= 0 && ended >= mine.invoked && invoked <= mine.ended) taken |= 1 << slot
    for (let slot = 0; slot < SLOTS_MAX; slot++) if ((taken & (1 << slot)) === 0) return slot
    return -1
  }

  /** Forgets operations that ended before the earliest open invocation, and states and types that nobody remembers. */
  #forget(): void {
    let earliest = this.#events
    for (const operation of this.#recent) if (operation.before !== undefined) earliest = Math.min(earliest, operation.invoked)
    if (this.#recent.some(({ ended }) => ended < earliest)) this.#recent = this.#recent.filter(({ ended }) => ended >= earliest)
    if (this.#states.size + this.#types.size < STATES_MAX) return
    const live = new Set([this.#frontier, ...this.#recent.flatMap(({ before }) => (before === undefined ? [] : [before]))].flat().map(({ state }) => state))
    this.#states = new Map([...live].map((state) => [state.text, state]))
    for (const state of live) state.after.clear()
    this.#types = new Map([...this.#recent, ...this.#crashed].map(({ type }) => [type.name, type]))
  }
}
