/**
 * Generators and time: rates, pauses, time limits, and phases that wait for each other. After jepsen.generator.
 *
 * `stagger` and `delay` keep to a schedule of their own and do not slow down with the store: an operation that finds
 * no free thread is handed out late but keeps the time for which it was meant, and latency counts from there. That is
 * an open loop, without coordinated omission. Without them threads go on as answers come: a closed loop.
 */
import { concat, lift, nothing, type GeneratorSource } from './basic.ts'
import { emit, pending, type Context, type Generator, type GeneratorEvent, type ReadyOp, type Step } from './generator.ts'

const NANOSECONDS_PER_MS = 1e6

/** The gap to the next operation in nanoseconds. */
type Gap = (context: Context) => number

class Paced implements Generator {
  readonly inner: Generator
  readonly gap: Gap
  /** When the next operation is due; undefined: whenever the inner generator has one. */
  readonly due: number | undefined
  constructor(inner: Generator, gap: Gap, due: number | undefined) {
    this.inner = inner
    this.gap = gap
    this.due = due
  }
  op(context: Context): Step {
    const { due } = this
    if (due !== undefined && context.time < due) return pending(this, due, false)
    const step = this.inner.op(context)
    if (step === null) return null
    if (step.type === 'pending') {
      // A store that is slow does not stop the schedule; an inner generator with nothing to do does.
      return pending(this.#with(step.next, step.starved ? (due ?? context.time) : undefined), step.wakeAt, step.starved)
    }
    const time = meant(step.op, due, context.time)
    return emit({ ...step.op, time }, this.#with(step.next, time + this.gap(context)))
  }
  update(context: Context, event: GeneratorEvent): Generator {
    return this.#with(this.inner.update(context, event), this.due)
  }
  #with(inner: Generator, due: number | undefined): Generator {
    if (inner === nothing) return nothing
    return inner === this.inner && due === this.due ? this : new Paced(inner, this.gap, due)
  }
}

/** When an operation was meant to start: when it was due here, unless the inner generator says a later moment. */
function meant(op: ReadyOp, due: number | undefined, now: number): number {
  if (due === undefined) return op.time
  return op.time < now ? Math.max(op.time, due) : due
}

/**
 * Operations at random intervals, uniform between 0 and twice `intervalMs`: on average one every `intervalMs` over all
 * threads together.
 *
 *     stagger(1000 / rate, mix(reads, writes))
 */
export function stagger(intervalMs: number, source: GeneratorSource): Generator {
  const widest = 2 * intervalMs * NANOSECONDS_PER_MS
  return new Paced(lift(source), ({ random }) => Math.floor(random.float() * widest), undefined)
}

/**
 * Operations exactly `intervalMs` apart.
 *
 *     delay(10_000, cycle([{ f: 'start' }, { f: 'stop' }]))
 */
export function delay(intervalMs: number, source: GeneratorSource): Generator {
  const gap = Math.round(intervalMs * NANOSECONDS_PER_MS)
  return new Paced(lift(source), () => gap, undefined)
}

class Sleep implements Generator {
  readonly duration: number
  readonly until: number | undefined
  constructor(duration: number, until: number | undefined) {
    this.duration = duration
    this.until = until
  }
  op({ time }: Context): Step {
    const until = this.until ?? time + this.duration
    if (time >= until) return null
    return pending(this.until === until ? this : new Sleep(this.duration, until), until, false)
  }
  update(): Generator {
    return this
  }
}

/**
 * Nothing for this long, counted from the moment at which it is first asked.
 *
 *     concat(sleep(5000), { f: 'start' })
 */
export function sleep(durationMs: number): Generator {
  return new Sleep(Math.round(durationMs * NANOSECONDS_PER_MS), undefined)
}

class TimeLimit implements Generator {
  readonly inner: Generator
  readonly duration: number
  readonly cutoff: number | undefined
  constructor(inner: Generator, duration: number, cutoff: number | undefined) {
    this.inner = inner
    this.duration = duration
    this.cutoff = cutoff
  }
  op(context: Context): Step {
    const cutoff = this.cutoff ?? context.time + this.duration
    if (context.time >= cutoff) return null
    const step = this.inner.op(context)
    if (step === null) return null
    const next = this.#with(step.next, cutoff)
    return step.type === 'op' ? emit(step.op, next) : pending(next, Math.min(step.wakeAt, cutoff), step.starved)
  }
  update(context: Context, event: GeneratorEvent): Generator {
    return this.#with(this.inner.update(context, event), this.cutoff)
  }
  #with(inner: Generator, cutoff: number | undefined): Generator {
    if (inner === nothing) return nothing
    return inner === this.inner && cutoff === this.cutoff ? this : new TimeLimit(inner, this.duration, cutoff)
  }
}

/**
 * Ends `durationMs` after it is first asked: no operation starts from then on. Open ones may still complete.
 *
 *     timeLimit(30_000, mix(reads, writes))
 */
export function timeLimit(durationMs: number, source: GeneratorSource): Generator {
  return new TimeLimit(lift(source), Math.round(durationMs * NANOSECONDS_PER_MS), undefined)
}

class Synchronize implements Generator {
  readonly inner: Generator
  constructor(inner: Generator) {
    this.inner = inner
  }
  op(context: Context): Step {
    return context.free.length === context.threads.length ? this.inner.op(context) : pending(this, Infinity, false)
  }
  update(context: Context, event: GeneratorEvent): Generator {
    const inner = this.inner.update(context, event)
    return inner === this.inner ? this : new Synchronize(inner)
  }
}

/**
 * Waits until all threads are free, then goes on as its inner generator.
 *
 *     concat(writes, synchronize(reads))
 */
export function synchronize(source: GeneratorSource): Generator {
  return new Synchronize(lift(source))
}

/**
 * One generator after the other; each begins when every operation of the one before has completed.
 *
 *     phases(timeLimit(30_000, work), log('healing'), nemesis({ f: 'heal' }), sleep(5000), finalReads)
 */
export function phases(...sources: readonly GeneratorSource[]): Generator {
  return concat(...sources.map(synchronize))
}

/**
 * First this, then, when all its operations have completed, that. (Not called `then`: a module that exports a function
 * of this name cannot be imported dynamically, because `await` takes it for a promise.)
 *
 *     andThen(timeLimit(30_000, work), eachThread({ f: 'read' }))
 */
export function andThen(first: GeneratorSource, second: GeneratorSource): Generator {
  return concat(first, synchronize(second))
}
