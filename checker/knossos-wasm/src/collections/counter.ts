/**
 * Counters whose additions all add the same amount: linearizability in O(n log n), as scheduling.
 *
 * Additions are interchangeable, so a read says how many precede it. The reads, in order of what they saw, divide the
 * additions into blocks of known sizes: so many before the lowest read, so many between that and the next, ...; the last
 * block takes what is left. An addition must stand behind every read that ended before it began, and before every read
 * that began after it ended: it has a first and a last block. That is unit jobs with release times and deadlines,
 * and slots that must all be filled: the one with the earliest deadline goes first (Jackson 1955). Whatever the schedule, two
 * additions in the wrong order of real time can be exchanged, because the earlier one's first and last block are not later.
 * A crashed addition has no deadline, and need not take place.
 *
 * Different amounts make it a subset-sum problem: the general engine decides.
 */
import { MinHeap } from '../integers.ts'
import { NEVER } from '../register.ts'
import { violated } from './elements.ts'
import type { Placed } from '../problem.ts'
import type { CollectionResult } from './elements.ts'

/** Decides a counter, or leaves it to the general engine. */
export function checkCounter(operations: readonly Placed[], initial: number): CollectionResult | undefined {
  const adds = operations.filter(({ operation: { f, input } }) => f === 'add' && input !== 0)
  const reads = operations.filter(({ operation: { f } }) => f === 'read')
  const amount = adds[0]?.operation.input ?? 1
  if (typeof amount !== 'number' || adds.some(({ operation: { input } }) => input !== amount)) return undefined
  const levels = reads.map(({ operation: { output } }) => (typeof output === 'number' ? (output - initial) / amount : -1))
  if (levels.some((level) => !(Number.isInteger(level) && level >= 0))) return violated(operations)
  const distinct = [...new Set(levels)].sort((a, b) => a - b)
  const blockOf = new Map(distinct.map((level, block) => [level, block]))
  const blocks = levels.map((level) => blockOf.get(level)!)
  const bounds = boundsOf(adds, reads, blocks, distinct.length)
  return bounds !== undefined && canFill(bounds, distinct) ? { type: 'holds' } : violated(operations)
}

/** First and last block of every addition. */
interface Bounds {
  readonly first: Int32Array
  readonly last: Int32Array
}

/** Undefined when two reads contradict each other. `block`: by read. */
function boundsOf(adds: readonly Placed[], reads: readonly Placed[], block: readonly number[], blocks: number): Bounds | undefined {
  const byEnd = reads.map((_, i) => i).sort((a, b) => reads[a]!.ret - reads[b]!.ret)
  let ended = 0
  let highest = -1
  /** The highest block of a read that ended before this event; asked in ascending order. */
  const before = (event: number): number => {
    for (; ended < byEnd.length && reads[byEnd[ended]!]!.ret < event; ended++) highest = Math.max(highest, block[byEnd[ended]!]!)
    return highest
  }
  const first = new Int32Array(adds.length)
  let next = 0
  for (let i = 0; i < reads.length; i++) {
    for (; next < adds.length && adds[next]!.inv < reads[i]!.inv; next++) first[next] = before(adds[next]!.inv) + 1
    if (before(reads[i]!.inv) > block[i]!) return undefined
  }
  for (; next < adds.length; next++) first[next] = before(adds[next]!.inv) + 1
  const last = new Int32Array(adds.length)
  let begun = reads.length - 1
  let lowest = blocks
  for (const a of adds.map((_, i) => i).sort((x, y) => adds[y]!.ret - adds[x]!.ret)) {
    for (; begun >= 0 && reads[begun]!.inv > adds[a]!.ret; begun--) lowest = Math.min(lowest, block[begun]!)
    last[a] = adds[a]!.ret === NEVER ? blocks : lowest
  }
  return { first, last }
}

/** Whether every block before the last gets exactly as many additions as its read saw. */
function canFill({ first, last }: Bounds, levels: readonly number[]): boolean {
  const blocks = levels.length
  const byFirst: number[][] = Array.from({ length: blocks + 1 }, () => [])
  first.forEach((block, add) => byFirst[block]!.push(add))
  /** Deadlines of the additions that may be placed now. */
  const waiting = new MinHeap()
  for (let block = 0; block < blocks; block++) {
    for (const add of byFirst[block]!) waiting.add(last[add]!)
    for (let left = levels[block]! - (block === 0 ? 0 : levels[block - 1]!); left > 0; left--) {
      if (waiting.size === 0) return false
      waiting.removeFirst()
    }
    if (waiting.size > 0 && waiting.first <= block) return false
  }
  return byFirst.every((adds, block) => adds.every((add) => last[add]! >= block))
}
