/**
 * One order of the operations so far that explains everything, extended response by response: while there is one, nothing
 * is violated, and nothing need be searched. It is found greedily, so that losing it proves nothing.
 *
 * An operation takes effect when its response comes, unless another needed its effect before. One that only looks may look at
 * any state that the order passed through since whatever ended before its invocation. When that does not do, the
 * last operations are put into another order (live-repair.ts).
 */
import { LiveRepair } from './live-repair.ts'
import { same } from './values.ts'
import type { LiveObject } from './live-object.ts'
import type { Placeable } from './live-repair.ts'
import type { Json } from './values.ts'

/** How many of the last operations are put into another order: first few, then more. */
const LENGTHS = [6, 12, 24]
/** So many operations of the order are remembered at least, and twice as many at most. */
const REMEMBERED = 128
/** Operations that can be put into another order at once. */
const OPERATIONS_MAX = 31

export class LiveOrder {
  readonly #object: LiveObject
  readonly #repair: LiveRepair
  readonly #lengths: readonly number[]
  #state: Json
  /** The event from which on the order is remembered. */
  #since = 0
  /** The last of them, in order. */
  #order: Placeable[] = []

  /** `lengths`: how many of the last operations are put into another order, one attempt after the other. */
  constructor(object: LiveObject, lengths: readonly number[] = LENGTHS) {
    this.#object = object
    this.#lengths = lengths
    this.#repair = new LiveRepair(object)
    this.#state = object.init.value
  }

  /** Begins anew from a state that is certainly possible. `effective`: which of the open operations took effect by then, but nobody knows in which state. */
  restart(state: Json, effective: readonly Placeable[], open: readonly Placeable[], since: number): void {
    this.#since = since
    this.#state = state
    this.#order = []
    for (const operation of open) unplace(operation)
    for (const operation of effective) operation.isPlaced = true
  }

  /** The one order at an event: the state, and which of the operations that were open took effect before; undefined: forgotten. */
  at<Operation extends Placeable>(event: number, open: readonly Operation[]): { readonly state: Json; readonly effective: readonly Operation[] } | undefined {
    if (event < this.#since) return undefined
    const order = this.#order
    let at = order.findIndex(({ invoked }) => invoked >= event)
    if (at < 0) at = order.length
    return { state: at < order.length ? order[at]!.from! : this.#state, effective: open.filter((operation) => operation.isPlaced && order.indexOf(operation, at) < 0) }
  }

  /** The state behind all of it. */
  get state(): Json {
    return this.#state
  }

  /** An operation certainly had no effect. `open`: all open operations. False: it had one here, and the order cannot go on without. */
  withdraw(x: Placeable, open: readonly Placeable[]): boolean {
    if (!x.isPlaced) return true
    const at = this.#order.lastIndexOf(x)
    if (at < 0) return false
    return this.#rearrange(at, this.#order.slice(at).filter((operation) => operation !== x), open)
  }

  /** A response. `open`: all open operations. False: this order cannot go on. */
  respond(x: Placeable, open: readonly Placeable[]): boolean {
    if (this.#order.length > 2 * REMEMBERED) {
      for (const { invoked } of this.#order.slice(0, -REMEMBERED)) if (invoked >= this.#since) this.#since = invoked + 1
      this.#order = this.#order.slice(-REMEMBERED)
    }
    if (x.isPlaced) {
      // What it returned may contradict the state in which it took effect here.
      if (x.to !== undefined && this.#object.next(x.from!, x.type).some((state) => same(state, x.to!))) return true
      const at = this.#order.lastIndexOf(x)
      return at >= 0 && this.#rearrange(at, this.#order.slice(at), open)
    }
    if (x.type.pure ? this.#insert(x) : this.#append(x)) return true
    return this.#help(x, open) || this.#rearrange(this.#order.length, [x], open)
  }

  /** Lets an operation that only looks do so as late as it can. */
  #insert(x: Placeable): boolean {
    let state = this.#state
    for (let at = this.#order.length; ; at--) {
      if (this.#object.next(state, x.type).length > 0) {
        if (at === this.#order.length) this.#order.push(x)
        else this.#order.splice(at, 0, x)
        place(x, state, state)
        return true
      }
      while (at > 0 && this.#order[at - 1]!.to === this.#order[at - 1]!.from && this.#order[at - 1]!.ended > x.invoked) at--
      if (at === 0 || this.#order[at - 1]!.ended < x.invoked) return false
      state = this.#order[at - 1]!.from!
    }
  }

  /** Lets an operation take effect now. */
  #append(x: Placeable): boolean {
    const next = this.#object.next(this.#state, x.type)[0]
    if (next === undefined) return false
    place(x, this.#state, next)
    this.#state = next
    this.#order.push(x)
    return true
  }

  /** Lets an operation take effect after another one that is open. */
  #help(x: Placeable, open: readonly Placeable[]): boolean {
    for (const operation of open) {
      if (operation.isPlaced || operation.type.pure || operation.type.ignored) continue
      const next = this.#object.next(this.#state, operation.type)[0]
      if (next === undefined || next === this.#state || this.#object.next(next, x.type).length === 0) continue
      return this.#append(operation) && this.#append(x)
    }
    return false
  }

  /** Puts what stands at `at` and behind into another order, together with what stands before: `last` must be in it then. */
  #rearrange(at: number, last: readonly Placeable[], open: readonly Placeable[]): boolean {
    for (const length of this.#lengths) {
      const from = Math.max(0, this.#order.length - length)
      if (from > at) continue
      const rest = open.filter((operation) => !operation.type.pure && !operation.type.ignored && !operation.isPlaced)
      const operations = [...this.#order.slice(from, at), ...last, ...rest]
      if (operations.length > OPERATIONS_MAX) return false
      const begin = from < this.#order.length ? this.#order[from]!.from! : this.#state
      const found = this.#repair.order(begin, operations)
      if (found === undefined) {
        if (from === 0) return false
        continue
      }
      for (let i = from; i < this.#order.length; i++) unplace(this.#order[i]!)
      this.#order.length = from
      this.#state = begin
      for (const { operation, from: before, to } of found) {
        place(operation, before, to)
        this.#order.push(operation)
        this.#state = to
      }
      return true
    }
    return false
  }
}

function place(operation: Placeable, from: Json, to: Json): void {
  operation.isPlaced = true
  operation.from = from
  operation.to = to
}

function unplace(operation: Placeable): void {
  operation.isPlaced = false
  operation.from = undefined
  operation.to = undefined
}
