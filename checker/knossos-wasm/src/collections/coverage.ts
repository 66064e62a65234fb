/**
 * How many intervals cover each gap of a line: intervals come and go, and uncovered gaps are found. A tree of minima with
 * additions pending at its nodes; every operation is O(log n).
 */

/** Stands for "found already": no number of intervals comes near. */
const FOUND = 0x3fffffff

export class Coverage {
  readonly #size: number
  /** By node: the least coverage within it, relative to its parent. */
  readonly #least: Int32Array

  constructor(gaps: number) {
    this.#size = 1 << (32 - Math.clz32(Math.max(1, gaps - 1)))
    this.#least = new Int32Array(this.#size * 2)
  }

  /** One interval more (`by` = 1) or less (-1) over the gaps `from` to `to` - 1. */
  add(from: number, to: number, by: number): void {
    this.#add(1, 0, this.#size, from, to, by)
  }

  #add(node: number, begin: number, end: number, from: number, to: number, by: number): void {
    if (begin >= to || end <= from) return
    if (begin >= from && end <= to) {
      this.#least[node]! += by
      return
    }
    const middle = (begin + end) >> 1
    this.#add(node * 2, begin, middle, from, to, by)
    this.#add(node * 2 + 1, middle, end, from, to, by)
    this.#pull(node)
  }

  /** What both children have in common belongs to their parent. */
  #pull(node: number): void {
    const least = this.#least
    const common = Math.min(least[node * 2]!, least[node * 2 + 1]!)
    if (common === 0) return
    least[node * 2]! -= common
    least[node * 2 + 1]! -= common
    least[node]! += common
  }

  /** The first gap of `from` to `to` - 1 that nothing covers, which is not found again; -1. */
  takeUncovered(from: number, to: number): number {
    const gap = from < to ? this.#find(1, 0, this.#size, from, to, 0) : -1
    if (gap >= 0) this.#add(1, 0, this.#size, gap, gap + 1, FOUND)
    return gap
  }

  #find(node: number, begin: number, end: number, from: number, to: number, above: number): number {
    const least = above + this.#least[node]!
    if (begin >= to || end <= from || least > 0) return -1
    if (node >= this.#size) return begin
    const middle = (begin + end) >> 1
    const left = this.#find(node * 2, begin, middle, from, to, least)
    return left >= 0 ? left : this.#find(node * 2 + 1, middle, end, from, to, least)
  }
}
