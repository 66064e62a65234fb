/** What a runner is told, and what it tells: the messages between a worker and the processes that carry out its runs. */
import type { RunRecord } from '../../reports/campaign/results.ts'
import type { Plan } from '../plan.ts'

/** How long a run that was told to stop may take to heal, to wait for its clients and to tear down. */
export const STOP_MS = 30_000

/** One run to carry out. */
export interface Task {
  readonly configuration: string
  readonly nemesis: string
  readonly seed: number
  /** The words of `splitbrain run`. */
  readonly words: readonly string[]
  /** The command that makes this run again. */
  readonly repeat: string
  /** The run's folder; it exists and is empty. */
  readonly dir: string
}

/** A file of the run's folder that is worth keeping, compressed beside it. */
export interface KeptFile {
  readonly name: string
  readonly sha256: string
  readonly bytes: number
  /** Absolute path of the compressed file. */
  readonly compressed: string
  readonly stored_bytes: number
}

/** What came of it. */
export type Outcome =
  | { readonly type: 'done'; readonly record: RunRecord; readonly plan: Plan | null; readonly files: readonly KeptFile[] }
  /** It could not be carried out: not the store's fault as far as anybody knows. */
  | { readonly type: 'failed'; readonly message: string; readonly elapsedMs: number; readonly plan: Plan | null }
  /** It was stopped and says nothing. */
  | { readonly type: 'stopped' }

/** To a runner. */
export type ToRunner = { readonly type: 'task'; readonly task: Task } | { readonly type: 'stop' }
