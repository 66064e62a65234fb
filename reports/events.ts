/**
 * What a run tells while it goes on. The run's lifecycle emits these; the terminal, the live view and the
 * JSON stream are consumers of the same events, as Playwright's and Vitest's reporters are.
 *
 * Members are named as in JSON (units last), because the JSON stream writes them as they are.
 */
import type { VerdictDocument } from '../checker/verdict.ts'

/** One step of a run. `run` is the configuration's name, unique within the invocation. */
export type RunEvent =
  /** A configuration that will run, announced before anything happens so that its line has a place. */
  | { readonly type: 'announce'; readonly run: string; readonly describes: string }
  /** A phase began: "start", "drive", "heal", "quiesce", "final reads", "stop", "judge", "report". */
  | { readonly type: 'phase'; readonly run: string; readonly phase: string; readonly left_ms: number | null }
  /** How far it is. `operations` completed so far, `rate` per second now; `fault` is the one that bites now. */
  | { readonly type: 'progress'; readonly run: string; readonly operations: number; readonly rate: number; readonly left_ms: number | null; readonly fault: string | null }
  /** A phase that consists of steps began one of them: `done` of `total` are over. `left_ms` is an estimate from those. */
  | { readonly type: 'step'; readonly run: string; readonly what: string; readonly done: number; readonly total: number; readonly left_ms: number | null }
  /** A fault was injected or healed, and whether that was observed. */
  | { readonly type: 'fault'; readonly run: string; readonly fault: string; readonly action: 'inject' | 'heal'; readonly seen: boolean; readonly evidence: string; readonly time_ns: number }
  /** Something a person should know that does not end the run. */
  | { readonly type: 'warning'; readonly run: string; readonly message: string }
  /** The run was judged. */
  | { readonly type: 'verdict'; readonly run: string; readonly document: VerdictDocument }
  /** The run could not be carried out or judged: the harness failed, not the store. */
  | { readonly type: 'crash'; readonly run: string; readonly message: string }
  /** Everything is over. */
  | { readonly type: 'end'; readonly report: string | null; readonly repeat: string; readonly elapsed_ms: number }

/** A consumer of events. */
export interface Reporter {
  on(event: RunEvent): void
}
