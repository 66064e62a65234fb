/**
 * Failure detectors: from when a node was heard of to whether it is believed to be down. A suspicion is an opinion, no
 * more; wrong ones cost detours, not correctness (Chandra and Toueg, JACM 43(2), 1996: unreliable failure detectors).
 */
import type { NodeId } from '../../../harness/env.ts'

/** Watches nodes. Times are nanoseconds of one monotonic clock. */
export interface Detector {
  /** This node was just heard of, or is expected to be from now on. */
  heard(node: NodeId, now: number): void
  /** Whether it is believed to be down. A node that was never heard of, nor expected, is not. */
  suspects(node: NodeId, now: number): boolean
  forget(node: NodeId): void
}

/** How heartbeats travel (`liveness.ts`). */
export const heartbeatNames = ['direct', 'gossip'] as const

/** The detectors by name. */
export const detectorNames = ['timeout', 'accrual'] as const

/** Whoever was not heard of for `failAfterMs` (T_fail) is down. */
export function timeoutDetector({ failAfterMs }: { readonly failAfterMs: number }): Detector {
  const last = new Map<NodeId, number>()
  return {
    heard: (node, now) => void last.set(node, now),
    suspects: (node, now) => now - (last.get(node) ?? now) > failAfterMs * 1e6,
    forget: node => void last.delete(node),
  }
}

/** Intervals that the estimate is made from. */
const SAMPLES_MAX = 200
/** Heartbeats that come like clockwork must not make the next late one an event: the deviation is this share of the mean at least. */
const DEVIATION_SHARE_MIN = 0.25

/** An interval counts as this share of the mean so far at most. */
const INTERVAL_SHARE_MAX = 2

/** What is known of one node's heartbeats. */
interface Arrivals {
  last: number
  readonly intervalsMs: number[]
  sum: number
  sumOfSquares: number
}

/** What the accrual detector works with. */
export interface AccrualOptions {
  /** What an interval is taken for as long as none was seen. */
  readonly intervalMs: number
  /** A node is down when the chance that its heartbeat still comes is below 10^-threshold. */
  readonly threshold: number
}

/**
 * The phi accrual detector (Hayashibara, Defago, Yared and Katayama, SRDS 2004): how unlikely is it, after the intervals
 * between heartbeats so far, that the next one is only late? It adapts to slow and jittery networks by itself.
 */
export function accrualDetector({ intervalMs, threshold }: AccrualOptions): Detector {
  const arrivals = new Map<NodeId, Arrivals>()
  return {
    heard: (node, now) => {
      const known = arrivals.get(node)
      if (known === undefined) {
        arrivals.set(node, { last: now, intervalsMs: [intervalMs], sum: intervalMs, sumOfSquares: intervalMs ** 2 })
        return
      }
      // The silence of a node that was down says little of how it talks.
      add(known, Math.min((now - known.last) / 1e6, (INTERVAL_SHARE_MAX * known.sum) / known.intervalsMs.length))
      known.last = now
    },
    suspects: (node, now) => {
      const known = arrivals.get(node)
      return known !== undefined && phiOf(known, now) >= threshold
    },
    forget: node => void arrivals.delete(node),
  }
}

function add(arrivals: Arrivals, intervalMs: number): void {
  arrivals.intervalsMs.push(intervalMs)
  arrivals.sum += intervalMs
  arrivals.sumOfSquares += intervalMs ** 2
  if (arrivals.intervalsMs.length <= SAMPLES_MAX) return
  const oldest = arrivals.intervalsMs.shift()!
  arrivals.sum -= oldest
  arrivals.sumOfSquares -= oldest ** 2
}

/** -log10 of the chance that a heartbeat comes later than this, if intervals are normally distributed. */
function phiOf({ last, intervalsMs, sum, sumOfSquares }: Arrivals, now: number): number {
  const count = intervalsMs.length
  const mean = sum / count
  const deviation = Math.max(Math.sqrt(Math.max(0, sumOfSquares / count - mean ** 2)), mean * DEVIATION_SHARE_MIN)
  const y = ((now - last) / 1e6 - mean) / deviation
  // The normal distribution's tail by the logistic approximation of Page (Applied Statistics 26, 1977).
  const exponent = y * (1.5976 + 0.070566 * y * y)
  return Math.log10(1 + Math.exp(Math.min(exponent, 700)))
}
