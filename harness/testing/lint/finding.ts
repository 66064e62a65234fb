/** What every check of the lint returns. */

/** One thing that is wrong, where, and why it matters. */
export interface Finding {
  /** Relative to the root. */
  readonly file: string
  readonly line: number
  readonly rule: string
  readonly message: string
}
