/**
 * Queues whose elements are unique: linearizability in O(n log n).
 *
 * - FIFO queue (Henzinger, Sezgin, Vafeiadis, "Aspect-oriented linearizability proofs", CONCUR 2013): every element taken
 *   was put before its take ended, none is taken twice, and no y was taken strictly before x (or x never) although x
 *   was put strictly before y; and takes that found nothing are possible (elements.ts).
 * - Unordered queue: the same without the order, since elements do not influence each other.
 *
 * A crashed take can have taken an element that nobody else took. It has to where some y behind x was taken, and then
 * it must have begun before y's take ended: x's deadline. Deadlines and beginnings, each in ascending order, tell whether
 * there is a crashed take for every such x. (Giving x a crashed take harms nobody else: it never ends.) If a take that
 * found nothing is possible only because of a crashed take, it matters what that one took: then the operations pass once more
 * in their order, as they do while a history is being made (live-queue.ts).
 */
import { LiveQueue } from '../live-queue.ts'
import { NEVER } from '../register.ts'
import { Values } from '../values.ts'
import { contentsOf, impossibleEmpty, takenFrom, violated } from './elements.ts'
import type { Model } from '../model.ts'
import type { QueueOperation } from '../live-queue.ts'
import type { Placed } from '../problem.ts'
import type { CollectionResult, Contents, Element } from './elements.ts'

/** Decides a queue, or leaves it to the general engine. `ordered`: first in, first out. */
export function checkQueue(operations: readonly Placed[], model: Model, ordered: boolean): CollectionResult | undefined {
  const contents = contentsOf(operations, model)
  if (contents === undefined || 'type' in contents) return contents
  const outOfOrder = ordered ? overtaken(contents.elements) ?? stranded(contents) : undefined
  if (outOfOrder !== undefined) return outOfOrder
  // A crashed take only shortens stays: what is possible without is possible.
  const empty = impossibleEmpty(contents)
  if (empty === undefined) return { type: 'holds' }
  return contents.crashed.length > 0 ? replayed(operations, ordered) : empty
}

/** What the operations are, in the order of their events, to whoever judges them one by one. */
function replayed(operations: readonly Placed[], ordered: boolean): CollectionResult | undefined {
  const queue = new LiveQueue(ordered, new Values())
  const open = new Map<Placed, QueueOperation | undefined>()
  const events = operations.flatMap((placed) => [{ placed, rank: placed.inv }, ...(placed.ret === NEVER ? [] : [{ placed, rank: placed.ret }])])
  for (const { placed } of events.sort((a, b) => a.rank - b.rank)) {
    const { f, input, output } = placed.operation
    if (!open.has(placed)) {
      const begun = queue.invoke(f, input, placed.row)
      open.set(placed, begun)
      // That it crashed is known from the beginning.
      if (begun !== undefined && placed.ret === NEVER) queue.complete(begun, 'info', null)
      continue
    }
    const answer = queue.complete(open.get(placed)!, 'ok', output ?? null)
    if (answer.type !== 'possible') return answer.type === 'violated' ? { type: 'violated', rows: answer.rows } : undefined
  }
  return { type: 'holds' }
}

/** Whether some y was taken before x began to be taken, although x was put before y: over all y by time of their put, the latest take among the x before. */
function overtaken(elements: readonly Element[]): CollectionResult | undefined {
  const taken = elements.filter(({ take }) => take !== undefined)
  const byEnd = taken.filter(({ put }) => put.ret !== NEVER).sort((a, b) => a.put.ret - b.put.ret)
  let latest: Element | undefined
  let next = 0
  for (const y of [...taken].sort((a, b) => a.put.inv - b.put.inv)) {
    for (; next < byEnd.length && byEnd[next]!.put.ret < y.put.inv; next++) {
      if (latest === undefined || takenFrom(byEnd[next]!) > takenFrom(latest)) latest = byEnd[next]!
    }
    if (latest !== undefined && takenFrom(latest) > y.take!.ret) return violated([latest.put, latest.take, y.put, y.take])
  }
  return undefined
}

interface Deadline {
  readonly x: Element
  /** The element behind x that was taken first. */
  readonly y: Element
}

/** Elements that nobody took although one behind them was taken, by deadline. */
function deadlines(elements: readonly Element[]): Deadline[] {
  const behind = elements.filter(({ take }) => take !== undefined).sort((a, b) => b.put.inv - a.put.inv)
  const left = elements.filter(({ take }) => take === undefined).sort((a, b) => b.put.ret - a.put.ret)
  const found: Deadline[] = []
  let first: Element | undefined
  let next = 0
  for (const x of left) {
    for (; next < behind.length && behind[next]!.put.inv > x.put.ret; next++) {
      if (first === undefined || behind[next]!.take!.ret < first.take!.ret) first = behind[next]!
    }
    if (first !== undefined) found.push({ x, y: first })
  }
  return found.sort((a, b) => a.y.take!.ret - b.y.take!.ret)
}

/** Whether there is no crashed take for one of the elements that somebody must have taken. */
function stranded({ elements, crashed }: Contents): CollectionResult | undefined {
  const begun = [...crashed].sort((a, b) => a.inv - b.inv)
  const found = deadlines(elements)
  for (const [i, { x, y }] of found.entries()) {
    if (i < begun.length && begun[i]!.inv < y.take!.ret) continue
    const before = crashed.length === 0 ? [] : found.slice(0, i)
    return violated([...before.flatMap((one) => [one.x.put, one.y.put, one.y.take]), ...begun, x.put, y.put, y.take])
  }
  return undefined
}
