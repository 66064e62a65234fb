/**
 * The monitor: judges a history while it is being made, so that a run can stop at the first violation.
 *
 * Registers without compare-and-set whose values are unique among those still alive: exactly, at the very response
 * that breaks it, in constant time per event, remembering only what is open or can still be read (see
 * live-zones.ts). Any other history is recorded, checked whenever it has grown by an eighth, and checked once more
 * at the end: the last verdict is always that of `check`.
 */
import { check } from './check.ts'
import { History, HistoryError } from './history.ts'
import { LiveZones } from './live-zones.ts'
import { Values } from './values.ts'
import type { CheckOptions, CheckResult, Witness } from './check.ts'
import type { Event, Json } from './history.ts'
import type { LiveConflict } from './live-zones.ts'

export interface MonitorOptions extends CheckOptions {
  /**
   * Keep the events, so that keys which need another algorithm (compare-and-sets, values used twice) can be checked.
   * Without, memory stays bounded and such a history ends `unknown`. Default true.
   */
  readonly record?: boolean
}

export interface Monitor {
  /** One event, in order of time. Returns the violation that its arrival proves, the first time there is one. */
  push(event: Event): Witness | undefined
  /** For histories that need `check`: looks at what was recorded so far, if it has grown enough since the last time. */
  poll(): Promise<Witness | undefined>
  /** The end of the history. */
  finish(): Promise<CheckResult>
  /** How many operations and values are being remembered, recorded events aside. */
  readonly remembered: number
}

interface Open {
  readonly zones: LiveZones
  readonly f: string
  readonly key: Json
  readonly code: number
  readonly rank: number
  readonly row: number
  live: boolean
}

/** Starts a monitor. */
export function createMonitor(options: MonitorOptions): Monitor {
  return new ZoneMonitor(options)
}

class ZoneMonitor implements Monitor {
  readonly #options: MonitorOptions
  readonly #history: History | undefined
  readonly #values = new Values()
  readonly #initial: number
  readonly #zones = new Map<number, LiveZones>()
  readonly #open = new Map<number, Open>()
  /** Ranks of open operations, oldest first; those that ended are skipped. */
  readonly #begun: Open[] = []
  #begunAt = 0
  #rank = 0
  #row = 0
  #operations = 0
  /** Why zones cannot decide; then only `check` can. */
  #leaves: string | undefined
  #checked = 0
  #witness: Witness | undefined

  constructor(options: MonitorOptions) {
    this.#options = options
    const { register } = options.model
    if (options.record !== false) this.#history = new History()
    this.#initial = this.#values.encode(options.initial ?? register?.initial ?? null)
    if (register === undefined) this.#leaves = `the model ${options.model.name} has no streaming algorithm`
  }

  get remembered(): number {
    let values = 0
    for (const zones of this.#zones.values()) values += zones.size
    return values + this.#open.size
  }

  push(event: Event): Witness | undefined {
    const row = this.#row++
    this.#history?.push(event)
    if (this.#leaves !== undefined || this.#witness !== undefined || typeof event.process !== 'number') return undefined
    this.#rank++
    if (event.type === 'invoke') this.#invoke(event, event.process, row)
    else return this.#complete(event, event.process)
    return undefined
  }

  async poll(): Promise<Witness | undefined> {
    if (this.#witness !== undefined || this.#leaves === undefined || this.#history === undefined) return undefined
    if (this.#history.length < this.#checked + Math.max(64, this.#checked >> 3)) return undefined
    this.#checked = this.#history.length
    const { witness } = await check(this.#history, this.#options)
    this.#witness = witness
    return witness
  }

  async finish(): Promise<CheckResult> {
    if (this.#history !== undefined && (this.#leaves !== undefined || this.#witness !== undefined)) return check(this.#history, this.#options)
    const stats = { operations: this.#operations, keys: this.#zones.size, elapsedMs: 0, visits: 0, engineBytes: 0 }
    if (this.#witness !== undefined) return { verdict: 'violated', witness: this.#witness, perKey: [], stats }
    if (this.#leaves !== undefined) return { verdict: 'unknown', reason: this.#leaves, perKey: [], stats }
    return { verdict: 'holds', perKey: [], stats }
  }

  #invoke(event: Event, process: number, row: number): void {
    if (this.#open.has(process)) throw new HistoryError('ALREADY_OPEN', row, `process ${process} invokes at event ${row} while an operation of it is open`)
    if (event.f !== 'read' && event.f !== 'write') {
      this.#leaves = `event ${row} is a ${event.f}, which has no streaming algorithm`
      return
    }
    this.#operations++
    const key = event.key ?? null
    const at = this.#values.encode(key)
    let zones = this.#zones.get(at)
    if (zones === undefined) {
      zones = new LiveZones(this.#initial)
      this.#zones.set(at, zones)
    }
    const code = event.f === 'write' ? this.#values.encode(event.value) : 0
    const open: Open = { zones, f: event.f, key, code, rank: this.#rank, row, live: true }
    this.#open.set(process, open)
    this.#begun.push(open)
    if (event.f === 'write' && !zones.invokeWrite(code, this.#rank, row)) this.#leaves = `event ${row} writes ${JSON.stringify(event.value)} to key ${JSON.stringify(key)} again while it can still be read`
  }

  #complete(event: Event, process: number): Witness | undefined {
    const open = this.#open.get(process)
    if (open === undefined) throw new HistoryError('NOT_OPEN', this.#row - 1, `event ${this.#row - 1} completes an operation of process ${process}, which has none open`)
    this.#open.delete(process)
    open.live = false
    const ended = event.type === 'ok' ? this.#ended(event, open) : event.type === 'fail' ? this.#failed(event, open) : undefined
    if ((this.#rank & 15) === 0) open.zones.forget(this.#earliestOpen())
    return ended
  }

  #failed(event: Event, open: Open): Witness | undefined {
    const conflict = open.f === 'write' ? open.zones.withdraw(open.code, open.row) : undefined
    return conflict === undefined ? undefined : this.#violated(conflict, open, event)
  }

  #ended(event: Event, open: Open): Witness | undefined {
    const { model, nilReads = model.register!.nilReads } = this.#options
    if (open.f === 'read' && nilReads === 'unknown' && (event.value ?? null) === null) return undefined
    const code = open.f === 'read' ? this.#values.encode(event.value) : open.code
    const conflict = open.zones.complete(code, open.rank, open.row, this.#rank)
    return conflict === undefined ? undefined : this.#violated(conflict, open, event)
  }

  #violated(conflict: LiveConflict, open: Open, event: Event): Witness {
    this.#witness = { key: open.key, operations: conflict.rows, explanation: this.#explain(conflict, open, event) }
    return this.#witness
  }

  #explain({ reason }: LiveConflict, open: Open, event: Event): string {
    const value = JSON.stringify(open.f === 'read' ? (event.value ?? null) : this.#values.decode(open.code))
    const name = `The ${open.f} of ${value} by process ${event.process} (event ${open.row})`
    return reason === 'unwritten'
      ? `${name} returned a value that nothing had written, or that had certainly been overwritten before it began.`
      : `${name} cannot be placed: another value must have stood both before and after it.`
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
