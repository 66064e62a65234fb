/**
 * The monitor: judges a history while it is being made, so that a run can stop at the first violation.
 *
 * It tells at the very response that broke the history, key by key, and remembers only what is open or can still be seen:
 * registers and CAS registers whose values are unique among those still alive by zones that grow (live-zones.ts), in
 * constant time per event; queues whose elements are unique while they are in by what open takes can still take
 * (live-queue.ts); everything else by just-in-time linearization of the open window (live-window.ts), as long as
 * few enough configurations are possible. Beyond that, and where equal times leave the order open, it goes on recording only:
 * `poll` checks what was recorded whenever it has grown by an eighth, and `finish` once more. The last verdict is always
 * that of `check`.
 */
import { check } from './check.ts'
import { History, HistoryError } from './history.ts'
import { LiveQueue } from './live-queue.ts'
import { LiveWindow } from './live-window.ts'
import { LiveZones } from './live-zones.ts'
import { Values } from './values.ts'
import type { CheckOptions, CheckResult, Witness } from './check.ts'
import type { Event, Json } from './history.ts'
import type { QueueAnswer, QueueOperation } from './live-queue.ts'
import type { LiveOperation } from './live-window.ts'
import type { LiveConflict } from './live-zones.ts'
import type { Model } from './model.ts'

export interface MonitorOptions extends CheckOptions {
  /**
   * Keep the events, so that what cannot be judged event by event can be checked at the end, and witnesses are minimal.
   * Without, memory stays bounded and such a history ends `unknown`. Default true.
   */
  readonly record?: boolean
}

export interface Monitor {
  /**
   * One event, in order of time (at equal times invocations before responses). Returns the violation that its arrival
   * proves, the first time there is one. Throws HistoryError for events that contradict the process model.
   */
  push(event: Event): Witness | undefined
  /** For histories that need `check`: looks at what was recorded so far, if it has grown enough since the last time. */
  poll(): Promise<Witness | undefined>
  /** The end of the history. */
  finish(): Promise<CheckResult>
  /** How many operations and values are being remembered, recorded events aside. */
  readonly remembered: number
  /** Why the rest of the history cannot be judged event by event; undefined while it can. */
  readonly leaves: string | undefined
}

/** Starts a monitor. */
export function createMonitor(options: MonitorOptions): Monitor {
  return new LiveMonitor(options)
}

/** One operation that is open. */
interface Open {
  readonly key: LiveKey
  readonly event: Event
  readonly rank: number
  readonly row: number
  live: boolean
  /** Of a window: the operation there. */
  operation: LiveOperation | undefined
  /** Of a queue: the operation there. */
  queued: QueueOperation | undefined
  /** Of zones: the value that it makes. */
  readonly code: number
}

/** What is known of one key: by zones, by a queue's elements, or by a window. */
interface LiveKey {
  readonly value: Json
  zones: LiveZones | undefined
  queue: LiveQueue | undefined
  /** How many operations ended. Every few of them it is forgotten what can be, key by key: keys may come in turn. */
  completed: number
  window: LiveWindow | undefined
  /** Its events so far, while a window may still have to take over. */
  events: (readonly [Open, Event | undefined])[] | undefined
}

/** The queues, and whether what is first in is first out. */
const ORDERED: Readonly<Record<string, boolean>> = { 'fifo-queue': true, 'unordered-queue': false }

/** A key whose values turn out not to be unique within so many events begins anew with a window. */
const SWITCH_MAX = 2_000

class LiveMonitor implements Monitor {
  readonly #options: MonitorOptions
  readonly #model: Model
  readonly #history: History | undefined
  readonly #values = new Values()
  readonly #initial: number
  readonly #keys = new Map<number, LiveKey>()
  readonly #open = new Map<number, Open>()
  /** Open operations on keys with zones, oldest first; those that ended are skipped. */
  readonly #begun: Open[] = []
  #begunAt = 0
  #rank = 0
  #row = 0
  #operations = 0
  #lastResponse = -Infinity
  leaves: string | undefined
  #checked = 0
  #witness: Witness | undefined

