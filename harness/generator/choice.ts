/**
 * Choosing between generators, repeating, limiting and rewriting them. After jepsen.generator.
 */
import { lift, nothing, type GeneratorSource } from './basic.ts'
import { emit, pending, type Context, type Generator, type GeneratorEvent, type Op, type ReadyOp, type Step, type Thread } from './generator.ts'

/** Where `Choice` looks first: at a random child, or at the one after the one that was served last. */
const RANDOM = -1

class Choice implements Generator {
  readonly children: readonly Generator[]
  readonly turn: number
  constructor(children: readonly Generator[], turn: number) {
    this.children = children
    this.turn = turn
  }
  op(context: Context): Step {
    const count = this.children.length
    const first = this.turn === RANDOM ? context.random.int(count) : this.turn
    let children = this.children
    let wakeAt = Infinity
    let starved = false
    let ended = false
    for (let k = 0; k < count; k++) {
      const i = (first + k) % count
      const step = children[i]!.op(context)
      children = replaced(children, i, step === null ? nothing : step.next)
      if (step === null) {
        ended = true
        continue
      }
      if (step.type === 'op') return emit(step.op, choice(children, this.turn === RANDOM ? RANDOM : i + 1, ended || step.next === nothing))
      ended ||= step.next === nothing
      wakeAt = Math.min(wakeAt, step.wakeAt)
      starved ||= step.starved
    }
    const next = children === this.children ? this : choice(children, this.turn, ended)
    return next === nothing ? null : pending(next, wakeAt, starved)
  }
  update(context: Context, event: GeneratorEvent): Generator {
    let children = this.children
    for (let i = 0; i < children.length; i++) children = replaced(children, i, children[i]!.update(context, event))
    return children === this.children ? this : choice(children, this.turn, true)
  }
}

/** The list with another element at `i`; the same list when it is the same element. */
function replaced(list: readonly Generator[], i: number, element: Generator): readonly Generator[] {
  if (list[i] === element) return list
  const copy = list.slice()
  copy[i] = element
  return copy
}

/** A choice among those that are not exhausted (`ended`: some may be); the last one left stands for itself. */
function choice(children: readonly Generator[], turn: number, ended: boolean): Generator {
  let left = children
  let first = turn
  if (ended) {
    left = children.filter(child => child !== nothing)
    if (turn !== RANDOM) first = children.slice(0, turn).filter(child => child !== nothing).length
  }
  if (left.length <= 1) return left[0] ?? nothing
  return new Choice(left, first === RANDOM ? RANDOM : first % left.length)
}

/**
 * Operations of all of these at once: whichever has one ready. They take turns, so none starves the others.
 * Events go to all; it ends when all have ended.
 *
 *     any(clients(work), nemesis(faults))
 */
export function any(...sources: readonly GeneratorSource[]): Generator {
  return choice(sources.map(lift), 0, true)
}

/**
 * For each operation one of these at random; those that have nothing ready are passed over. Ends when all have ended.
 *
 *     mix(repeat({ f: 'read' }), from(({ random }) => ({ f: 'write', value: random.int(5) })))
 */
export function mix(...sources: readonly GeneratorSource[]): Generator {
  return choice(sources.map(lift), RANDOM, true)
}

class FlipFlop implements Generator {
  readonly current: Generator
  readonly other: Generator
  constructor(current: Generator, other: Generator) {
    this.current = current
    this.other = other
  }
  op(context: Context): Step {
    const step = this.current.op(context)
    if (step === null) return null
    if (step.type === 'pending') return pending(new FlipFlop(step.next, this.other), step.wakeAt, step.starved)
    return emit(step.op, this.other === nothing ? nothing : new FlipFlop(this.other, step.next))
  }
  update(context: Context, event: GeneratorEvent): Generator {
    const current = this.current.update(context, event)
    const other = this.other.update(context, event)
    return current === this.current && other === this.other ? this : new FlipFlop(current, other)
  }
}

