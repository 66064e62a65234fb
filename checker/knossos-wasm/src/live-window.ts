/**
 * The general engine for histories that are still being made: just-in-time linearization of any model, over the open window
 * only (live-frontier.ts is one step of it).
 *
 * What an open operation will return is not known yet, so it is treated as one that crashed: it may take effect, or not, and
 * returns anything. When its response has come the window is walked again from its invocation on, knowing more;
 * for that, the frontier (all configurations that are possible) is kept as it was when each open operation was invoked. What
 * lies before the earliest open invocation is forgotten but for the frontier there and the operations that crashed.
 *
 * Walking is put off as long as one order of all operations is known that explains everything (live-candidate.ts): then
 * nothing is violated. Only when that order cannot go on, or much has been put off, the window is walked, for all the
 * responses at once; so that most responses cost one step. The frontier can grow beyond all bounds (as many as there are orders of
 * what is open): then only the one order is left, and when it cannot go on, this gives up, and says so.
 */
import { LiveCandidate } from './live-candidate.ts'
import { LiveFrontier, nothingUsed } from './live-frontier.ts'
import { LiveObject } from './live-object.ts'
import type { Configuration } from './live-frontier.ts'
import type { State, Type } from './live-object.ts'
import type { Model } from './model.ts'
import type { Json } from './values.ts'

/** Operations that are open at one moment. */
const SLOTS_MAX = 31
/** Events that may be put off, at least. */
const EVENTS_MAX = 64

/** One operation while it is remembered. */
export interface LiveOperation {
  readonly row: number
  readonly f: string
  readonly input: Json
  readonly process: Json
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

/** What a response says: nothing new, a violation with the states that were possible before it, or that this is too hard. */
export type LiveAnswer = { readonly type: 'possible' } | { readonly type: 'violated'; readonly states: readonly Json[] } | { readonly type: 'too hard' }

const POSSIBLE: LiveAnswer = { type: 'possible' }
const TOO_HARD: LiveAnswer = { type: 'too hard' }

/** The window of one key. */
export class LiveWindow {
  readonly #object: LiveObject
  readonly #walker: LiveFrontier
  readonly #candidate: LiveCandidate
  /** All configurations that are possible before event `#walked`; undefined once they were too many. */
  #frontier: readonly Configuration[] | undefined
  #walked = 0
  /** Where the next walk begins, if earlier: an operation whose outcome was not known at the last. */
  #changed: LiveOperation | undefined
  #events = 0
  /** Who was invoked or ended at each event from `#first` on. */
  #log: LiveOperation[] = []
  #first = 0
  /** Operations that ended after the earliest event that can be walked again; in order of invocation. */
  #ended: LiveOperation[] = []
  #open: LiveOperation[] = []
  #taken = 0
  readonly #crashedTypes = new Set<Type>()
  #crashed = 0

  constructor(model: Model) {
    this.#object = new LiveObject(model)
    this.#walker = new LiveFrontier(this.#object)
    this.#candidate = new LiveCandidate(this.#object)
    this.#frontier = [{ state: this.#object.init, done: 0, hide: 0, used: nothingUsed() }]
  }

  /** How many operations are remembered. */
  get size(): number {
    return this.#open.length + this.#ended.length + this.#crashed
  }

