/** The session guarantees by name, and what it is to break one. The definitions stand in `visibility.ts`. */

/** The four session guarantees, in the order in which they are tried. */
export const guarantees = ['read-your-writes', 'monotonic-reads', 'monotonic-writes', 'writes-follow-reads'] as const
export type Guarantee = (typeof guarantees)[number]

/** One way in which one session cannot be explained. */
export interface Breach {
  /** `every`: a read that nothing explains, whatever the guarantees. */
  readonly breaks: Guarantee | 'every'
  readonly session: number
  readonly key: number
  /** Operations (numbers in Registers) that break it by themselves, in order of invocation. */
  readonly operations: readonly number[]
  readonly explanation: string
}
