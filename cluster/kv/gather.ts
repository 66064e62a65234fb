/**
 * What a coordinator asks several nodes for, and what comes of it.
 */
import type { NodeId } from '../../harness/env.ts'

/** What came of a request to several nodes. */
export interface Gathered<Reply> {
  /** Whether as many answered as were needed. */
  readonly complete: boolean
  readonly replies: readonly Reply[]
  /** Who answered, in the order of `replies`. */
  readonly from: readonly NodeId[]
  /** Why nodes refused, if any did. */
  readonly refusals: readonly string[]
  /** The view in which was asked is over: whom to ask is to be decided anew. */
  readonly outdated: boolean
}

/** Of those who are asked, the ones that are asked only when there is no end after so many milliseconds. */
export interface Reserve {
  readonly nodes: readonly NodeId[]
  readonly afterMs: number
}

/** Who is asked, and when enough of them have answered. */
export interface Quorum {
  readonly to: readonly NodeId[]
  /** How many answers end the wait. */
  readonly need: number
  /** Whether these, `need` of them at least, are the right ones; absent: any are. */
  readonly enough?: ((from: readonly NodeId[]) => boolean) | undefined
}

/** What a coordinator asks for. */
export interface Gather<Request> extends Quorum {
  readonly request: Request
  readonly reserve?: Reserve | undefined
  /** How many deadlines long it lasts at most. Default 1. */
  readonly deadlines?: number
}
