/**
 * The seam between a history and a judgement of it. One file per judgement in this folder.
 */
import type { Event, History, Json } from './history/index.ts'
import type { FaultWindow, JudgementVerdict, Model } from './verdict.ts'

/** What a judgement may know beside the history. */
export interface JudgeContext {
  readonly faults: readonly FaultWindow[]
  /** Give up and say unknown after this long. */
  readonly timeLimitMs: number
  readonly memoryLimitMb: number
  /** Milliseconds that passed since some fixed point, on the machine's clock; a constant where nothing is to be limited. */
  readonly elapsedMs: () => number
  readonly onProgress?: (fraction: number) => void
  /** What a register holds before anyone writes to it; null when absent. (Knossos's own tests start from 0.) */
  readonly initial?: Json
  /** What a read of null means: the initial value (the default), or nothing at all (Knossos's reading). */
  readonly nilReads?: 'initial' | 'unknown'
  /** Fewer successful operations than this prove nothing. Default 1. */
  readonly okMin?: number
}

/** A judgement of a history that is still being made. */
export interface Watch {
  /** One event, in order of time. Returns why the history is violated, at the first event that proves it. */
  push(event: Event): string | undefined
  /** Why the rest cannot be judged event by event; undefined while it can. */
  readonly leaves: string | undefined
}

/** One judgement. `judge` may be asynchronous (the engine may work in other threads). */
export interface Judgement {
  readonly name: string
  /** One sentence: what it decides and how. */
  readonly describes: string
  /** Its verdict counts for the promise, beside the promised rung: what a system promises of the workload's own object. */
  readonly binding?: boolean
  /** Whether it judges the state at rest, when everything had time to arrive: a run that was cut short cannot violate it. */
  readonly atRest?: boolean
  /** For judgements that can tell while the run goes on: which rung they are about, and how to begin. */
  readonly watch?: { readonly model: Model; start(): Watch }
  judge(history: History, context: JudgeContext): Promise<JudgementVerdict> | JudgementVerdict
}
