/**
 * How sure one can be of a share after so many tries: Wilson's score interval ("Probable Inference, the Law of
 * Succession, and Statistical Inference", JASA 22, 1927), which behaves near 0 and 1, where failures of a good store live.
 */

/** Both ends of an interval, in 0..1. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** The interval for k of n at a confidence in 0..1 (exclusive); all of [0, 1] when nothing was tried. */
export function wilson(k: number, n: number, confidence = 0.95): Interval {
  if (n === 0) return { low: 0, high: 1 }
  const z = normalQuantile((1 + confidence) / 2)
  const share = k / n
  const centre = share + (z * z) / (2 * n)
  const spread = z * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n))
  const scale = 1 + (z * z) / n
  return { low: k === 0 ? 0 : Math.max(0, (centre - spread) / scale), high: k === n ? 1 : Math.min(1, (centre + spread) / scale) }
}

/** Coefficients of Acklam's rational approximation: numerator and denominator near the middle, and in the tail. */
const MIDDLE = [[-3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1, 2.506628277459239], [-5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1, 1]] as const
const TAIL = [[-7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783], [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1]] as const
/** Where the tail begins. */
const TAIL_P = 0.97575

const polynomial = (coefficients: readonly number[], x: number): number => coefficients.reduce((sum, one) => sum * x + one, 0)

/**
 * The point below which a standard normal variable stays with probability p, for p in [0.5, 1): P. J. Acklam, "An
 * algorithm for computing the inverse normal cumulative distribution function", 2003; its relative error is below 1.2e-9.
 */
function normalQuantile(p: number): number {
  if (p <= TAIL_P) {
    const q = p - 0.5
    return (q * polynomial(MIDDLE[0], q * q)) / polynomial(MIDDLE[1], q * q)
  }
  const q = Math.sqrt(-2 * Math.log(1 - p))
  return -polynomial(TAIL[0], q) / polynomial(TAIL[1], q)
}
