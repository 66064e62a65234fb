/**
 * Priority queues whose elements are different numbers: linearizability in O(n log n), greedily.
 *
 * An element may not be taken while a smaller one is there; elements do not influence each other otherwise. So go
 * from the smallest to the largest. Each is put as late and taken as early as possible: among the gaps (see
 * elements.ts) in which no smaller one is there all the time. Of all the ways to place it this occupies the fewest
 * gaps, each of them contained in every other way's, so nothing larger could do better with another choice. A gap in
 * which a smaller element comes or goes is free: within it go first those that leave, in ascending order, and last those that
 * come. A take that found nothing is one of a number larger than all.
 *
 * Ours; Lee and Mathur ("Efficient decrease-and-conquer linearizability monitoring", arXiv 2410.04581) reach the same
 * bound otherwise. A crashed take may have taken anything: if all is well without, it holds; if not, the general engine decides.
 */
import { NEVER } from '../register.ts'
import { contentsOf, violated } from './elements.ts'
import type { Model } from '../model.ts'
import type { Placed } from '../problem.ts'
import type { CollectionResult, Element } from './elements.ts'

/** Decides a priority queue over `events` events, or leaves it to the general engine. */
export function checkPriorityQueue(operations: readonly Placed[], model: Model, events: number): CollectionResult | undefined {
  const contents = contentsOf(operations, model)
  if (contents === undefined) return undefined
  if ('type' in contents) return contents
  const { elements, empties, crashed } = contents
  if (elements.some(({ value }) => typeof value !== 'number')) return undefined
  const occupied = new Occupied(events)
  const refused = (result: CollectionResult): CollectionResult | undefined => (crashed.length > 0 ? undefined : result)
  for (const element of [...elements].sort((a, b) => (a.value as number) - (b.value as number))) {
    const { put, take } = element
    if (take === undefined) {
      occupied.fill(put.ret, events, element, put.ret)
      continue
    }
    const from = Math.max(put.inv, take.inv)
    const at = occupied.free(from)
    if (at >= take.ret) return refused(violated([put, take, ...occupied.reasons(from, take.ret)]))
    if (put.ret < at) occupied.fill(put.ret, at, element, from)
  }
  for (const empty of empties) if (occupied.free(empty.inv) >= empty.ret) return refused(violated([empty, ...occupied.reasons(empty.inv, empty.ret)]))
  return { type: 'holds' }
}

/** Gaps in which a smaller element is there all the time. */
class Occupied {
  /** By gap: itself when free, else a gap further on (a union-find with path halving). */
  readonly #next: Int32Array
  /** By gap: the element that occupied it first, as an index. */
  readonly #by: Int32Array
  readonly #elements: { readonly element: Element; readonly from: number; readonly to: number }[] = []

  constructor(events: number) {
    this.#next = Int32Array.from({ length: events + 1 }, (_, gap) => gap)
    this.#by = new Int32Array(events).fill(-1)
  }

  /** The first free gap from here on; one behind all events when there is none. */
  free(gap: number): number {
    const next = this.#next
    let at = Math.min(gap, next.length - 1)
    while (next[at] !== at) {
      next[at] = next[next[at]!]!
      at = next[at]!
    }
    return at
  }

  /** An element is there in the gaps `from` to `to` - 1, because from gap `since` on it could not be taken earlier. */
  fill(from: number, to: number, element: Element, since: number): void {
    const index = this.#elements.push({ element, from: since, to }) - 1
    for (let gap = this.free(from); gap < to; gap = this.free(gap)) {
      this.#by[gap] = index
      this.#next[gap] = gap + 1
    }
  }

  /** The operations that explain why these gaps are occupied. */
  reasons(from: number, to: number): Placed[] {
    const known = new Set<number>()
    const ranges: (readonly [number, number])[] = [[from, to]]
    for (let range = ranges.pop(); range !== undefined; range = ranges.pop()) {
      for (let gap = range[0]; gap < Math.min(range[1], this.#by.length); gap++) {
        const by = this.#by[gap]!
        if (by < 0 || known.has(by)) continue
        known.add(by)
        const { element, from: since, to: until } = this.#elements[by]!
        if (element.take !== undefined && element.take.ret !== NEVER) ranges.push([since, until])
      }
    }
    return [...known].flatMap((by) => [this.#elements[by]!.element.put, this.#elements[by]!.element.take ?? []].flat())
  }
}
