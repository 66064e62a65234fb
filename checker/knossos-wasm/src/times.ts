/**
 * Times as readers find them. Three dialects: nanoseconds since the run began (fit a double), nanoseconds since
 * 1970 (exceed 2^53, so a double would merge and reorder neighbours: they are read as exact integers and counted
 * from the first), and none at all (then the order of the lines is all that is known, and the row is the time).
 */
import { HistoryError } from './history.ts'

const EXACT = Number.MAX_SAFE_INTEGER
const LONG = /^-?\d{16,}$/

export interface TimeReader {
  /** One event's time, given its value (when it exceeds 2^53, a bigint or its digits). */
  read(value: unknown, row: number): number
  /** Whether times are numbers that fit, so that they may be taken as they are. */
  plain(): boolean
}

/** A reader for the times of one history. */
export function timeReader(): TimeReader {
  let absent: boolean | undefined
  let epoch: bigint | undefined
  const read = (value: unknown, row: number): number => {
    const missing = value === undefined || value === null
    absent ??= missing
    if (missing !== absent) throw new HistoryError('BAD_TIME', row, missing ? 'time is missing here but given earlier; give it on every line or on none' : 'time is given here but missing earlier; give it on every line or on none')
    if (missing) return row
    const exact = typeof value === 'string' && LONG.test(value) ? BigInt(value) : value
    if (typeof exact === 'bigint') {
      epoch ??= exact
      return Number(exact - epoch)
    }
    if (typeof value !== 'number' || !Number.isFinite(value)) throw new HistoryError('BAD_TIME', row, `time is ${JSON.stringify(value)}; expected nanoseconds as a number`)
    if (Math.abs(value) <= EXACT) return epoch === undefined ? value : Number(BigInt(Math.trunc(value)) - epoch)
    throw new HistoryError('BAD_TIME', row, `time ${value} exceeds 2^53 and is not a whole number of nanoseconds`)
  }
  return { read, plain: () => absent === false && epoch === undefined }
}
