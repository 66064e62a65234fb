/**
 * Queues whose elements are unique while they are in, judged while the history is being made: whether what has been seen so
 * far can be a FIFO queue (or an unordered one), at every response, remembering only what is in the queue or open.
 *
 * The conditions are those of collections/queue.ts and collections/elements.ts, with gaps as there (gap g lies
 * behind event g): an element is *there* in the gaps from the end of its put to the beginning of its take. A take that is
 * still open, or crashed, may have taken any element that nobody else took, and serves for the gaps from its beginning on.
 * So these are the demands that open takes must meet:
 *
 * - an element x is *owed* once a y that was put after it has been taken: by an open take that serves in some gap before y's take
 *   ended, the last of these gaps is its deadline. The i-th deadline wants i open takes that serve then (Hall's theorem,
 *   as all that serve earlier serve later).
 * - a take that found nothing needs one of its gaps g to be free: no element that has been taken was there in g, and those
 *   that were there and have not been taken, U(g), are no more than the open takes that serve in g.
 *
 * Neither asks more because of the other, nor one empty take because of another: U grows with g, so of several gaps each is judged
 * by itself; an element owed by g is in U(g); and if an element owed later was not there in g, then those of U(g) were
 * put before it, and so are owed as well. A take that found nothing has a gap for good once U is empty there.
 */

/** A put or a take. */
export interface QueueOperation {
  /** Row of its invocation. */
  readonly row: number
  readonly invoked: number
  /** What a put puts; undefined for a take. */
  readonly element: QueueElement | undefined
}

interface QueueElement {
  readonly code: number
  /** Of the invocation of its put. */
  readonly row: number
  readonly invoked: number
  /** The event that ended its put; Infinity. */
  since: number
  taken: boolean
  /** The last gap in which it must have been taken, and the element behind it that has been; absent: not owed. */
  owed: { readonly deadline: number; readonly by: Taken } | undefined
}

/** An element and the take that returned it. */
interface Taken {
  readonly element: QueueElement
  readonly take: QueueOperation
}

/** An element was there in the gaps from `from` to `to` - 1 and was taken then. */
interface Stay {
  readonly from: number
  readonly to: number
  readonly of: Taken
}

/** A take that found nothing in the gaps `from` to `to` - 1, as long as what it needs hangs on open takes. */
interface Empty {
  readonly from: number
  readonly to: number
  readonly row: number
}

/** What a response says: nothing new, a violation by the operations of these rows, or that elements cannot be told apart. */
export type QueueAnswer =
  | { readonly type: 'possible' }
  | { readonly type: 'violated'; readonly rows: readonly number[]; readonly reason: 'absent' | 'overtaken' | 'not empty' }
  | { readonly type: 'unclear' }

const POSSIBLE: QueueAnswer = { type: 'possible' }
/** So many takes that found nothing may hang on open takes. */
const PENDING_MAX = 64
/** How often what nobody can meet any more is forgotten. */
const FORGET_EVERY = 4

/** One queue. `ordered`: first in, first out. */
export class LiveQueue {
  readonly #ordered: boolean
  #events = 0
  /** Elements that were put or are being put, by code; without those that have been taken and put. */
  readonly #elements = new Map<number, QueueElement>()
  /** Those that are in and not owed, in the order in which their puts ended. */
  readonly #present = new Set<QueueElement>()
  /** Those that are owed, by deadline. */
  readonly #owed = new Set<QueueElement>()
  /** Takes that may still take something, by the time of their invocation. */
  readonly #open = new Set<QueueOperation>()
  /** Of these, those that crashed. */
  readonly #crashed = new Set<QueueOperation>()
  /** What an open take may still find to have been there. */
  #stays: Stay[] = []
  #pending: Empty[] = []
  #ended = 0

  constructor(ordered: boolean) {
    this.#ordered = ordered
  }

  /** How many elements and operations are remembered. */
  get size(): number {
    return this.#elements.size + this.#open.size + this.#stays.length + this.#pending.length
  }

