/** Additions that ended before any read of the whole showed them (live-list.ts, live-growing-set.ts). */

/** What is added. */
export interface Addition {
  readonly row: number
  /** The event by which it had certainly taken effect; Infinity. */
  readonly ended: number
  /** The row of the read that showed it first; -1. */
  readonly shownBy: number
}

/** What was shown is taken out whenever there is twice as much as was left the last time, and so much more. */
const ROOM = 64

/** Those that ended unseen, by their end. */
export class Unseen<Added extends Addition> {
  /** Among others that were shown meanwhile; from `#front` on. */
  #ended: Added[] = []
  #front = 0
  #room = ROOM

  /** One ended now; it may have been shown before. */
  add(addition: Added): void {
    this.#ended.push(addition)
    if (this.#ended.length < this.#room) return
    this.#ended = [...this]
    this.#front = 0
    this.#room = 2 * this.#ended.length + ROOM
  }

  /** The one that ended first. */
  get first(): Added | undefined {
    while (this.#front < this.#ended.length && this.#ended[this.#front]!.shownBy >= 0) this.#front++
    return this.#ended[this.#front]
  }

  /** All of them. */
  *[Symbol.iterator](): Iterator<Added> {
    for (let at = this.#front; at < this.#ended.length; at++) if (this.#ended[at]!.shownBy < 0) yield this.#ended[at]!
  }
}