/**
 * One operation of the first, one of the second, and so on. Ends when the one whose turn it is has ended.
 *
 *     flipFlop(repeat({ f: 'start' }), repeat({ f: 'stop' }))
 */
export function flipFlop(first: GeneratorSource, second: GeneratorSource): Generator {
  return new FlipFlop(lift(first), lift(second))
}

class Cycle implements Generator {
  readonly original: Generator
  readonly current: Generator
  /** How often to start over after the current round. */
  readonly left: number
  constructor(original: Generator, current: Generator, left: number) {
    this.original = original
    this.current = current
    this.left = left
  }
  op(context: Context): Step {
    const step = this.current.op(context)
    if (step?.type === 'op') return emit(step.op, this.#after(step.next))
    if (step !== null) return pending(this.#after(step.next), step.wakeAt, step.starved)
    if (this.left === 0 || this.current === this.original) return null
    return new Cycle(this.original, this.original, this.left - 1).op(context)
  }
  update(context: Context, event: GeneratorEvent): Generator {
    const current = this.current.update(context, event)
    return current === this.current ? this : this.#after(current)
  }
  #after(current: Generator): Generator {
    if (current !== nothing) return new Cycle(this.original, current, this.left)
    return this.left === 0 ? nothing : new Cycle(this.original, this.original, this.left - 1)
  }
}

/**
 * Starts over whenever it ends, `times` times in all.
 *
 *     cycle([sleep(5000), { f: 'start' }, sleep(5000), { f: 'stop' }])
 */
export function cycle(source: GeneratorSource, times = Infinity): Generator {
  const original = lift(source)
  return times <= 0 || original === nothing ? nothing : new Cycle(original, original, times - 1)
}

class Repeat implements Generator {
  readonly inner: Generator
  readonly left: number
  constructor(inner: Generator, left: number) {
    this.inner = inner
    this.left = left
  }
  op(context: Context): Step {
    const step = this.inner.op(context)
    if (step === null) return null
    if (step.type === 'pending') return pending(this.#with(step.next), step.wakeAt, step.starved)
    return emit(step.op, this.left === Infinity ? this : this.left === 1 ? nothing : new Repeat(this.inner, this.left - 1))
  }
  update(context: Context, event: GeneratorEvent): Generator {
    return this.#with(this.inner.update(context, event))
  }
  #with(inner: Generator): Generator {
    return inner === this.inner ? this : inner === nothing ? nothing : new Repeat(inner, this.left)
  }
}

/**
 * The first operation of a generator, again and again, `times` times in all: its state never moves on.
 *
 *     repeat({ f: 'read' }, 10)
 */
export function repeat(source: GeneratorSource, times = Infinity): Generator {
  const inner = lift(source)
  return times <= 0 || inner === nothing ? nothing : new Repeat(inner, times)
}

class Limit implements Generator {
  readonly inner: Generator
  readonly left: number
  constructor(inner: Generator, left: number) {
    this.inner = inner
    this.left = left
  }
  op(context: Context): Step {
    const step = this.inner.op(context)
    if (step === null) return null
    const next = limited(step.type === 'op' ? this.left - 1 : this.left, step.next)
    return step.type === 'op' ? emit(step.op, next) : pending(next, step.wakeAt, step.starved)
  }
  update(context: Context, event: GeneratorEvent): Generator {
    const inner = this.inner.update(context, event)
    return inner === this.inner ? this : limited(this.left, inner)
  }
}

/**
 * At most `count` operations.
 *
 *     limit(100, mix(reads, writes))
 */
export function limit(count: number, source: GeneratorSource): Generator {
  return limited(count, lift(source))
}

function limited(count: number, inner: Generator): Generator {
  return count <= 0 || inner === nothing ? nothing : new Limit(inner, count)
}

/**
 * One operation and no more.
 *
 *     once(mix(reads, writes))
 */
export function once(source: GeneratorSource): Generator {
  return limit(1, source)
}

class UntilOk implements Generator {
  readonly inner: Generator
  /** Threads that carry out an operation of ours. */
  readonly open: readonly Thread[]
  constructor(inner: Generator, open: readonly Thread[]) {
    this.inner = inner
    this.open = open
  }
  op(context: Context): Step {
    const step = this.inner.op(context)
    if (step === null) return null
    if (step.type === 'pending') return pending(new UntilOk(step.next, this.open), step.wakeAt, step.starved)
    return emit(step.op, new UntilOk(step.next, [...this.open, step.op.thread]))
  }
  update(context: Context, event: GeneratorEvent): Generator {
    const inner = this.inner.update(context, event)
    const ended = event.type !== 'invoke' && this.open.includes(event.thread)
    if (ended && event.type === 'ok') return nothing
    if (!ended && inner === this.inner) return this
    return new UntilOk(inner, ended ? this.open.filter(thread => thread !== event.thread) : this.open)
  }
}

/**
 * Goes on until one of its operations completes `ok`.
 *
 *     untilOk(repeat({ f: 'create-table' }))
 */
export function untilOk(source: GeneratorSource): Generator {
  return new UntilOk(lift(source), [])
}

/** What `filter` and `map` do to an operation: another one, or null to drop it. */
type Rewrite = (op: ReadyOp) => Op | null

/** How many operations may be dropped in a row before we say that none will ever pass. */
const DROPPED_MAX = 1_000_000

class Rewritten implements Generator {
  readonly inner: Generator
  readonly rewrite: Rewrite
  /** How the inner generator is told of an event. */
  readonly restore: (event: GeneratorEvent) => GeneratorEvent
  constructor(inner: Generator, rewrite: Rewrite, restore: (event: GeneratorEvent) => GeneratorEvent) {
    this.inner = inner
    this.rewrite = rewrite
    this.restore = restore
  }
  op(context: Context): Step {
    let { inner } = this
    for (let dropped = 0; dropped < DROPPED_MAX; dropped++) {
      const step = inner.op(context)
      if (step === null) return null
      if (step.type === 'pending') return pending(this.#with(step.next), step.wakeAt, step.starved)
      const op = this.rewrite(step.op)
      if (op !== null) return emit({ f: op.f, key: op.key, value: op.value, time: step.op.time, thread: step.op.thread }, this.#with(step.next))
      inner = step.next
    }
    throw new Error(`a filter dropped ${DROPPED_MAX} operations in a row`)
  }
  update(context: Context, event: GeneratorEvent): Generator {
    return this.#with(this.inner.update(context, this.restore(event)))
  }
  #with(inner: Generator): Generator {
    return inner === this.inner ? this : inner === nothing ? nothing : new Rewritten(inner, this.rewrite, this.restore)
  }
}

const unchanged = (event: GeneratorEvent): GeneratorEvent => event

/**
 * Only the operations that pass; the others are dropped.
 *
 *     filter(op => op.f === 'read', workload)
 */
export function filter(passes: (op: ReadyOp) => boolean, source: GeneratorSource): Generator {
  return new Rewritten(lift(source), op => (passes(op) ? op : null), unchanged)
}

/**
 * Every operation rewritten: its function, key and value. Time and thread stay.
 *
 *     map(op => ({ ...op, value: [op.value, 'n1'] }), workload)
 */
export function map(rewrite: (op: ReadyOp) => Op, source: GeneratorSource): Generator {
  return new Rewritten(lift(source), rewrite, unchanged)
}

/**
 * Functions renamed, in operations and (backwards) in the events that the inner generator is told of. Used to compose
 * generators of several nemeses that call their functions alike.
 *
 *     fMap({ start: 'start-partition', stop: 'stop-partition' }, flipFlop(starts, stops))
 */
export function fMap(names: Readonly<Record<string, string>>, source: GeneratorSource): Generator {
  const outward = new Map(Object.entries(names))
  const inward = new Map(Object.entries(names).map(([inner, outer]) => [outer, inner]))
  return new Rewritten(
    lift(source),
    op => ({ ...op, f: outward.get(op.f) ?? op.f }),
    event => (inward.has(event.f) ? { ...event, f: inward.get(event.f)! } : event),
  )
}
