/**
 * Happens-before: session order and reads-from, transitively (Lamport 1978; Ahamad et al., Causal Memory, 1995).
 *
 * Two things are asked of it. An order in which every operation stands after its causes: it follows real time, a
 * write at its invocation and a read at its completion, and departs from them only where a cause would come late.
 * And whether one operation happened before another: a search backwards from the later one that never leaves the
 * stretch between the two. In a history that is anywhere near fresh the stretch is a few operations per process,
 * so that no vector clock need be kept for every write.
 */
import { NEVER } from './registers.ts'
import type { Registers } from './registers.ts'

/** Operations after their causes; or a cycle, if there is one. */
export type CausalOrder =
  | { readonly type: 'order'; readonly order: Int32Array; readonly position: Int32Array }
  | { readonly type: 'cycle'; readonly operations: readonly number[] }

/** Pairs of writes of which the first must stand before the second, beside happens-before: for each second one a list of first ones. */
export interface Arbitrated {
  /** Index of a write's first pair; -1: none. */
  readonly head: Int32Array
  /** By pair: the next pair of the same second write, and the first write. */
  readonly next: readonly number[]
  readonly earlier: readonly number[]
}

/**
 * Orders the operations that took place. `source` names the write that each read returned (negative: none).
 * O(operations + pairs), unless most of a write's pairs come late.
 */
export function causalOrder(registers: Registers, source: Int32Array, arbitrated?: Arbitrated): CausalOrder {
  const { count, previous, happened } = registers
  const order = new Int32Array(count)
  const position = new Int32Array(count).fill(-1)
  const open = new Uint8Array(count)
  const stack: number[] = []
  let placed = 0
  for (const root of byEvent(registers)) {
    if (happened[root] === 0 || position[root]! >= 0) continue
    stack.push(root)
    while (stack.length > 0) {
      const op = stack.at(-1)!
      open[op] = 1
      const before = previous[op]!
      const from = source[op]!
      let cause = before >= 0 && position[before]! < 0 ? before : from >= 0 && position[from]! < 0 ? from : -1
      for (let pair = arbitrated?.head[op] ?? -1; cause < 0 && pair >= 0; pair = arbitrated!.next[pair]!) {
        if (position[arbitrated!.earlier[pair]!]! < 0) cause = arbitrated!.earlier[pair]!
      }
      if (cause >= 0) {
        if (open[cause] === 1) return { type: 'cycle', operations: stack.slice(stack.indexOf(cause)).reverse() }
        stack.push(cause)
        continue
      }
      position[op] = placed
      order[placed++] = op
      stack.pop()
    }
  }
  return { type: 'order', order: order.subarray(0, placed), position }
}

/** A cycle in which each session has one stretch, told by its two ends: what a session does in between adds nothing. */
export function tightened({ session }: Registers, cycle: readonly number[]): number[] {
  let rest = [...cycle]
  for (let shorter: number[] | undefined = rest; shorter; ) {
    rest = shorter
    shorter = shortcut(session, rest)
  }
  return rest
}

/** A shorter cycle through a step within a session, if there is one. */
function shortcut(session: Int32Array, cycle: readonly number[]): number[] | undefined {
  for (let at = 0; at < cycle.length; at++) {
    for (let steps = 2; steps < cycle.length; steps++) {
      const to = (at + steps) % cycle.length
      if (session[cycle[at]!] !== session[cycle[to]!] || cycle[at]! >= cycle[to]!) continue
      const turned = [...cycle.slice(to), ...cycle.slice(0, to)]
      return turned.slice(0, cycle.length - steps + 1)
    }
  }
  return undefined
}

/** Ranks are counted, rather than compared, unless they are sparser than this. */
const SPARSE = 16

/** Operations by the rank of the event from which they certainly matter: a write's invocation, a read's completion. */
function byEvent({ count, start, end, write }: Registers): Int32Array {
  const event = new Int32Array(count)
  let last = 0
  for (let op = 0; op < count; op++) {
    event[op] = write[op] === 1 || end[op] === NEVER ? start[op]! : end[op]!
    last = Math.max(last, event[op]!)
  }
  // A few operations out of a long history, as when a witness is made smaller.
  if (last > SPARSE * count) return Int32Array.from(event.keys()).sort((a, b) => event[a]! - event[b]! || a - b)
  const starts = new Int32Array(last + 2)
  for (let op = 0; op < count; op++) starts[event[op]! + 1]!++
  for (let at = 0; at <= last; at++) starts[at + 1]! += starts[at]!
  const sorted = new Int32Array(count)
  for (let op = 0; op < count; op++) sorted[starts[event[op]!]!++] = op
  return sorted
}

/** Searches in happens-before. `steps` counts the work. */
export class HappensBefore {
  steps = 0
  readonly #previous: Int32Array
  readonly #source: Int32Array
  readonly #position: Int32Array
  readonly #visited: Int32Array
  readonly #after: Int32Array
  #search = 0

  constructor(registers: Registers, source: Int32Array, position: Int32Array) {
    this.#previous = registers.previous
    this.#source = source
    this.#position = position
    this.#visited = new Int32Array(registers.count)
    this.#after = new Int32Array(registers.count)
  }

  /** Whether `early` happened before `late` (not: is the same). */
  precedes(early: number, late: number): boolean {
    const search = ++this.#search
    const floor = this.#position[early]!
    const queue = [late]
    for (let head = 0; head < queue.length; head++) {
      const op = queue[head]!
      this.steps++
      const causes = [this.#previous[op]!, this.#source[op]!]
      for (const cause of causes) {
        if (cause < 0 || this.#visited[cause] === search || this.#position[cause]! < floor) continue
        this.#visited[cause] = search
        this.#after[cause] = op
        if (cause === early) return true
        queue.push(cause)
      }
    }
    return false
  }

  /**
   * The operations that carry the effect of `early` to `late`, both included: of each session only where it
   * entered and where it left.
   */
  path(early: number, late: number): number[] {
    if (early === late || !this.precedes(early, late)) return [early]
    const path = [early]
    for (let op = early; op !== late; ) {
      const next = this.#after[op]!
      const sameSession = this.#source[next] !== op
      const last = path.at(-1)!
      if (sameSession && path.length > 1 && this.#within(path.at(-2)!, last)) path.pop()
      path.push(next)
      op = next
    }
    return path
  }

  /** Whether the step from `op` to `next` stays in a session. */
  #within(op: number, next: number): boolean {
    return this.#source[next] !== op
  }
}
