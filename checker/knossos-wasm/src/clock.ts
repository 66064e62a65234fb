/** The one place where this package looks at a clock, for callers that hand none in. */
export function systemElapsedMs(): number {
  return performance.now()
}