  /** A put of the value with this code begins; undefined where one with an equal value is in, or may be. */
  put(code: number, row: number): QueueOperation | undefined {
    if (this.#elements.has(code)) return undefined
    const element: QueueElement = { code, row, invoked: this.#events++, since: Infinity, taken: false, owed: undefined }
    this.#elements.set(code, element)
    return { row, invoked: element.invoked, element }
  }

  /** A take begins. */
  take(row: number): QueueOperation {
    const operation = { row, invoked: this.#events++, element: undefined }
    this.#open.add(operation)
    return operation
  }

  /** An operation ends. `taken`: the code of what a take returned; undefined where it found nothing. */
  complete(operation: QueueOperation, outcome: 'ok' | 'fail' | 'info', taken: number | undefined): QueueAnswer {
    if (++this.#ended % FORGET_EVERY === 0) this.#forget()
    if (operation.element !== undefined) return this.#putEnds(operation.element, outcome)
    if (outcome === 'info') {
      this.#crashed.add(operation)
      return POSSIBLE
    }
    this.#open.delete(operation)
    const event = this.#events++
    if (outcome === 'ok' && taken !== undefined) return this.#takes(operation, taken, event) ?? this.#demandsMet()
    if (outcome === 'ok') this.#pending.push({ from: operation.invoked, to: event, row: operation.row })
    return this.#demandsMet()
  }

  #putEnds(element: QueueElement, outcome: 'ok' | 'fail' | 'info'): QueueAnswer {
    const event = this.#events++
    if (element.taken || outcome === 'fail') this.#elements.delete(element.code)
    else if (outcome === 'ok') {
      element.since = event
      this.#present.add(element)
    }
    return element.taken && outcome === 'fail' ? { type: 'violated', rows: [element.row], reason: 'absent' } : POSSIBLE
  }

  /** What is wrong with a take of this element, if anything. */
  #takes(take: QueueOperation, code: number, event: number): QueueAnswer | undefined {
    const element = this.#elements.get(code)
    if (element === undefined || element.taken) return { type: 'violated', rows: [...(element === undefined ? [] : [element.row]), take.row], reason: 'absent' }
    const { owed } = element
    if (owed !== undefined && take.invoked > owed.deadline) return overtaken([element], owed.by, [take])
    const taken = { element, take }
    element.taken = true
    this.#present.delete(element)
    this.#owed.delete(element)
    if (element.since < Infinity) this.#elements.delete(code)
    if (element.since < take.invoked) this.#stays.push({ from: element.since, to: take.invoked, of: taken })
    if (this.#ordered) this.#owe(taken, event - 1)
    return undefined
  }

  /** Whatever was put before this element must have been taken by the time that it was. */
  #owe(by: Taken, deadline: number): void {
    for (const element of this.#present) {
      if (element.since > by.element.invoked) return
      element.owed = { deadline, by }
      this.#present.delete(element)
      this.#owed.add(element)
    }
  }

  /** Whether open takes can meet all demands. */
  #demandsMet(): QueueAnswer {
    const stranded = this.#stranded()
    if (stranded !== undefined) return stranded
    const still: Empty[] = []
    for (const empty of this.#pending) {
      const found = this.#freeGap(empty)
      if (found === 'none') return { type: 'violated', rows: [...new Set([...this.#thereDuring(empty), empty.row])].sort((a, b) => a - b), reason: 'not empty' }
      if (found === 'depends') still.push(empty)
    }
    this.#pending = still
    return still.length > PENDING_MAX ? { type: 'unclear' } : POSSIBLE
  }

  #stranded(): QueueAnswer | undefined {
    const takes = this.#open.values()
    const before: QueueElement[] = []
    for (const element of this.#owed) {
      before.push(element)
      const take = takes.next()
      if (take.done === true || take.value.invoked > element.owed!.deadline) return overtaken(before, element.owed!.by, [...this.#open])
    }
    return undefined
  }

  /** Whether a take that found nothing has a gap to do so: for good, depending on open takes, or none. */
  #freeGap({ from, to }: Empty): 'certain' | 'depends' | 'none' {
    // A gap allows more than the one before only where a stay has ended or an open take has begun.
    const gaps = new Set([from])
    for (const stay of this.#stays) gaps.add(stay.to)
    for (const { invoked } of this.#open) gaps.add(invoked)
    let found: 'depends' | 'none' = 'none'
    for (const gap of gaps) {
      if (gap < from || gap >= to || this.#stays.some((stay) => stay.from <= gap && gap < stay.to)) continue
      const there = this.#thereIn(gap)
      if (there === 0) return 'certain'
      if (there <= this.#serving(gap)) found = 'depends'
    }
    return found
  }

  /** How many elements were there in this gap, unless an open take took them; more than there are open takes is as good as any. */
  #thereIn(gap: number): number {
    let there = 0
    for (const { since } of this.#owed) if (since <= gap) there++
    for (const { since } of this.#present) {
      if (since > gap || there > this.#open.size) break
      there++
    }
    return there
  }

  /** How many open takes may take effect in this gap. */
  #serving(gap: number): number {
    let takes = 0
    for (const { invoked } of this.#open) {
      if (invoked > gap) break
      takes++
    }
    return takes
  }

  /** Puts and takes of what was there while a take found nothing. */
  #thereDuring({ from, to }: Empty): number[] {
    const gone = this.#stays.filter((stay) => stay.from < to && stay.to > from).flatMap(({ of: { element, take } }) => [element.row, take.row])
    return [...gone, ...[...this.#owed, ...this.#present].filter(({ since }) => since < to).slice(0, this.#open.size + 1).map(({ row }) => row)]
  }

  /** Forgets stays that ended before anything that may still find nothing began. */
  #forget(): void {
    let earliest = this.#events
    for (const operation of this.#open) {
      if (this.#crashed.has(operation)) continue
      earliest = operation.invoked
      break
    }
    for (const { from } of this.#pending) earliest = Math.min(earliest, from)
    this.#stays = this.#stays.filter(({ to }) => to > earliest)
  }
}

function overtaken(elements: readonly QueueElement[], by: Taken, takes: readonly QueueOperation[]): QueueAnswer {
  const behind = [by, ...elements.flatMap(({ owed }) => owed?.by ?? [])].flatMap(({ element, take }) => [element.row, take.row])
  const rows = new Set([...elements.map(({ row }) => row), ...behind, ...takes.map(({ row }) => row)])
  return { type: 'violated', rows: [...rows].sort((a, b) => a - b), reason: 'overtaken' }
}
