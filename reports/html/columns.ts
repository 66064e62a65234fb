/**
 * The operations of a run as compact columns, for the timeline: how they stand in the page.
 *
 * A million operations as JSON are 90 MB. As columns of fixed width with times and rows as differences, the bytes
 * of each column regrouped by significance (byte shuffle, as in Blosc) and gzipped they are a few. This file runs
 * both where the page is written and in the page; compression itself is each side's own.
 */

/** Columns of operations in order of invocation. Times in units of the header's `unit_us` since the start of the run. */
export interface OperationColumns {
  readonly length: number
  readonly start: Float64Array
  /** `open` where the operation never completed. */
  readonly duration: Uint32Array
  readonly process: Int32Array
  /** Function index * 4 + outcome. */
  readonly kind: Uint8Array
  /** As codes in a history: integers stand for themselves, -1 is nil, -2 - i is row i of the text table. */
  readonly key: Int32Array
  readonly value: Int32Array
  /** Row of the invocation in history.jsonl. */
  readonly row: Uint32Array
  /** Index into the list of nodes + 1; 0 unknown. */
  readonly node: Uint8Array
}

/** The duration of an operation that never completed. */
export const open = 0xffffffff

/** Outcomes in `kind`. */
export const outcomes = ['ok', 'fail', 'info'] as const

/** What the page needs beside the columns. */
export interface TimelineHeader {
  /** Operations embedded. */
  readonly length: number
  /** Operations in the history. */
  readonly total: number
  readonly span_s: number
  /** Microseconds per unit of time in the columns: 1 for runs of up to an hour. */
  readonly unit_us: number
  /** Where not all are embedded: seconds before and after each moment that are embedded in full. */
  readonly half_s: number | null
  readonly functions: readonly string[]
  readonly nodes: readonly string[]
  /** Texts of keys and values that are not small integers. */
  readonly texts: readonly string[]
  /** A process p stands in lane p mod `threads`; null: every process has its own lane. */
  readonly threads: number | null
  readonly lanes: readonly Lane[]
  readonly moments: readonly Moment[]
  /** Completions over the whole run by outcome, in equal slices, for the overview. */
  readonly density: { readonly ok: readonly number[]; readonly fail: readonly number[]; readonly info: readonly number[] }
}

/** One row of the timeline. */
export interface Lane {
  readonly id: number
  readonly name: string
}

/** Somewhere worth looking at. */
export interface Moment {
  readonly label: string
  readonly kind: 'anomaly' | 'fault'
  /** What found the anomaly; empty for a fault. */
  readonly judgement: string
  /** Which witness of that judgement, from 0; -1 for a fault. */
  readonly witness: number
  readonly from_s: number
  readonly to_s: number
  /** Rows of history.jsonl (invocations), the first of them where there are very many; always embedded. */
  readonly rows: readonly number[]
}

const bytesPerOperation = 4 + 4 + 4 + 1 + 4 + 4 + 4 + 1

/** Regroups the bytes of 32-bit numbers: all lowest bytes first. */
function shuffleInto(target: Uint8Array, at: number, numbers: Uint32Array | Int32Array): number {
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)
  const count = numbers.length
  for (let plane = 0; plane < 4; plane++) for (let index = 0; index < count; index++) target[at + plane * count + index] = bytes[index * 4 + plane]!
  return at + count * 4
}

function unshuffle(source: Uint8Array, at: number, count: number): Uint32Array {
  const numbers = new Uint32Array(count)
  const bytes = new Uint8Array(numbers.buffer)
  for (let plane = 0; plane < 4; plane++) for (let index = 0; index < count; index++) bytes[index * 4 + plane] = source[at + plane * count + index]!
  return numbers
}

function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0
}

function unzigzag(value: number): number {
  return (value >>> 1) ^ -(value & 1)
}

/** The columns as bytes, ready to be compressed. */
export function encodeColumns(columns: OperationColumns): Uint8Array {
  const { length } = columns
  const bytes = new Uint8Array(length * bytesPerOperation)
  const starts = new Uint32Array(length)
  const rows = new Uint32Array(length)
  const values = new Uint32Array(length)
  let newest = 0
  for (let index = 0; index < length; index++) {
    starts[index] = index === 0 ? columns.start[0]! : columns.start[index]! - columns.start[index - 1]!
    rows[index] = index === 0 ? columns.row[0]! : columns.row[index]! - columns.row[index - 1]!
    values[index] = zigzag((columns.value[index]! - newest) | 0)
    if (columns.value[index]! > newest) newest = columns.value[index]!
  }
  let at = shuffleInto(bytes, 0, starts)
  at = shuffleInto(bytes, at, columns.duration)
  at = shuffleInto(bytes, at, columns.process)
  at = shuffleInto(bytes, at, columns.key)
  at = shuffleInto(bytes, at, values)
  at = shuffleInto(bytes, at, rows)
  bytes.set(columns.kind, at)
  bytes.set(columns.node, at + length)
  return bytes
}

/** The inverse of `encodeColumns`. */
export function decodeColumns(bytes: Uint8Array, length: number): OperationColumns {
  if (bytes.length !== length * bytesPerOperation) throw new RangeError(`${length} operations take ${length * bytesPerOperation} bytes, not ${bytes.length}`)
  const column = (index: number) => unshuffle(bytes, index * 4 * length, length)
  const start = Float64Array.from(column(0))
  const row = column(5)
  const value = new Int32Array(column(4).buffer)
  let newest = 0
  for (let index = 0; index < length; index++) {
    if (index > 0) {
      start[index]! += start[index - 1]!
      row[index]! += row[index - 1]!
    }
    value[index] = (unzigzag(value[index]! >>> 0) + newest) | 0
    if (value[index]! > newest) newest = value[index]!
  }
  return {
    length,
    start,
    duration: column(1),
    process: new Int32Array(column(2).buffer),
    key: new Int32Array(column(3).buffer),
    value,
    row,
    kind: bytes.subarray(24 * length, 25 * length),
    node: bytes.subarray(25 * length, 26 * length),
  }
}
