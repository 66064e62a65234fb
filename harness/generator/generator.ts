/**
 * Generators: pure values that say what to do next. The idea and the combinators are Jepsen's
 * (jepsen.generator): a generator never waits and never acts; the interpreter asks it for an operation in a
 * given context and tells it of every event. Combinators therefore compose without deadlocks and can be tested
 * without a cluster.
 */
import type { Json } from '../../checker/history/index.ts'
import type { Random } from '../env.ts'

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
}

/** An operation with nothing left open. */
export interface ReadyOp extends Op {
  readonly time: number
  readonly thread: Thread
}

/** What a generator may know when it is asked. */
export interface Context {
  /** Nanoseconds. */
  readonly time: number
  /** Threads that this generator may use, in order. */
  readonly threads: readonly Thread[]
  /** Those of them that are not busy. */
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

/** An operation and the generator that follows it; `pending` (not now: ask again after the next event, or at `wakeAt`); or null (exhausted). */
export type Step =
  | { readonly type: 'op'; readonly op: ReadyOp; readonly next: Generator }
  | { readonly type: 'pending'; readonly next: Generator; readonly wakeAt?: number }
  | null

/** A pure generator. Neither method changes the generator; both return its successor. */
export interface Generator {
  op(context: Context): Step
  update(context: Context, event: GeneratorEvent): Generator
}
