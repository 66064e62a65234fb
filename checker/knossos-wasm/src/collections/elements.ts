/**
 * Containers whose elements are unique, as intervals: when each element was put and when it was taken.
 *
 * Time is the order of the key's events. Gap g lies between event g and the next; an operation can take effect in the
 * gaps inv to ret - 1, any number of operations in one gap, in any order. An element is certainly present in the gaps
 * put.ret to take.inv - 1 (its *stay*), which may be none.
 *
 * Takes that found nothing: queues and stacks have a linearization, if any, in which they are empty in *every* gap
 * that no stay covers. (Take one, and a point in such a gap. Each element there was put by an operation that
 * goes on after the point or is taken by one that began before: move its put just behind the point, or its take just before.
 * All of them moved, in their order, first in still goes out first, and last in first.) So a take that found nothing
 * is possible iff the stays do not cover all of its gaps.
 */
import { NEVER } from '../register.ts'
import { canonical } from '../values.ts'
import type { Model } from '../model.ts'
import type { Placed } from '../problem.ts'
import type { Json } from '../values.ts'

/** `rows`: operations that are a violation by themselves. `split`: each part is an object of its own, still to be decided. */
export type CollectionResult =
  | { readonly type: 'holds' }
  | { readonly type: 'violated'; readonly rows: readonly number[] }
  | { readonly type: 'split'; readonly parts: readonly (readonly number[])[] }

/** An element that was put, and perhaps taken. A crashed put counts iff its element was taken. */
export interface Element {
  readonly value: Json
  readonly put: Placed
  readonly take: Placed | undefined
}

/** What happened to a container. */
export interface Contents {
  readonly elements: readonly Element[]
  /** Takes that found nothing. */
  readonly empties: readonly Placed[]
  /** Takes that may have taken anything, or nothing. */
  readonly crashed: readonly Placed[]
}

/** Pairs puts and takes; `undefined` when an element was put twice or is null, a result when a take is wrong whatever the order. */
export function contentsOf(operations: readonly Placed[], model: Model): Contents | CollectionResult | undefined {
  const puts = new Map<string, Placed>()
  const takes = new Map<string, Placed>()
  const empties: Placed[] = []
  const crashed: Placed[] = []
  let twice: readonly [string, Placed, Placed] | undefined
  for (const placed of operations) {
    const { f, input, output } = placed.operation
    if (f === model.functions[0]) {
      const text = canonical(input)
      // Who takes null may have found nothing.
      if (input === null || puts.has(text)) return undefined
      puts.set(text, placed)
    } else if (output === undefined) crashed.push(placed)
    else if (output === null) empties.push(placed)
    else {
      const text = canonical(output)
      const other = takes.get(text)
      if (other !== undefined) twice ??= [text, other, placed]
      takes.set(text, placed)
    }
  }
  for (const [text, take] of takes) {
    const put = puts.get(text)
    if (put === undefined || take.ret < put.inv) return violated([take, put])
  }
  if (twice !== undefined) return violated([puts.get(twice[0]), twice[1], twice[2]])
  const elements: Element[] = []
  for (const [text, put] of puts) {
    const take = takes.get(text)
    if (take !== undefined || put.ret !== NEVER) elements.push({ value: put.operation.input, put, take })
  }
  return { elements, empties, crashed }
}

/** When the element begins to be taken; NEVER. */
export const takenFrom = ({ take }: Element): number => take?.inv ?? NEVER

/** Whether the element was certainly there for a while. */
export const stays = (element: Element): boolean => element.put.ret < takenFrom(element)

/** A take that found nothing although something was certainly there all the time, with what was there. */
export function impossibleEmpty({ elements, empties }: Contents): CollectionResult | undefined {
  if (empties.length === 0) return undefined
  const byStart = elements.filter(stays).sort((a, b) => a.put.ret - b.put.ret)
  let next = 0
  let to = -1 // the gaps before this one are covered, as far back as the take's beginning or further, or it lies before the take
  for (const empty of [...empties].sort((a, b) => a.inv - b.inv)) {
    for (; next < byStart.length && byStart[next]!.put.ret <= Math.max(empty.inv, to); next++) {
      to = Math.max(to, takenFrom(byStart[next]!))
    }
    if (empty.ret <= to) return violated([empty, ...coverOf(byStart, empty.inv, empty.ret)!.flatMap(({ put, take }) => [put, take])])
  }
  return undefined
}

/**
 * As few elements (given in order of the beginnings of their stays) as cover the gaps `from` to `to` - 1; undefined when
 * they do not. Linear in the number of elements that begin before `to`.
 */
export function coverOf(byStart: readonly Element[], from: number, to: number): Element[] | undefined {
  const cover: Element[] = []
  let reached = from
  let next = 0
  while (reached < to) {
    let best: Element | undefined
    for (; next < byStart.length && byStart[next]!.put.ret <= reached; next++) {
      if (best === undefined || takenFrom(byStart[next]!) > takenFrom(best)) best = byStart[next]!
    }
    if (best === undefined || takenFrom(best) <= reached) return undefined
    cover.push(best)
    reached = takenFrom(best)
  }
  return cover
}

/** A violation by these operations. */
export function violated(operations: readonly (Placed | undefined)[]): CollectionResult {
  const rows = new Set(operations.flatMap((placed) => placed?.row ?? []))
  return { type: 'violated', rows: [...rows].sort((a, b) => a - b) }
}
