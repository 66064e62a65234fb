/** Jepsen's exit codes: of verdicts, of bad usage, and of a harness that failed. */
export const exitCodes = { holds: 0, violated: 1, unknown: 2, usage: 254, crash: 255 } as const
