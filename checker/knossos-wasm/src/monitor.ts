/**
 * The monitor: judges a history while it is being made, so that a run can stop at the first violation.
 *
 * It tells at the very response that broke the history, key by key, and remembers only what is open or can still be seen:
 * by an algorithm for its model where there is one (live-algorithms.ts: they want values or elements that can be told
 * apart), and otherwise by just-in-time linearization of the open window (live-window.ts), as long as few enough
 * configurations are possible. Beyond that, and where equal times leave the order open, it goes on recording only:
 * `poll` checks what was recorded whenever it has grown by an eighth, and `finish` once more. The last verdict is always
 * that of `check`.
 */
import { withArticle } from './article.ts'
import { check } from './check.ts'
import { History, HistoryError } from './history.ts'
import { generalOf, specialOf } from './live-algorithms.ts'
import { Values } from './values.ts'
import type { CheckOptions, CheckResult, Witness } from './check.ts'
import type { Event, Json } from './history.ts'
import type { LiveAlgorithm, LiveAnswer, Outcome } from './live-algorithm.ts'
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
  readonly row: number
  /** What the key's algorithm remembers of it. */
  operation: object | undefined
}

/** One key and what judges it. */
interface LiveKey {
  readonly value: Json
  algorithm: LiveAlgorithm
  /** Its events so far, while the window may still have to take over. */
  events: (readonly [Open, Event | undefined])[] | undefined
}

/** A key that its algorithm cannot judge begins anew with the window, within so many events. */
const SWITCH_MAX = 2_000

class LiveMonitor implements Monitor {
  readonly #options: MonitorOptions
  readonly #model: Model
  readonly #history: History | undefined
  readonly #values = new Values()
  readonly #keys = new Map<number, LiveKey>()
  readonly #open = new Map<number, Open>()
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
  }

  get remembered(): number {
    let values = 0
    for (const { algorithm } of this.#keys.values()) values += algorithm.size
    return values + this.#open.size
  }

  push(event: Event): Witness | undefined {
    const row = this.#row++
    this.#history?.push(event)
    if (this.leaves !== undefined || this.#witness !== undefined || typeof event.process !== 'number') return undefined
    if (event.type !== 'invoke') {
      this.#lastResponse = event.time
      return this.#complete(event, event.process, row)
    }
    if (event.time <= this.#lastResponse) this.leaves = `event ${row} begins when a response has come already: which was first is open`
    else this.#invoke(event, event.process, row)
    return undefined
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
      throw new HistoryError('UNKNOWN_FUNCTION', row, `event ${row} invokes "${event.f}", which ${withArticle(this.#model.name)} does not know (it knows ${this.#model.functions.join(', ')}); choose another model`)
    }
    this.#operations++
    const key = this.#keyOf(event)
    const open: Open = { key, event, row, operation: undefined }
    this.#open.set(process, open)
    this.#remember(key, open, undefined)
    this.#begin(open)
    if (open.operation === undefined) this.#judge(open, event, { type: 'unclear', why: 'equal values cannot be told apart' })
  }

  #keyOf({ key = null }: Event): LiveKey {
    const value = this.#model.partitioned === false ? null : key
    const code = this.#values.encode(value)
    let known = this.#keys.get(code)
    if (known === undefined) {
      const special = specialOf(this.#model, this.#values)
      known = { value, algorithm: special ?? generalOf(this.#model), events: special === undefined ? undefined : [] }
      this.#keys.set(code, known)
    }
    return known
  }

  #begin(open: Open): void {
    const { key, event: { f, value = null, process }, row } = open
    open.operation = key.algorithm.invoke(f, value, row, process as number)
  }

  #end({ key, operation }: Open, { type, value = null }: Event): LiveAnswer {
    return key.algorithm.complete(operation!, type as Outcome, value)
  }

  #remember(key: LiveKey, open: Open, completion: Event | undefined): void {
    if (key.events === undefined) return
    if (key.events.length < SWITCH_MAX) key.events.push([open, completion])
    else key.events = undefined
  }

  #complete(event: Event, process: number, row: number): Witness | undefined {
    const open = this.#open.get(process)
    if (open === undefined) throw new HistoryError('NOT_OPEN', row, `event ${row} completes an operation of process ${process}, which has none open`)
    this.#open.delete(process)
    this.#remember(open.key, open, event)
    return this.#judge(open, event, this.#end(open, event))
  }

  /** What an answer means for the run; `event` brought it about. */
  #judge(open: Open, event: Event, answer: LiveAnswer): Witness | undefined {
    if (answer.type === 'unclear') return this.#switch(open.key, answer.why)
    if (answer.type === 'violated') this.#witness = { key: open.key.value, operations: answer.rows, explanation: `${nameOf(open, event)} ${answer.why}` }
    return this.#witness
  }

  /** The algorithm of a key cannot judge it: the window takes over, if little has happened yet. */
  #switch(key: LiveKey, why: string): Witness | undefined {
    const { events } = key
    key.events = undefined
    if (events === undefined) this.leaves = `${why} at event ${this.#row - 1} (key ${JSON.stringify(key.value)})`
    else key.algorithm = generalOf(this.#model)
    for (const [open, completion] of events ?? []) {
      if (this.leaves !== undefined || this.#witness !== undefined) break
      if (completion === undefined) this.#begin(open)
      else this.#judge(open, completion, this.#end(open, completion))
    }
    return this.#witness
  }
}

function nameOf({ event: { f, value = null }, row }: Open, event: Event): string {
  const what = f === 'read' ? JSON.stringify(event.value ?? null) : value === null ? '' : JSON.stringify(value)
  const got = f !== 'read' && event.type === 'ok' && (event.value ?? null) !== null && JSON.stringify(event.value) !== what ? ` that returned ${JSON.stringify(event.value)}` : ''
  return `The ${event.type === 'fail' ? 'failed ' : ''}${f}${what === '' ? '' : ` of ${what}`}${got} by process ${event.process} (event ${row})`
}