  constructor(options: MonitorOptions) {
    this.#options = options
    const { failedCas, nilReads, initial } = options
    const rules = { ...(failedCas === undefined ? {} : { failedCas }), ...(nilReads === undefined ? {} : { nilReads }), ...(initial === undefined ? {} : { initial }) }
    this.#model = options.model.variant?.(rules) ?? options.model
    if (options.record !== false) this.#history = new History()
    this.#initial = this.#values.encode(this.#model.register?.initial)
  }

  get remembered(): number {
    let values = 0
    for (const { zones, queue, window } of this.#keys.values()) values += (zones?.size ?? 0) + (queue?.size ?? 0) + (window?.size ?? 0)
    return values + this.#open.size
  }

  push(event: Event): Witness | undefined {
    const row = this.#row++
    this.#history?.push(event)
    if (this.leaves !== undefined || this.#witness !== undefined || typeof event.process !== 'number') return undefined
    this.#rank++
    if (event.type === 'invoke') {
      if (event.time <= this.#lastResponse) this.leaves = `event ${row} begins when a response has come already: which was first is open`
      else this.#invoke(event, event.process, row)
      return undefined
    }
    this.#lastResponse = event.time
    return this.#complete(event, event.process)
  }

  async poll(): Promise<Witness | undefined> {
    if (this.#witness !== undefined || this.leaves === undefined || this.#history === undefined) return undefined
    if (this.#history.length < this.#checked + Math.max(64, this.#checked >> 3)) return undefined
    this.#checked = this.#history.length
    const { witness } = await check(this.#history, this.#options)
    this.#witness = witness
    return witness
  }

  async finish(): Promise<CheckResult> {
    if (this.#history !== undefined && (this.leaves !== undefined || this.#witness !== undefined)) return check(this.#history, this.#options)
    const stats = { operations: this.#operations, keys: this.#keys.size, elapsedMs: 0, visits: 0, engineBytes: 0 }
    if (this.#witness !== undefined) return { verdict: 'violated', witness: this.#witness, perKey: [], stats }
    if (this.leaves !== undefined) return { verdict: 'unknown', reason: this.leaves, perKey: [], stats }
    return { verdict: 'holds', perKey: [], stats }
  }

  #invoke(event: Event, process: number, row: number): void {
    if (this.#open.has(process)) throw new HistoryError('ALREADY_OPEN', row, `process ${process} invokes at event ${row} while an operation of it is open`)
    if (!this.#model.functions.includes(event.f)) {
      throw new HistoryError('UNKNOWN_FUNCTION', row, `event ${row} invokes "${event.f}", which a ${this.#model.name} does not know (it knows ${this.#model.functions.join(', ')}); choose another model`)
    }
    this.#operations++
    const key = this.#keyOf(event)
    const open: Open = { key, event, rank: this.#rank, row, live: true, operation: undefined, queued: undefined, code: this.#made(event) }
    this.#open.set(process, open)
    if (key.zones !== undefined) this.#begun.push(open)
    this.#remember(key, open, undefined)
    if (key.window !== undefined) this.#invokeIn(key.window, open)
    else if (key.queue !== undefined) this.#invokeOn(key.queue, open)
    else if (event.f !== 'read' && !key.zones!.invokeWrite(open.code, open.rank, row, this.#expected(event))) this.#switch(key, `event ${row} makes a value again that can still be read`)
  }

  #keyOf({ key = null }: Event): LiveKey {
    const value = this.#model.partitioned === false ? null : key
    const code = this.#values.encode(value)
    let known = this.#keys.get(code)
    if (known === undefined) {
      const isRegister = this.#model.register !== undefined
      const queue = this.#model.name in ORDERED ? new LiveQueue(ORDERED[this.#model.name]!) : undefined
      const window = isRegister || queue !== undefined ? undefined : new LiveWindow(this.#model)
      known = { value, completed: 0, zones: isRegister ? new LiveZones(this.#initial) : undefined, queue, window, events: window === undefined ? [] : undefined }
      this.#keys.set(code, known)
    }
    return known
  }

  /** The value that a write or a compare-and-set makes; only registers ask. */
  #made({ f, value = null }: Event): number {
    if (this.#model.register === undefined || f === 'read') return 0
    return this.#values.encode(f === 'cas' ? pairOf(value, this.#row - 1)[1] : f === 'delete' ? null : value)
  }

  #expected({ f, value = null }: Event): number | undefined {
    return f === 'cas' ? this.#values.encode(pairOf(value, this.#row - 1)[0]) : undefined
  }

  #invokeIn(window: LiveWindow, open: Open): void {
    const { f, value = null, process } = open.event
    open.operation = window.invoke(f, value, this.#model.perProcess === true ? process : null, open.row)
  }

  #invokeOn(queue: LiveQueue, open: Open): void {
    const { f, value = null } = open.event
    if (f !== this.#model.functions[0]) open.queued = queue.take(open.row)
    else {
      open.queued = value === null ? undefined : queue.put(this.#values.encode(value), open.row)
      if (open.queued === undefined) this.#switch(open.key, `event ${open.row} puts an element that cannot be told from another`)
    }
  }

  #remember(key: LiveKey, open: Open, completion: Event | undefined): void {
    if (key.events === undefined) return
    if (key.events.length < SWITCH_MAX) key.events.push([open, completion])
    else key.events = undefined
  }

  /** The values of a key cannot be told apart: a window takes over, if little has happened yet. */
  #switch(key: LiveKey, reason: string): Witness | undefined {
    const { events } = key
    key.zones = undefined
    key.queue = undefined
    key.events = undefined
    if (events === undefined) {
      this.leaves = `${reason} (key ${JSON.stringify(key.value)})`
      return undefined
    }
    key.window = new LiveWindow(this.#model)
    let witness: Witness | undefined
    for (const [open, completion] of events) {
      if (completion === undefined) this.#invokeIn(key.window, open)
      else witness ??= this.#completeIn(key.window, open, completion)
    }
    return witness
  }

  #complete(event: Event, process: number): Witness | undefined {
    const open = this.#open.get(process)
    if (open === undefined) throw new HistoryError('NOT_OPEN', this.#row - 1, `event ${this.#row - 1} completes an operation of process ${process}, which has none open`)
    this.#open.delete(process)
    open.live = false
    const { key } = open
    this.#remember(key, open, event)
    if (key.window !== undefined) return this.#completeIn(key.window, open, event)
    if (key.queue !== undefined) return this.#completeOn(key.queue, open, event)
    const ended = event.type === 'ok' ? this.#ended(event, open, key.zones!) : event.type === 'fail' ? this.#failed(event, open, key.zones!) : undefined
    if ((++key.completed & 15) === 0) key.zones?.forget(this.#earliestOpen())
    return ended
  }

  #completeIn(window: LiveWindow, open: Open, event: Event): Witness | undefined {
    if (open.operation === undefined || event.type === 'invoke') return undefined
    const answer = window.complete(open.operation, event.type, event.value ?? null)
    if (answer.type === 'too hard') this.leaves = `too many orders are possible at event ${this.#row - 1} (key ${JSON.stringify(open.key.value)})`
    if (answer.type !== 'violated') return undefined
    const could = answer.states.slice(0, 4).map((state) => JSON.stringify(state)).join(' or ')
    return this.#violated(open, [open.row], `${nameOf(open, event)} cannot be placed: before its response the ${this.#model.name} could only be ${could}${answer.states.length > 4 ? ' or ...' : ''}.`)
  }

  #completeOn(queue: LiveQueue, open: Open, event: Event): Witness | undefined {
    if (open.queued === undefined || event.type === 'invoke') return undefined
    const answer = queue.complete(open.queued, event.type, (event.value ?? null) === null ? undefined : this.#values.encode(event.value))
    if (answer.type === 'unclear') return this.#switch(open.key, `too many takes found nothing at event ${this.#row - 1}`)
    return answer.type === 'violated' ? this.#violated(open, answer.rows, explainQueue(answer, nameOf(open, event))) : undefined
  }

  #failed(event: Event, open: Open, zones: LiveZones): Witness | undefined {
    if (open.event.f === 'cas' && this.#model.register!.failedCas === 'strict') return this.#switch(open.key, `event ${this.#row - 1} is a compare-and-set that failed`)
    const conflict = open.event.f === 'read' ? undefined : zones.withdraw(open.code, open.row)
    return conflict === undefined ? undefined : this.#violated(open, conflict.rows, explain(conflict, open, event))
  }

  #ended(event: Event, open: Open, zones: LiveZones): Witness | undefined {
    const isRead = open.event.f === 'read'
    if (isRead && this.#model.register!.nilReads === 'unknown' && (event.value ?? null) === null) return undefined
    const conflict = zones.complete(isRead ? this.#values.encode(event.value) : open.code, open.rank, open.row, this.#rank)
    return conflict === undefined ? undefined : this.#violated(open, conflict.rows, explain(conflict, open, event))
  }

  #violated(open: Open, operations: readonly number[], explanation: string): Witness {
    this.#witness = { key: open.key.value, operations, explanation }
    return this.#witness
  }

  /** Rank of the earliest open invocation; when none is open, of the next event. */
  #earliestOpen(): number {
    while (this.#begunAt < this.#begun.length && !this.#begun[this.#begunAt]!.live) this.#begunAt++
    if (this.#begunAt > 1024 && this.#begunAt * 2 > this.#begun.length) {
      this.#begun.splice(0, this.#begunAt)
      this.#begunAt = 0
    }
    return this.#begun[this.#begunAt]?.rank ?? this.#rank + 1
  }
}

function pairOf(value: Json, row: number): readonly [Json, Json] {
  if (Array.isArray(value) && value.length === 2) return value as unknown as readonly [Json, Json]
  throw new HistoryError('BAD_CAS', row, `event ${row}: cas has the value ${JSON.stringify(value)}; expected [expected, new]`)
}

function nameOf({ event: { f, value = null }, row }: Open, event: Event): string {
  const what = f === 'read' ? JSON.stringify(event.value ?? null) : value === null ? '' : JSON.stringify(value)
  const got = f !== 'read' && event.type === 'ok' && (event.value ?? null) !== null && JSON.stringify(event.value) !== what ? ` that returned ${JSON.stringify(event.value)}` : ''
  return `The ${event.type === 'fail' ? 'failed ' : ''}${f}${what === '' ? '' : ` of ${what}`}${got} by process ${event.process} (event ${row})`
}

function explain({ reason }: LiveConflict, open: Open, event: Event): string {
  const name = nameOf(open, event)
  switch (reason) {
    case 'unwritten': return `${name} needs a value that nothing had written, or that had certainly been overwritten before it began.`
    case 'consumed': return `${name} shows that two compare-and-sets took effect on one value, which was there only once.`
    case 'overwritten': return `${name} cannot be placed: another value must have stood both before and after it.`
  }
}

function explainQueue({ reason }: QueueAnswer & { readonly type: 'violated' }, name: string): string {
  switch (reason) {
    case 'absent': return `${name} cannot be placed: what was taken had not been put, or had been taken already.`
    case 'overtaken': return `${name} cannot be placed: something that had been put later went out first.`
    case 'not empty': return `${name} cannot be placed: something was in the queue all the time while a take found nothing.`
  }
}
