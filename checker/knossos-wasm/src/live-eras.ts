/**
 * Eras of a text that is put and appended to, while the history is being made: what live-zones.ts is for registers.
 *
 * A put, and what reads showed to have been appended to it, is an *era*, and so is what was appended where nothing was. Within
 * an era the order is known, as in live-list.ts. Between the first response (f) on anything of an era and the last invocation (s) nothing else
 * can have taken effect; what nobody has read is an era by itself, of one operation. So two eras c and d cannot both be iff
 * f(c) < s(d) and f(d) < s(c).
 *
 * Where nothing was, somebody must have deleted it; which delete that was is another matter (live-gaps.ts). As long as that finds a way, nothing is
 * violated that is not found here; when it does not (`isLost`) nothing is proven.
 *
 * Memory: let t be the earliest invocation of a read that is open, and m the greatest s of an era with f < t. Whoever read
 * from now on something whose f is less than m would begin too late.
 */
import { violatedBy } from './live-algorithm.ts'
import { LiveGaps } from './live-gaps.ts'
import { LiveLine, isResponsible } from './live-line.ts'
import { LiveTexts } from './live-texts.ts'
import type { LiveAnswer } from './live-algorithm.ts'
import type { Change, Get } from './live-line.ts'
import type { Chain, Reading } from './live-texts.ts'

const UNWRITTEN = 'cannot be placed: nothing that can still be seen makes this text.'
const REORDERED = 'cannot be placed: it shows something in front of what had been appended before.'
const MISSED = 'cannot be placed: what had been appended before it began is not shown, or had been overwritten.'
const OVERWRITTEN = 'cannot be placed: something else must have stood both before and after it.'
const FAILED = 'cannot have failed: a read shows it.'

/** How much is remembered; tests remember less. */
export interface KvMemory {
  /** Events before a cut is looked for, and more where much is open; and in all (live-kv.ts). */
  readonly events: number
  readonly eventsMax: number
  /** Reads of one gap, so that others can be held responsible. */
  readonly reads: number
  /** Eras, and states of an era, before those are forgotten that nobody can read any more. */
  readonly eras: number
  readonly states: number
}

/** So many appends leave the line one by one, more at once. */
const FEW = 8

export class LiveEras {
  readonly #texts = new LiveTexts<Change>()
  readonly #line = new LiveLine()
  readonly #gaps: LiveGaps
  readonly #memory: KvMemory
  #room: number

  /** `initial`: stands for the delete of the beginning. */
  constructor(initial: Change, memory: KvMemory) {
    this.#gaps = new LiveGaps(this.#line, memory.reads)
    this.#memory = memory
    this.#room = memory.eras
    this.#gaps.begin(initial)
    this.end(initial)
  }

  get size(): number {
    return this.#texts.size + this.#line.eras.length + this.#gaps.size
  }

  /** Whether it is not known which delete it was. */
  get isLost(): boolean {
    return this.#gaps.isLost
  }

  /** A change is invoked. False where it could not be told from another. */
  begin(change: Change): boolean {
    switch (change.f) {
      case 'delete':
        this.#gaps.begin(change)
        return true
      case 'put': return change.text !== '' && this.#texts.addHead(change.text, change)
      case 'append': return change.text !== '' && this.#texts.addPiece(change)
    }
  }

  /** A change took effect. */
  end(change: Change): void {
    if (change.first === Infinity && change.head === undefined) this.#line.enter(change, change.ended, change.row)
    if (change.gap !== undefined) change.gap.first = Math.min(change.gap.first, change.ended)
  }

  /** A change had no effect. */
  fail(change: Change): LiveAnswer | undefined {
    if (change.f === 'delete') {
      this.#gaps.fail(change)
      return undefined
    }
    const head = change.head ?? change
    if (head.first !== Infinity) return violatedBy([change.row, head.firstRow, head.lastRow], FAILED)
    if (change.f === 'put') this.#texts.deleteHead(change.text)
    else this.#texts.deletePiece(change)
    return undefined
  }

  /** What a text consists of; undefined where that is not certain. */
  read(text: string): Reading<Change> | 'none' | undefined {
    return this.#texts.read(text)
  }

