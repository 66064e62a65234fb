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
 * put before it, and so are owed as well.
 *
 * What can be forgotten: an element is *lost* when all takes that can meet its deadline have crashed; nobody returns it
 * any more. A take that found nothing has a gap for good once U is empty there, or all of U is lost and there are as many crashed
 * takes. Until then it need not be remembered where one that ended earlier has the same U in its first gap: what takes its gap
 * away takes away all gaps before that. And once nothing can happen any more before a lost element's deadline, it
 * goes, and with it one of the takes that can have taken it; which one makes no difference then.
 */
import { POSSIBLE, violatedBy } from './live-algorithm.ts'
import type { LiveAlgorithm, LiveAnswer, Outcome } from './live-algorithm.ts'
import type { Json, Values } from './values.ts'

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
  /** Its put has ended, or crashed. */
  isPut: boolean
  takenBy: QueueOperation | undefined
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

const ABSENT = 'cannot be placed: what was taken had not been put, or had been taken already.'
const OVERTAKEN = 'cannot be placed: something that had been put later went out first.'
const NOT_EMPTY = 'cannot be placed: something was in the queue all the time while a take found nothing.'
/** So many takes that found nothing may hang on open takes. */
const PENDING_MAX = 1024
/** What can be forgotten is looked for whenever there is twice as much as was left the last time, and so much more. */
const ROOM = 4

/** One queue. `ordered`: first in, first out. */
export class LiveQueue implements LiveAlgorithm<QueueOperation> {
  readonly #ordered: boolean
  readonly #values: Values
  #events = 0
  /** Elements that were put or are being put, by code; without those that have been taken and put. */
  readonly #elements = new Map<number, QueueElement>()
  /** In the order in which their puts ended, from `#front` on: those that are in and not owed, among others that were. */
  #present: QueueElement[] = []
  #front = 0
  /** Those that are owed, by deadline. */
  readonly #owed = new Set<QueueElement>()
  /** Takes that may still take something, by the time of their invocation. */
  readonly #open = new Set<QueueOperation>()
  /** Of these, those that may still return something: all but the crashed. */
  readonly #alive = new Set<QueueOperation>()
  /** What a take may still find to have been there. */
  #stays: Stay[] = []
  /** By the time of their response. */
  #pending: Empty[] = []
  #room = ROOM

  constructor(ordered: boolean, values: Values) {
    this.#ordered = ordered
    this.#values = values
  }

  /** How many elements and operations are remembered. */
  get size(): number {
    return this.#elements.size + this.#open.size + this.#stays.length + this.#pending.length
  }

