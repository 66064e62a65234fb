/**
 * Sets as long as they only grow, judged while the history is being made.
 *
 * Reads of the whole form a chain by inclusion, which divides the additions into *blocks*: what the smallest read saw, what
 * the next one saw besides, and so on; behind the last are those that ended *unseen*. An addition that is open or
 * crashed, and neither seen nor found, need not have taken effect. So the history is linearizable iff nothing ended before something of an
 * earlier place began, as in live-list.ts; but here the order within a block is open until a smaller read divides it.
 *
 * `contains` concerns one addition only: who found the element ended after the addition took effect, who missed it began before. So
 * it narrows the time of the addition (`begun`, `ended`), and any contradiction on a way over it is one between
 * the narrowed times.
 *
 * Two operations in the wrong order are found when the later-known of their places, or times, becomes known:
 *
 * - a read of all that was seen, and more: what is new is the last block; none of it began after something unseen ended;
 * - a read that misses some of what was seen: it misses all that is behind the lowest block of which it misses anything, and of that block
 *   nothing that it misses ended before something that it shows began;
 * - any read, and any `contains` that missed: nothing that stands behind it ended before it began.
 *
 * An element that is certainly there may be added again, which changes nothing. Sets that elements are removed from are judged
 * as long as nobody begins to.
 *
 * A block that some read showed that ended before all open reads and `contains` began is the *ground*, with all below it: whoever
 * misses anything there is wrong. Cost of a read: a comparison for each element where it comes in the order of the largest
 * read so far, otherwise a look-up for each; everything else depends on what is open. Memory: the set, and the open window.
 */
import { POSSIBLE, violatedBy } from './live-algorithm.ts'
import { Unseen } from './live-unseen.ts'
import type { LiveAlgorithm, LiveAnswer, Outcome } from './live-algorithm.ts'
import type { Addition } from './live-unseen.ts'
import type { Json, Values } from './values.ts'

/** A read, `contains`, or an addition of what is certainly there. */
interface Look {
  readonly f: string
  readonly row: number
  readonly invoked: number
  /** The code of the one element that it is about; undefined for a read. */
  readonly asked: number | undefined
  readonly element: undefined
}

/** An addition is remembered as the element that it adds. */
interface Element extends Addition {
  readonly element: number
  /** Since when it can have taken effect, given who missed it. */
  begun: number
  ended: number
  shownBy: number
  /** Undefined as long as no read has shown it. */
  block: Block | undefined
  /** The last comparison in which it was met. */
  met: number
}

type SetOperation = Look | Element

/** What a read showed and smaller ones did not. */
interface Block {
  elements: Element[]
  /** The earliest end of a read that showed this, and nothing behind it. */
  readonly ended: number
  readonly row: number
}

/** How a read differs from the largest so far. */
interface Difference {
  readonly more: Element[]
  readonly missing: Element[]
}

const UNWRITTEN = 'cannot be placed: it shows what had not been added, or shows an element twice.'
const DISAGREES = 'cannot be placed: it misses an element that another read shows, and shows one that the other misses.'
const MISSED = 'cannot be placed: it misses an element that was certainly there before it began.'
const REORDERED = 'cannot be placed: it shows that an element was there before another that had been added before it.'
const FAILED = 'cannot have failed: its element was found.'

/** The block of all that lies in the ground. */
const GROUND: Block = { elements: [], ended: -1, row: -1 }

/** One set. */
export class LiveGrowingSet implements LiveAlgorithm<SetOperation> {
  readonly #values: Values
  #events = 0
  /** By code; without those whose addition failed. */
  readonly #elements = new Map<number, Element>()
  readonly #unseen = new Unseen<Element>()
  /** Reads and `contains` that are open, by the time of their invocation. */
  readonly #open = new Set<Look>()
  /** The largest read so far. */
  #largest: readonly Json[] = []
  /** The row of a read that showed the ground. */
  #groundRow = -1
  /** The blocks above the ground, the lowest first. */
  #chain: Block[] = []
  #comparisons = 0

  constructor(values: Values) {
    this.#values = values
  }

  /** How many elements and operations are remembered. */
  get size(): number {
    return this.#elements.size + this.#chain.length
  }

