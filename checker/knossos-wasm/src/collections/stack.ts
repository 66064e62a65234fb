/**
 * Stacks whose elements are unique: linearizability by peeling from the bottom.
 *
 * An element that need not stay in any gap (see elements.ts) can be pushed and popped at one moment, which disturbs
 * nobody: it is left out. The stack can be empty in every gap that no stay covers, so the stretches of covered gaps are
 * independent. Within a stretch it is never empty, so something lies at the bottom all the time: an element whose push
 * may take effect in the gap before the stretch, and its pop in the gap behind. Any such element will do: if it did
 * not lie at the bottom in some linearization, it does after its push is moved before, and its pop behind, all others. Without it
 * the stretch falls into smaller ones, with the same rule; a stretch that has no bottom refutes the history.
 *
 * The element at the bottom must be open when the stretch begins, so there are at most as many candidates as
 * processes, and a tree finds each: O(n log n) for a bounded number of processes. (Lee and Mathur, arXiv 2410.04581, and
 * LiMo, arXiv 2509.17795, decide the same by other decompositions; this one is ours and was held against the oracle.)
 * A crashed pop may have popped anything: if all is well without, it holds; if not, the general engine decides.
 */
import { contentsOf, coverOf, impossibleEmpty, stays, takenFrom, violated } from './elements.ts'
import { Coverage } from './coverage.ts'
import { NEVER } from '../register.ts'
import type { Model } from '../model.ts'
import type { Placed } from '../problem.ts'
import type { CollectionResult, Element } from './elements.ts'

/** Decides a stack over `events` events, or leaves it to the general engine. */
export function checkStack(operations: readonly Placed[], model: Model, events: number): CollectionResult | undefined {
  const contents = contentsOf(operations, model)
  if (contents === undefined || 'type' in contents) return contents
  const staying = contents.elements.filter(stays).sort((a, b) => a.put.ret - b.put.ret)
  const result = impossibleEmpty(contents) ?? peel(staying, events)
  return result !== undefined && contents.crashed.length > 0 ? undefined : result ?? { type: 'holds' }
}

/** Takes away one bottom after the other; the stretch that has none is a violation. `staying`: in order of the beginnings of their stays. */
function peel(staying: readonly Element[], events: number): CollectionResult | undefined {
  const starts = Int32Array.from(staying, ({ put }) => put.ret)
  const ends = Int32Array.from(staying, (element) => Math.min(takenFrom(element), events))
  const coverage = new Coverage(events)
  for (let i = 0; i < staying.length; i++) coverage.add(starts[i]!, ends[i]!, 1)
  const bottoms = new EarliestPut(staying)
  const open: (readonly [number, number])[] = stretches(coverage, 0, events)
  for (let stretch = open.pop(); stretch !== undefined; stretch = open.pop()) {
    const [from, to] = stretch
    const i = bottoms.find(firstAtLeast(starts, from), firstAtLeast(starts, to), from, to)
    if (i < 0) return noBottom(staying.filter((element, k) => bottoms.isLeft(k) && starts[k]! >= from && starts[k]! < to && stays(element)), from, to)
    bottoms.remove(i)
    coverage.add(starts[i]!, ends[i]!, -1)
    open.push(...stretches(coverage, from, to))
  }
  return undefined
}

/** The maximal runs of covered gaps between `from` and `to` - 1; gaps found uncovered are not looked for again. */
function stretches(coverage: Coverage, from: number, to: number): (readonly [number, number])[] {
  const found: (readonly [number, number])[] = []
  let begin = from
  for (let gap = coverage.takeUncovered(from, to); ; gap = coverage.takeUncovered(gap + 1, to)) {
    const end = gap < 0 ? to : gap
    if (end > begin) found.push([begin, end])
    if (gap < 0) return found
    begin = gap + 1
  }
}

function noBottom(elements: readonly Element[], from: number, to: number): CollectionResult {
  return violated(coverOf(elements, from, to)!.flatMap(({ put, take }) => [put, take]))
}

function firstAtLeast(sorted: Int32Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

/** Elements by the beginning of their stays, in a tree that knows the earliest push of each part. */
class EarliestPut {
  readonly #elements: readonly Element[]
  readonly #size: number
  readonly #earliest: Int32Array

  constructor(elements: readonly Element[]) {
    this.#elements = elements
    this.#size = 1 << (32 - Math.clz32(Math.max(1, elements.length - 1)))
    this.#earliest = new Int32Array(this.#size * 2).fill(NEVER)
    elements.forEach(({ put }, i) => {
      this.#earliest[this.#size + i] = put.inv
    })
    for (let node = this.#size - 1; node > 0; node--) this.#update(node)
  }

  isLeft(i: number): boolean {
    return this.#earliest[this.#size + i] !== NEVER
  }

  remove(i: number): void {
    let node = this.#size + i
    this.#earliest[node] = NEVER
    for (node >>= 1; node > 0; node >>= 1) this.#update(node)
  }

  /** An element of `low` to `high` - 1 that can be pushed in the gap before `from` and popped in the gap `to`; -1. */
  find(low: number, high: number, from: number, to: number): number {
    const nodes: (readonly [number, number, number])[] = [[1, 0, this.#size]]
    for (let top = nodes.pop(); top !== undefined; top = nodes.pop()) {
      const [node, begin, end] = top
      if (begin >= high || end <= low || this.#earliest[node]! >= from) continue
      if (node >= this.#size) {
        const { take } = this.#elements[begin]!
        if (take === undefined || take.ret > to) return begin
        continue
      }
      const middle = (begin + end) >> 1
      nodes.push([node * 2 + 1, middle, end], [node * 2, begin, middle])
    }
    return -1
  }

  #update(node: number): void {
    this.#earliest[node] = Math.min(this.#earliest[node * 2]!, this.#earliest[node * 2 + 1]!)
  }
}
