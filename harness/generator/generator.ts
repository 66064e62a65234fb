/**
 * Generators: pure values that say what to do next. The idea and the combinators are Jepsen's
 * (jepsen.generator): a generator never waits and never acts; the interpreter asks it for an operation in a
 * given context and tells it of every event. Combinators therefore compose without deadlocks and can be tested
 * without a cluster.
 *
 * One thing differs from Jepsen: an operation is handed out only when its time has come, never ahead of it. Until
 * then the generator is `pending` and names the moment at which to ask again. Every operation that is handed out is
 * therefore carried out, none is thrown away and drawn anew, and the interpreter always goes on with the step's `next`.
 */
import type { Json } from '../../checker/history/index.ts'
import type { NodeId, Random } from '../env.ts'

/** A worker: a client thread 0, 1, ... or the nemesis. */
export type Thread = number | 'nemesis'

/** An operation to be carried out. */
export interface Op {
  readonly f: string
  readonly key?: Json
  readonly value?: Json
  /** Nanoseconds: not before this moment. Filled in with the context's time when absent. */
  readonly time?: number
  /** The thread that is to carry it out; any free one when absent. */
  readonly thread?: Thread
  /** The node that is to be asked; the thread's own when absent. */
  readonly node?: NodeId
}

/** An operation with nothing left open. */
export interface ReadyOp extends Op {
  /** The moment for which it was meant: the context's time, or earlier when it had to wait for a free thread. */
  readonly time: number
  readonly thread: Thread
}

/** What a generator may know when it is asked. Good for that one call only: the interpreter changes it afterwards. */
export interface Context {
  /** Nanoseconds. */
  readonly time: number
  /** Threads that this generator may use, clients in order, the nemesis last. The same array for the whole run. */
  readonly threads: readonly Thread[]
  /** Those of them that are not busy, in no particular order. */
  readonly free: readonly Thread[]
  readonly random: Random
}

/** An event that generators are told of. */
export interface GeneratorEvent {
  readonly type: 'invoke' | 'ok' | 'fail' | 'info'
  readonly thread: Thread
  readonly f: string
  readonly key?: Json
  readonly value?: Json
  readonly time: number
}

/** An operation, to be started now on a free thread, and the generator that follows it. */
export interface OpStep {
  readonly type: 'op'
  readonly op: ReadyOp
  readonly next: Generator
}

/** Nothing to do now: ask again after the next event, and at `wakeAt` at the latest. */
export interface PendingStep {
  readonly type: 'pending'
  readonly next: Generator
  /** Nanoseconds; Infinity when only an event can change the answer. */
  readonly wakeAt: number
  /** Whether there is something to do and only a thread is missing. Then the schedule of `stagger` and `delay` runs on. */
  readonly starved: boolean
}

/** What a generator answers: an operation, `pending`, or null (exhausted, for good). */
export type Step = OpStep | PendingStep | null

/** A pure generator. Neither method changes the generator; both return its successor. */
export interface Generator {
  op(context: Context): Step
  update(context: Context, event: GeneratorEvent): Generator
}

/** The step that hands out an operation. */
export function emit(op: ReadyOp, next: Generator): OpStep {
  return { type: 'op', op, next }
}

/** The step that hands out nothing for now. */
export function pending(next: Generator, wakeAt: number, starved: boolean): PendingStep {
  return { type: 'pending', next, wakeAt, starved }
}

/** Fills in what an operation leaves open; undefined when no suitable thread is free. */
export function bind(op: Op, context: Context): ReadyOp | undefined {
  const { free } = context
  let thread = op.thread
  if (thread === undefined) {
    if (free.length === 0) return undefined
    thread = free[free.length === 1 ? 0 : context.random.int(free.length)]!
  } else if (!free.includes(thread)) {
    if (!context.threads.includes(thread)) throw new Error(`the operation "${op.f}" asks for thread ${thread}, but its generator has only ${context.threads.join(', ')}`)
    return undefined
  }
  return { f: op.f, key: op.key, value: op.value, time: op.time ?? context.time, thread, ...(op.node === undefined ? {} : { node: op.node }) }
}