  invoke(f: string, value: Json, row: number): SetOperation | undefined {
    const event = this.#events++
    const code = f === 'read' ? undefined : this.#values.encode(value)
    if (f === 'remove') return undefined
    const known = f === 'add' ? this.#elements.get(code!) : undefined
    // Only where it is certainly there it makes no difference which of the two added it.
    if (known?.ended === Infinity) return undefined
    if (f !== 'add' || known !== undefined) {
      const look: Look = { f, row, invoked: event, asked: code, element: undefined }
      this.#open.add(look)
      return look
    }
    const element: Element = { row, element: code!, begun: event, ended: Infinity, shownBy: -1, block: undefined, met: 0 }
    this.#elements.set(code!, element)
    return element
  }

  complete(operation: SetOperation, outcome: Outcome, value: Json): LiveAnswer {
    const event = this.#events++
    if (operation.element !== undefined) return this.#addEnds(operation, outcome, value, event)
    this.#open.delete(operation)
    if (outcome !== 'ok') return POSSIBLE
    if (operation.asked === undefined) return this.#reads(operation, value, event)
    const element = this.#elements.get(operation.asked)
    // Who adds what was not there says so; who does not say has found nothing out.
    const found = operation.f === 'add' ? value !== true : value
    if (typeof found !== 'boolean' || (found && element === undefined)) return violatedBy([operation.row], UNWRITTEN)
    if (element === undefined) return POSSIBLE
    if (!found) return this.#missed(operation, element)
    this.#tookEffect(element, event)
    return POSSIBLE
  }

