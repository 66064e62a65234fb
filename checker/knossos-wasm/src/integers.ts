/**
 * Integer tables for the hot paths: a hash map from 32-bit codes to small integers, and a stable radix sort.
 */

/** Maps 32-bit integers to dense indices 0, 1, 2 ... in the order of first sight. */
export class DenseIndex {
  /** The integer at each index. */
  keys: Int32Array
  size = 0
  #slots: Int32Array
  #mask: number

  /** `expected`: how many different integers there will be, about. */
  constructor(expected = 32) {
    const slots = 1 << (33 - Math.clz32(Math.max(32, expected)))
    this.keys = new Int32Array(slots >> 1)
    this.#slots = new Int32Array(slots)
    this.#mask = slots - 1
  }

  /** The index of a key, made when it is new. */
  add(key: number): number {
    const slot = this.#find(key)
    const found = this.#slots[slot]!
    if (found !== 0) return found - 1
    const index = this.size++
    if (index === this.keys.length) {
      const keys = new Int32Array(index * 2)
      keys.set(this.keys)
      this.keys = keys
    }
    this.keys[index] = key
    this.#slots[slot] = index + 1
    if (this.size * 2 > this.#slots.length) this.#grow()
    return index
  }

  #find(key: number): number {
    const mask = this.#mask
    let slot = Math.imul(key, 0x9e3779b1) >>> 7 & mask
    for (;;) {
      const found = this.#slots[slot]!
      if (found === 0 || this.keys[found - 1] === key) return slot
      slot = (slot + 1) & mask
    }
  }

  #grow(): void {
    this.#slots = new Int32Array(this.#slots.length * 2)
    this.#mask = this.#slots.length - 1
    for (let i = 0; i < this.size; i++) this.#slots[this.#find(this.keys[i]!)] = i + 1
  }
}

const SMALL = 1 << 16

/** As DenseIndex, for the keys of a history: null and small integers, which is what keys mostly are, go by a plain table. */
export class KeyIndex {
  readonly #others = new DenseIndex()
  /** Index + 1 by code + 1. */
  readonly #small = new Int32Array(SMALL)

  get size(): number {
    return this.#others.size
  }

  /** The index of a key, made when it is new. */
  add(code: number): number {
    const isSmall = code >= -1 && code < SMALL - 1
    const found = isSmall ? this.#small[code + 1]! : 0
    if (found > 0) return found - 1
    const index = this.#others.add(code)
    if (isSmall) this.#small[code + 1] = index + 1
    return index
  }

  codeOf(index: number): number {
    return this.#others.keys[index]!
  }
}

/** The place of the lowest bit that is set; -1. */
export function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits)
}

/** The smallest of some integers: a binary heap. */
export class MinHeap {
  readonly #items: number[] = []

  get size(): number {
    return this.#items.length
  }

  get first(): number {
    return this.#items[0]!
  }

  add(item: number): void {
    const items = this.#items
    let i = items.length
    for (; i > 0 && items[(i - 1) >> 1]! > item; i = (i - 1) >> 1) items[i] = items[(i - 1) >> 1]!
    items[i] = item
  }

  removeFirst(): void {
    const items = this.#items
    const item = items.pop()!
    const n = items.length
    if (n === 0) return
    let i = 0
    for (let child = 1; child < n; child = 2 * i + 1) {
      if (child + 1 < n && items[child + 1]! < items[child]!) child++
      if (items[child]! >= item) break
      items[i] = items[child]!
      i = child
    }
    items[i] = item
  }
}

/** The indices 0 to n - 1 in ascending order of their (non-negative) keys; equal keys keep their order. */
export function sortedOrder(keys: Int32Array, n: number): Int32Array {
  let order = new Int32Array(n)
  let sorted = true
  let max = 0
  for (let i = 0; i < n; i++) {
    order[i] = i
    if (i > 0 && keys[i]! < keys[i - 1]!) sorted = false
    if (keys[i]! > max) max = keys[i]!
  }
  if (sorted) return order
  let other = new Int32Array(n)
  const counts = new Int32Array(2048)
  for (let shift = 0; shift < 32 && max >>> shift > 0; shift += 11) {
    counts.fill(0)
    for (let i = 0; i < n; i++) counts[(keys[i]! >>> shift) & 2047]!++
    let sum = 0
    for (let d = 0; d < 2048; d++) {
      const count = counts[d]!
      counts[d] = sum
      sum += count
    }
    for (let i = 0; i < n; i++) {
      const index = order[i]!
      other[counts[(keys[index]! >>> shift) & 2047]!++] = index
    }
    const swap = order
    order = other
    other = swap
  }
  return order
}
