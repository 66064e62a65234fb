/**
 * Which delete it was that made reads find nothing, and an append the first of its era (live-eras.ts).
 *
 * One delete is like another. A delete and the reads for which it is held
 * responsible are a *gap*, and directly behind them may be an era that began with an append. Who is responsible for what is decided
 * greedily, and again where it contradicts an era: as long as it works nothing is violated; where it does not nothing is
 * proven, and nobody is held responsible for anything any more (`isLost`) until it is certain again (`settle`). Gaps that overlap are one, and a
 * delete that nobody needs may stand in any.
 */
import { isResponsible, newChange } from './live-line.ts'
import type { Change, Gap, Get, LiveLine } from './live-line.ts'

export class LiveGaps {
  readonly #line: LiveLine
  /** Reads of one gap that are remembered, so that others can be held responsible. */
  readonly #readsMax: number
  /** Those that can still be held responsible, by the time of their invocation. */
  #deletes: Change[] = []
  isLost = false

  constructor(line: LiveLine, readsMax: number) {
    this.#line = line
    this.#readsMax = readsMax
  }

  /** How many deletes can still have been it. */
  get size(): number {
    return this.#deletes.length
  }

  begin(change: Change): void {
    this.#deletes.push(change)
  }

  /** A delete had no effect. */
  fail(change: Change): void {
    this.#deletes.splice(this.#deletes.lastIndexOf(change), 1)
    if (isResponsible(change)) this.release(change)
  }

  /** A read that found nothing has ended. */
  foundNothing(get: Get): void {
    if (!this.isLost && !this.#assign(get)) this.#lose()
  }

  /** An era that began where nothing was reaches farther: whether the delete before it can still stand there, or another. Its last invocation was `from` before. */
  follow(era: Change, from: number): void {
    if (this.isLost || era.isSettled) return
    const before = era.partner
    if (before !== undefined) {
      const { gap } = before
      const last = Math.max(before.last, era.last)
      if (era.first >= before.first && gap!.last < era.first && this.#fits(before, before.first, last, era, from)) {
        before.last = last
        return
      }
      before.partner = undefined
      era.partner = undefined
      this.#reset(before, gap!.reads.length > 0 ? gap : undefined)
    }
    if (!this.#link(era)) this.#lose()
  }

  /** Finds a delete for a read that found nothing. */
  #assign(get: Get): boolean {
    return this.#some((change) => {
      if (change.invoked > get.ended || (change.partner !== undefined && change.partner.first < get.invoked)) return false
      const first = Math.min(change.first, get.ended)
      const last = Math.max(change.last, get.invoked)
      if (!this.#fits(change, first, last, change.partner, -1)) return false
      const gap = (change.gap ??= newGap(change))
      if (gap.reads.length <= this.#readsMax) gap.reads.push(get)
      gap.first = Math.min(gap.first, get.ended)
      gap.last = Math.max(gap.last, get.invoked)
      if (first < change.first) this.#line.enter(change, first, get.row)
      change.last = last
      return true
    })
  }

  /** Finds a delete for an era that began where nothing was. */
  #link(era: Change): boolean {
    return this.#some((change) => {
      if (change.partner !== undefined || (change.gap?.last ?? change.invoked) > era.first) return false
      const first = Math.min(change.first, era.first)
      const last = Math.max(change.last, era.last)
      if (!this.#fits(change, first, last, era, -1)) return false
      change.gap ??= newGap(change)
      change.partner = era
      era.partner = change
      if (first < change.first) this.#line.enter(change, first, era.firstRow)
      change.last = last
      return true
    })
  }

  /** Asks deletes in turn: of those that ended the last, then those that are open, or crashed. */
  #some(suits: (change: Change) => boolean): boolean {
    const deletes = this.#deletes
    for (let at = deletes.length - 1; at >= 0; at--) if (deletes[at]!.ended !== Infinity && suits(deletes[at]!)) return true
    return deletes.some((change) => change.ended === Infinity && suits(change))
  }

  /** Whether a gap, and the era behind it, can reach from `first` to `last`; its last invocation was `from` before. */
  #fits(change: Change, first: number, last: number, era: Change | undefined, from: number): boolean {
    return !this.#line.meets(first, last, from, (other) => {
      if (other === change || other === era) return false
      if (other.f !== 'delete') return true
      // Both are one gap, if one ends before an era comes behind the other.
      return other.partner === undefined ? other.last > (era?.first ?? Infinity) : era !== undefined || last > other.partner.first
    })
  }

  /** Others are held responsible for what this delete was; where there are none, that is lost. */
  release(change: Change): void {
    const { gap, partner } = change
    change.partner = undefined
    if (partner !== undefined) partner.partner = undefined
    this.#reset(change, undefined)
    if (gap!.reads.length > this.#readsMax || !gap!.reads.every((get) => this.#assign(get)) || (partner !== undefined && !this.#link(partner))) this.#lose()
  }

  /** A delete stands for itself, or for the reads of its gap. */
  #reset(change: Change, gap: Gap | undefined): void {
    this.#line.leave(change)
    change.gap = gap
    change.first = Infinity
    change.last = gap?.last ?? change.invoked
    const first = gap?.first ?? change.ended
    if (first !== Infinity && change.outcome !== 'fail') this.#line.enter(change, first, change.row)
  }

  #lose(): void {
    this.isLost = true
    for (const change of [...this.#deletes, ...this.#line.eras]) {
      if (!isResponsible(change)) continue
      if (change.partner !== undefined) change.partner.partner = undefined
      change.partner = undefined
      this.#reset(change, undefined)
    }
  }

  /** Forgets deletes. */
  forget(isDead: (change: Change) => boolean): void {
    this.#deletes = this.#deletes.filter((change) => !isDead(change))
  }

  /** At a moment it was certain what was there: this era, or nothing. Whatever is not known of what was deleted before is of no matter any more. `since`: what has begun or ended since. */
  settle(moment: number, era: Change | undefined, since: readonly (Change | Get)[]): void {
    if (era !== undefined) this.#settleEra(era)
    if (!this.isLost) return
    this.isLost = false
    this.#deletes = this.#deletes.filter(({ ended }) => ended > moment)
    if (era === undefined) {
      const nothing = newChange('delete', null, -1, -1, moment)
      nothing.ended = moment
      this.#line.enter(nothing, moment, -1)
      this.#deletes.push(nothing)
    }
    const gets = new Set(since.filter((one): one is Get => one.f === 'get' && one.outcome === 'ok' && one.era === undefined))
    const eras = this.#line.eras.filter((one) => one.f === 'append' && one.head === one && one.first > moment && !one.isSettled)
    if (![...gets].every((get) => this.#assign(get)) || !eras.every((one) => this.#link(one))) this.#lose()
  }

  /** Nobody needs to know any more after which delete an era began. */
  #settleEra(era: Change): void {
    const { partner } = era
    era.isSettled = true
    if (partner === undefined) return
    era.partner = undefined
    partner.partner = undefined
    this.#reset(partner, partner.gap!.reads.length > 0 ? partner.gap : undefined)
  }
}

function newGap({ ended, invoked }: Change): Gap {
  return { reads: [], first: ended, last: invoked }
}
