/**
 * Times in four bytes each, exactly. Rows go in blocks; a block keeps the time of its first row, and a row its distance
 * from that, because 64 neighbours are rarely four seconds apart. A block in which a distance is no whole number
 * of nanoseconds below 2^32 (slow histories, times out of order, fractions) is kept as doubles instead.
 */

const SHIFT = 6
const ROWS = 1 << SHIFT
/** The first time of a block that is kept as doubles. */
const WIDE = NaN

export class TimeColumn {
  #distance: Uint32Array
  #first: Float64Array
  readonly #wide = new Map<number, Float64Array>()

  constructor(capacity: number) {
    this.#distance = new Uint32Array(capacity)
    this.#first = new Float64Array(blocksOf(capacity))
  }

  at(row: number): number {
    const first = this.#first[row >> SHIFT]!
    return first === first ? first + this.#distance[row]! : this.#wide.get(row >> SHIFT)![row & (ROWS - 1)]!
  }

  /** Rows are set in their order, from 0 on. */
  set(row: number, time: number): void {
    const block = row >> SHIFT
    if ((row & (ROWS - 1)) === 0) this.#first[block] = time
    const first = this.#first[block]!
    this.#distance[row] = time - first
    if (first + this.#distance[row] !== time) this.#widen(block, row, time)
  }

  /** As set, for the next n rows. */
  setAll(row: number, times: Float64Array, n: number): void {
    for (let i = 0; i < n; i++) this.set(row + i, times[i]!)
  }

  /** Makes room for this many rows. */
  reserve(capacity: number): void {
    const distance = new Uint32Array(capacity)
    distance.set(this.#distance)
    this.#distance = distance
    const first = new Float64Array(blocksOf(capacity))
    first.set(this.#first)
    this.#first = first
  }

  #widen(block: number, row: number, time: number): void {
    let wide = this.#wide.get(block)
    if (wide === undefined) {
      wide = new Float64Array(ROWS)
      for (let before = block << SHIFT; before < row; before++) wide[before & (ROWS - 1)] = this.at(before)
      this.#wide.set(block, wide)
      this.#first[block] = WIDE
    }
    wide[row & (ROWS - 1)] = time
  }
}

function blocksOf(capacity: number): number {
  return (capacity + ROWS - 1) >> SHIFT
}
