/**
 * One way in which the operations of a priority queue can have taken effect, kept up while they end: every element that was taken has a gap
 * between two events in which it left (see collections/elements.ts and collections/priority-queue.ts for gaps, and for why
 * elements come as late as they can). As long as there is one, nothing is violated. It is found greedily, so that losing it proves nothing.
 *
 * An element x may leave in a gap if everything smaller that was there has left by then. What nobody has returned yet must have been taken by
 * a take that is still open, or crashed: it is *owed*, with the gap as its deadline. Those takes serve from their
 * beginning on, so it takes the i-th of them to have begun by the i-th deadline. At its deadline everything smaller has left
 * as well, because it was in the way of the same x.
 *
 * So an element that is taken leaves in the last gap before the response, if nothing smaller is there; otherwise in a gap in which as few
 * as possible are, and of these gaps in the last; if it is owed, at its deadline.
 */

/** An element. */
export interface Item {
  readonly value: number
  /** Event of the invocation of its put. */
  readonly invoked: number
  /** The gap from which on it was certainly there; Infinity. */
  since: number
  /** When it left, or at the latest (owed); Infinity. */
  left: number
  /** The event at which it was returned; Infinity. */
  returned: number
}

/** A take that may still have taken something. */
export interface Take {
  readonly invoked: number
  hasCrashed: boolean
}

/** So many smaller elements in the way are looked at. */
const SMALLER_MAX = 32

/** What can be forgotten is looked for whenever there is twice as much as was left the last time, and so much more. */
const ROOM = 64

export class LivePlacement {
  /** Those that are there and not owed, the smallest first in the manner of heaps, among others that have left. */
  readonly #heap = new ItemHeap()
  /** By deadline. */
  #owed: Item[] = []
  /** Takes that may have taken what is owed, by the time of their invocation. */
  readonly #takes = new Set<Take>()
  /** What left after the earliest of them that has not crashed began, among others; by the event at which it was returned. */
  #gone: Item[] = []
  #room = ROOM

  /** An element that has been there for long. */
  add(value: number): Item {
    const item: Item = { value, invoked: -1, since: -1, left: Infinity, returned: Infinity }
    this.#heap.add(item)
    return item
  }

  /** A put begins. */
  put(value: number, event: number): Item {
    return { value, invoked: event, since: Infinity, left: Infinity, returned: Infinity }
  }

  /** A put ends whose element nobody has returned. */
  putEnds(item: Item, event: number): void {
    item.since = event
    this.#heap.add(item)
  }

  /** A take begins. */
  take(event: number): Take {
    const take = { invoked: event, hasCrashed: false }
    this.#takes.add(take)
    return take
  }

  /** A take certainly took nothing. Whether the rest is still placed. */
  fails(take: Take): boolean {
    this.#takes.delete(take)
    return this.#canServe(this.#owed)
  }

  /** A take ends that took this element (`undefined`: it found nothing). Whether it can be placed, and the rest still is. */
  takes(take: Take, item: Item | undefined, event: number): boolean {
    this.#takes.delete(take)
    const isPlaced = item !== undefined && item.left < Infinity ? this.#takesOwed(take, item) : this.#place(take, item, event)
    if (isPlaced && item !== undefined) {
      item.returned = event
      this.#heap.clean()
      this.#gone.push(item)
    }
    if (this.#gone.length > this.#room) this.#forget(event)
    return isPlaced
  }

  #takesOwed(take: Take, item: Item): boolean {
    if (item.returned < Infinity || take.invoked > item.left) return false
    this.#owed.splice(this.#owed.indexOf(item), 1)
    return this.#canServe(this.#owed)
  }

