/**
 * Is one key k-atomic, for k of 1 or 2? That is: is there an order of its operations that keeps real time and in which
 * every read returns one of the last k writes? LBT of Golab, Li, Lopez-Ortiz and Nishimura, Computing k-Atomicity in
 * Polynomial Time (SIAM J. Computing 2018; first in Golab, Li and Shah, PODC 2011).
 *
 * The order is built from its end. Whatever write stands last, the reads that begin after it has ended, and its own,
 * stand behind it; each of them returned that write or, if k is 2, the one before: so a foreign one names the next
 * write from the end, and two different ones are a contradiction. Where nothing is named an *epoch* ends, and what
 * is left is a smaller problem of the same kind: any order of the whole, without the operations placed, is an order of
 * the rest, so what was chosen never has to be reconsidered. Only the first write of an epoch is a guess among the
 * writes that no other follows. Guesses are followed a few steps at a time, then twice as many, so that a long wrong
 * one costs no more than the right one. O(n log n + c n) with c concurrent writes.
 *
 * A write may be taken to end when the first of its reads does: a write that comes after that read comes after it too.
 */
import { NEVER } from './registers.ts'
import type { KeyClusters } from './clusters.ts'
import type { Registers } from './registers.ts'

/** Whether an order exists in which every read returns one of the last k writes. The key has no impossible read. */
export function isAtomic(registers: Registers, clusters: KeyClusters, k: 1 | 2): boolean {
  return new Placement(registers, clusters, k).run()
}

/** When each write of a key begins, and when it ends at the latest; ranks, by place. The initial value ends before everything. */
function spansOf({ start, end }: Registers, { writes, reads, sources }: KeyClusters): { readonly begin: Int32Array; readonly finish: Int32Array } {
  const begin = Int32Array.from(writes, (op) => (op < 0 ? -2 : start[op]!))
  const finish = Int32Array.from(writes, (op) => (op < 0 ? -1 : end[op]!))
  for (const [at, read] of reads.entries()) finish[sources[at]!] = Math.min(finish[sources[at]!]!, end[read]!)
  return { begin, finish }
}

type Step = 'contradiction' | 'free' | number

/** Lists of what is not yet placed: writes by beginning and by end, reads by beginning. */
class Placement {
  readonly #k: 1 | 2
  readonly #begin: Int32Array
  readonly #finish: Int32Array
  readonly #readBegin: Int32Array
  readonly #sources: readonly number[]
  /** The reads of each write: `of.subarray(from[w], from[w + 1])`. */
  readonly #of: Int32Array
  readonly #from: Int32Array
  readonly #byBegin: Chain
  readonly #byFinish: Chain
  readonly #reads: Chain
  /** What was placed, last first: writes, and reads as -1 - read. */
  readonly #placed: number[] = []

  constructor(registers: Registers, clusters: KeyClusters, k: 1 | 2) {
    this.#k = k
    const { begin, finish } = spansOf(registers, clusters)
    this.#begin = begin
    this.#finish = finish
    this.#readBegin = Int32Array.from(clusters.reads, (read) => registers.start[read]!)
    this.#sources = clusters.sources
    this.#from = new Int32Array(begin.length + 1)
    for (const source of clusters.sources) this.#from[source + 1]!++
    for (let at = 0; at < begin.length; at++) this.#from[at + 1]! += this.#from[at]!
    this.#of = new Int32Array(clusters.reads.length)
    const fill = this.#from.slice()
    for (const [read, source] of clusters.sources.entries()) this.#of[fill[source]!++] = read
    this.#byBegin = new Chain(begin.length)
    this.#byFinish = new Chain(begin.length, Int32Array.from(begin.keys()).sort((a, b) => finish[a]! - finish[b]!))
    this.#reads = new Chain(clusters.reads.length)
  }

  run(): boolean {
    while (this.#byBegin.last >= 0) if (!this.#epoch()) return false
    return true
  }

  #epoch(): boolean {
    let guesses = this.#guesses()
    for (let stepsMax = 4; guesses.length > 0; stepsMax *= 2) {
      const undecided: number[] = []
      for (const guess of guesses) {
        const outcome = this.#follow(guess, stepsMax)
        if (outcome === 'placed') return true
        if (outcome === 'undecided') undecided.push(guess)
      }
      guesses = undecided
    }
    return false
  }

  /** The writes that no other write left follows. */
  #guesses(): number[] {
    const found: number[] = []
    const last = this.#byBegin.last
    for (let write = this.#byFinish.last; write >= 0 && (write === last || this.#finish[write]! >= this.#begin[last]!); write = this.#byFinish.before(write)) {
      if (this.#mayBeLast(write)) found.push(write)
    }
    return found.includes(last) ? found : [...found, last]
  }

