/**
 * A campaign in numbers: the matrix of configurations and faults, findings grouped by what they look like, runs of
 * which nothing is known, and the slowest. The campaign store computes it; everything that is shown of a campaign is
 * drawn from it.
 */
import type { VerdictWord } from '../../checker/verdict.ts'
import type { Interval } from '../wilson.ts'
import type { Result } from './results.ts'

/** How far one configuration under one nemesis has come: numbers of runs. */
export interface CellCounts {
  readonly configuration: string
  readonly nemesis: string
  /** Runs with a verdict: holds or violated. */
  readonly decided: number
  readonly violated: number
  readonly unknown: number
  /** Runs that were handed out and have not ended. */
  readonly pending: number
  /** Whether it ended because enough was known of it. */
  readonly stopped: boolean
  /** Why no machine can run it; null where that is not so. */
  readonly impossible: string | null
}

/** One configuration under one nemesis. */
export interface CellSummary extends CellCounts {
  /** Of violated / decided. */
  readonly interval: Interval
  /** The failing run with the smallest witness. */
  readonly smallest: Result | null
}

/** Violations that look alike. */
export interface FindingSummary {
  readonly fingerprint: string
  readonly judgement: string
  readonly runs: number
  /** Runs with a verdict of the cells in which it was seen. */
  readonly of: number
  /** In how many runs of which cell it was seen. */
  readonly cells: readonly { readonly cell: string; readonly runs: number }[]
  /** Fewer than one in twenty. */
  readonly rare: boolean
  readonly smallest: Result
  readonly explanation: string
}

/** Runs of which nothing is known, by reason. */
export interface UnknownSummary {
  readonly reason: string
  readonly runs: number
  readonly cells: readonly string[]
  readonly example: Result
}

/** The whole campaign. */
export interface CampaignSummary {
  readonly configurations: readonly string[]
  readonly nemeses: readonly string[]
  readonly cells: readonly CellSummary[]
  readonly findings: readonly FindingSummary[]
  readonly unknowns: readonly UnknownSummary[]
  readonly slowest: readonly Result[]
  readonly runs: number
  readonly violated: number
  readonly unknown: number
  /** Machine time of all runs. */
  readonly elapsed_ms: number
}

/** A finding in fewer runs than this share is rare. */
export const RARE = 0.05

/** The name of a cell. */
export const cellName = ({ configuration, nemesis }: { readonly configuration: string; readonly nemesis: string }): string => `${configuration} · ${nemesis}`

/** What is known of a cell: violated by one run that was, unknown when a run came to nothing or none has ended. */
export function verdictOf({ violated, decided, unknown }: Pick<CellCounts, 'violated' | 'decided' | 'unknown'>): VerdictWord {
  if (violated > 0) return 'violated'
  return unknown > 0 || decided === 0 ? 'unknown' : 'holds'
}
