/**
 * The general engine for histories that are still being made: just-in-time linearization of any model, over the open window
 * only (live-frontier.ts is one step of it).
 *
 * Walking is put off as long as one order of all operations is known that explains everything (live-order.ts): then
 * nothing is violated, and most responses cost one step. The window is walked
 *
 * - when that order cannot go on, and no other is found, up to now. What an open operation will return is not known then, so it is
 *   treated as one that crashed: it may take effect, or not, and returns anything. When its response has come the window is walked
 *   again from its invocation on, knowing more; for that, the frontier (all configurations that are possible) is kept as it
 *   was when each open operation was invoked;
 * - when much has been put off, up to the earliest open invocation: all outcomes are known there, it need not be walked again, and what
 *   lies before it is forgotten but for the frontier and the operations that crashed. What has happened since tells
 *   which states somebody still sees (live-needs.ts).
 *
 * Before either, the last events before the earliest open invocation are asked alone. They mostly tell what is possible, whatever came before
 * (live-bounds.ts); then what was put off before them need not be walked over at all.
 *
 * The frontier can grow beyond all bounds (as many as there are orders of what is open): then only the one order is left, until
 * the last events tell what is possible again; when it cannot go on before that, this gives up, and says so.
 */
import { lowestBit } from './integers.ts'
import { areSame, leastOf, mostOf, usedByAll } from './live-bounds.ts'
import { LiveFrontier } from './live-frontier.ts'
import { LiveNeeds } from './live-needs.ts'
import { LiveObject } from './live-object.ts'
import { LiveOrder } from './live-order.ts'
import { isWithin, nothingUsed } from './live-uses.ts'
import type { Configuration } from './live-frontier.ts'
import type { State, Type } from './live-object.ts'
import type { Placeable } from './live-repair.ts'
import type { Model } from './model.ts'
import type { Json } from './values.ts'

/** Operations that are open at one moment. */
const SLOTS_MAX = 31
/** Of the events before the earliest open invocation a quarter of all that there were may be put off, within these bounds; twice as many where that one is open for long. */
const EVENTS_MIN = 64
const EVENTS_MAX = 1024
/** From how many events before it on what is possible is told, whatever came before: first few, then more. */
const LASTS = [64, 256]

/** How walking is put off; tests put it off less, so that short histories are walked over. */
export interface Delay {
  /** How many of the last operations are put into another order before the window is walked. */
  readonly lengths?: readonly number[]
  /** So many events before the earliest open invocation may be put off. */
  readonly eventsMax?: number
  /** From how many events before the earliest open invocation on it is told what is possible, one attempt after the other. */
  readonly lasts?: readonly number[]
}

/** One operation while it is remembered. */
export interface LiveOperation extends Placeable {
  readonly row: number
  /** Events, counted from the first; Infinity while the response is not known. */
  readonly invoked: number
  ended: number
  type: Type
  /** Bit of the masks, while it is open; -1 when too many are. */
  readonly slot: number
  /** `crashed`: it may take effect at any time. `gone`: it proves nothing. */
  fate: 'open' | 'ended' | 'crashed' | 'gone'
  /** The frontier just before the invocation, as of the last walk, until the response was taken into account. */
  before: readonly Configuration[] | undefined
}

/** What a response says: nothing new, a violation with the states that were possible before it (undefined: any that nobody could see any more), or that this is too hard. */
export type WindowAnswer = { readonly type: 'possible' } | { readonly type: 'violated'; readonly states: readonly (Json | undefined)[] } | { readonly type: 'too hard' }

const POSSIBLE: WindowAnswer = { type: 'possible' }
const TOO_HARD: WindowAnswer = { type: 'too hard' }

/** The window of one key. */
export class LiveWindow {
  readonly #object: LiveObject
  readonly #eventsMax: number | undefined
  readonly #lasts: readonly number[]
  readonly #needs: LiveNeeds
  readonly #walker: LiveFrontier
  /** One order that explains everything so far. */
  readonly #order: LiveOrder
  /** All configurations that are possible before event `#walked`; undefined once they were too many. */
  #frontier: readonly Configuration[] | undefined
  #walked = 0
  /** Where the next walk begins, if earlier: an operation whose outcome was not known at the last. */
  #changed: LiveOperation | undefined
  #events = 0
  /** Who was invoked or ended at each event from `#first` on. */
  #log: LiveOperation[] = []
  #first = 0
  /** Operations that ended after the earliest event that can be walked again; in order of their ends. */
  #ended: LiveOperation[] = []
  #open: LiveOperation[] = []
  #taken = 0
  readonly #crashedTypes = new Set<Type>()
  #crashed = 0
  /** Those that crashed and took effect: all that did so in the one order, and some that did so in every order. */
  #spent = nothingUsed()
  #spentByAll = nothingUsed()

