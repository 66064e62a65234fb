/**
 * Reads of a set, as a chain by what they saw, which divides the changes that its elements undergo into *levels*: what the lowest read
 * saw, what the next one saw besides, and so on; behind the last are the changes that ended *unseen*. The order within a level is open until a
 * read divides it. All is well iff no change ended before something of an earlier level began.
 */
import { violatedBy } from './live-algorithm.ts'
import { divided, GROUND } from './live-set-changes.ts'
import { Unseen } from './live-unseen.ts'
import type { LiveAnswer } from './live-algorithm.ts'
import type { Change, ChangesCopy, Element, Level, Place, SetOperation } from './live-set-changes.ts'
import type { Json } from './values.ts'

/** How a read differs from the largest so far. */
interface Difference {
  readonly more: readonly Element[]
  readonly missing: readonly Element[]
}

const UNWRITTEN = 'cannot be placed: it shows what had not been added, or shows an element twice.'
const NOWHERE = 'cannot be placed: given what others saw, the set had other elements all the time.'
const REORDERED = 'cannot be placed: others saw things happen in another order.'

const NONE: Element[] = []
const UNCHANGED: Place = { level: undefined, low: [], high: [], isLoose: false }

/** What the levels must know. */
export interface SetAround {
  /** The element of this value; undefined where it was not added, or has been forgotten. */
  find(value: Json): Element | undefined
  /** Of so many ways, which is taken; one: there are more, which are not asked for. */
  choose(ways: number): number
}

export class SetLevels {
  readonly #around: SetAround
  /** Whether it is asked for all ways. */
  isThorough: boolean
  readonly #unseen = new Unseen<Change>()
  /** Those that may have come and gone, and of which no read has shown anything. */
  readonly #brief = new Set<Element>()
  /** Those that are taken to have gone, although nothing proves that they have come: they may still do so. */
  readonly ghosts = new Set<Element>()
  /** The largest read so far. */
  #largest: readonly Json[] = []
  /** The levels above the ground, the lowest first. */
  #levels: Level[] = []
  #comparisons = 0

  constructor(around: SetAround, isThorough: boolean) {
    this.#around = around
    this.isThorough = isThorough
  }

  get size(): number {
    return this.#levels.length
  }

