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

/**
 * The point below which a standard normal variable stays with probability p, for p in [0.5, 1): Hastings' approximation
 * (Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.2.23), off by less than 0.00045.
 */
function normalQuantile(p: number): number {
  const t = Math.sqrt(-2 * Math.log(1 - p))
  return t - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t)
}