  constructor(model: Model, { lengths, eventsMax, lasts = LASTS }: Delay = {}) {
    this.#lasts = lasts
    this.#eventsMax = eventsMax
    this.#object = new LiveObject(model)
    this.#needs = new LiveNeeds(this.#object)
    this.#walker = new LiveFrontier(this.#object, this.#needs)
    this.#order = new LiveOrder(this.#object, lengths)
    this.#frontier = [{ state: this.#object.init, done: 0, hide: 0, used: nothingUsed() }]
  }

  /** How many operations are remembered. */
  get size(): number {
    return this.#open.length + this.#ended.length + this.#crashed
  }

  /** The last event before which it is known what is possible, and what; undefined once that was too much. */
  get known(): { readonly event: number; readonly frontier: readonly Configuration[] | undefined } {
    return { event: this.#walked, frontier: this.#frontier }
  }

  invoke(f: string, input: Json, process: Json, row: number): LiveOperation {
    const type = this.#object.asked(f, input, process)
    const slot = this.#freeSlot()
    if (slot >= 0) this.#taken |= 1 << slot
    const operation: LiveOperation = { row, invoked: this.#events++, ended: Infinity, type, slot, fate: 'open', before: undefined, isPlaced: false, from: undefined, to: undefined }
    this.#open.push(operation)
    this.#log.push(operation)
    return operation
  }

  complete(operation: LiveOperation, outcome: 'ok' | 'fail' | 'info', output: Json): WindowAnswer {
    const unknown = operation.type
    const neverCounted = unknown.ignored || unknown.pure
    this.#close(operation)
    if (outcome === 'info') {
      this.#crash(operation, neverCounted)
      return POSSIBLE
    }
    const type = this.#object.answered(unknown, outcome, output)
    if (type.ignored) {
      operation.fate = 'gone'
      if (operation.slot < 0) return neverCounted ? POSSIBLE : TOO_HARD
      if (!neverCounted) this.#change(operation)
      return this.#order.withdraw(operation, this.#open) ? POSSIBLE : this.#search(operation)
    }
    if (operation.slot < 0) return TOO_HARD
    operation.type = type
    operation.fate = 'ended'
    operation.ended = this.#events++
    this.#ended.push(operation)
    this.#log.push(operation)
    this.#change(operation)
    if (!this.#order.respond(operation, this.#open)) return this.#search(operation)
    this.#catchUp()
    return POSSIBLE
  }

  #close(operation: LiveOperation): void {
    const open = this.#open
    for (let at = open.indexOf(operation); at < open.length - 1; at++) open[at] = open[at + 1]!
    open.pop()
    if (operation.slot >= 0) this.#taken &= ~(1 << operation.slot)
  }

  /** The lowest slot that is free; -1. */
  #freeSlot(): number {
    const slot = lowestBit(~this.#taken)
    return slot < SLOTS_MAX ? slot : -1
  }

  /** The operation may take effect at any later time, or never. */
  #crash(operation: LiveOperation, neverCounted: boolean): void {
    operation.fate = neverCounted ? 'gone' : 'crashed'
    operation.before = undefined
    if (neverCounted) return
    this.#identify(operation)
    const crashed = (operation.type.crashed ??= [])
    let at = crashed.length
    while (at > 0 && crashed[at - 1]! > operation.invoked) at--
    crashed.splice(at, 0, operation.invoked)
    this.#crashedTypes.add(operation.type)
    if (operation.isPlaced) this.#spent = this.#walker.oneMore(this.#spent, operation.type)
    this.#crashed++
  }

  /** More is known of an operation than at the last walk, unless it was invoked after that. */
  #change(operation: LiveOperation): void {
    if (operation.before !== undefined && (this.#changed === undefined || operation.invoked < this.#changed.invoked)) this.#changed = operation
  }

  /**
   * Walks although nothing is wrong, so that what lies behind can be forgotten; the one order suffices where that is too hard.
   * Up to the earliest open invocation all outcomes are known, so that this need not be walked again.
   */
  #catchUp(): void {
    const most = this.#eventsMax ?? Math.min(EVENTS_MAX, Math.max(EVENTS_MIN, this.#events >> 2))
    const pending = this.#events - this.#walked
    if (pending <= most) return
    const earliest = this.#earliest(this.#events)
    const isLate = earliest - this.#walked >= most
    if (!isLate && (pending < 2 * most || pending < this.#log.length >> 1)) return
    if (isLate && this.#couple(earliest)) return
    if (this.#walk(isLate ? earliest : this.#events).type === 'violated') throw new Error('a history that one order explains cannot be violated')
  }

  /** The earliest invocation of what is open, unless an event is earlier. */
  #earliest(event: number): number {
    let earliest = event
    for (const { invoked } of this.#open) if (invoked < earliest) earliest = invoked
    return earliest
  }

  /** Whether the last events before the earliest open invocation tell alone what is possible; then it need not be asked what came before them. */
  #couple(end: number): boolean {
    for (const length of this.#lasts) {
      if (end - length > this.#walked && this.#coupleFrom(this.#quietest(end - length, end - (length >> 1)), end)) return true
    }
    return false
  }

  /** The event of a stretch before which the fewest operations were open, as far as their responses are known. */
  #quietest(from: number, to: number): number {
    let open = this.#openAt(to).length
    let [fewest, quietest] = [open, to]
    for (let event = to - 1; event >= from; event--) {
      const operation = this.#log[event - this.#first]!
      if (operation.fate !== 'ended') continue
      open += event === operation.ended ? 1 : -1
      if (open < fewest) [fewest, quietest] = [open, event]
    }
    return quietest
  }

  #coupleFrom(from: number, end: number): boolean {
    const bounds = this.#boundsAt(from)
    if (bounds === undefined) return false
    let [least, most] = bounds
    this.#prepare(from)
    for (let event = from; event < end; event++) {
      const operation = this.#log[event - this.#first]!
      if (event !== operation.ended) {
        this.#invokedAgain(operation, least)
        continue
      }
      const after = this.#walker.respond(least, operation)
      const afterMost = this.#walker.respond(most, operation, true)
      this.#walker.close(operation)
      if (after === undefined || afterMost === undefined) return false
      if (areSame(after, afterMost)) {
        this.#settle(after, event + 1)
        return true
      }
      least = after
      most = afterMost
    }
    return false
  }

  /** What is possible at least and at most at an event. */
  #boundsAt(event: number): [readonly Configuration[], readonly Configuration[]] | undefined {
    const open = this.#openAt(event)
    const at = this.#order.at(event, open)
    if (at === undefined || !isWithin(this.#spent, this.#spentByAll)) return undefined
    const anything = this.#object.anything(this.#order.state, this.#crashedTypes)
    const most = anything === undefined ? undefined : mostOf(anything, open, this.#spentByAll)
    return most === undefined ? undefined : [leastOf(this.#object.state(at.state), at.effective, this.#spent), most]
  }

  /** Those of which the response is known that were open at an event. */
  #openAt(event: number): LiveOperation[] {
    const open: LiveOperation[] = []
    for (let i = this.#ended.length - 1; i >= 0 && this.#ended[i]!.ended >= event; i--) if (this.#ended[i]!.invoked < event) open.push(this.#ended[i]!)
    return open
  }

  /** The order cannot go on: whether another can. */
  #search(x: LiveOperation): WindowAnswer {
    this.#couple(this.#earliest(x.invoked))
    const answer = this.#walk(this.#events)
    if (answer.type !== 'possible') return answer
    let least = this.#frontier![0]!
    for (const one of this.#frontier!) if (one.used.size < least.used.size) least = one
    const effective = this.#effective(least)
    this.#spent = this.#walker.without(least.used, effective)
    this.#order.restart(least.state.value, effective, this.#open, this.#events)
    return POSSIBLE
  }

  /** Walks over the window from the earliest operation on of which more is known now, up to an event. */
  #walk(end: number): WindowAnswer {
    const from = this.#changed?.invoked ?? this.#walked
    let now = this.#changed?.before ?? this.#frontier
    if (now === undefined) return this.#giveUp()
    this.#prepare(from)
    for (let event = from; event < end; event++) {
      const operation = this.#log[event - this.#first]!
      if (event === operation.ended) {
        const next = this.#walker.respond(now, operation)
        this.#walker.close(operation)
        if (next === undefined) return this.#giveUp()
        if (next.length === 0) return { type: 'violated', states: this.#statesOf(now) }
        now = next
      } else this.#invokedAgain(operation, now)
    }
    this.#settle(now, end)
    return POSSIBLE
  }

  #statesOf(frontier: readonly Configuration[]): (Json | undefined)[] {
    return [...new Set(frontier.map(({ state }) => state))].map((state) => (state === this.#object.unseen ? undefined : state.value))
  }

  /** Too much is possible: from now on there is only the one order. */
  #giveUp(): WindowAnswer {
    this.#frontier = undefined
    this.#changed = undefined
    this.#walked = this.#events
    for (const operation of this.#open) operation.before = undefined
    this.#forget()
    return TOO_HARD
  }

  #invokedAgain(operation: LiveOperation, now: readonly Configuration[]): void {
    this.#identify(operation)
    if (operation.fate === 'ended') this.#walker.invoke(operation)
    else if (operation.fate !== 'gone' && !operation.type.ignored && !operation.type.pure) this.#walker.allow(operation.type, 1)
    if (operation.fate === 'open') operation.before = now
  }

  /** Who is open, and what may take effect without a response, before an event. */
  #prepare(from: number): void {
    this.#walker.begin()
    this.#needs.begin(this.#log, this.#first, from)
    for (const operation of this.#openAt(from)) {
      this.#identify(operation)
      this.#walker.invoke(operation)
    }
    for (const type of this.#crashedTypes) this.#walker.allow(type, type.crashed!.length)
    for (let event = from; event < this.#events; event++) {
      const operation = this.#log[event - this.#first]!
      if (operation.fate === 'crashed') this.#walker.allow(operation.type, -1)
    }
    for (const operation of this.#open) {
      this.#identify(operation)
      if (operation.invoked < from && !operation.type.ignored && !operation.type.pure) this.#walker.allow(operation.type, 1)
    }
  }

  /** Equal types are one from now on. */
  #identify(operation: LiveOperation): void {
    operation.type = this.#object.known(operation.type)
  }

  /** Everything before an event has been walked. */
  #settle(frontier: readonly Configuration[], end: number): void {
    for (const operation of this.#log) if (operation.fate !== 'open') operation.before = undefined
    this.#frontier = frontier
    this.#spentByAll = this.#walker.without(usedByAll(frontier), this.#open.filter(({ invoked }) => invoked < end))
    this.#walked = end
    this.#changed = undefined
    this.#forget()
  }

  /** The open operations that took effect in a configuration: of each type those that were invoked first. */
  #effective({ used }: Configuration): LiveOperation[] {
    const effective: LiveOperation[] = []
    for (const [type, count] of used.counts) {
      let left = count
      let crashed = 0
      for (const operation of this.#open) {
        if (operation.type !== type) continue
        while (type.crashed !== undefined && crashed < type.crashed.length && type.crashed[crashed]! < operation.invoked) crashed++
        if (crashed >= left) break
        left--
        effective.push(operation)
      }
    }
    return effective
  }

  /** Forgets operations that ended before the earliest event that can be walked again, and states and types that nobody remembers. */
  #forget(): void {
    let earliest = this.#walked
    for (const { invoked } of this.#open) earliest = Math.min(earliest, invoked)
    this.#ended = this.#frontier === undefined ? [] : this.#ended.filter(({ ended }) => ended >= earliest)
    this.#log = this.#log.slice(earliest - this.#first)
    this.#first = earliest
    if (!this.#object.isFull) return
    const states = new Set<State>()
    for (const frontier of [this.#frontier, ...this.#open.map(({ before }) => before)]) for (const { state, used } of frontier ?? []) {
      states.add(state)
      used.more.clear()
    }
    this.#object.forget(states, [...this.#open, ...this.#ended].map(({ type }) => type).concat([...this.#crashedTypes]))
  }
}
