/**
 * One step of just-in-time linearization (Lowe 2017; see assembly/engine.ts) over the operations that are open now: from
 * all configurations that are possible before a response to all that are possible after it.
 *
 * Operations whose outcome is not known (they crashed, or go on) are counted by type: they may take effect, or not, and return
 * anything.
 */
import { lowestBit } from './integers.ts'
import { Uses, isWithin, nothingUsed } from './live-uses.ts'
import type { LiveNeeds } from './live-needs.ts'
import type { LiveObject, State, Type } from './live-object.ts'
import type { Used } from './live-uses.ts'

/** How many configurations a walk may visit at once, and how many more with each response. */
const VISITS_MAX = 20_000
const VISITS_EACH = 300
/** From this many on configurations are found by hash. */
const MANY = 16

/** What may be true at one moment. */
export interface Configuration {
  readonly state: State
  /** By slot: which acknowledged operations that are open took effect. */
  readonly done: number
  /** By slot: which open ones may be hidden directly before the last that overwrote the state. */
  readonly hide: number
  readonly used: Used
}

/** An operation with a response, while it is open. */
export interface Acknowledged {
  readonly type: Type
  /** Bit of the masks. */
  readonly slot: number
  /** Event of the response. */
  readonly ended: number
}

/** The open operations at one point of a walk; sets of them are masks of their slots. */
export class LiveFrontier {
  readonly #object: LiveObject
  readonly #needs: LiveNeeds
  readonly #bySlot: Acknowledged[] = []
  #open = 0
  /** Those that never change the state, those that can be hidden, and those that overwrite the state. */
  #pure = 0
  #total = 0
  #constant = 0
  /** By slot: those of the same type that end earlier. */
  readonly #twins: number[] = []
  /** By slot of one that overwrites the state: those that do not, and are possible then. */
  readonly #followers: number[] = []
  /** Types of operations without a response. */
  readonly #maybe: Type[] = []
  readonly #uses = new Uses()
  #visits = 0
  // The response at hand.
  #bit = 0
  #event = 0
  /** It is possible after everything, whatever that leaves. */
  #follows = false
  #isLoose = false
  #responses = 0
  #out: Configuration[] = []
  /** What has been found in the search for it, so many. */
  readonly #seen: Configuration[] = []
  #count = 0
  readonly #found = new Map<number, Configuration[]>()

  constructor(object: LiveObject, needs: LiveNeeds) {
    this.#object = object
    this.#needs = needs
  }

