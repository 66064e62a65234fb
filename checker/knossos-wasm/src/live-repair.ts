/**
 * Another order of the last operations, where the one that was followed cannot go on: depth first, by Wing and Gong's rule (an
 * operation may come next if none that is left ended before it began), within a budget. Finding none proves nothing.
 *
 * Operations that only look go as soon as they can. One that overwrites the state goes where something that is left can
 * follow it, or else at its latest, directly before another: there nobody sees it.
 */
import { lowestBit } from './integers.ts'
import { same } from './values.ts'
import type { LiveObject, Type } from './live-object.ts'
import type { ModelOperation } from './model.ts'
import type { Json } from './values.ts'

/** How many states one attempt may visit. */
const VISITS_MAX = 100

/** An operation as an order of operations sees it. */
export interface Placeable {
  readonly type: Type
  /** Events, counted from the first; Infinity while there is no response, so that it may be left out. */
  readonly invoked: number
  readonly ended: number
  /** Whether it has a place in the order, and the states around it there; undefined where nobody knows them. */
  isPlaced: boolean
  from: Json | undefined
  to: Json | undefined
}

/** An operation between two states. */
export interface Placement {
  readonly operation: Placeable
  readonly from: Json
  readonly to: Json
}

export class LiveRepair {
  readonly #object: LiveObject
  /** The most urgent first, those that may be left out last. */
  #operations: readonly Placeable[] = []
  /** By bit: those that may not be left out. */
  #required = 0
  #path: Placement[] = []
  #visits = 0
  #rest = 0
  /** What has been visited without success: states, and what was left. */
  readonly #dead: Json[] = []
  readonly #deadLeft: number[] = []

  constructor(object: LiveObject) {
    this.#object = object
  }

  /** An order of at most 31 operations from a state on; undefined where none is found. */
  order(state: Json, operations: readonly Placeable[]): readonly Placement[] | undefined {
    this.#operations = [...operations].sort((a, b) => (a.ended < b.ended ? -1 : a.ended > b.ended ? 1 : 0))
    this.#required = 0
    this.#operations.forEach(({ ended }, i) => {
      if (ended !== Infinity) this.#required |= 1 << i
    })
    this.#path = []
    this.#visits = 0
    this.#dead.length = 0
    this.#deadLeft.length = 0
    return this.#extend(state, 2 ** operations.length - 1) ? this.#path : undefined
  }

  /** Places all that is left, as far as it is required. */
  #extend(state: Json, before: number): boolean {
    const length = this.#path.length
    const left = this.#look(state, before)
    if ((left & this.#required) === 0) return true
    if (this.#visits++ < VISITS_MAX && !this.#isDead(state, left) && !this.#isHopeless(state, left) && this.#branch(state, left)) return true
    this.#path.length = length
    return false
  }

  #branch(state: Json, left: number): boolean {
    const urgent = lowestBit(left)
    const deadline = this.#operations[urgent]!.ended
    for (let i = urgent; i < this.#operations.length; i++) {
      const operation = this.#operations[i]!
      if ((left & (1 << i)) === 0 || operation.type.pure || operation.invoked > deadline) continue
      const after = this.#object.next(state, operation.type)
      const rest = left & ~(1 << i)
      if (operation.type.total && i !== urgent && !this.#isOfUse(after, rest)) continue
      if (operation.type.constant === undefined ? this.#placeOne(operation, state, after, rest) : this.#overwrite(operation, state, after, rest)) return true
    }
    this.#dead.push(state)
    this.#deadLeft.push(left)
    return false
  }

  #placeOne(operation: Placeable, from: Json, after: readonly Json[], left: number): boolean {
    for (const to of after) {
      this.#path.push({ operation, from, to })
      if (this.#extend(to, left)) return true
      this.#path.pop()
    }
    return false
  }

  /** Lets an operation overwrite the state, and before it, where nobody sees them, others that nobody needs: those that overwrite it too, or else all. */
  #overwrite(operation: Placeable, from: Json, after: readonly Json[], left: number): boolean {
    const length = this.#path.length
    const state = this.#hide(operation, from, after, left, true)
    const rest = this.#rest
    if (this.#placeOne(operation, state, after, rest)) return true
    const last = this.#hide(operation, state, after, rest, false)
    if (this.#rest !== rest && this.#placeOne(operation, last, after, this.#rest)) return true
    this.#path.length = length
    return false
  }

  /** The state then; `#rest` is what is left. */
  #hide(operation: Placeable, from: Json, after: readonly Json[], before: number, onlyConstant: boolean): Json {
    let state = from
    this.#rest = before
    for (let left = before & this.#required; left !== 0; left &= left - 1) {
      const i = lowestBit(left)
      const other = this.#operations[i]!
      const { total, constant } = other.type
      if (!total || (onlyConstant && constant === undefined) || other.invoked > this.#deadline(this.#rest) || other.invoked > operation.ended) continue
      if (this.#isOfUse(this.#object.next(after[0]!, other.type), this.#rest & ~(1 << i))) continue
      const to = this.#object.next(state, other.type)[0]!
      this.#path.push({ operation: other, from: state, to })
      state = to
      this.#rest &= ~(1 << i)
    }
    return state
  }

  /** Places what only looks and can; what is left then. */
  #look(state: Json, before: number): number {
    let left = before
    for (let i = 0; i < this.#operations.length; i++) {
      const operation = this.#operations[i]!
      if ((left & (1 << i)) === 0 || !operation.type.pure || operation.invoked > this.#deadline(left) || this.#object.next(state, operation.type).length === 0) continue
      this.#path.push({ operation, from: state, to: state })
      left &= ~(1 << i)
      i = -1
    }
    return left
  }

  #deadline(left: number): number {
    return this.#operations[lowestBit(left)]!.ended
  }

  /** Whether something that is left can make use of the state. */
  #isOfUse(after: readonly Json[], left: number): boolean {
    for (let rest = left; rest !== 0; rest &= rest - 1) {
      const { type } = this.#operations[lowestBit(rest)]!
      if (type.constant === undefined && after.some((state) => this.#object.canUse(state, type))) return true
    }
    return false
  }

  /** Whether something that may not be left out is impossible, and nothing that is left can change that. */
  #isHopeless(state: Json, left: number): boolean {
    let all: readonly ModelOperation[] | undefined
    const others = (): readonly ModelOperation[] => (all ??= this.#operations.filter((_, i) => (left & (1 << i)) !== 0).map(({ type }) => type.operation))
    for (let rest = left & this.#required; rest !== 0; rest &= rest - 1) if (!this.#object.isAttainable(state, this.#operations[lowestBit(rest)]!.type, others)) return true
    return false
  }

  #isDead(state: Json, left: number): boolean {
    for (let i = 0; i < this.#dead.length; i++) if (this.#deadLeft[i] === left && same(this.#dead[i]!, state)) return true
    return false
  }
}
