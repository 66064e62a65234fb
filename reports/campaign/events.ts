/**
 * What a campaign tells while it goes on, as `events.ts` above does for a run. Members are named as in JSON.
 */
import type { CampaignComparison } from './compare.ts'
import type { Result } from './results.ts'
import type { CampaignSummary, CellCounts } from './summary.ts'

/** One step of a campaign. */
export type CampaignEvent =
  /** A run of a cell ended, the `done`th of `total`; a budget has no total. */
  | { readonly type: 'result'; readonly done: number; readonly total: number | null; readonly result: Result }
  | CampaignProgress
  /** Something a person should know that does not end the campaign. */
  | { readonly type: 'warning'; readonly message: string }
  | CampaignEnd

/** How far it is, told now and then. */
export interface CampaignProgress {
  readonly type: 'progress'
  /** All of them, in the order of the matrix. */
  readonly cells: readonly CellCounts[]
  /** Runs that ended. */
  readonly done: number
  /** Runs that will be made at most; null where a budget decides. */
  readonly total: number | null
  /** Workers that take part now. */
  readonly workers: number
  /** What nothing goes on without, in words ("the database does not answer"); null while it goes on. */
  readonly waiting: string | null
}

/** Everything is over. */
export interface CampaignEnd {
  readonly type: 'end'
  readonly name: string
  /** ISO 8601. */
  readonly started: string
  readonly summary: CampaignSummary
  /** Against the baseline, where one was named. */
  readonly comparison: CampaignComparison | null
  /** Why it ended early and how to go on; null when it did not. */
  readonly cut: string | null
  readonly report: string
  readonly repeat: string
}

/** A consumer of a campaign's events. */
export interface CampaignReporter {
  on(event: CampaignEvent): void
}
