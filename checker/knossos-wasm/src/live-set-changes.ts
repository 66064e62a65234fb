/** What a chain of reads of a set (live-set-chain.ts) is made of: elements that come and go, and levels. */
import type { Addition } from './live-unseen.ts'
import type { Outcome } from './live-algorithm.ts'
import type { Json } from './values.ts'

/** One operation. */
export interface SetOperation {
  readonly f: string
  readonly value: Json
  /** Of its element; NIL for a read. */
  readonly code: number
  readonly row: number
  invoked: number
  outcome: Outcome | undefined
  output: Json
}

/** An element comes or goes. */
export interface Change extends Addition {
  readonly element: Element
  /** Since when it can have taken effect. */
  begun: number
  ended: number
  shownBy: number
  /** Undefined as long as no read has shown it. */
  level: Level | undefined
}

export interface Element {
  readonly code: number
  readonly value: Json
  comes: Change
  /** Undefined as long as nobody can have removed it. */
  goes: Change | undefined
  /** Those that can have removed it, by the time of their invocation. */
  removals: SetOperation[]
  /** Further additions that are open or crashed. */
  again: number
  /** Whether the largest read shows it. */
  isIn: boolean
  /** The last comparison in which it was met. */
  met: number
}

/** What a read saw and lower ones did not. */
export interface Level {
  changes: Change[]
  /** The earliest end of a read that saw this, and nothing behind it. */
  readonly ended: number
}

/** Where a read can be placed: `level` is divided, or undefined: on top. `low`: what it sees there; none: nothing is new. */
export interface Place {
  readonly level: Level | undefined
  readonly low: Change[]
  readonly high: Change[]
  /** Something that came and went might as well be low. */
  readonly isLoose: boolean
}

/** The level of all that lies in the ground. */
export const GROUND: Level = { changes: [], ended: -1 }

export function newChange(element: Element, row: number, begun: number): Change {
  return { element, row, begun, ended: Infinity, shownBy: -1, level: undefined }
}

export function newElement(code: number, value: Json, row: number, begun: number): Element {
  const element = { code, value, comes: undefined as unknown as Change, goes: undefined, removals: [], again: 0, isIn: false, met: 0 }
  element.comes = newChange(element, row, begun)
  return element
}

/**
 * A place within a level for a read that began then, which differs in these elements from one that saw the whole level. What
 * came and went within it is low where it must be, or where `isLow` says so.
 */
export function divided(level: Level, apart: ReadonlySet<Element>, invoked: number, isLow: (() => boolean) | undefined): Place | undefined {
  const [low, high, brief] = [[] as Change[], [] as Change[], [] as Element[]]
  let [left, begun] = [apart.size, invoked]
  for (const change of level.changes) {
    const { element } = change
    const isLast = change === element.goes || element.goes?.level !== level
    if (isLast && apart.has(element)) {
      left--
      high.push(change)
    } else if (isLast && change === element.goes && element.comes.level === level) brief.push(element)
    else if (isLast || apart.has(element)) {
      low.push(change)
      begun = Math.max(begun, change.begun)
    }
  }
  if (left > 0) return undefined
  let isLoose = false
  for (const { comes, goes } of brief.sort((a, b) => a.comes.ended - b.comes.ended)) {
    const mustPrecede = comes.ended < begun
    const precedes = mustPrecede || isLow?.() === true
    isLoose ||= !mustPrecede && isLow === undefined
    ;(precedes ? low : high).push(comes, goes!)
    if (precedes) begun = Math.max(begun, goes!.begun)
  }
  return low.length > 0 && high.every(({ ended }) => ended >= begun) ? { level, low, high, isLoose } : undefined
}

/** The same elements and levels once more; whoever changes them does not change the originals. */
export class ChangesCopy {
  readonly #changes = new Map<Change, Change>()
  readonly #levels = new Map<Level, Level>([[GROUND, GROUND]])

  element(element: Element): Element {
    const { code, value, comes, goes, removals, again, isIn, met } = element
    // Nobody but its element remembers a change that lies in the ground.
    const isPlain = goes === undefined && comes.level === GROUND
    const known = isPlain ? undefined : this.#changes.get(comes)
    if (known !== undefined) return known.element
    const copy: Element = { code, value, comes, goes, removals: removals.length === 0 ? [] : [...removals], again, isIn, met }
    copy.comes = copyOf(comes, copy)
    if (isPlain) return copy
    this.#changes.set(comes, copy.comes)
    if (goes !== undefined) {
      copy.goes = copyOf(goes, copy)
      this.#changes.set(goes, copy.goes)
    }
    for (const change of [copy.comes, copy.goes]) if (change?.level !== undefined) change.level = this.level(change.level)
    return copy
  }

  change(change: Change): Change {
    this.element(change.element)
    return this.#changes.get(change)!
  }

  level(level: Level): Level {
    let copy = this.#levels.get(level)
    if (copy === undefined) {
      copy = { changes: [], ended: level.ended }
      this.#levels.set(level, copy)
      copy.changes = level.changes.map((change) => this.change(change))
    }
    return copy
  }
}

function copyOf({ row, begun, ended, shownBy, level }: Change, element: Element): Change {
  return { element, row, begun, ended, shownBy, level }
}