  #addEnds(element: Element, outcome: Outcome, value: Json, event: number): LiveAnswer {
    if (outcome === 'ok') this.#tookEffect(element, event)
    if (outcome === 'fail') this.#elements.delete(element.element)
    if (outcome === 'fail' && (element.shownBy >= 0 || element.ended < event)) return violatedBy([element.row, element.shownBy], FAILED)
    // It says that the element was there already, which nobody else added.
    return outcome === 'ok' && value === false ? violatedBy([element.row], UNWRITTEN) : POSSIBLE
  }

  #tookEffect(element: Element, event: number): void {
    if (element.ended < event) return
    element.ended = event
    this.#unseen.add(element)
  }

  /** `contains` missed an element, which so was added later. */
  #missed(look: Look, element: Element): LiveAnswer {
    const { row, invoked } = look
    if (element.ended < invoked) return violatedBy([row, element.row], MISSED)
    element.begun = Math.max(element.begun, invoked)
    if (element.block === undefined) return POSSIBLE
    const at = this.#chain.indexOf(element.block)
    const behind = this.#chain.slice(at + 1).flatMap(({ elements }) => elements).concat(this.#unseen.first ?? [])
    const earlier = behind.find(({ ended }) => ended < invoked)
    if (earlier !== undefined) return violatedBy([row, element.row, earlier.row, element.shownBy], REORDERED)
    return this.#shownBefore(at, look) ?? POSSIBLE
  }

  /** Whether a read that showed the block in this place of the chain (-1: the ground) ended before a look that missed some of it began. */
  #shownBefore(at: number, { row, invoked }: Look): LiveAnswer | undefined {
    const shownBy = at < 0 ? this.#groundRow : this.#chain.find(({ ended }, i) => i >= at && ended < invoked)?.row
    return shownBy === undefined ? undefined : violatedBy([row, shownBy], MISSED)
  }

  #reads(read: Look, list: Json, event: number): LiveAnswer {
    const difference = Array.isArray(list) ? this.#difference(list as readonly Json[]) : undefined
    if (difference === undefined) return violatedBy([read.row], UNWRITTEN)
    const { more, missing } = difference
    const wrong = more.length > 0 ? this.#shows(read, more, event) : undefined
    if (wrong !== undefined) return wrong
    const unseen = this.#unseen.first
    const early = unseen !== undefined && unseen.ended < read.invoked ? unseen : missing.find(({ ended }) => ended < read.invoked)
    if (early !== undefined) return violatedBy([read.row, early.row, early.shownBy], MISSED)
    const apart = missing.length > 0 ? this.#divide(read, missing, event) : undefined
    if (apart !== undefined) return apart
    if (more.length > 0) this.#largest = [...(list as readonly Json[])]
    this.#settle(event)
    return POSSIBLE
  }

  /** How what a read shows differs from the largest read; undefined where it cannot be. */
  #difference(shown: readonly Json[]): Difference | undefined {
    const comparison = ++this.#comparisons
    const [largest, more, missing] = [this.#largest, [] as Element[], [] as Element[]]
    let at = 0
    for (const value of shown) {
      if (at < largest.length && largest[at] === value) {
        at++
        continue
      }
      const element = this.#elements.get(this.#values.encode(value))
      if (element === undefined || element.met === comparison) return undefined
      if (element.block === undefined) {
        element.met = comparison
        more.push(element)
        continue
      }
      // Whatever lies before it in the largest read is missing, or the order is another.
      for (; at < largest.length && largest[at] !== value; at++) missing.push(this.#elementOf(largest[at]!))
      if (at++ >= largest.length) return this.#inAnyOrder(shown)
    }
    for (; at < largest.length; at++) missing.push(this.#elementOf(largest[at]!))
    return { more, missing }
  }

  #elementOf(value: Json): Element {
    return this.#elements.get(this.#values.encode(value))!
  }

  /** The same for elements that come in another order. */
  #inAnyOrder(shown: readonly Json[]): Difference | undefined {
    const comparison = ++this.#comparisons
    const more: Element[] = []
    for (const value of shown) {
      const element = this.#elements.get(this.#values.encode(value))
      if (element === undefined || element.met === comparison) return undefined
      element.met = comparison
      if (element.block === undefined) more.push(element)
    }
    const missing: Element[] = []
    const count = this.#largest.length - (shown.length - more.length)
    for (let at = this.#chain.length - 1; at >= 0 && missing.length < count; at--) missing.push(...this.#chain[at]!.elements.filter(({ met }) => met !== comparison))
    if (missing.length < count) missing.push(this.#largest.map((value) => this.#elementOf(value)).find(({ block, met }) => block === GROUND && met !== comparison)!)
    return { more, missing }
  }

  /** A read shows all that was seen and more: the last block. */
  #shows({ row }: Look, elements: Element[], event: number): LiveAnswer | undefined {
    const block: Block = { elements, ended: event, row }
    this.#chain.push(block)
    for (const element of elements) {
      element.block = block
      element.shownBy = row
    }
    const unseen = this.#unseen.first
    const later = unseen === undefined ? undefined : elements.find(({ begun }) => unseen.ended < begun)
    return later === undefined ? undefined : violatedBy([row, later.row, unseen!.row], REORDERED)
  }

  /** A read misses some of what was seen: all behind the lowest block of which it does, which it may divide. */
  #divide(read: Look, missing: readonly Element[], event: number): LiveAnswer | undefined {
    const chain = this.#chain
    const lowest = missing.reduce((least, { block }) => Math.min(least, chain.indexOf(block!)), chain.length)
    const shown = this.#shownBefore(lowest, read)
    if (shown !== undefined) return shown
    const block = chain[lowest]!
    const high = missing.filter((element) => element.block === block)
    const behind = chain.slice(lowest + 1).reduce((sum, { elements }) => sum + elements.length, 0)
    if (missing.length - high.length < behind) return violatedBy([read.row, block.row, high[0]!.row], DISAGREES)
    if (high.length === block.elements.length) return undefined
    const low = block.elements.filter((element) => !high.includes(element))
    const earliest = high.reduce((least, element) => (element.ended < least.ended ? element : least))
    const latest = low.reduce((most, element) => (element.begun > most.begun ? element : most))
    if (earliest.ended < latest.begun) return violatedBy([read.row, earliest.row, latest.row], REORDERED)
    const lower: Block = { elements: low, ended: event, row: read.row }
    for (const element of low) element.block = lower
    block.elements = high
    chain.splice(lowest, 0, lower)
    return undefined
  }

  /** What was shown before anything began that may still miss it becomes ground. */
  #settle(event: number): void {
    let earliest = event
    for (const { invoked } of this.#open) {
      earliest = invoked
      break
    }
    let at = this.#chain.length - 1
    while (at >= 0 && this.#chain[at]!.ended >= earliest) at--
    if (at < 0) return
    this.#groundRow = this.#chain[at]!.row
    for (const { elements } of this.#chain.slice(0, at + 1)) for (const element of elements) element.block = GROUND
    this.#chain = this.#chain.slice(at + 1)
  }
}
