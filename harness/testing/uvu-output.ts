/**
 * What a uvu test file says about itself. uvu's exit code alone cannot be trusted: a throwing `before` hook, a thrown
 * string, a missing `test.run()` all end with 0, but the closing lines give them away.
 */

/** The closing lines of a uvu run, summed when a file has several. */
export interface Closing {
  readonly total: number
  readonly passed: number
  readonly skipped: number
}

const closingLines = /^ {2}Total: {5}(\d+)\n {2}Passed: {4}(\d+)\n {2}Skipped: {3}(\d+)\n {2}Duration: /gm

/** The closing lines in `output`; undefined when there are none. */
export function parseClosing(output: string): Closing | undefined {
  let closing: Closing | undefined
  for (const [, total, passed, skipped] of output.matchAll(closingLines)) {
    closing = {
      total: (closing?.total ?? 0) + Number(total),
      passed: (closing?.passed ?? 0) + Number(passed),
      skipped: (closing?.skipped ?? 0) + Number(skipped),
    }
  }
  return closing
}

/** The reasons of all lines `skip: REASON` (or `skipped: REASON`). A suite's name and uvu's progress dots may stand before one. */
export function skipReasons(output: string): string[] {
  return [...output.matchAll(/^(?:.*[•✘] +)?skip(?:ped)?: (.+)$/gm)].map((match) => match[1]!.trim())
}

/** Messages of errors that nobody caught, as preload.mjs reports them. */
export function uncaughtErrors(output: string): string[] {
  return [...output.matchAll(/^(?:.*[•✘] +)?uncaught: (.*)$/gm)].map((match) => match[1]!)
}