  copy(around: SetAround, isThorough: boolean, changes: ChangesCopy): SetLevels {
    const copy = new SetLevels(around, isThorough)
    for (const change of this.#unseen) copy.#unseen.add(changes.change(change))
    for (const element of this.#brief) copy.#brief.add(changes.element(element))
    for (const element of this.ghosts) copy.ghosts.add(changes.element(element))
    copy.#levels = this.#levels.map((level) => changes.level(level))
    copy.#largest = this.#largest
    copy.#comparisons = this.#comparisons
    return copy
  }

  /** An element may have gone. */
  mayGo(element: Element): void {
    if (element.comes.level === undefined) this.#brief.add(element)
  }

  /** It cannot have gone. */
  stays(element: Element): void {
    this.#brief.delete(element)
  }

  /** It came and went, and nobody who looks can see it any more. */
  forget(element: Element): void {
    this.#brief.delete(element)
    for (const change of [element.comes, element.goes]) if (change !== undefined && change.shownBy < 0) change.shownBy = 0
  }

  /** By now a change has certainly taken effect. */
  happens(change: Change, event: number): void {
    if (change.ended < Infinity) return
    change.ended = event
    if (change.level === undefined) this.#unseen.add(change)
  }

  /** By now an element has certainly come and gone. */
  leaves(element: Element, event: number): void {
    if (element.comes.ended === Infinity) this.ghosts.add(element)
    this.happens(element.comes, event)
    this.happens(element.goes!, event)
  }

  /** A change took effect after this event. */
  raise(change: Change, event: number, row: number): LiveAnswer | undefined {
    if (change.begun >= event) return undefined
    if (this.latest(change) < event) return violatedBy([row, change.row, change.shownBy], REORDERED)
    change.begun = event
    const { element } = change
    return change !== element.comes || element.goes === undefined ? undefined : this.raise(element.goes, event, row)
  }

  /** By when a change has taken effect, given what stands behind it. */
  latest({ level, ended }: Change): number {
    if (level === undefined || level === GROUND) return ended
    let latest = Math.min(ended, this.#unseen.first?.ended ?? Infinity)
    for (let at = this.#levels.length - 1; ; at--) {
      const one = this.#levels[at]!
      latest = Math.min(latest, one.ended)
      if (one === level) return latest
      for (const change of one.changes) latest = Math.min(latest, change.ended)
    }
  }

  /** A read ends. Undefined: all is well. */
  reads(read: SetOperation, event: number): LiveAnswer | undefined {
    const list = read.output
    const difference = Array.isArray(list) ? this.#difference(list as readonly Json[]) : undefined
    if (difference === undefined) return violatedBy([read.row], UNWRITTEN)
    const unseen = this.#unseen.first
    if (difference.more.length > 0 || difference.missing.length > 0 || (unseen !== undefined && unseen.ended < read.invoked)) {
      const places = this.#placesFor(read, difference)
      if (places.length === 0) return violatedBy([read.row, unseen?.row ?? -1, ...difference.missing.map(({ comes }) => comes.row)], NOWHERE)
      const place = places[places.length > 1 ? this.#around.choose(places.length) : 0]!
      this.#place(read, place, list as readonly Json[], event)
    }
    return undefined
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
      const element = this.#around.find(value)
      if (element === undefined || element.met === comparison) return undefined
      if (!element.isIn) {
        element.met = comparison
        more.push(element)
        continue
      }
      // Whatever lies before it in the largest read is missing, or the order is another.
      for (; at < largest.length && largest[at] !== value; at++) missing.push(this.#around.find(largest[at]!)!)
      if (at++ >= largest.length) return this.#inAnyOrder(shown)
    }
    for (; at < largest.length; at++) missing.push(this.#around.find(largest[at]!)!)
    return { more, missing }
  }

  /** The same for elements that come in another order. */
  #inAnyOrder(shown: readonly Json[]): Difference | undefined {
    const comparison = ++this.#comparisons
    const more: Element[] = []
    for (const value of shown) {
      const element = this.#around.find(value)
      if (element === undefined || element.met === comparison) return undefined
      element.met = comparison
      if (!element.isIn) more.push(element)
    }
    const isComplete = shown.length - more.length === this.#largest.length
    return { more, missing: isComplete ? [] : this.#largest.map((value) => this.#around.find(value)!).filter(({ met }) => met !== comparison) }
  }

  /** All places for a read; where nothing need change, that one. */
  #placesFor(read: SetOperation, difference: Difference): Place[] {
    const places: Place[] = []
    const top = this.#onTop(read, difference)
    if (top !== undefined) places.push(top)
    if (this.#levels.length === 0 || this.#levels.at(-1)!.ended < read.invoked) return places
    const apart = new Set([...difference.more, ...difference.missing])
    let latest = this.#unseen.first?.ended ?? Infinity
    for (let at = this.#levels.length - 1; ; at--) {
      if (latest < read.invoked) return places
      if (apart.size === 0) return [UNCHANGED]
      const level = this.#levels[at]
      if (level === undefined || level.ended < read.invoked) return places
      latest = Math.min(latest, level.ended)
      const place = divided(level, apart, read.invoked, this.isThorough ? () => this.#around.choose(2) === 1 : undefined)
      if (place !== undefined) places.push(place)
      for (const { element, ended } of level.changes) {
        latest = Math.min(latest, ended)
        if (!apart.delete(element)) apart.add(element)
      }
    }
  }

  /** Above all reads so far: what a read saw there. */
  #onTop({ invoked }: SetOperation, { more, missing }: Difference): Place | undefined {
    const low = new Set<Change>()
    for (const { comes } of more) low.add(comes)
    for (const { goes } of missing) {
      if (goes === undefined) return undefined
      low.add(goes)
    }
    if (this.isThorough) for (const { comes, goes } of this.#brief) if (!low.has(comes) && this.#around.choose(2) === 1) low.add(comes).add(goes!)
    let begun = invoked
    for (const change of low) {
      if (change.level !== undefined) return undefined
      begun = Math.max(begun, change.begun)
    }
    for (const change of this.#unseen) {
      if (change.ended >= begun) break
      if (low.has(change)) continue
      // What ended must have been seen: it came, and went.
      const { comes, goes } = change.element
      if (change !== comes || goes === undefined) return undefined
      low.add(comes).add(goes)
      begun = Math.max(begun, goes.begun)
    }
    const isLoose = !this.isThorough && this.#brief.size > 0 && [...this.#brief].some(({ comes }) => !low.has(comes))
    return { level: undefined, low: [...low], high: [], isLoose }
  }

  #place({ row }: SetOperation, { level, low, high, isLoose }: Place, list: readonly Json[], event: number): void {
    if (low.length === 0) return
    if (isLoose) this.#around.choose(1)
    const lower: Level = { changes: low, ended: event }
    for (const change of low) change.level = lower
    if (level !== undefined) {
      level.changes = high
      this.#levels.splice(this.#levels.indexOf(level), 0, lower)
      return
    }
    this.#levels.push(lower)
    this.#largest = [...list]
    for (const change of low) {
      change.shownBy = row
      const { element } = change
      if (change === element.goes) this.leaves(element, event)
      else if (element.goes === undefined || !low.includes(element.goes)) this.happens(change, event)
      element.isIn = change === element.comes
      this.#brief.delete(element)
    }
  }

  /** What was seen before anybody began who still looks becomes ground. The elements that went there. */
  settle(earliest: number): Element[] {
    let at = this.#levels.length - 1
    while (at >= 0 && this.#levels[at]!.ended >= earliest) at--
    return at < 0 ? NONE : this.#bury(at + 1)
  }

  /** All becomes ground, because whoever looks does so after this element has gone. The elements that went there. */
  settleAll(element: Element): Element[] {
    const gone = this.#bury(this.#levels.length)
    this.#largest = this.#largest.filter((value) => this.#around.find(value) !== element)
    return gone
  }

  /** So many levels become ground. */
  #bury(count: number): Element[] {
    const gone: Element[] = []
    for (const { changes } of this.#levels.splice(0, count)) {
      for (const change of changes) {
        change.level = GROUND
        if (change === change.element.goes) gone.push(change.element)
      }
    }
    return gone
  }
}
