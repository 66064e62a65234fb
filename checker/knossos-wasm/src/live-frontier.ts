/**
 * One step of just-in-time linearization (Lowe 2017; see assembly/engine.ts) over the operations that are open now: from
 * all configurations that are possible before a response to all that are possible after it.
 *
 * Operations whose outcome is not known (they crashed, or go on) are counted by type: they may take effect, or not, and return
 * anything.
 */
import type { LiveObject, State, Type } from './live-object.ts'

/** How many configurations one walk may visit. */
const VISITS_MAX = 20_000
/** From this many on configurations are found by hash. */
const MANY = 16
/** Sets of used operations to remember; equal ones that were forgotten may come twice. */
const USED_MAX = 4096

/** Operations without a response that took effect: how many of each type. */
export interface Used {
  readonly counts: ReadonlyMap<Type, number>
  readonly size: number
  readonly more: Map<Type, Used>
}

export function nothingUsed(): Used {
  return { counts: new Map(), size: 0, more: new Map() }
}

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

/** The open operations at one point of a walk. */
export class LiveFrontier {
  readonly #object: LiveObject
  #open: Acknowledged[] = []
  /** Slots of open operations that never change the state, and of those that can be hidden. */
  #pure = 0
  #total = 0
  /** Types of operations without a response. */
  readonly #maybe: Type[] = []
  readonly #used = new Map<string, Used>()
  #visits = 0
  // The response at hand.
  #bit = 0
  #out: Configuration[] = []
  readonly #seen: Configuration[] = []
  readonly #found = new Map<number, Configuration[]>()

  constructor(object: LiveObject) {
    this.#object = object
  }

  /** Begins a walk with nothing open. */
  begin(): void {
    this.#visits = 0
    this.#open = []
    this.#pure = 0
    this.#total = 0
    for (const type of this.#maybe) type.available = -1
    this.#maybe.length = 0
    if (this.#used.size > USED_MAX) this.#used.clear()
  }

  /** An operation whose response is known is invoked. */
  invoke(operation: Acknowledged): void {
    this.#open.push(operation)
    if (operation.type.pure) this.#pure |= 1 << operation.slot
    if (operation.type.total) this.#total |= 1 << operation.slot
  }

  /** So many more operations of a type may take effect without a response. */
  allow(type: Type, count: number): void {
    if (type.available < 0) {
      type.available = 0
      this.#maybe.push(type)
    }
    type.available += count
  }

  /** The frontier after a response, empty when it is impossible; undefined when too much would have to be visited. */
  respond(frontier: readonly Configuration[], x: Acknowledged): readonly Configuration[] | undefined {
    this.#bit = 1 << x.slot
    this.#out = []
    this.#seen.length = 0
    if (this.#found.size > 0) this.#found.clear()
    for (const { state, done, hide, used } of frontier) this.#settle(state, done, hide, used, false)
    for (let i = 0; i < this.#seen.length; i++) {
      if (++this.#visits > VISITS_MAX) return undefined
      this.#expand(this.#seen[i]!)
    }
    this.#open.splice(this.#open.indexOf(x), 1)
    this.#pure &= ~this.#bit
    this.#total &= ~this.#bit
    return this.#out
  }

  /** Sends a configuration on: to the new frontier once X has taken effect or is hidden, and to the search while it has not. */
  #settle(state: State, before: number, hide: number, used: Used, wasHidden: boolean): void {
    const bit = this.#bit
    const done = this.#eager(state, before)
    if ((done & bit) !== 0 || ((hide & bit) !== 0 && !wasHidden)) this.#keep({ state, done: done & ~bit, hide: hide & ~bit, used })
    if ((done & bit) === 0 && this.#isNew(state, done, hide, used)) this.#seen.push({ state, done, hide, used })
  }

  #isNew(state: State, done: number, hide: number, used: Used): boolean {
    if (this.#seen.length < MANY) return !isAmong(this.#seen, state, done, hide, used)
    if (this.#found.size === 0) for (const one of this.#seen) this.#bucket(one.state, one.done, one.hide).push(one)
    const bucket = this.#bucket(state, done, hide)
    if (isAmong(bucket, state, done, hide, used)) return false
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
    const wasHidden = (hide & this.#bit) !== 0
    for (const operation of this.#open) {
      const { type, slot } = operation
      const bit = 1 << slot
      if (type.pure || (done & bit) !== 0 || this.#hasEarlierTwin(done | hide, operation)) continue
      for (const next of this.#object.after(state, type)) this.#settle(next, done | bit, type.constant ? this.#total & ~(done | bit) : hide & ~bit, used, wasHidden)
    }
    for (const type of this.#maybe) {
      if ((used.counts.get(type) ?? 0) >= type.available) continue
      for (const next of this.#object.after(state, type)) {
        if (next !== state || type.constant) this.#settle(next, done, type.constant ? this.#total & ~done : hide, this.#oneMore(used, type), wasHidden)
      }
    }
  }

  /** One more of a type; equal sets are one record. */
  #oneMore(used: Used, type: Type): Used {
    let more = used.more.get(type)
    if (more !== undefined) return more
    const counts = new Map(used.counts).set(type, (used.counts.get(type) ?? 0) + 1)
    const name = [...counts].map(([{ number }, count]) => `${number}x${count}`).sort().join()
    more = this.#used.get(name)
    if (more === undefined) {
      more = { counts, size: used.size + 1, more: new Map() }
      this.#used.set(name, more)
    }
    used.more.set(type, more)
    return more
  }

  #hasEarlierTwin(effective: number, operation: Acknowledged): boolean {
    for (const twin of this.#open) {
      if (twin.type === operation.type && twin.ended < operation.ended && (effective & (1 << twin.slot)) === 0) return true
    }
    return false
  }

  /** Operations that never change the state take effect as soon as they can. */
  #eager(state: State, before: number): number {
    if ((this.#pure & ~before) === 0) return before
    let done = before
    for (const { type, slot } of this.#open) {
      if (type.pure && (done & (1 << slot)) === 0 && this.#object.after(state, type).length > 0) done |= 1 << slot
    }
    return done
  }

  /** Adds a configuration to the new frontier unless one is there that is at least as good; takes out those that are not better. */
  #keep(fresh: Configuration): void {
    const out = this.#out
    for (const other of out) if (this.#dominates(other, fresh)) return
    let kept = 0
    for (const other of out) if (!this.#dominates(fresh, other)) out[kept++] = other
    out.length = kept
    out.push(fresh)
  }

  #dominates(a: Configuration, b: Configuration): boolean {
    if (a.state !== b.state || (b.hide & ~a.hide) !== 0) return false
    const pure = this.#pure
    if ((b.done & ~a.done & pure) !== 0 || ((a.done ^ b.done) & ~a.hide & ~pure) !== 0) return false
    return a.used === b.used || isWithin(a.used, b.used)
  }
}

function isAmong(list: readonly Configuration[], state: State, done: number, hide: number, used: Used): boolean {
  for (const one of list) if (one.state === state && one.done === done && one.hide === hide && one.used === used) return true
  return false
}

function isWithin(a: Used, b: Used): boolean {
  if (a.size > b.size) return false
  for (const [type, count] of a.counts) if ((b.counts.get(type) ?? 0) < count) return false
  return true
}
