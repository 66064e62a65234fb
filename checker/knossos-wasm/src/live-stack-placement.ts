/**
 * One way in which the pops of a stack can have taken effect, kept up while they end; the order of what is still in it is left open.
 *
 * Gap g lies behind event g (see collections/elements.ts). An element that was popped was in the stack from a gap p to a gap t. What was there
 * as well and still is, was pushed by p or from t on: in between it would have been in the way. So for each element there remain
 * some gaps in which it can have been pushed, and it restricts the others least to be pushed in the last of them, and popped in the first gap of
 * the pop in which nothing that was pushed later and has been popped is in the way.
 *
 * For what cannot have been pushed at another time, a pop that is still open, or crashed, must have popped it by t: it is *owed*, with that deadline. Those
 * pops serve from their beginning on, so it takes the i-th of them to have begun by the i-th deadline.
 *
 * All this is found greedily, so that losing it proves nothing.
 */

/** Gaps, both included. */
interface Span {
  readonly from: number
  readonly to: number
}

/** An element. */
export interface Pushed {
  readonly row: number
  readonly invoked: number
  /** The event that ended its push; Infinity. */
  ended: number
  /** When it can have been pushed, as far as that has ended; in order. */
  spans: readonly Span[]
  isPopped: boolean
  /** By which gap it must have been popped, if nobody has returned it; Infinity: it need not. */
  deadline: number
}

/** A pop that may still have popped something. */
export interface Pop {
  readonly invoked: number
  hasCrashed: boolean
}

/** When an element that was popped was there; `end`: the response of its pop. */
interface Stay {
  readonly from: number
  to: number
  readonly end: number
}

/** What must be so if something was there from a gap to another. */
interface Change extends Span {
  /** When others can have been pushed. */
  readonly spans: ReadonlyMap<Pushed, readonly Span[]>
  /** Of all that is owed. */
  readonly deadlines: ReadonlyMap<Pushed, number>
  /** Whether something is owed by `to`. */
  readonly owes: boolean
}

/** So many ways to place a pop are tried, and so many elements may be in its way. */
const WAYS_MAX = 64
const IN_THE_WAY_MAX = 64
/** What can be forgotten is looked for whenever there is twice as much as was left the last time, and so much more. */
const ROOM = 16

export class StackPlacement {
  /** What is in the stack and not owed, by the end of its push. */
  readonly #present: Pushed[] = []
  /** By deadline. */
  #owed: Pushed[] = []
  /** Pops that may have popped what is owed, by the time of their invocation. */
  readonly #pops = new Set<Pop>()
  /** Pushes that are open. */
  readonly #pushes = new Set<Pushed>()
  /** When something was there that was popped, as far as a push or pop can still have been in between. */
  #busy: Stay[] = []
  #room = ROOM

  /** A push begins. */
  push(row: number, event: number): Pushed {
    const pushed: Pushed = { row, invoked: event, ended: Infinity, spans: [], isPopped: false, deadline: Infinity }
    this.#pushes.add(pushed)
    return pushed
  }

  /** A push may have its effect at any time, or has had none. */
  pushCrashes(pushed: Pushed): void {
    this.#pushes.delete(pushed)
  }

  pushEnds(pushed: Pushed, event: number): void {
    this.#pushes.delete(pushed)
    if (pushed.isPopped) return
    pushed.ended = event
    pushed.spans = this.#free(pushed.invoked, event - 1)
    this.#present.push(pushed)
  }

  /** A pop begins. */
  pop(event: number): Pop {
    const pop = { invoked: event, hasCrashed: false }
    this.#pops.add(pop)
    return pop
  }

  /** A pop certainly popped nothing. Whether the rest is still placed. */
  fails(pop: Pop): boolean {
    this.#pops.delete(pop)
    return this.#areServed()
  }

