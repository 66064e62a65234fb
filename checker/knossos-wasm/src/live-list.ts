/**
 * Lists that are appended to and read as a whole, every element appended once, judged while the history is being made.
 *
 * A read fixes the order of what it saw, so that all reads begin alike and the longest of them is the *agreed* list.
 * Each operation has a place: an agreed append that of its element, a read of n elements behind the n-th append, all other appends that ended
 * behind everything. An append that is open or crashed, and not agreed, need not have taken effect. So the history is linearizable iff
 * nothing ended before something of an earlier place began: if nothing did, sort by place and, where that is the same, by
 * time.
 *
 * Two operations in the wrong order are found when the later-known of their places becomes known, and an append's place
 * does when a read first shows it:
 *
 * - a read that shows elements behind the agreed ones: going from the last of them to the first, no append may have begun after the
 *   earliest end among those behind it and all that ended unseen;
 * - any read: no append that it misses ended before it began, nor did a longer read. Of the agreed elements the first
 *   that it misses says this: for each is kept when it, or anything behind it, was certainly there (`since`). That is settled when
 *   it is shown: what ended before that, and was not shown either, stands behind it wherever it will be shown.
 *
 * Reading n elements costs n comparisons with the agreed list, everything else O(1). Memory: the list, and what is
 * open, crashed or unseen.
 */
import { POSSIBLE, violatedBy } from './live-algorithm.ts'
import { Unseen } from './live-unseen.ts'
import { same } from './values.ts'
import type { LiveAlgorithm, LiveAnswer, Outcome } from './live-algorithm.ts'
import type { Addition } from './live-unseen.ts'
import type { Json, Values } from './values.ts'

interface Read {
  readonly row: number
  readonly invoked: number
  readonly element: undefined
}

/** An append is remembered as the element that it appends. */
interface Element extends Addition {
  readonly invoked: number
  readonly element: Json
  readonly code: number
  ended: number
  shownBy: number
}

type ListOperation = Read | Element

const UNWRITTEN = 'cannot be placed: it shows an element that had not been appended, or shows it twice.'
const DISAGREES = 'cannot be placed: another read shows other elements in these places.'
const MISSED = 'cannot be placed: it misses an element that was certainly there before it began.'
const REORDERED = 'cannot be placed: it shows an element in front of one that had been appended before it.'
const FAILED = 'cannot have failed: a read shows its element.'

/** One list. */
export class LiveList implements LiveAlgorithm<ListOperation> {
  readonly #values: Values
  #events = 0
  /** By code; without those whose append failed. */
  readonly #elements = new Map<number, Element>()
  /** The agreed list: values, their appends, and by when each, or one behind it, was certainly there. */
  readonly #agreed: Json[] = []
  readonly #appends: Element[] = []
  readonly #since: number[] = []
  readonly #unseen = new Unseen<Element>()

  constructor(values: Values) {
    this.#values = values
  }

  /** How many elements are remembered. */
  get size(): number {
    return this.#elements.size
  }

  invoke(f: string, value: Json, row: number): ListOperation | undefined {
    const invoked = this.#events++
    if (f === 'read') return { row, invoked, element: undefined }
    const code = this.#values.encode(value)
    if (this.#elements.has(code)) return undefined
    const element: Element = { row, invoked, element: value, code, ended: Infinity, shownBy: -1 }
    this.#elements.set(code, element)
    return element
  }

  complete(operation: ListOperation, outcome: Outcome, value: Json): LiveAnswer {
    const event = this.#events++
    if (operation.element === undefined) return outcome === 'ok' ? this.#reads(operation, value, event) : POSSIBLE
    if (outcome === 'ok') {
      operation.ended = event
      this.#unseen.add(operation)
    }
    if (outcome !== 'fail') return POSSIBLE
    this.#elements.delete(operation.code)
    return operation.shownBy < 0 ? POSSIBLE : violatedBy([operation.row, operation.shownBy], FAILED)
  }

  #reads(read: Read, list: Json, event: number): LiveAnswer {
    if (!Array.isArray(list)) return violatedBy([read.row], UNWRITTEN)
    const shown = list as readonly Json[]
    const differs = this.#firstDifference(shown)
    if (differs >= 0) return violatedBy([read.row, this.#appends[differs]!.row, this.#appends[differs]!.shownBy], DISAGREES)
    const known = this.#agreed.length
    const wrong = shown.length > known ? this.#show(read, shown, event) : undefined
    if (wrong !== undefined) return wrong
    const missed = this.#unseen.first
    if (missed !== undefined && missed.ended < read.invoked) return violatedBy([read.row, missed.row], MISSED)
    if (shown.length < known && this.#since[shown.length]! < read.invoked) return violatedBy([read.row, ...this.#rowsSince(shown.length, read.invoked)], MISSED)
    return POSSIBLE
  }

  /** The first place in which a list shows another element than agreed; -1. */
  #firstDifference(shown: readonly Json[]): number {
    const agreed = this.#agreed
    const length = Math.min(agreed.length, shown.length)
    for (let at = 0; at < length; at++) if (agreed[at] !== shown[at] && !same(agreed[at]!, shown[at]!)) return at
    return -1
  }

  /** A read shows more than is agreed: then that is. */
  #show(read: Read, shown: readonly Json[], event: number): LiveAnswer | undefined {
    const known = this.#agreed.length
    for (let at = known; at < shown.length; at++) {
      const element = this.#elements.get(this.#values.encode(shown[at]))
      if (element === undefined || element.shownBy >= 0) return violatedBy([read.row, ...(element === undefined ? [] : [element.row, element.shownBy])], UNWRITTEN)
      element.shownBy = read.row
      this.#agreed.push(element.element)
      this.#appends.push(element)
      this.#since.push(event)
    }
    let earliest = this.#unseen.first
    for (let at = shown.length - 1; at >= known; at--) {
      const element = this.#appends[at]!
      if (earliest !== undefined && earliest.ended < element.invoked) return violatedBy([read.row, element.row, earliest.row], REORDERED)
      if (element.ended < (earliest?.ended ?? event)) earliest = element
      this.#since[at] = Math.min(event, earliest?.ended ?? event)
    }
    return undefined
  }

  /** Rows that say that something from this place on was there before an event. */
  #rowsSince(place: number, event: number): number[] {
    const element = this.#appends.slice(place).find(({ ended }) => ended < event)
    return element === undefined ? [this.#appends[place]!.row, this.#appends[place]!.shownBy] : [element.row, element.shownBy]
  }
}
