/**
 * How sure one can be of a share after so many tries: Wilson's score interval ("Probable Inference, the Law of
 * Succession, and Statistical Inference", JASA 22, 1927), which behaves near 0 and 1, where failures of a good store live.
 */

/** Both ends of the 95 % interval, in 0..1. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** The normal quantile of a two-sided 95 % interval. */
const Z = 1.959964

/** The interval for k of n; all of [0, 1] when nothing was tried. */
export function wilson(k: number, n: number): Interval {
  if (n === 0) return { low: 0, high: 1 }
  const share = k / n
  const centre = share + (Z * Z) / (2 * n)
  const spread = Z * Math.sqrt((share * (1 - share)) / n + (Z * Z) / (4 * n * n))
  const scale = 1 + (Z * Z) / n
  return { low: k === 0 ? 0 : Math.max(0, (centre - spread) / scale), high: k === n ? 1 : Math.min(1, (centre + spread) / scale) }
}