  /** A pop ends that popped this element (`undefined`: it found nothing). Whether it can be placed, and the rest still is. */
  takes(pop: Pop, pushed: Pushed | undefined, event: number): boolean {
    this.#pops.delete(pop)
    const isPlaced = pushed === undefined ? this.#finds(pop, event) : pushed.deadline < Infinity ? this.#takesOwed(pop, pushed) : this.#takesPresent(pop, pushed, event)
    if (this.#busy.length > this.#room) this.#forget(event)
    return isPlaced
  }

  #takesOwed({ invoked }: Pop, pushed: Pushed): boolean {
    pushed.isPopped = true
    this.#owed.splice(this.#owed.indexOf(pushed), 1)
    return this.#postpone(pushed, invoked) && this.#areServed()
  }

  #takesPresent({ invoked }: Pop, pushed: Pushed, event: number): boolean {
    pushed.isPopped = true
    const isPresent = pushed.ended < Infinity
    if (isPresent) this.#present.splice(this.#present.lastIndexOf(pushed), 1)
    if (!this.#areServed()) return false
    const spans = isPresent ? pushed.spans : this.#free(pushed.invoked, event - 1)
    let ways = 0
    for (let at = spans.length - 1; at >= 0; at--) {
      const from = spans[at]!.to
      for (let to = Math.max(from, invoked); to < event && ways < WAYS_MAX; to++, ways++) {
        const across = this.#busy.find((stay) => stay.from > from && stay.from < to && to < stay.to)
        if (across !== undefined) to = across.to - 1
        else if (this.#place(from, to, event)) return true
      }
    }
    return false
  }

  /** A pop found nothing, which it must have done in a gap in which nothing was there. */
  #finds({ invoked }: Pop, event: number): boolean {
    if (!this.#areServed()) return false
    for (let gap = invoked; gap < event && gap < invoked + WAYS_MAX; gap++) {
      const across = this.#busy.find((stay) => stay.from < gap && gap < stay.to)
      if (across !== undefined) gap = across.to - 1
      else if (this.#place(-1, gap, event)) return true
    }
    return false
  }

  /** Something was there from a gap to another, which is before `end`: whether nothing else need have been pushed in between that was not popped by then. */
  #place(from: number, to: number, end: number): boolean {
    if (to - from <= 1) return true
    let change = this.#changeFor(from, to)
    if (change === undefined || !this.#canServe(change.deadlines.values())) return false
    // What is owed had better be owed for long.
    for (let later = to + 1; later < end && later < to + WAYS_MAX && change.owes && !this.#isAcross(from, later); later++) {
      const next = this.#changeFor(from, later)
      if (next === undefined || !isNoMore(next, change)) break
      change = next
    }
    this.#busy.push({ from, to: change.to, end })
    this.#apply(change)
    return true
  }

  /** Whether all that is owed can have been popped, some of it perhaps later than was assumed. */
  #areServed(): boolean {
    for (let times = 0; times < WAYS_MAX; times++) {
      const pops = this.#pops.values()
      const late = this.#owed.find((pushed) => {
        const pop = pops.next()
        return pop.done === true || pop.value.invoked > pushed.deadline
      })
      if (late === undefined) return true
      const pop = [...this.#pops][this.#owed.indexOf(late)]
      if (pop === undefined || !this.#postpone(late, pop.invoked)) return false
    }
    return false
  }

  /** Lets what forces an element to have been popped by its deadline stay until it can have been popped by a pop that began then. */
  #postpone(pushed: Pushed, invoked: number): boolean {
    // What was pushed first must stay longest.
    const stays = this.#busy.filter((stay) => stay.to < invoked && isWithin(pushed, stay)).sort((a, b) => a.from - b.from)
    for (const stay of stays) {
      let to = invoked
      while (to < stay.end && !this.#stretch(stay, to)) to++
      if (to >= stay.end) return false
    }
    return true
  }

  #stretch(stay: Stay, to: number): boolean {
    const { from } = stay
    if (this.#busy.some((other) => other !== stay && ((other.from > from && other.from < to && other.to > to) || (other.from < from && other.to > from && other.to < to)))) return false
    const change = this.#changeFor(from, to)
    if (change === undefined) return false
    stay.to = to
    this.#apply(change)
    return true
  }

  /** What must be so if something was there from a gap to another; undefined: that cannot be. */
  #changeFor(from: number, to: number): Change | undefined {
    const spans = new Map<Pushed, readonly Span[]>()
    const deadlines = new Map<Pushed, number>()
    let owes = false
    for (let at = this.#present.length - 1; at >= 0 && this.#present[at]!.ended - 1 > from; at--) {
      const other = this.#present[at]!
      const rest = outside(other.spans, from, to)
      if (rest === other.spans) continue
      if (rest.length > 0) spans.set(other, rest)
      else if (deadlines.set(other, to).size > IN_THE_WAY_MAX) return undefined
      else owes = true
    }
    for (const other of this.#owed) {
      const rest = other.deadline > to ? outside(other.spans, from, to) : other.spans
      if (rest !== other.spans && rest.length > 0) spans.set(other, rest)
      if (rest.length === 0) owes = true
      deadlines.set(other, rest.length > 0 ? other.deadline : to)
    }
    return { from, to, spans, deadlines, owes }
  }

