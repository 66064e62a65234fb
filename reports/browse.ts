/**
 * What `splitbrain serve` tells its page: the runs that there are, and the one that goes on. Names as in JSON.
 */
import type { VerdictWord } from '../checker/verdict.ts'

/** One row of the list: a run, one configuration of a tour, or a campaign. */
export interface CatalogEntry {
  readonly kind: 'run' | 'tour' | 'campaign'
  /** Its folder below `runs/`: "tour/20261120T225959.123Z/abd". */
  readonly path: string
  /** The report, as a path below `runs/`; null when it was not written. */
  readonly report: string | null
  readonly state: VerdictWord | 'running' | 'cut short'
  /** ISO 8601. */
  readonly started: string
  readonly configuration: string
  readonly workload: string
  readonly driver: string
  readonly seed: number | null
  readonly faults: readonly string[]
  readonly operations: number | null
  readonly strongest: string | null
  readonly majority: number | null
  readonly minority: number | null
  readonly p99_ms: number | null
  readonly lost: number | null
  readonly sentence: string
}

/** The run that goes on now. */
export interface LiveView {
  readonly path: string
  readonly configuration: string
  readonly time_s: number
  /** How long clients work. */
  readonly of_s: number
  readonly operations: { readonly invoked: number; readonly ok: number; readonly fail: number; readonly info: number }
  /** Completions per second, the last whole second of the history. */
  readonly rate: number
  /** Completions of the last 60 seconds, oldest first. */
  readonly seconds: readonly { readonly ok: number; readonly fail: number; readonly info: number }[]
  /** Faults that bite now. */
  readonly faults: readonly string[]
  /** What is refuted so far, of the history up to `judged` operations; a prefix that is broken stays broken. */
  readonly refuted: readonly { readonly judgement: string; readonly promised: boolean; readonly explanation: string }[]
  readonly judged: number
}