  /** What `#forget` can make smaller. */
  get #size(): number {
    return this.#stays.length + this.#owed.size + this.#pending.length + this.#present.length
  }

  invoke(f: string, value: Json, row: number): QueueOperation | undefined {
    return f === 'enqueue' ? this.#put(value, row) : this.#take(row)
  }

  /** A put begins; undefined where an equal element is in, or may be, and for null: who takes that may have found nothing. */
  #put(value: Json, row: number): QueueOperation | undefined {
    const code = this.#values.encode(value)
    if (value === null || this.#elements.has(code)) return undefined
    const element: QueueElement = { code, row, invoked: this.#events++, since: Infinity, isPut: false, takenBy: undefined, owed: undefined }
    this.#elements.set(code, element)
    return { row, invoked: element.invoked, element }
  }

  #take(row: number): QueueOperation {
    const operation = { row, invoked: this.#events++, element: undefined }
    this.#open.add(operation)
    this.#alive.add(operation)
    return operation
  }

  complete(operation: QueueOperation, outcome: Outcome, value: Json): LiveAnswer {
    if (operation.element !== undefined) return this.#putEnds(operation.element, outcome)
    this.#alive.delete(operation)
    if (outcome === 'info') return POSSIBLE
    this.#open.delete(operation)
    const event = this.#events++
    const taken = value === null ? undefined : this.#values.encode(value)
    const since = taken === undefined ? Infinity : (this.#elements.get(taken)?.since ?? Infinity)
    const wrong = outcome === 'ok' && taken !== undefined ? this.#takes(operation, taken, event) : undefined
    if (outcome === 'ok' && taken === undefined) this.#pending.push({ from: operation.invoked, to: event, row: operation.row })
    const answer = wrong ?? this.#stranded() ?? this.#gapsLeft(Math.min(operation.invoked, since))
    if (this.#size > this.#room) this.#forget()
    return answer
  }

  #putEnds(element: QueueElement, outcome: Outcome): LiveAnswer {
    const event = this.#events++
    const { takenBy } = element
    element.isPut = true
    if (takenBy !== undefined || outcome === 'fail') this.#elements.delete(element.code)
    else if (outcome === 'ok') {
      element.since = event
      this.#present.push(element)
    }
    return takenBy !== undefined && outcome === 'fail' ? violatedBy([element.row, takenBy.row], ABSENT) : POSSIBLE
  }

  /** What is wrong with a take of this element, if anything. */
  #takes(take: QueueOperation, code: number, event: number): LiveAnswer | undefined {
    const element = this.#elements.get(code)
    if (element === undefined || element.takenBy !== undefined) {
      return violatedBy([take.row, ...(element === undefined ? [] : [element.row, element.takenBy!.row])], ABSENT)
    }
    const { owed } = element
    if (owed !== undefined && take.invoked > owed.deadline) return overtaken([element], owed.by, [take])
    const taken = { element, take }
    element.takenBy = take
    this.#owed.delete(element)
    if (element.isPut) this.#elements.delete(code)
    if (element.since < take.invoked) this.#stays.push({ from: element.since, to: take.invoked, of: taken })
    if (this.#ordered) this.#owe(taken, event - 1)
    return undefined
  }

  /** Whatever was put before this element must have been taken by the time that it was. */
  #owe(by: Taken, deadline: number): void {
    for (; this.#front < this.#present.length; this.#front++) {
      const element = this.#present[this.#front]!
      if (element.since > by.element.invoked) break
      if (element.takenBy !== undefined) continue
      element.owed = { deadline, by }
      this.#owed.add(element)
    }
  }

  /** Whether takes that found nothing still have gaps, where something has changed in the gaps from `changed` on. */
  #gapsLeft(changed: number): LiveAnswer {
    let from = this.#pending.length
    while (from > 0 && this.#pending[from - 1]!.to > changed) from--
    for (const empty of this.#pending.splice(from)) {
      const found = this.#freeGap(empty)
      if (found === 'none') return violatedBy(this.#thereDuring(empty), NOT_EMPTY)
      const last = this.#pending.at(-1)
      if (found === 'depends' && (last === undefined || !this.#follows(empty, last))) this.#pending.push(empty)
    }
    return this.#pending.length > PENDING_MAX ? { type: 'unclear', why: 'too many takes found nothing' } : POSSIBLE
  }

  /** Whether some element that is owed finds no open take. */
  #stranded(): LiveAnswer | undefined {
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
    let found: 'depends' | 'none' = 'none'
    for (const gap of this.#gapsFrom(from, to)) {
      const there = this.#thereIn(gap)
      if (there === 0 || this.#areLost(there, gap)) return 'certain'
      if (there <= serving(this.#open, gap)) found = 'depends'
    }
    return found
  }

  /** Whether all so many that were there in this gap are lost, and enough takes that crashed can have taken them by then. */
  #areLost(there: number, gap: number): boolean {
    const earliest = this.#earliestAlive()
    let lost = 0
    for (const { since, owed } of this.#owed) if (since <= gap && owed!.deadline < earliest) lost++
    return lost === there && there <= serving(this.#open, gap) - serving(this.#alive, gap)
  }

  /** When the first open take that has not crashed began. */
  #earliestAlive(): number {
    for (const { invoked } of this.#alive) return invoked
    return this.#events
  }

  /** Whether a take that found nothing, and ended after another such, has a gap as long as that has one: the same, or a later one with the same elements there. */
  #follows({ from, to }: Empty, other: Empty): boolean {
    const there = this.#thereIn(other.from)
    return this.#gapsFrom(from, to).some((gap) => this.#thereIn(gap) === there)
  }

  /** Gaps in which nothing was that has been taken, those that allow more than the one before: where stays have ended, and where open takes have begun. */
  #gapsFrom(from: number, to: number): number[] {
    const gaps: number[] = []
    let free = from
    const freeUntil = (end: number): void => {
      if (free >= end) return
      gaps.push(free)
      for (const { invoked } of this.#open) if (invoked > free && invoked < end) gaps.push(invoked)
    }
    for (const stay of this.#stays.filter((one) => one.from < to && one.to > from).sort((a, b) => a.from - b.from)) {
      freeUntil(stay.from)
      free = Math.max(free, stay.to)
    }
    freeUntil(to)
    return gaps
  }

  /** How many elements were there in this gap, unless an open take took them; more than there are open takes is as good as any. */
  #thereIn(gap: number): number {
    let there = 0
    for (const { since } of this.#owed) if (since <= gap) there++
    for (let i = this.#front; i < this.#present.length && there <= this.#open.size; i++) {
      const { since, takenBy } = this.#present[i]!
      if (since > gap) break
      if (takenBy === undefined) there++
    }
    return there
  }

  /** Rows of a take that found nothing, of what was there meanwhile, and of all that might have taken it. */
  #thereDuring({ from, to, row }: Empty): number[] {
    const gone = this.#stays.filter((stay) => stay.from < to && stay.to > from).flatMap(({ of: { element, take } }) => [element.row, take.row])
    const left = this.#present.slice(this.#front).filter(({ takenBy }) => takenBy === undefined)
    const there = [...this.#owed, ...left].filter(({ since }) => since < to).slice(0, this.#open.size + 1)
    return [row, ...gone, ...[...there, ...this.#open].map((one) => one.row)]
  }

  /** Forgets what was there before anything that may still find nothing began, and lost elements with the takes that took them. */
  #forget(): void {
    const alive = this.#earliestAlive()
    // What was lost meanwhile has given some of them a gap for good.
    this.#pending = this.#pending.filter((empty) => this.#freeGap(empty) !== 'certain')
    this.#stays = this.#stays.filter((stay) => stay.to > alive || this.#pending.some(({ from, to }) => stay.from < to && stay.to > from))
    const earliest = this.#pending.reduce((least, { from }) => Math.min(least, from), alive)
    for (const element of this.#owed) {
      if (element.owed!.deadline >= earliest) break
      this.#owed.delete(element)
      this.#elements.delete(element.code)
      for (const take of this.#open) {
        this.#open.delete(take)
        break
      }
    }
    this.#present = this.#present.slice(this.#front).filter(({ takenBy }) => takenBy === undefined)
    this.#front = 0
    this.#room = 2 * this.#size + ROOM
  }
}

/** How many of these takes, which come by the time of their invocation, may take effect in this gap. */
function serving(takes: ReadonlySet<QueueOperation>, gap: number): number {
  let count = 0
  for (const { invoked } of takes) {
    if (invoked > gap) break
    count++
  }
  return count
}

function overtaken(elements: readonly QueueElement[], by: Taken, takes: readonly QueueOperation[]): LiveAnswer {
  const behind = [by, ...elements.flatMap(({ owed }) => owed?.by ?? [])].flatMap(({ element, take }) => [element.row, take.row])
  return violatedBy([...elements, ...takes].map(({ row }) => row).concat(behind), OVERTAKEN)
}
