/**
 * JSON values interned to 32-bit codes, so that a history is integer columns: -1 is null (and absent), 0 to
 * 2^30 - 1 are those integers themselves, -2 and below are rows of a table. Equal values have equal codes.
 *
 * Arrays of two (the `[expected, new]` of every compare-and-set) are rows of two codes in a hash table of
 * integers, because a history may hold millions of different ones; everything else goes by its canonical text.
 */

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** The code of null. */
export const NIL = -1
const INLINE_MAX = 0x3fffffff

/** JSON text with object keys in order, so that equal values have equal text. */
export function canonical(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const object = value as { readonly [key: string]: Json }
  return `{${Object.keys(object).sort().map((k) => `${JSON.stringify(k)}:${canonical(object[k] ?? null)}`).join(',')}}`
}

/** Whether two values are equal. */
export function same(a: Json, b: Json): boolean {
  return a === b || (typeof a === 'object' && typeof b === 'object' && a !== null && b !== null && canonical(a) === canonical(b))
}

function hashPair(a: number, b: number): number {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77)
  h ^= h >>> 15
  h = Math.imul(h, 0x2c1b3c6d)
  return (h ^ (h >>> 13)) >>> 0
}

/** Interns JSON values to 32-bit codes. */
export class Values {
  /** Values that are not pairs, by row; rows of pairs are absent. */
  readonly #table = new Map<number, Json>()
  readonly #codes = new Map<string, number>()
  #rows = 0
  #pairs = 0
  /** The two codes of the pair at each row; undefined rows are not pairs. */
  #first = new Int32Array(16)
  #second = new Int32Array(16)
  /** Open addressing: row + 1 of the pair in each slot, 0 when free. */
  #slots = new Int32Array(64)

  encode(value: Json | undefined): number {
    if (value === null || value === undefined) return NIL
    if (typeof value === 'number' && value >= 0 && value <= INLINE_MAX && Number.isInteger(value)) return value === 0 ? 0 : value
    if (Array.isArray(value) && value.length === 2) return this.encodePair(this.encode(value[0] as Json), this.encode(value[1] as Json))
    const text = canonical(value)
    let code = this.#codes.get(text)
    if (code === undefined) {
      code = this.#newRow()
      this.#table.set(-2 - code, value)
      this.#codes.set(text, code)
    }
    return code
  }

  /** The code of the array `[a, b]`, given the codes of its elements. */
  encodePair(a: number, b: number): number {
    const slot = this.#slotOf(a, b)
    const found = this.#slots[slot]!
    if (found !== 0) return -1 - found
    const code = this.#newRow()
    const row = -2 - code
    this.#first[row] = a
    this.#second[row] = b
    this.#slots[slot] = row + 1
    this.#pairs++
    if (this.#pairs * 2 > this.#slots.length) this.#rehash()
    return code
  }

  decode(code: number): Json {
    if (code >= 0) return code
    if (code === NIL) return null
    const row = -2 - code
    if (row >= this.#rows) throw new RangeError(`no value has the code ${code}`)
    const value = this.#table.get(row)
    return value === undefined ? [this.decode(this.#first[row]!), this.decode(this.#second[row]!)] : value
  }

  isPair(code: number): boolean {
    return code < NIL && (this.#table.size === 0 || !this.#table.has(-2 - code))
  }

  /** The code of the first element of a pair. */
  first(code: number): number {
    return this.#first[-2 - code]!
  }

  /** The code of the second element of a pair. */
  second(code: number): number {
    return this.#second[-2 - code]!
  }

  /** The largest code that is part of a pair; -1 without pairs. */
  get largestPairPart(): number {
    let largest = NIL
    for (let row = 0; row < this.#rows; row++) {
      if (this.#first[row]! > largest) largest = this.#first[row]!
      if (this.#second[row]! > largest) largest = this.#second[row]!
    }
    return largest
  }

  /** How many values stand in the table (integers that stand for themselves excluded). */
  get size(): number {
    return this.#rows
  }

  #newRow(): number {
    const row = this.#rows++
    if (row === this.#first.length) {
      const first = new Int32Array(row * 2)
      first.set(this.#first)
      this.#first = first
      const second = new Int32Array(row * 2)
      second.set(this.#second)
      this.#second = second
    }
    return -2 - row
  }

  #slotOf(a: number, b: number): number {
    const mask = this.#slots.length - 1
    let slot = hashPair(a, b) & mask
    for (;;) {
      const found = this.#slots[slot]!
      if (found === 0 || (this.#first[found - 1] === a && this.#second[found - 1] === b)) return slot
      slot = (slot + 1) & mask
    }
  }

  #rehash(): void {
    const old = this.#slots
    this.#slots = new Int32Array(old.length * 2)
    for (const found of old) if (found !== 0) this.#slots[this.#slotOf(this.#first[found - 1]!, this.#second[found - 1]!)] = found
  }
}