  /** Begins a walk with nothing open. */
  begin(): void {
    this.#visits = 0
    this.#open = 0
    this.#pure = 0
    this.#total = 0
    this.#constant = 0
    for (const type of this.#maybe) type.available = -1
    this.#maybe.length = 0
    this.#uses.begin()
  }

  /** An operation whose response is known is invoked. */
  invoke(operation: Acknowledged): void {
    const { type, slot, ended } = operation
    const bit = 1 << slot
    this.#bySlot[slot] = operation
    this.#twins[slot] = 0
    this.#followers[slot] = 0
    for (let left = this.#open; left !== 0; left &= left - 1) {
      const other = lowestBit(left)
      const another = this.#bySlot[other]!
      if (another.type === type) {
        if (another.ended < ended) this.#twins[slot] |= 1 << other
        else this.#twins[other]! |= bit
      }
      if (this.#canFollow(another.type, type)) this.#followers[other]! |= bit
      if (this.#canFollow(type, another.type)) this.#followers[slot] |= 1 << other
    }
    this.#open |= bit
    if (type.pure) this.#pure |= bit
    if (type.total) this.#total |= bit
    if (type.constant !== undefined) this.#constant |= bit
  }

  #canFollow({ constant }: Type, type: Type): boolean {
    if (constant === undefined || type.constant !== undefined) return false
    for (const value of constant) if (this.#object.canUse(value, type)) return true
    return false
  }

  /** So many more operations of a type may take effect without a response. */
  allow(type: Type, count: number): void {
    if (type.available < 0) {
      type.available = 0
      this.#maybe.push(type)
    }
    type.available += count
  }

  /** What took effect without a response, and one more. */
  oneMore(used: Used, type: Type): Used {
    return this.#uses.oneMore(used, type)
  }

  /** What took effect without a response, but as many of each type less as there are among some operations. */
  without(used: Used, operations: readonly { readonly type: Type }[]): Used {
    let less = nothingUsed()
    for (const [type, count] of used.counts) {
      for (let left = count - operations.filter((operation) => operation.type === type).length; left > 0; left--) less = this.#uses.oneMore(less, type)
    }
    return less
  }

  /**
   * The frontier after a response, empty when it is impossible; undefined when too much would have to be visited. `close` follows.
   * `isLoose`: a state may stand for many, so that an operation that only looks may lead to another.
   */
  respond(frontier: readonly Configuration[], x: Acknowledged, isLoose = false): readonly Configuration[] | undefined {
    this.#isLoose = isLoose
    this.#visits = Math.max(0, this.#visits - VISITS_EACH)
    const bit = 1 << x.slot
    this.#bit = bit
    this.#event = x.ended
    this.#follows = x.type.total && x.type.constant === undefined
    this.#responses++
    this.#out = []
    this.#count = 0
    if (this.#found.size > 0) this.#found.clear()
    for (const { state, done, hide: hidden, used } of frontier) {
      // Where nobody sees the state, whatever can be hidden may go at once.
      const hide = state === this.#object.unseen ? this.#total & ~done : hidden
      if ((hide & bit) !== 0) {
        this.#keep(state, this.#eager(state, done), hide & ~bit, used)
        if (this.#isUnseen(x.type, done | bit, used)) continue
      }
      this.#settle(state, done, hide, used)
    }
    for (let i = 0; i < this.#count; i++) {
      if (++this.#visits > VISITS_MAX) return undefined
      this.#expand(this.#seen[i]!)
    }
    return this.#out
  }

  /** Whether nobody can see any more what an operation overwrites the state with. */
  #isUnseen(type: Type, done: number, used: Used): boolean {
    if (type.constant === undefined) return false
    for (const state of this.#object.after(this.#object.init, type)) if (this.#isSeen(state, done, used)) return false
    return true
  }

  /** An operation has responded. */
  close({ slot }: Acknowledged): void {
    const bit = 1 << slot
    this.#open &= ~bit
    this.#pure &= ~bit
    this.#total &= ~bit
    this.#constant &= ~bit
    for (let left = this.#open; left !== 0; left &= left - 1) {
      this.#twins[lowestBit(left)]! &= ~bit
      this.#followers[lowestBit(left)]! &= ~bit
    }
  }

  /** Sends a configuration on: to the new frontier once X has taken effect, and to the search while it has not. */
  #settle(state: State, before: number, hide: number, used: Used): void {
    const bit = this.#bit
    const done = this.#eager(state, before)
    if ((done & bit) !== 0) this.#keep(state, done & ~bit, hide & ~bit, used)
    else if (this.#isNew(state, done, hide, used)) this.#seen[this.#count++] = { state, done, hide, used }
  }

  #isNew(state: State, done: number, hide: number, used: Used): boolean {
    if (this.#count < MANY) return !isAmong(this.#seen, this.#count, state, done, hide, used)
    if (this.#found.size === 0) for (const one of this.#seen.slice(0, this.#count)) this.#bucket(one.state, one.done, one.hide).push(one)
    const bucket = this.#bucket(state, done, hide)
    if (isAmong(bucket, bucket.length, state, done, hide, used)) return false
    bucket.push({ state, done, hide, used })
    return true
  }

  #bucket(state: State, done: number, hide: number): Configuration[] {
    const hash = Math.imul(state.number, 0x9e3779b1) ^ Math.imul(done, 0x85ebca77) ^ Math.imul(hide, 0x2c1b3c6d)
    let bucket = this.#found.get(hash)
    if (bucket === undefined) this.#found.set(hash, (bucket = []))
    return bucket
  }

  #expand({ state, done, hide, used }: Configuration): void {
    for (let left = this.#open & ~done & (this.#isLoose ? -1 : ~this.#pure); left !== 0; left &= left - 1) {
      const slot = lowestBit(left)
      const bit = 1 << slot
      if ((this.#twins[slot]! & ~(done | hide)) !== 0) continue
      const { type } = this.#bySlot[slot]!
      for (const next of this.#object.after(state, type)) {
        if (type.total && bit !== this.#bit && !this.#isWorthIt(next, done | bit, used, slot)) continue
        this.#settle(next, done | bit, (this.#constant & bit) !== 0 ? this.#total & ~(done | bit) : hide & ~bit, used)
      }
    }
    for (const type of this.#maybe) {
      if (available(type, used) === 0) continue
      for (const next of this.#object.after(state, type)) {
        if (type.total ? !this.#isWorthIt(next, done, used) : next === state) continue
        this.#settle(next, done, type.constant !== undefined ? this.#total & ~done : hide, this.#uses.oneMore(used, type))
      }
    }
  }

  /**
   * Whether an operation that is possible in every state needs to take effect before X, with this state behind it; `slot`: its own, if it
   * has one. If nothing makes use of the state, the operation may as well be hidden, where another overwrites the state before X,
   * or come after X. If X itself is possible after everything and does not overwrite the state, then something later must see what X makes of it.
   */
  #isWorthIt(state: State, done: number, used: Used, slot?: number): boolean {
    if (this.#follows) return this.#isSeen(state, done, used)
    const isKnown = slot !== undefined && this.#maybe.length === 0 && (this.#constant & (1 << slot)) !== 0
    return isKnown ? (this.#followers[slot]! & ~done) !== 0 : this.#isOfUse(state, done, used)
  }

  /** Whether anything that is open and not done can make use of a state. */
  #isOfUse(state: State, done: number, used: Used): boolean {
    for (let left = this.#open & ~done; left !== 0; left &= left - 1) if (this.#object.canUse(state.value, this.#bySlot[lowestBit(left)]!.type)) return true
    for (const type of this.#maybe) if (available(type, used) > 0 && this.#object.canUse(state.value, type)) return true
    return false
  }

  /** The same, or anything that is invoked later, before the state is overwritten. */
  #isSeen(state: State, done: number, used: Used): boolean {
    if (state.asked !== this.#responses) {
      state.asked = this.#responses
      state.isNeeded = this.#needs.isNeeded(state, this.#event)
    }
    return state.isNeeded || this.#isOfUse(state, done, used)
  }

  /** Operations that never change the state take effect as soon as they can, unless the state stands for many and is known better afterwards. */
  #eager(state: State, before: number): number {
    let done = before
    for (let left = this.#pure & ~before; left !== 0; left &= left - 1) {
      const slot = lowestBit(left)
      if (this.#object.after(state, this.#bySlot[slot]!.type)[0] === state) done |= 1 << slot
    }
    return done
  }

  /** Adds a configuration to the new frontier unless one is there that is at least as good; takes out those that are not better. */
  #keep(state: State, done: number, hide: number, used: Used): void {
    const out = this.#out
    const isSeen = this.#isSeen(state, done | this.#bit, used)
    const fresh = { state: isSeen ? state : this.#object.unseen, done, hide: isSeen ? hide : this.#total & ~(done | this.#bit), used }
    if (out.length === 0) {
      this.#out = [fresh]
      return
    }
    for (const other of out) if (this.#dominates(other, fresh)) return
    let kept = 0
    for (const other of out) if (!this.#dominates(fresh, other)) out[kept++] = other
    if (kept < out.length) out.length = kept
    out.push(fresh)
  }

  #dominates(a: Configuration, b: Configuration): boolean {
    if ((a.state !== b.state && b.state !== this.#object.unseen) || (b.hide & ~a.hide) !== 0) return false
    const pure = this.#pure
    if ((b.done & ~a.done & pure) !== 0 || ((a.done ^ b.done) & ~a.hide & ~pure) !== 0) return false
    return a.used === b.used || isWithin(a.used, b.used)
  }
}

/** How many more operations of a type may take effect without a response. */
function available(type: Type, { counts }: Used): number {
  return type.available - (counts.get(type) ?? 0)
}

/** Whether a configuration is among the first `count` of a list. */
function isAmong(list: readonly Configuration[], count: number, state: State, done: number, hide: number, used: Used): boolean {
  for (let i = 0; i < count; i++) {
    const one = list[i]!
    if (one.state === state && one.done === done && one.hide === hide && one.used === used) return true
  }
  return false
}
