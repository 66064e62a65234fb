/**
 * One order of the operations so far that explains everything, extended response by response: while there is one, nothing
 * is violated, and nothing need be searched. It is found greedily, so that losing it proves nothing.
 *
 * An operation takes effect when its response comes, unless another needed its effect before. The states that the order passed
 * through are kept as far back as operations are open: one that only looks may have looked at any since its invocation.
 */
import type { LiveObject, State, Type } from './live-object.ts'

/** How many open operations may be tried before the one at hand. */
const DEPTH_MAX = 2
/** States that the order passed through, at least, before the oldest are forgotten. */
const TRAIL = 64

/** What the order needs to know of an operation. */
export interface Placeable {
  readonly type: Type
  readonly slot: number
  /** Event of the invocation. */
  readonly invoked: number
}

export class LiveCandidate {
  readonly #object: LiveObject
  #state: State
  /** Slots of open operations that took effect. */
  #done = 0
  /** Those of them that did so before this order began. */
  #unknown = 0
  /** By slot: the state in which an open operation took effect, and the one after. */
  readonly #from: State[] = []
  readonly #to: State[] = []
  /** The states passed through and the events at which they were reached; the latest last. */
  #trail: State[]
  #reached: number[] = [-1]

  constructor(object: LiveObject) {
    this.#object = object
    this.#state = object.init
    this.#trail = [object.init]
  }

  /** Begins anew from a state that is certainly possible. `effects`: open operations that took effect by then, but nobody knows in which state. */
  restart(state: State, effects: number, event: number): void {
    this.#state = state
    this.#done = effects
    this.#unknown = effects
    this.#trail = [state]
    this.#reached = [event]
  }

  /** States that must be remembered. */
  get states(): readonly State[] {
    return this.#trail
  }

  /** An operation leaves without a response that proves anything: it crashed (and may have had an effect), or certainly had none (false if it had here). */
  leave(slot: number, hadNoEffect: boolean): boolean {
    const bit = 1 << slot
    const possible = !hadNoEffect || (this.#done & bit) === 0
    this.#done &= ~bit
    return possible
  }

  /** A response at an event. `open`: all open operations. False: this order cannot go on. */
  respond(x: Placeable, event: number, open: readonly Placeable[]): boolean {
    const bit = 1 << x.slot
    if ((this.#done & bit) !== 0) {
      this.#done &= ~bit
      // What it returned may contradict the state in which it took effect here.
      return (this.#unknown & bit) === 0 && this.#object.after(this.#from[x.slot]!, x.type).includes(this.#to[x.slot]!)
    }
    if (x.type.pure && this.#sawEarlier(x)) return true
    return this.#place(x, event, open, DEPTH_MAX)
  }

  #sawEarlier({ type, invoked }: Placeable): boolean {
    for (let i = this.#trail.length - 1; i >= 0; i--) {
      if (this.#object.after(this.#trail[i]!, type).length > 0) return true
      if (this.#reached[i]! < invoked) return false
    }
    return false
  }

  /** Lets an operation take effect now, or after others that are open. */
  #place(x: Placeable, event: number, open: readonly Placeable[], depth: number): boolean {
    const after = this.#object.after(this.#state, x.type)
    if (after.length > 0) {
      this.#reach(after[0]!, event)
      return true
    }
    if (depth === 0) return false
    const [state, done] = [this.#state, this.#done]
    for (const { type, slot } of open) {
      if (slot < 0 || slot === x.slot || type.pure || type.ignored || (done & (1 << slot)) !== 0) continue
      const next = this.#object.after(state, type)[0]
      if (next === undefined || next === state) continue
      this.#from[slot] = state
      this.#to[slot] = next
      this.#reach(next, event)
      this.#done |= 1 << slot
      this.#unknown &= ~(1 << slot)
      if (this.#place(x, event, open, depth - 1)) return true
      this.#trail.pop()
      this.#reached.pop()
      this.#state = state
      this.#done = done
    }
    return false
  }

  #reach(state: State, event: number): void {
    if (state === this.#state) return
    this.#state = state
    this.#trail.push(state)
    this.#reached.push(event)
  }

  /** Forgets states that were left before this event. */
  forget(event: number): void {
    if (this.#trail.length < TRAIL) return
    let from = this.#trail.length - 1
    while (from > 0 && this.#reached[from]! >= event) from--
    this.#trail = this.#trail.slice(from)
    this.#reached = this.#reached.slice(from)
  }
}
