/** The user asked for something that cannot be: one sentence says what, and what to do. Exit code 254. */
export class UsageError extends Error {
  readonly code = 'USAGE'
}
