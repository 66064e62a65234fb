/**
 * Columns of integers that begin narrow and are widened by the first number that does not fit.
 */

/** Integers, as wide as the widest so far. */
export type Integers = Int8Array | Int16Array | Int32Array

/** The same integers, wide enough for one more. */
export function widened(column: Integers, value: number): Integers {
  const wider = value === (value << 16) >> 16 ? new Int16Array(column.length) : new Int32Array(column.length)
  wider.set(column)
  return wider
}

/** Copies n integers into a column from a row on, and returns it, or a wider one where one of them does not fit. */
export function stored(column: Integers, from: number, integers: Int32Array, n: number): Integers {
  // The bits that any of them needs beside its sign.
  let bits = 0
  for (let i = 0; i < n; i++) bits |= integers[i]! ^ (integers[i]! >> 31)
  const wide = bits >>> (column.BYTES_PER_ELEMENT * 8 - 1) === 0 ? column : widened(column, bits)
  wide.set(integers.subarray(0, n), from)
  return wide
}

/** The same integers, with room for more. */
export function grown<A extends Integers | Uint8Array>(array: A, capacity: number): A {
  const larger = new (array.constructor as new (n: number) => A)(capacity)
  larger.set(array)
  return larger
}
