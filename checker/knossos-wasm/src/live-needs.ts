/**
 * Which states somebody can still see. Whoever overwrites the state (a write), and is invoked after an event, has done so when it
 * ends; a state that none of the operations before that can make use of is as good as any other such state, and all of them are
 * one, `unseen`.
 */
import type { LiveObject, State, Type } from './live-object.ts'

/** An operation in the window. */
export interface Known {
  readonly type: Type
  readonly invoked: number
  readonly ended: number
  readonly fate: 'open' | 'ended' | 'crashed' | 'gone'
}

export class LiveNeeds {
  readonly #object: LiveObject
  #log: readonly Known[] = []
  #first = 0
  #from = 0
  /** By event from `#from` on, where the walk begins: when the state before it has been overwritten for certain. */
  #overwritten: number[] = []

  constructor(object: LiveObject) {
    this.#object = object
  }

  /** Begins a walk at an event. `log`: who was invoked or ended at each event from `first` on. */
  begin(log: readonly Known[], first: number, from: number): void {
    this.#log = log
    this.#first = first
    this.#from = from
    let at = first + log.length
    let overwritten = Infinity
    this.#overwritten[at - from] = overwritten
    while (at-- > from) {
      const { type, invoked, ended } = log[at - first]!
      if (invoked === at && type.constant !== undefined) overwritten = Math.min(overwritten, ended)
      this.#overwritten[at - from] = overwritten
    }
  }

  /** Whether an operation that is invoked after an event can make use of the state there. */
  isNeeded(state: State, event: number): boolean {
    const end = this.#overwritten[event + 1 - this.#from]!
    if (end === Infinity) return true
    for (let at = event + 1; at < end; at++) {
      const { type, invoked, fate } = this.#log[at - this.#first]!
      if (invoked !== at || fate === 'gone') continue
      // What it will return is not known, nor whether it fails, which may say something of the state.
      if (fate === 'open' && (type.pure || !this.#object.answered(type, 'fail', null).ignored)) return true
      if (this.#object.canUse(state.value, type)) return true
    }
    return false
  }
}
