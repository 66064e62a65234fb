/**
 * JSON values interned to 32-bit codes, so that a history is integer columns: -1 is null (and absent), 0 to
 * 2^30 - 1 are those integers themselves, -2 and below are rows of a table. Equal values have equal codes.
 *
 * Arrays are interned by the codes of their elements in a hash table of integers, because a history may hold millions
 * of different ones: arrays of two (the `[expected, new]` of every compare-and-set) as rows of two codes, others
 * (transactions, lists that were read) one after the other in one column. Everything else goes by its canonical text.
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

type JsonObject = { readonly [key: string]: Json }

/** Whether two values are equal; of objects the order of keys does not matter. */
export function same(a: Json, b: Json): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (!Array.isArray(a)) return !Array.isArray(b) && areEqualObjects(a as JsonObject, b as JsonObject)
  if (!Array.isArray(b) || a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!same(a[i] as Json, b[i] as Json)) return false
  return true
}

function areEqualObjects(a: JsonObject, b: JsonObject): boolean {
  let more = 0
  for (const key in a) {
    if (!(key in b) || !same(a[key]!, b[key]!)) return false
    more++
  }
  for (const _ in b) more--
  return more === 0
}

/**
 * Where arrays are looked for: a pair first at the place of its second code, because in most histories every compare-and-set brings a
 * new value and neighbours then lie side by side in memory; whatever is not there (and all other arrays), by its hash, in steps
 * of its own, because what lies side by side fills long stretches, which steps of one would walk to their ends.
 */
const strideOf = (hash: number): number => Math.imul(hash, 0x9e3779b1) | 1

function hashPair(a: number, b: number): number {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77)
  h ^= h >>> 15
  h = Math.imul(h, 0x2c1b3c6d)
  return (h ^ (h >>> 13)) >>> 0
}

/** Codes of values are smaller; in the second column these say what else a row is. */
const ARRAY = 0x40000000
const TEXT = 0x7fffffff

/** Values that are encoded together. */
const BATCH = 256

/** Values as the byte scanner leaves them: codes, or where `pairs` is 1 the codes of the two elements of a pair. */
export interface ScannedValues {
  readonly values: Int32Array
  readonly seconds: Int32Array
  readonly pairs: Uint8Array
}

function grown(column: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length)
  larger.set(column)
  return larger
}

/** Interns JSON values to 32-bit codes. */
export class Values {
  /** Values that are no arrays. */
  readonly #table: Json[] = []
  readonly #codes = new Map<string, number>()
  #rows = 0
  /** The largest code that is part of a pair; -1 without pairs. */
  largestPairPart = NIL
  /** By row: of a pair the two codes; of another array where its elements begin, and ARRAY + their number; of anything else its place in the table, and TEXT. */
  #first = new Int32Array(16)
  #second = new Int32Array(16)
  /** Codes of the elements of arrays that are no pairs. */
  #elements = new Int32Array(64)
  #used = 0
  /** Open addressing: row + 1 of the array in each slot, 0 when free. */
  #slots = new Int32Array(64)
  #arrays = 0
  /** Codes of elements of arrays that are being encoded, the innermost last. */
  #pending = new Int32Array(64)
  #depth = 0
  /** Which values of a batch are pairs, and their codes where they were found at once. */
  readonly #batch = new Int32Array(BATCH)
  readonly #found = new Int32Array(BATCH)

  encode(value: Json | undefined): number {
    if (value === null || value === undefined) return NIL
    if (typeof value === 'number' && value >= 0 && value <= INLINE_MAX && Number.isInteger(value)) return value === 0 ? 0 : value
    if (Array.isArray(value)) return this.#encodeArray(value as readonly Json[])
    const text = canonical(value)
    let code = this.#codes.get(text)
    if (code === undefined) {
      code = this.#newRow(this.#table.push(value) - 1, TEXT)
      this.#codes.set(text, code)
    }
    return code
  }

  /** The code of the array `[a, b]`, given the codes of its elements. */
  encodePair(a: number, b: number): number {
    const slot = this.#slotOfPair(a, b)
    const found = this.#slots[slot]!
    if (found !== 0) return -1 - found
    if (a > this.largestPairPart) this.largestPairPart = a
    if (b > this.largestPairPart) this.largestPairPart = b
    return this.#enter(slot, this.#newRow(a, b))
  }

  /** Puts the codes of n values into a column from a row on. */
  encodeAll(column: Int32Array, from: number, { values, seconds, pairs }: ScannedValues, n: number): void {
    const batch = this.#batch
    for (let begin = 0; begin < n; begin += BATCH) {
      const end = Math.min(n, begin + BATCH)
      let count = 0
      for (let i = begin; i < end; i++) {
        column[from + i] = values[i]!
        batch[count] = i
        count += pairs[i]!
      }
      this.#lookUp(values, seconds, count)
      for (let j = 0; j < count; j++) {
        const i = batch[j]!
        const code = this.#found[j]!
        column[from + i] = code === NIL ? this.encodePair(values[i]!, seconds[i]!) : code
      }
    }
  }

  /**
   * The codes of the pairs of a batch that stand in their first slot; NIL for others. Slots and rows may be memory that is far
   * away: they are asked for at once, so that none is waited for alone.
   */
  #lookUp(values: Int32Array, seconds: Int32Array, count: number): void {
    const [slots, first, second, batch, found] = [this.#slots, this.#first, this.#second, this.#batch, this.#found]
    for (let j = 0; j < count; j++) {
      const [a, b] = [values[batch[j]!]!, seconds[batch[j]!]!]
      const row = slots[b & (slots.length - 1)]! - 1
      found[j] = row >= 0 && first[row] === a && second[row] === b ? -2 - row : NIL
    }
  }