  #apply({ spans, deadlines }: Change): void {
    for (const [other, rest] of spans) other.spans = rest
    if (deadlines.size === 0) return
    for (const other of deadlines.keys()) {
      if (other.deadline === Infinity) this.#present.splice(this.#present.lastIndexOf(other), 1)
      other.deadline = this.#busy.reduce((least, stay) => (stay.to < least && isWithin(other, stay) ? stay.to : least), Infinity)
    }
    this.#owed = [...deadlines.keys()].sort((a, b) => a.deadline - b.deadline)
  }

  /** Whether something that was pushed after a gap was there in a later one, among what has been popped. */
  #isAcross(from: number, gap: number): boolean {
    return this.#busy.some((stay) => stay.from > from && stay.from < gap && gap < stay.to)
  }

  /** Whether for each deadline there is a pop of its own that began by then. */
  #canServe(deadlines: Iterable<number>): boolean {
    const sorted = [...deadlines].sort((a, b) => a - b)
    const pops = this.#pops.values()
    return sorted.every((deadline) => {
      const pop = pops.next()
      return pop.done !== true && pop.value.invoked <= deadline
    })
  }

  /** The gaps from one to another in which nothing was there that was popped, but for what was pushed before. */
  #free(from: number, to: number): readonly Span[] {
    let spans: readonly Span[] = [{ from, to }]
    for (const busy of this.#busy) spans = outside(spans, busy.from, busy.to)
    return spans
  }

  /** Forgets what was there before anything began that may still have been in between. */
  #forget(event: number): void {
    let earliest = event
    for (const { invoked } of this.#pushes) {
      earliest = invoked
      break
    }
    for (const { invoked, hasCrashed } of this.#pops) {
      if (hasCrashed) continue
      earliest = Math.min(earliest, invoked)
      break
    }
    this.#busy = this.#busy.filter(({ to }) => to >= earliest)
    this.#room = 2 * this.#busy.length + ROOM
  }
}

/** Whether an element can only have been pushed while another was there. */
const isWithin = ({ spans }: Pushed, { from, to }: Stay): boolean => spans.every((span) => span.from > from && span.to < to)

/** Those of these gaps that do not lie strictly between two gaps; the same object where that is all of them. */
function outside(spans: readonly Span[], from: number, to: number): readonly Span[] {
  if (spans.every((span) => span.to <= from || span.from >= to)) return spans
  return spans.flatMap((span) => {
    const parts = [{ from: span.from, to: Math.min(span.to, from) }, { from: Math.max(span.from, to), to: span.to }]
    return span.to <= from || span.from >= to ? [span] : parts.filter((part) => part.from <= part.to)
  })
}

/** Whether a change asks nothing more of anybody than another does. */
function isNoMore(change: Change, other: Change): boolean {
  if (change.spans.size > other.spans.size || change.deadlines.size > other.deadlines.size) return false
  for (const [pushed, spans] of change.spans) {
    const known = other.spans.get(pushed)
    if (known === undefined || known.length !== spans.length || !spans.every(({ from, to }, i) => from === known[i]!.from && to === known[i]!.to)) return false
  }
  return true
}
