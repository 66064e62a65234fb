/**
 * The line of eras (live-eras.ts): those on which something has ended, in order of their first response. Of an era from f to s and another from f' to
 * s' one must have stood both before and after the other iff f < s' and f' < s.
 */
import type { Written } from './live-texts.ts'
import type { LiveOperation } from './live-window.ts'
import type { Json } from './values.ts'

/** What all operations have. */
interface Timed {
  readonly value: Json
  readonly row: number
  readonly process: number
  readonly invoked: number
  /** Infinity while it is open, and where it crashed. */
  ended: number
  outcome: 'ok' | 'fail' | 'info' | undefined
  /** What it returned. */
  output: Json
  /** It took effect before the log begins (live-kv.ts). */
  isSettled: boolean
  /** What the window remembers of it, where it is asked (live-kv.ts). */
  asked: LiveOperation | undefined
}

export interface Get extends Timed {
  readonly f: 'get'
  /** What the era that it showed begins with. */
  era: Change | undefined
}

/** A put, append or delete; and the era, or gap, that it begins. */
export interface Change extends Timed, Written {
  readonly f: 'put' | 'append' | 'delete'
  /** Of its era the first response and the last invocation, and whose they are. Infinity before the first. */
  first: number
  firstRow: number
  last: number
  lastRow: number
  /** Of an append that was read: what its era begins with, and the place in the chain. */
  head: Change | undefined
  at: number
  /** Of a delete that is held responsible: for whom. */
  gap: Gap | undefined
  /** The era behind the gap of a delete; of such an era the delete. */
  partner: Change | undefined
}

export interface Gap {
  readonly reads: Get[]
  /** Without the era behind it. */
  first: number
  last: number
}

/** A put, append or delete begins. */
export function newChange(f: Change['f'], value: Json, row: number, process: number, invoked: number): Change {
  return {
    f, value, row, process, invoked, ended: Infinity, outcome: undefined, output: null, isSettled: false, asked: undefined, text: typeof value === 'string' ? value : '', chain: undefined,
    first: Infinity, firstRow: row, last: invoked, lastRow: row, head: undefined, at: 0, gap: undefined, partner: undefined,
  }
}

/** Whether reads, or an era, hang on this delete. */
export function isResponsible(change: Change): boolean {
  return change.gap !== undefined
}

export class LiveLine {
  /** Without those that are forgotten. */
  #eras: Change[] = []

  get eras(): readonly Change[] {
    return this.#eras
  }

  /** Puts an era into its place, or into another. */
  enter(era: Change, first: number, row: number): void {
    if (era.first !== Infinity) this.leave(era)
    era.first = first
    era.firstRow = row
    const eras = this.#eras
    let at = eras.length
    while (at > 0 && eras[at - 1]!.first > first) at--
    if (at === eras.length) eras.push(era)
    else eras.splice(at, 0, era)
  }

  leave(era: Change): void {
    const at = this.#eras.lastIndexOf(era)
    if (at >= 0) this.#eras.splice(at, 1)
  }

  /** Keeps only these. */
  keep(isKept: (era: Change) => boolean): void {
    this.#eras = this.#eras.filter(isKept)
  }

  /** Whether this is so of an era, with its first response at `from` or later, that cannot be beside one from `first` to `last`. */
  meets(first: number, last: number, from: number, isSo: (other: Change) => boolean): boolean {
    for (let at = this.#eras.length - 1; at >= 0; at--) {
      const other = this.#eras[at]!
      if (other.first < from) return false
      if (other.first < last && other.last > first && isSo(other)) return true
    }
    return false
  }
}