  invoke(f: string, input: Json, process: Json, row: number): LiveOperation {
    const type = this.#object.type(f, input, undefined, 'info', process)
    const slot = this.#freeSlot()
    if (slot >= 0) this.#taken |= 1 << slot
    const operation: LiveOperation = { row, f, input, process, invoked: this.#events++, ended: Infinity, type, slot, fate: 'open', before: undefined }
    this.#open.push(operation)
    this.#log.push(operation)
    return operation
  }

  complete(operation: LiveOperation, outcome: 'ok' | 'fail' | 'info', output: Json): LiveAnswer {
    const unknown = operation.type
    const neverCounted = unknown.ignored || unknown.pure
    this.#open.splice(this.#open.indexOf(operation), 1)
    if (operation.slot >= 0) this.#taken &= ~(1 << operation.slot)
    if (outcome === 'info') {
      this.#crash(operation, neverCounted)
      return POSSIBLE
    }
    const { f, input, process } = operation
    const type = this.#object.type(f, input, outcome === 'ok' ? output : undefined, outcome, process)
    if (type.ignored) {
      operation.fate = 'gone'
      if (operation.slot < 0) return neverCounted ? POSSIBLE : TOO_HARD
      if (!neverCounted) this.#change(operation)
      return this.#candidate.leave(operation.slot, true) ? POSSIBLE : this.#walk()
    }
    if (operation.slot < 0) return TOO_HARD
    operation.type = type
    operation.fate = 'ended'
    operation.ended = this.#events++
    this.#ended.push(operation)
    this.#log.push(operation)
    this.#change(operation)
    if (!this.#candidate.respond(operation, operation.ended, this.#open)) return this.#walk()
    if (this.#events - this.#walked > EVENTS_MAX && this.#events - this.#walked > this.#log.length >> 1) this.#catchUp()
    return POSSIBLE
  }

  /** The lowest slot that is free; -1. */
  #freeSlot(): number {
    const free = ~this.#taken
    const slot = 31 - Math.clz32(free & -free)
    return slot < SLOTS_MAX ? slot : -1
  }

  /** The operation may take effect at any later time, or never. */
  #crash(operation: LiveOperation, neverCounted: boolean): void {
    operation.fate = neverCounted ? 'gone' : 'crashed'
    if (operation.slot >= 0) this.#candidate.leave(operation.slot, false)
    operation.before = undefined
    if (neverCounted) return
    const { crashed } = operation.type
    let at = crashed.length
    while (at > 0 && crashed[at - 1]! > operation.invoked) at--
    crashed.splice(at, 0, operation.invoked)
    this.#crashedTypes.add(operation.type)
    this.#crashed++
  }

  /** More is known of an operation than at the last walk, unless it was invoked after that. */
  #change(operation: LiveOperation): void {
    if (operation.before !== undefined && (this.#changed === undefined || operation.invoked < this.#changed.invoked)) this.#changed = operation
  }

  /** Walks although nothing is wrong, so that what lies behind can be forgotten; the one order suffices where that is too hard. */
  #catchUp(): void {
    if (this.#walk().type === 'violated') throw new Error('a history that one order explains cannot be violated')
  }

  /** Walks over the window from the earliest operation on of which more is known now. */
  #walk(): LiveAnswer {
    const from = this.#changed?.invoked ?? this.#walked
    let now = this.#changed?.before ?? this.#frontier
    if (now === undefined) return this.#giveUp()
    this.#prepare(from)
    for (let event = from; event < this.#events; event++) {
      const operation = this.#log[event - this.#first]!
      if (event === operation.ended) {
        const next = this.#walker.respond(now, operation)
        if (next === undefined) return this.#giveUp()
        if (next.length === 0) return { type: 'violated', states: [...new Set(now.map(({ state }) => state))].map(({ value }) => value) }
        now = next
      } else this.#invokedAgain(operation, now)
    }
    this.#settle(now)
    return POSSIBLE
  }

  /** Too much is possible: from now on there is only the one order. */
  #giveUp(): LiveAnswer {
    this.#frontier = undefined
    this.#changed = undefined
    this.#walked = this.#events
    for (const operation of this.#open) operation.before = undefined
    this.#forget()
    return TOO_HARD
  }

  #invokedAgain(operation: LiveOperation, now: readonly Configuration[]): void {
    if (operation.fate === 'ended') this.#walker.invoke(operation)
    else if (operation.fate !== 'gone' && !operation.type.ignored && !operation.type.pure) this.#walker.allow(operation.type, 1)
    if (operation.fate === 'open') operation.before = now
  }

  /** Who is open, and what may take effect without a response, before an event. */
  #prepare(from: number): void {
    this.#walker.begin()
    for (const operation of this.#ended) if (operation.invoked < from && operation.ended >= from) this.#walker.invoke(operation)
    for (const type of this.#crashedTypes) this.#walker.allow(type, type.crashed.length)
    for (let event = from; event < this.#events; event++) {
      const operation = this.#log[event - this.#first]!
      if (operation.fate === 'crashed') this.#walker.allow(operation.type, -1)
    }
    for (const { invoked, type } of this.#open) if (invoked < from && !type.ignored && !type.pure) this.#walker.allow(type, 1)
  }

  /** Everything so far has been walked. */
  #settle(frontier: readonly Configuration[]): void {
    for (const operation of this.#log) if (operation.fate !== 'open') operation.before = undefined
    this.#frontier = frontier
    this.#walked = this.#events
    this.#changed = undefined
    let least = frontier[0]!
    for (const one of frontier) if (one.used.size < least.used.size) least = one
    this.#candidate.restart(least.state, this.#effective(least), this.#events)
    this.#forget()
  }

  /** Slots of the open operations that took effect in a configuration: of each type those that were invoked first. */
  #effective({ used }: Configuration): number {
    let done = 0
    for (const [type, count] of used.counts) {
      let left = count
      let crashed = 0
      for (const { invoked, slot, type: other } of this.#open) {
        if (other !== type) continue
        while (crashed < type.crashed.length && type.crashed[crashed]! < invoked) crashed++
        if (crashed >= left) break
        left--
        if (slot >= 0) done |= 1 << slot
      }
    }
    return done
  }

  /** Forgets operations that ended before the earliest event that can be walked again, and states and types that nobody remembers. */
  #forget(): void {
    let earliest = this.#walked
    for (const { invoked } of this.#open) earliest = Math.min(earliest, invoked)
    this.#candidate.forget(earliest)
    this.#ended = this.#frontier === undefined ? [] : this.#ended.filter(({ ended }) => ended >= earliest)
    this.#log = this.#log.slice(earliest - this.#first)
    this.#first = earliest
    if (!this.#object.isFull) return
    const states = new Set<State>(this.#candidate.states)
    for (const frontier of [this.#frontier, ...this.#open.map(({ before }) => before)]) for (const { state, used } of frontier ?? []) {
      states.add(state)
      used.more.clear()
    }
    this.#object.forget(states, [...this.#open, ...this.#ended].map(({ type }) => type).concat([...this.#crashedTypes]))
  }
}