  /** A read that found nothing has ended. */
  foundNothing(get: Get): LiveAnswer | undefined {
    if (this.#gaps.size === 0) return violatedBy([get.row], UNWRITTEN)
    this.#gaps.foundNothing(get)
    return undefined
  }

  /** A read that showed this has ended; `open`: the earliest invocation of a read that is open. */
  show(get: Get, { head, state, appended }: Reading<Change>, open: number): LiveAnswer | undefined {
    const era = head ?? this.#found(appended[0]!)
    const added = head === undefined ? appended.slice(1) : appended
    const { first, last } = era
    get.era = era
    if (head === undefined || added.length > 0) {
      const wrong = this.#extend(get, era, added)
      if (wrong !== undefined) return wrong
    } else if (era.chain !== undefined && (state < 0 || era.chain.since[state + 1]! < get.invoked)) return violatedBy([get.row, era.row, era.lastRow], MISSED)
    if (get.ended < era.first) this.#line.enter(era, get.ended, get.row)
    if (get.invoked > era.last) {
      era.last = get.invoked
      era.lastRow = get.row
    }
    if (era.chain !== undefined && era.chain.since.length > this.#memory.states) forgetStates(era.chain, open)
    const from = era.first < first ? -1 : last
    const wrong = this.#grown(era, from)
    if (wrong !== undefined || era.f === 'put') return wrong
    if (this.#gaps.size === 0 && era.partner === undefined && !era.isSettled) return violatedBy([era.row, era.firstRow], UNWRITTEN)
    this.#gaps.follow(era, from)
    return undefined
  }

  /** An append was the first where nothing was. */
  #found(head: Change): Change {
    this.#texts.deletePiece(head)
    this.#texts.addHead(head.text, head)
    head.head = head
    head.chain = newChain(head)
    return head
  }

  /** A read shows more of an era than others did: these appends. */
  #extend(get: Get, era: Change, added: readonly Change[]): LiveAnswer | undefined {
    const chain = (era.chain ??= newChain(era))
    const from = chain.lengths.length
    let earliest = get.ended
    let earliestRow = get.row
    for (let i = added.length - 1; i >= 0; i--) {
      const change = added[i]!
      if (earliest < change.invoked) return violatedBy([get.row, change.row, earliestRow], REORDERED)
      if (change.ended < earliest) {
        earliest = change.ended
        earliestRow = change.row
      }
      chain.since[from + i] = earliest
    }
    if (earliest < era.last) return violatedBy([get.row, era.row, era.lastRow, earliestRow], REORDERED)
    chain.text = get.output as string
    for (const change of added) {
      this.#texts.deletePiece(change)
      chain.lengths.push(chain.lengths.at(-1)! + change.text.length)
      change.head = era
      change.at = chain.base + chain.lengths.length - 1
      if (change.ended !== Infinity && added.length <= FEW) this.#line.leave(change)
      if (change.invoked > era.last) {
        era.last = change.invoked
        era.lastRow = change.row
      }
    }
    if (added.length > FEW) this.#line.keep((one) => one === era || one.head !== era)
    if (earliest < era.first) this.#line.enter(era, earliest, earliestRow)
    return undefined
  }

  /** An era reaches farther, its last invocation was `from` before: whether another must have stood both before and after it. */
  #grown(era: Change, from: number): LiveAnswer | undefined {
    const { first, last } = era
    const responsible: Change[] = []
    let wrong: Change | undefined
    this.#line.meets(first, last, from, (other) => {
      if (other === era || other === era.partner) return false
      if (isResponsible(other)) responsible.push(other)
      else wrong = other
      return wrong !== undefined
    })
    for (const other of responsible) {
      if (wrong !== undefined || this.isLost) break
      this.#gaps.release(other)
      // It stands there itself.
      if (other.first < last && other.last > first) wrong = other
    }
    return wrong === undefined ? undefined : violatedBy([era, wrong].flatMap(({ row, firstRow, lastRow }) => [row, firstRow, lastRow]), OVERWRITTEN)
  }

  /** Whether it is time to forget what nobody can read any more. */
  get isFull(): boolean {
    return this.#line.eras.length > this.#room
  }

  /** Forgets it; `open`: the earliest invocation of a read that is open, or of what comes next. */
  forget(open: number): void {
    let most = -1
    for (const era of this.#line.eras) if (era.first < open && era.last > most && isCertain(era)) most = era.last
    const isDead = ({ f, first, last, ended, partner }: Change): boolean => last < most && (f === 'delete' ? ended < most && (partner === undefined || partner.first < most) : first < most)
    const dead = this.#line.eras.filter(isDead)
    this.#line.keep((era) => !isDead(era))
    for (const era of dead) {
      if (era.f === 'append' && era.head === undefined) this.#texts.deletePiece(era)
      else if (era.f !== 'delete') this.#texts.deleteHead(era.text)
    }
    this.#gaps.forget(isDead)
    this.#room = 2 * this.#line.eras.length + this.#memory.eras
  }

  /** Whether a change is known to have taken effect by a moment: one within an era, when this state of it was there. */
  isSettled(change: Change, moment: number, era: Change | undefined, state: number): boolean {
    const head = change.head ?? change
    if (change.f === 'delete' || head.first === Infinity) return false
    return head === era ? change === head || change.at <= state : head.first < moment
  }

  /** At a moment it was certain what was there: this era, or nothing. `since`: what has begun or ended since. */
  settle(moment: number, era: Change | undefined, since: readonly (Change | Get)[]): void {
    this.#gaps.settle(moment, era, since)
  }
}

function newChain({ text }: Change): Chain {
  return { text, lengths: [text.length], since: [-1], base: 0 }
}

/** Whether it is an era that nothing else can turn out to be part of. */
function isCertain(era: Change): boolean {
  return era.f === 'put' || (era.f === 'append' ? era.head !== undefined : !isResponsible(era))
}

/** Forgets states that no read can show any more. */
function forgetStates(chain: Chain, open: number): void {
  let dead = 0
  while (dead + 1 < chain.since.length && chain.since[dead + 1]! < open) dead++
  if (dead * 2 < chain.since.length) return
  chain.since.splice(0, dead)
  chain.lengths.splice(0, dead)
  chain.base += dead
}
