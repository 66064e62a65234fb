/**
 * The simplest generators: one operation, several generators in order, functions, and the end.
 *
 * Whatever takes a generator also takes what can stand for one (`GeneratorSource`), so that
 * `limit(3, [{ f: 'read' }, { f: 'write', value: 1 }])` needs no ceremony.
 */
import type { Json } from '../../checker/history/index.ts'
import { bind, emit, pending, type Context, type Generator, type GeneratorEvent, type Op, type Step } from './generator.ts'

/** What can stand for a generator: an operation (once), a list (one after the other), a function (see `from`). */
export type GeneratorSource = Generator | Op | readonly GeneratorSource[] | GeneratorFunction

/** Called for more whenever what it returned last is exhausted; null ends it. */
export type GeneratorFunction = (context: Context) => GeneratorSource | null

/**
 * The generator that is exhausted from the start. Combinators whose inner generator has become `nothing` become
 * `nothing` themselves, so that ends are known at once and not only when somebody asks.
 */
export const nothing: Generator = {
  op: () => null,
  update: () => nothing,
}

/** The generator that a source stands for. */
export function lift(source: GeneratorSource): Generator {
  if (typeof source === 'function') return new FromFunction(source, nothing)
  if (isList(source)) return sequence(nothing, source, 0)
  return 'f' in source ? new One(source) : source
}

function isList(source: GeneratorSource): source is readonly GeneratorSource[] {
  return Array.isArray(source)
}

/** One operation, once. */
class One implements Generator {
  readonly wanted: Op
  constructor(wanted: Op) {
    this.wanted = wanted
  }
  op(context: Context): Step {
    const { time } = this.wanted
    if (time !== undefined && time > context.time) return pending(this, time, false)
    const op = bind(this.wanted, context)
    return op === undefined ? pending(this, Infinity, true) : emit(op, nothing)
  }
  update(): Generator {
    return this
  }
}

/** `head`, then the rest of the list from `position` on. The last one stands for itself. */
function sequence(head: Generator, list: readonly GeneratorSource[], position: number): Generator {
  while (head === nothing && position < list.length) head = lift(list[position++]!)
  return position === list.length ? head : new Sequence(head, list, position)
}

class Sequence implements Generator {
  readonly head: Generator
  readonly list: readonly GeneratorSource[]
  readonly position: number
  constructor(head: Generator, list: readonly GeneratorSource[], position: number) {
    this.head = head
    this.list = list
    this.position = position
  }
  op(context: Context): Step {
    let { head, position } = this
    for (;;) {
      const step = head.op(context)
      if (step !== null) {
        const next = sequence(step.next, this.list, position)
        return step.type === 'op' ? emit(step.op, next) : pending(next, step.wakeAt, step.starved)
      }
      if (position === this.list.length) return null
      head = lift(this.list[position++]!)
    }
  }
  update(context: Context, event: GeneratorEvent): Generator {
    const head = this.head.update(context, event)
    return head === this.head ? this : sequence(head, this.list, this.position)
  }
}

/**
 * One generator after the other. The next begins when the one before has nothing more to hand out, even if
 * operations are still open; use `phases` to wait for these.
 *
 *     concat({ f: 'write', value: 1 }, repeat({ f: 'read' }))
 */
export function concat(...sources: readonly GeneratorSource[]): Generator {
  return sequence(nothing, sources, 0)
}

/** How often a function may return something empty before we say that it never ends. */
const EMPTY_MAX = 10_000

class FromFunction implements Generator {
  readonly make: GeneratorFunction
  readonly current: Generator
  constructor(make: GeneratorFunction, current: Generator) {
    this.make = make
    this.current = current
  }
  op(context: Context): Step {
    let { current } = this
    for (let empty = 0; empty < EMPTY_MAX; empty++) {
      const step = current.op(context)
      if (step?.type === 'op') return emit(step.op, this.#with(step.next))
      if (step !== null) return pending(this.#with(step.next), step.wakeAt, step.starved)
      if (context.free.length === 0) return pending(this.#with(nothing), Infinity, true)
      const made = this.make(context)
      if (made === null) return null
      current = lift(made)
    }
    throw new Error(`a generator function returned ${EMPTY_MAX} empty generators in a row`)
  }
  update(context: Context, event: GeneratorEvent): Generator {
    return this.#with(this.current.update(context, event))
  }
  #with(current: Generator): Generator {
    return current === this.current ? this : new FromFunction(this.make, current)
  }
}

/**
 * A generator from a function, which is called for an operation (or a generator) when a thread is free and what it
 * returned last is exhausted, until it returns null. It should depend on nothing but the context; for state use `unfold`.
 *
 *     from(({ random }) => ({ f: 'write', value: random.int(5) }))
 */
export function from(make: GeneratorFunction): Generator {
  return new FromFunction(make, nothing)
}

/** What `unfold` is made of: a state, the operation that follows from it, and what events teach it. */
export interface Unfolding<S> {
  readonly state: S
  /** The next operation and the state after it; null ends the generator. Called only when a thread is free. */
  readonly next: (state: S, context: Context) => readonly [op: Op, state: S] | null
  /** The state after an event; events are ignored when absent. */
  readonly observe?: (state: S, event: GeneratorEvent) => S
}

class Unfold<S> implements Generator {
  readonly rules: Unfolding<S>
  readonly state: S
  constructor(rules: Unfolding<S>, state: S) {
    this.rules = rules
    this.state = state
  }
  op(context: Context): Step {
    if (context.free.length === 0) return pending(this, Infinity, true)
    const made = this.rules.next(this.state, context)
    if (made === null) return null
    const next = made[1] === this.state ? this : new Unfold(this.rules, made[1])
    const { time, thread } = made[0]
    if (time !== undefined || thread !== undefined) return concat(made[0], next).op(context)
    return emit(bind(made[0], context)!, next)
  }
  update(_context: Context, event: GeneratorEvent): Generator {
    const { observe } = this.rules
    if (observe === undefined) return this
    const state = observe(this.state, event)
    return state === this.state ? this : new Unfold(this.rules, state)
  }
}

/**
 * Operations from a state that changes with each of them, without anything being changed in place.
 *
 *     unfold({ state: 1, next: (n) => [{ f: 'write', value: n }, n + 1] })
 */
export function unfold<S>(rules: Unfolding<S>): Generator {
  return new Unfold(rules, rules.state)
}

/** The function of operations that are words for the controller's log: not sent to any client, not in the history. */
export const LOG = '#log'

/**
 * Says something in the controller's log, once.
 *
 *     phases(writes, log('the writes are done'), reads)
 */
export function log(message: string): Generator {
  return lift({ f: LOG, value: message satisfies Json })
}
