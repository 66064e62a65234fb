/** Additions that ended before any read of the whole showed them (live-list.ts, live-growing-set.ts). */

/** What is added. */
export interface Addition {
  readonly row: number
  /** The event by which it had certainly taken effect; Infinity. */
  readonly ended: number
  /** The row of the read that showed it first; -1. */
  readonly shownBy: number
}

/** Those that ended unseen, by their end. */
export class Unseen<Added extends Addition> {
  /** Among others that were shown meanwhile; from `#front` on. */
  #ended: Added[] = []
  #front = 0

  /** One ended now; it may have been shown before. */
  add(addition: Added): void {
    this.#ended.push(addition)
  }

  /** The one that ended first. */
  get first(): Added | undefined {
    while (this.#front < this.#ended.length && this.#ended[this.#front]!.shownBy >= 0) this.#front++
    if (this.#front > 64 && this.#front * 2 > this.#ended.length) {
      this.#ended = this.#ended.slice(this.#front)
      this.#front = 0
    }
    return this.#ended[this.#front]
  }
}