  #mayBeLast(write: number): boolean {
    const last = this.#byBegin.last
    const other = last === write ? this.#byBegin.before(last) : last
    return other < 0 || this.#finish[write]! >= this.#begin[other]!
  }

  #follow(guess: number, stepsMax: number): 'placed' | 'undecided' | 'refuted' {
    const before = this.#placed.length
    let next: Step = guess
    for (let steps = 0; typeof next === 'number'; steps++) {
      if (steps === stepsMax || !this.#mayBeLast(next)) {
        const refuted = !this.#mayBeLast(next)
        this.#undo(before)
        return refuted ? 'refuted' : 'undecided'
      }
      next = this.#place(next)
    }
    if (next === 'free') return 'placed'
    this.#undo(before)
    return 'refuted'
  }

  /** Puts a write before everything placed, and behind it what must stand there. */
  #place(write: number): Step {
    this.#byBegin.remove(write)
    this.#byFinish.remove(write)
    this.#placed.push(write)
    let named: Step = 'free'
    for (let at = this.#from[write]!; at < this.#from[write + 1]!; at++) if (this.#reads.has(this.#of[at]!)) this.#placeRead(this.#of[at]!)
    for (let read = this.#reads.last; read >= 0 && this.#readBegin[read]! > this.#finish[write]!; read = this.#reads.last) {
      const source = this.#sources[read]!
      if (this.#k === 1 || (named !== 'free' && named !== source)) return 'contradiction'
      named = source
      this.#placeRead(read)
    }
    return named
  }

  #placeRead(read: number): void {
    this.#reads.remove(read)
    this.#placed.push(-1 - read)
  }

  #undo(length: number): void {
    while (this.#placed.length > length) {
      const one = this.#placed.pop()!
      if (one < 0) this.#reads.restore(-1 - one)
      else {
        this.#byFinish.restore(one)
        this.#byBegin.restore(one)
      }
    }
  }
}

/** Items in order, of which any can be taken out and, last first, put back (Knuth, Dancing Links, 2000). */
class Chain {
  last: number
  readonly #before: Int32Array
  readonly #after: Int32Array
  readonly #out: Uint8Array

  constructor(length: number, order: Int32Array = Int32Array.from({ length }, (_, at) => at)) {
    this.#before = new Int32Array(length).fill(-1)
    this.#after = new Int32Array(length).fill(-1)
    this.#out = new Uint8Array(length)
    for (let at = 1; at < length; at++) {
      this.#before[order[at]!] = order[at - 1]!
      this.#after[order[at - 1]!] = order[at]!
    }
    this.last = length === 0 ? -1 : order[length - 1]!
  }

  before(item: number): number {
    return this.#before[item]!
  }

  has(item: number): boolean {
    return this.#out[item] === 0
  }

  remove(item: number): void {
    const [before, after] = [this.#before[item]!, this.#after[item]!]
    if (before >= 0) this.#after[before] = after
    if (after >= 0) this.#before[after] = before
    else this.last = before
    this.#out[item] = 1
  }

  restore(item: number): void {
    const [before, after] = [this.#before[item]!, this.#after[item]!]
    if (before >= 0) this.#after[before] = item
    if (after >= 0) this.#before[after] = item
    else this.last = item
    this.#out[item] = 0
  }
}

/**
 * Bounds for the smallest k of a key that is not 2-atomic. Below: a read has certainly as many writes between it and
 * its own as began after that had ended and ended before the read began. Above: the largest distance in the best of
 * three orders that keep real time. O(n log n).
 */
export function boundsOf(registers: Registers, clusters: KeyClusters): { readonly low: number; readonly high: number } {
  const { begin, finish } = spansOf(registers, clusters)
  const places = Int32Array.from(begin.keys())
  const latest = begin.slice()
  for (const [at, read] of clusters.reads.entries()) latest[clusters.sources[at]!] = Math.max(latest[clusters.sources[at]!]!, registers.start[read]!)
  const orders = [begin, finish, latest.map((one, at) => Math.min(one, finish[at]!))].map((by) => places.toSorted((a, b) => by[a]! - by[b]! || a - b))
  const byFinish = places.toSorted((a, b) => finish[a]! - finish[b]!)
  const reads = clusters.reads.map((read, at) => ({ begin: registers.start[read]!, source: clusters.sources[at]! })).sort((a, b) => a.begin - b.begin)
  return { low: Math.max(3, lowest(reads, begin, finish, byFinish)), high: Math.min(...orders.map((order) => widest(reads, order, finish, byFinish))) }
}

interface Reading {
  readonly begin: number
  readonly source: number
}

/** The largest distance of a read from its write in one order of the writes. */
function widest(reads: readonly Reading[], order: Int32Array, finish: Int32Array, byFinish: Int32Array): number {
  const position = new Int32Array(order.length)
  for (const [at, write] of order.entries()) position[write] = at
  let ended = 0
  let furthest = -1
  let most = 1
  for (const read of reads) {
    for (; ended < byFinish.length && finish[byFinish[ended]!]! < read.begin; ended++) furthest = Math.max(furthest, position[byFinish[ended]!]!)
    most = Math.max(most, furthest - position[read.source]! + 1)
  }
  return most
}

/** One more than the most writes that certainly stand between a read and its write: a tree of counts over beginnings (Fenwick 1994). */
function lowest(reads: readonly Reading[], begin: Int32Array, finish: Int32Array, byFinish: Int32Array): number {
  const sorted = begin.toSorted()
  const rank = (value: number): number => {
    let low = 0
    for (let high = sorted.length; low < high; ) {
      const middle = (low + high) >> 1
      if (sorted[middle]! <= value) low = middle + 1
      else high = middle
    }
    return low
  }
  const tree = new Int32Array(sorted.length + 1)
  let ended = 0
  let most = 0
  for (const read of reads) {
    for (; ended < byFinish.length && finish[byFinish[ended]!]! < read.begin; ended++) for (let at = rank(begin[byFinish[ended]!]!); at < tree.length; at += at & -at) tree[at]!++
    let early = 0
    if (finish[read.source] !== NEVER) for (let at = rank(finish[read.source]!); at > 0; at -= at & -at) early += tree[at]!
    most = Math.max(most, finish[read.source] === NEVER ? 0 : ended - early)
  }
  return most + 1
}
