/**
 * Priority queues of numbers, judged while the history is being made.
 *
 * As long as one way is known in which all operations can have taken effect (live-placement.ts), nothing is violated, and
 * the operations are only logged. Where that way cannot go on, which proves nothing, the log is handed to the window
 * (live-any.ts), which decides, and judges from then on.
 *
 * Both begin anew at the next *cut*: a moment at which no take is open, and none has crashed. Then it is known what is in
 * the queue: what was put and not taken. A put that is open, or crashed, and whose element nobody has taken may as well take effect after
 * the cut (later is better for everybody else); it is carried over. So the log begins at the last cut, and is short.
 *
 * What it costs: O(log n) an event, n being what is in the queue, and the window's price from where the one way is lost to the next cut. Where there is no
 * cut within LOG_MAX events the window follows at that distance.
 */
import { POSSIBLE, violatedBy } from './live-algorithm.ts'
import { LiveLog } from './live-log.ts'
import { LivePlacement } from './live-placement.ts'
import { NIL } from './values.ts'
import type { LiveAlgorithm, LiveAnswer, Outcome } from './live-algorithm.ts'
import type { LoggedOperation } from './live-log.ts'
import type { Item, Take } from './live-placement.ts'
import type { Model } from './model.ts'
import type { Json, Values } from './values.ts'

interface HeapOperation extends LoggedOperation {
  /** Of a put: the code of its element. */
  readonly code: number
  /** In the one way that is known. */
  placed: Item | Take | undefined
  hasCrashed: boolean
}

const PUT = 'insert'
const FAILED = 'cannot have failed: its element was taken.'
/** The log begins anew when it is so much longer than it would be then. */
const LOG_MIN = 32
const LOG_MAX = 1024

/** One priority queue. */
export class LivePriorityQueue implements LiveAlgorithm<HeapOperation> {
  readonly #values: Values
  #events = 0
  /** Undefined where it was lost, until the next cut. */
  #placement: LivePlacement | undefined = new LivePlacement()
  /** By code: elements that are there, in the one way that is known. */
  #items = new Map<number, Item>()
  readonly #log: LiveLog<HeapOperation>
  /** By code, how often an element was put less how often it was taken, as far as that has ended; without zeros. */
  readonly #counts = new Map<number, number>()
  /** How the counts have changed since the last cut. */
  #changes: (readonly [number, number])[] = []
  /** By code, puts that are open or crashed and whose element nobody took. */
  readonly #puts = new Map<number, HeapOperation>()
  /** Takes that are open, or crashed. */
  #takes = 0
  /** An element was there twice, or was no number: from then on there is only the window. */
  #isBlurred = false

  constructor(model: Model, values: Values) {
    this.#log = new LiveLog(model)
    this.#values = values
  }

  /** How many elements and operations are remembered. */
  get size(): number {
    return this.#counts.size + this.#puts.size + this.#log.size
  }

  invoke(f: string, value: Json, row: number, process: number): HeapOperation {
    const event = this.#events++
    const code = f === PUT ? this.#values.encode(value) : NIL
    const operation: HeapOperation = { f, value, row, process, code, placed: undefined, hasCrashed: false }
    this.#log.begin(operation)
    if (f !== PUT) {
      this.#takes++
      operation.placed = this.#placement?.take(event)
    } else if (typeof value !== 'number' || this.#puts.has(code) || this.#counts.has(code)) {
      this.#isBlurred = true
      this.#placement = undefined
    } else {
      this.#puts.set(code, operation)
      operation.placed = this.#placement?.put(value, event)
    }
    return operation
  }

  complete(operation: HeapOperation, outcome: Outcome, value: Json): LiveAnswer {
    const event = this.#events++
    const isPlaced = this.#placement !== undefined && this.#place(this.#placement, operation, outcome, value, event)
    if (!isPlaced) this.#placement = undefined
    if (outcome === 'fail' && this.#counts.get(operation.code) === -1 && !this.#isBlurred) return violatedBy([operation.row], FAILED)
    this.#count(operation, outcome, value)
    this.#log.end(operation, outcome, value)
    const answer = isPlaced && this.#log.length < LOG_MAX ? POSSIBLE : this.#tell()
    if (this.#takes === 0 && !this.#isBlurred && (!isPlaced || this.#log.length > LOG_MIN + 3 * this.#puts.size)) this.#cut()
    return isPlaced ? POSSIBLE : answer
  }

  /** Whether there is still one way, the same with this operation. */
  #place(placement: LivePlacement, { f, code, placed }: HeapOperation, outcome: Outcome, value: Json, event: number): boolean {
    if (f === PUT) {
      if (outcome !== 'ok' || !this.#puts.has(code)) return true
      placement.putEnds(placed as Item, event)
      this.#items.set(code, placed as Item)
      return true
    }
    const take = placed as Take
    if (outcome === 'info') take.hasCrashed = true
    if (outcome !== 'ok') return outcome === 'info' || placement.fails(take)
    if (value === null) return placement.takes(take, undefined, event)
    const taken = this.#values.encode(value)
    const item = this.#items.get(taken) ?? this.#puts.get(taken)?.placed
    this.#items.delete(taken)
    return item !== undefined && placement.takes(take, item as Item, event)
  }

  #count(operation: HeapOperation, outcome: Outcome, value: Json): void {
    if (operation.f !== PUT) {
      if (outcome !== 'info') this.#takes--
      if (outcome !== 'ok' || value === null) return
      const code = this.#values.encode(value)
      if (this.#puts.get(code)?.hasCrashed !== true) this.#change(code, -1)
      this.#puts.delete(code)
      return
    }
    const { code } = operation
    operation.hasCrashed = outcome === 'info'
    if (outcome !== 'info') this.#puts.delete(code)
    // A put that crashed counts where its element was taken.
    if (outcome === 'ok' || (outcome === 'info' && this.#counts.get(code) === -1)) this.#change(code, 1)
  }

  #change(code: number, by: number): void {
    const count = (this.#counts.get(code) ?? 0) + by
    if (count === 0) this.#counts.delete(code)
    else this.#counts.set(code, count)
    this.#changes.push([code, by])
  }

  #tell(): LiveAnswer {
    const answer = this.#log.tell(() => this.#contentsAtCut())
    // It asks for the contents once.
    this.#changes = []
    return answer
  }

  /** What was in the queue at the last cut. */
  #contentsAtCut(): Json {
    const counts = new Map(this.#counts)
    for (const [code, by] of this.#changes) counts.set(code, (counts.get(code) ?? 0) - by)
    return [...counts].filter(([, count]) => count > 0).map(([code]) => this.#values.decode(code) as number).sort((a, b) => a - b)
  }

  /** No take is open: the log and, if it was lost, the one way begin anew with what is in the queue. */
  #cut(): void {
    this.#changes = []
    this.#log.cut()
    for (const operation of this.#puts.values()) {
      this.#log.begin(operation)
      if (operation.hasCrashed) this.#log.end(operation, 'info', null)
    }
    if (this.#placement !== undefined) return
    const placement = new LivePlacement()
    this.#placement = placement
    this.#items = new Map()
    for (const [code, count] of this.#counts) if (count > 0) this.#items.set(code, placement.add(this.#values.decode(code) as number))
    for (const operation of this.#puts.values()) operation.placed = placement.put(operation.value as number, -1)
  }
}