  #place({ invoked }: Take, item: Item | undefined, event: number): boolean {
    const value = item?.value ?? Infinity
    const from = Math.max(invoked, item?.invoked ?? invoked)
    const smaller = this.#heap.smallerThan(value, SMALLER_MAX)
    if (smaller === undefined) return false
    const there = [...this.#goneAfter(from), ...this.#owed].filter((one) => one.value < value)
    const early = freeFrom(from, there)
    if (smaller.every(({ since }) => since > early)) {
      if (item !== undefined) item.left = early
      return this.#canServe(this.#owed)
    }
    const arrivals = [...new Set(smaller.map(({ since }) => since))].sort((a, b) => a - b)
    for (let k = 0; k <= arrivals.length; k++) {
      const first = Math.max(from, arrivals[k - 1] ?? from)
      for (let gap = (arrivals[k] ?? event) - 1; gap >= first; gap = beforeArrival(gap, there)) {
        if (!isFree(gap, there) || !this.#leaveBy(gap, value, smaller)) continue
        if (item !== undefined) item.left = gap
        return true
      }
    }
    return false
  }

  /** What left after this gap and was returned. */
  #goneAfter(gap: number): Item[] {
    const gone: Item[] = []
    for (let i = this.#gone.length - 1; i >= 0 && this.#gone[i]!.returned > gap; i--) if (this.#gone[i]!.left > gap) gone.push(this.#gone[i]!)
    return gone
  }

  /** Lets all smaller elements that were there leave by this gap, if takes can have taken them. */
  #leaveBy(gap: number, value: number, smaller: readonly Item[]): boolean {
    const fresh = smaller.filter(({ since }) => since <= gap)
    const earlier = this.#owed.filter((item) => item.value < value && item.since <= gap && item.left > gap)
    if (fresh.length === 0 && earlier.length === 0) return this.#canServe(this.#owed)
    const rest = this.#owed.filter((item) => !earlier.includes(item))
    const deadlines = [...fresh, ...earlier].map((item) => ({ item, left: gap })).concat(rest.map((item) => ({ item, left: item.left }))).sort((a, b) => a.left - b.left)
    if (!this.#canServe(deadlines)) return false
    for (const { item, left } of deadlines) item.left = left
    this.#owed = deadlines.map(({ item }) => item)
    this.#heap.clean()
    return true
  }

  /** Whether for each deadline there is a take of its own that began by then. */
  #canServe(deadlines: readonly { readonly left: number }[]): boolean {
    const takes = this.#takes.values()
    return deadlines.every(({ left }) => {
      const take = takes.next()
      return take.done !== true && take.value.invoked <= left
    })
  }

  /** Forgets what left before anything began that may still leave. */
  #forget(event: number): void {
    let earliest = event
    for (const { invoked, hasCrashed } of this.#takes) {
      if (hasCrashed) continue
      earliest = invoked
      break
    }
    this.#gone = this.#gone.filter(({ left }) => left > earliest)
    this.#room = 2 * this.#gone.length + ROOM
  }
}

/** The first gap from this one on in which none of these was there; they have all left by the last gap. */
function freeFrom(gap: number, items: readonly Item[]): number {
  let free = gap
  for (let before = -1; before < free; ) {
    before = free
    for (const { since, left } of items) if (since <= free && left > free) free = left
  }
  return free
}

/** Whether none of these that was returned was there all the time in this gap. */
const isFree = (gap: number, items: readonly Item[]): boolean => items.every(({ since, left, returned }) => returned === Infinity || since > gap || left <= gap)

/** The last gap in which one of those was not there yet that are there in this one; -1. */
function beforeArrival(gap: number, items: readonly Item[]): number {
  return items.reduce((before, { since, left }) => (since <= gap && left > gap ? Math.max(before, since - 1) : before), -1)
}

/** Items by value: a binary heap in which those that have left stay until they come to the top. */
class ItemHeap {
  readonly #items: Item[] = []

  add(item: Item): void {
    const items = this.#items
    let at = items.push(item) - 1
    for (; at > 0; ) {
      const parent = (at - 1) >> 1
      if (items[parent]!.value <= item.value) break
      items[at] = items[parent]!
      at = parent
    }
    items[at] = item
  }

  /** Those smaller than this that have not left; undefined where they are more than so many. */
  smallerThan(value: number, most: number): Item[] | undefined {
    const [found, open] = [[] as Item[], [0]]
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const item = this.#items[at]
      if (item === undefined || item.value >= value) continue
      if (item.left === Infinity && found.push(item) > most) return undefined
      open.push(2 * at + 1, 2 * at + 2)
    }
    return found
  }

  /** Removes what has left from the top. */
  clean(): void {
    while (this.#items.length > 0 && this.#items[0]!.left < Infinity) this.#removeFirst()
  }

  #removeFirst(): void {
    const items = this.#items
    const last = items.pop()!
    if (items.length === 0) return
    let at = 0
    for (let child = 1; child < items.length; child = 2 * at + 1) {
      if (child + 1 < items.length && items[child + 1]!.value < items[child]!.value) child++
      if (items[child]!.value >= last.value) break
      items[at] = items[child]!
      at = child
    }
    items[at] = last
  }
}