  decode(code: number): Json {
    if (code >= 0) return code
    if (code === NIL) return null
    const row = -2 - code
    if (row >= this.#rows) throw new RangeError(`no value has the code ${code}`)
    if (this.#second[row] === TEXT) return this.#table[this.#first[row]!]!
    return Array.from({ length: this.length(code) }, (_, at) => this.decode(this.at(code, at)))
  }

  /** How many elements the value has, when it is an array; otherwise -1. */
  length(code: number): number {
    if (code >= NIL) return -1
    const second = this.#second[-2 - code]!
    return second < ARRAY ? 2 : second === TEXT ? -1 : second - ARRAY
  }

  /** The code of an array's element; undefined behaviour outside of its length. */
  at(code: number, index: number): number {
    const row = -2 - code
    const second = this.#second[row]!
    if (second >= ARRAY) return this.#elements[this.#first[row]! + index]!
    return index === 0 ? this.#first[row]! : second
  }

  isPair(code: number): boolean {
    return code < NIL && this.#second[-2 - code]! < ARRAY
  }

  /** The code of the first element of a pair. */
  first(code: number): number {
    return this.#first[-2 - code]!
  }

  /** The code of the second element of a pair. */
  second(code: number): number {
    return this.#second[-2 - code]!
  }

  /** How many values stand in the table, elements of arrays among them (integers that stand for themselves excluded). */
  get size(): number {
    return this.#rows
  }

  /** Makes room for this many values in the table, most of them arrays. */
  reserve(rows: number): void {
    if (rows > this.#first.length) {
      this.#first = grown(this.#first, rows)
      this.#second = grown(this.#second, rows)
    }
    let slots = this.#slots.length
    while (slots < rows * 2) slots *= 2
    if (slots > this.#slots.length) this.#rehash(slots)
  }

  #encodeArray(value: readonly Json[]): number {
    const { length } = value
    if (length === 2) return this.encodePair(this.encode(value[0]), this.encode(value[1]))
    const begin = this.#depth
    this.#depth += length
    if (this.#depth > this.#pending.length) this.#pending = grown(this.#pending, this.#depth * 2)
    for (let at = 0; at < length; at++) {
      const element = this.encode(value[at])
      this.#pending[begin + at] = element
    }
    this.#depth = begin
    const slot = this.#slotOfArray(this.#pending, begin, length)
    const found = this.#slots[slot]!
    return found !== 0 ? -1 - found : this.#enter(slot, this.#keep(begin, length))
  }

  /** A row for an array whose elements are pending. */
  #keep(begin: number, length: number): number {
    const start = this.#used
    this.#used += length
    if (this.#used > this.#elements.length) this.#elements = grown(this.#elements, this.#used * 2)
    for (let at = 0; at < length; at++) this.#elements[start + at] = this.#pending[begin + at]!
    return this.#newRow(start, ARRAY + length)
  }

  #enter(slot: number, code: number): number {
    this.#slots[slot] = -1 - code
    this.#arrays++
    if (this.#arrays * 2 > this.#slots.length) this.#rehash(this.#slots.length * 2)
    return code
  }

  #newRow(first: number, second: number): number {
    const row = this.#rows++
    if (row === this.#first.length) {
      this.#first = grown(this.#first, row * 2)
      this.#second = grown(this.#second, row * 2)
    }
    this.#first[row] = first
    this.#second[row] = second
    return -2 - row
  }

  #slotOfPair(a: number, b: number): number {
    const mask = this.#slots.length - 1
    const near = this.#slots[b & mask]!
    if (near === 0 || (this.#first[near - 1] === a && this.#second[near - 1] === b)) return b & mask
    const hash = hashPair(a, b)
    for (let slot = hash & mask; ; slot = (slot + strideOf(hash)) & mask) {
      const found = this.#slots[slot]!
      if (found === 0 || (this.#first[found - 1] === a && this.#second[found - 1] === b)) return slot
    }
  }

  /** The slot of an array whose elements' codes stand in a column. */
  #slotOfArray(column: Int32Array, begin: number, length: number): number {
    const mask = this.#slots.length - 1
    let hash = length
    for (let at = begin; at < begin + length; at++) hash = Math.imul(hash ^ column[at]!, 0x9e3779b1) ^ (hash >>> 15)
    hash = hashPair(hash, length)
    for (let slot = hash & mask; ; slot = (slot + strideOf(hash)) & mask) {
      const found = this.#slots[slot]!
      if (found === 0 || (this.#second[found - 1] === ARRAY + length && this.#isAt(this.#first[found - 1]!, column, begin, length))) return slot
    }
  }

  #isAt(start: number, column: Int32Array, begin: number, length: number): boolean {
    const elements = this.#elements
    for (let at = 0; at < length; at++) if (elements[start + at] !== column[begin + at]) return false
    return true
  }

  #rehash(size: number): void {
    const old = this.#slots
    this.#slots = new Int32Array(size)
    for (const found of old) {
      if (found === 0) continue
      const [first, second] = [this.#first[found - 1]!, this.#second[found - 1]!]
      this.#slots[second < ARRAY ? this.#slotOfPair(first, second) : this.#slotOfArray(this.#elements, first, second - ARRAY)] = found
    }
  }
}
