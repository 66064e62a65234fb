/**
 * A history in columns: what clients asked for, what came back, and when.
 *
 * One row per event, in the order in which the events happened, in typed arrays that grow by doubling, so that
 * ten million operations fit and the engine reads them without copying. Columns whose numbers are usually small begin
 * narrow and are widened by the first number that does not fit: read them through the history, never keep one while
 * events are appended. Functions, keys and values are interned
 * to 32-bit codes: small integers stand for themselves, everything else is a row in a table of JSON values.
 *
 * The process model is Jepsen's: an `invoke` is followed by `ok` (it happened), `fail` (it certainly did not)
 * or `info` (nobody knows: it may take effect at any later time, or never). A process has at most one open
 * operation, and none after an `info`. So its events happened one after the other: each stands behind the one before, and its
 * time is not earlier.
 */

import { grown, stored, widened } from './column.ts'
import { TimeColumn } from './time-column.ts'
import { NIL, Values } from './values.ts'
import type { Integers } from './column.ts'
import type { Block } from './scan-block.ts'
import type { Json } from './values.ts'

export { Values } from './values.ts'
export type { Json } from './values.ts'

/** What kind of event: the numbers are the codes in `History.type`. */
export const INVOKE = 0
export const OK = 1
export const FAIL = 2
export const INFO = 3
export const eventTypes = ['invoke', 'ok', 'fail', 'info'] as const
export type EventType = (typeof eventTypes)[number]

/** Processes that are not clients. Their events may complete without an invocation. */
export const NEMESIS = -1
export const OBSERVER = -2
export type ProcessName = number | 'nemesis' | 'observer'

/** One event as it stands on a line of `history.jsonl`. */
export interface Event {
  /** Row number; implied by the line when absent. */
  readonly index?: number
  /** Nanoseconds of the controller's monotonic clock since the run began. */
  readonly time: number
  readonly process: ProcessName
  readonly type: EventType
  readonly f: string
  /** The key, for workloads over several; absent (null) otherwise. */
  readonly key?: Json
  readonly value?: Json
  /** The node that the client is bound to. */
  readonly node?: string
  /** When the operation was meant to start, if the client was late (open loop): latency counts from here. */
  readonly intended?: number
  /** Why it failed or is unknown: a code from the client's error registry. */
  readonly error?: string
}

/** A malformed history; `event` is the offending event's row, counted from 0; `line` its line in the file, from 1, where there is one. */
export class HistoryError extends Error {
  readonly code: string
  readonly event: number
  readonly line: number | undefined
  constructor(code: string, event: number, message: string, line?: number) {
    super(message)
    this.name = 'HistoryError'
    this.code = code
    this.event = event
    this.line = line
  }
}

/** Processes below this number are found by index. */
const OPEN_MAX = 1 << 22

/** What is known of a process whose operation ended in `info`. */
const DEAD = -1

/** Rows that fit before the columns grow: many histories are small. */
const CAPACITY_MIN = 64

/** A history being recorded, or read back. All columns are valid up to `length`. */
export class History {
  length = 0
  /** INVOKE, OK, FAIL, INFO. */
  type = new Uint8Array(CAPACITY_MIN)
  /** Client process number, or NEMESIS, OBSERVER. */
  process: Integers = new Int8Array(CAPACITY_MIN)
  /** Index into `functions`. */
  f: Integers = new Int8Array(CAPACITY_MIN)
  /** Code in `values`. */
  key: Integers = new Int8Array(CAPACITY_MIN)
  /** Code in `values`. */
  value = new Int32Array(CAPACITY_MIN)
  /** The row of the completion (for an invocation) or of the invocation (for a completion); -1 where there is none. */
  pair = new Int32Array(CAPACITY_MIN)
  /** Index into `nodes`; -1 when unknown. */
  node: Integers = new Int8Array(CAPACITY_MIN)
  /** Intended start, by row, where it differs from `time`. */
  readonly intended = new Map<number, number>()
  /** Error codes by row. */
  readonly errors = new Map<number, string>()
  readonly values = new Values()
  readonly functions: string[] = []
  readonly nodes: string[] = []
  /** The file ended in the middle of a line: its writer was killed. */
  truncated = false
  /** Rows stand in order of time, at equal times invocations first. */
  inTimeOrder = true
  /** The bounds of the codes in the columns. */
  largestValue = -1
  keyMin = 0x7fffffff
  keyMax = -0x80000000
  /** What a lenient reader let pass, by line. */
  readonly warnings: string[] = []
  readonly #times = new TimeColumn(CAPACITY_MIN)
  /** Time of the last row. */
  #latest = -Infinity
  /** The latest time of all rows: what is no earlier cannot be earlier than another event of its process. */
  #newest = -Infinity
  readonly #functionCodes = new Map<string, number>()
  readonly #nodeCodes = new Map<string, number>()
  /** By process: row of its open invocation + 1; DEAD once it ended in `info`; otherwise 0, or -2 - the row of its last event. */
  #open = new Int32Array(CAPACITY_MIN)
  /** The same for processes with large numbers and for NEMESIS, OBSERVER. */
  readonly #openElsewhere = new Map<number, number>()

  /** Appends one event and returns its row. Throws HistoryError when it contradicts the process model. */
  push(event: Event): number {
    const row = this.length
    const process = event.process === 'nemesis' ? NEMESIS : event.process === 'observer' ? OBSERVER : event.process
    const type = eventTypes.indexOf(event.type)
    if (type < 0) throw new HistoryError('UNKNOWN_TYPE', row, `event ${row} has type ${JSON.stringify(event.type)}; expected invoke, ok, fail or info`)
    if (typeof event.time !== 'number' || Number.isNaN(event.time)) throw new HistoryError('BAD_TIME', row, `event ${row} has no usable time (${String(event.time)})`)
    if (typeof event.process === 'number' && !(Number.isInteger(process) && process >= 0)) throw new HistoryError('BAD_PROCESS', row, `event ${row} has process ${JSON.stringify(event.process)}; expected a whole number from 0, "nemesis" or "observer"`)
    this.append(type, process, this.functionCode(event.f), this.values.encode(event.key), this.values.encode(event.value), event.time, event.node === undefined ? -1 : this.nodeCode(event.node))
    if (event.intended !== undefined && event.intended !== event.time) this.intended.set(row, event.intended)
    if (event.error !== undefined) this.errors.set(row, event.error)
    return row
  }

  /** As `push`, for an event that is codes already. */
  append(type: number, process: number, f: number, key: number, value: number, time: number, node: number): void {
    const row = this.length
    const pair = this.#pairOf(process, type, row, f, key, time)
    if (row === this.type.length) this.reserve(row * 2)
    this.#times.set(row, time)
    if (time <= this.#latest && (time < this.#latest || (type === INVOKE && this.type[row - 1] !== INVOKE))) this.inTimeOrder = false
    this.#latest = time
    if (time > this.#newest) this.#newest = time
    if (value > this.largestValue) this.largestValue = value
    if (key < this.keyMin) this.keyMin = key
    if (key > this.keyMax) this.keyMax = key
    this.type[row] = type
    this.process[row] = process
    this.f[row] = f
    this.key[row] = key
    this.value[row] = value
    this.pair[row] = pair
    if (pair >= 0) this.pair[pair] = row
    this.node[row] = node
    if (this.process[row] !== process || this.f[row] !== f || this.key[row] !== key || this.node[row] !== node) this.#widen(row, process, f, key, node)
    this.length = row + 1
  }

  /** As `append`, for many events at once, and quicker. When it throws, those before the refused one were appended. */
  appendBlock({ types, pairs, times, processes, functions, keys, values, seconds, nodes }: Block, n: number): void {
    const from = this.length
    if (from + n > this.type.length) this.reserve(Math.max(from + n, this.type.length * 2))
    // What stands behind the last row is of no account.
    this.type.set(types.subarray(0, n), from)
    this.process = stored(this.process, from, processes, n)
    this.f = stored(this.f, from, functions, n)
    this.key = stored(this.key, from, keys, n)
    this.node = stored(this.node, from, nodes, n)
    this.values.encodeAll(this.value, from, { values, seconds, pairs }, n)
    this.#times.setAll(from, times, n)
    const { pair } = this
    try {
      for (let i = 0; i < n; i++) {
        const row = from + i
        const time = times[i]!
        const at = this.#pairOf(processes[i]!, types[i]!, row, functions[i]!, keys[i]!, time)
        pair[row] = at
        if (at >= 0) pair[at] = row
        if (time > this.#newest) this.#newest = time
        this.length = row + 1
      }
    } finally {
      this.#survey(from, times, keys)
    }
  }

  /** Brings what is known of all rows up to date, for those from one on. */
  #survey(from: number, times: Float64Array, keys: Int32Array): void {
    const { type, value, length } = this
    let [latest, largestValue, keyMin, keyMax] = [this.#latest, this.largestValue, this.keyMin, this.keyMax]
    for (let row = from; row < length; row++) {
      const time = times[row - from]!
      if (time <= latest && (time < latest || (type[row] === INVOKE && type[row - 1] !== INVOKE))) this.inTimeOrder = false
      latest = time
      if (value[row]! > largestValue) largestValue = value[row]!
      const key = keys[row - from]!
      if (key < keyMin) keyMin = key
      if (key > keyMax) keyMax = key
    }
    this.#latest = latest
    this.largestValue = largestValue
    this.keyMin = keyMin
    this.keyMax = keyMax
  }

  /** Stores again what did not fit into its column. */
  #widen(row: number, process: number, f: number, key: number, node: number): void {
    if (this.process[row] !== process) this.process = widened(this.process, process)
    if (this.f[row] !== f) this.f = widened(this.f, f)
    if (this.key[row] !== key) this.key = widened(this.key, key)
    if (this.node[row] !== node) this.node = widened(this.node, node)
    this.process[row] = process
    this.f[row] = f
    this.key[row] = key
    this.node[row] = node
  }

  /** Nanoseconds. */
  timeAt(row: number): number {
    return this.#times.at(row)
  }

  /** The event at a row, as it stands in the file. */
  event(row: number): Event {
    const key = this.values.decode(this.key[row]!)
    const intended = this.intended.get(row)
    const error = this.errors.get(row)
    const node = this.node[row]!
    return {
      index: row,
      time: this.timeAt(row),
      process: this.processName(row),
      type: eventTypes[this.type[row]!]!,
      f: this.functions[this.f[row]!]!,
      ...(key === null ? {} : { key }),
      value: this.values.decode(this.value[row]!),
      ...(node < 0 ? {} : { node: this.nodes[node]! }),
      ...(intended === undefined ? {} : { intended }),
      ...(error === undefined ? {} : { error }),
    }
  }

  processName(row: number): ProcessName {
    const process = this.process[row]!
    return process === NEMESIS ? 'nemesis' : process === OBSERVER ? 'observer' : process
  }

  /** Forgets the open operation of a process: it stays pending to the end, as if it had ended in `info`. */
  abandon(process: number): void {
    this.#setOpen(process, 0)
  }

  /** The code of a function name, new names included. */
  functionCode(name: string): number {
    let code = this.#functionCodes.get(name)
    if (code === undefined) {
      code = this.functions.push(name) - 1
      this.#functionCodes.set(name, code)
    }
    return code
  }

  /** The code of a node's name, new names included. */
  nodeCode(name: string): number {
    let code = this.#nodeCodes.get(name)
    if (code === undefined) {
      code = this.nodes.push(name) - 1
      this.#nodeCodes.set(name, code)
    }
    return code
  }

  #pairOf(process: number, type: number, row: number, f: number, key: number, time: number): number {
    const open = process >= 0 && process < this.#open.length ? this.#open[process]! : (this.#openElsewhere.get(process) ?? 0)
    if (type === INVOKE) {
      if (open > 0) throw new HistoryError('ALREADY_OPEN', row, `process ${process} invokes at event ${row} while its operation of event ${open - 1} is still open`)
      if (open === DEAD) throw new HistoryError('DEAD_PROCESS', row, `process ${process} invokes at event ${row} although an earlier operation of it ended in info`)
      if (open < 0 && time < this.#newest) this.#inOrder(-2 - open, row, time)
      this.#setOpen(process, row + 1)
      return -1
    }
    if (open <= 0) {
      if (process < 0) return -1
      throw new HistoryError('NOT_OPEN', row, `event ${row} completes an operation of process ${process}, which has none open`)
    }
    if (this.f[open - 1] !== f) {
      throw new HistoryError('WRONG_FUNCTION', row, `event ${row} completes "${this.functions[f]}" of process ${process}, which had invoked "${this.functions[this.f[open - 1]!]}" at event ${open - 1}`)
    }
    // A completion may leave the key out, and not name another: nobody could tell on which of the two it acted.
    if (key !== this.key[open - 1] && key !== NIL && process >= 0) {
      throw new HistoryError('WRONG_KEY', row, `event ${row} completes an operation of process ${process} on the key ${this.#keyText(key)}, which had been asked for on ${this.#keyText(this.key[open - 1]!)} at event ${open - 1}`)
    }
    if (time < this.#newest) this.#inOrder(open - 1, row, time)
    this.#setOpen(process, process < 0 ? 0 : type === INFO ? DEAD : -2 - row)
    return open - 1
  }

  #keyText(code: number): string {
    return code === NIL ? 'no key' : JSON.stringify(this.values.decode(code))
  }

  /** Throws when an event of a process is earlier than the one before. */
  #inOrder(before: number, row: number, time: number): void {
    const earliest = this.timeAt(before)
    if (time >= earliest) return
    throw new HistoryError('BACK_IN_TIME', row, `event ${row} has time ${time}, before event ${before} of the same process, which has time ${earliest}; a process does one thing after the other, so its times must not go back`)
  }

  #setOpen(process: number, open: number): void {
    if (process >= this.#open.length && process < OPEN_MAX) this.#open = grown(this.#open, Math.max(this.#open.length * 2, process + 1))
    if (process >= 0 && process < this.#open.length) this.#open[process] = open
    else if (open === 0) this.#openElsewhere.delete(process)
    else this.#openElsewhere.set(process, open)
  }

  /** Makes room for this many events. */
  reserve(capacity: number): void {
    if (capacity <= this.type.length) return
    this.type = grown(this.type, capacity)
    this.process = grown(this.process, capacity)
    this.f = grown(this.f, capacity)
    this.key = grown(this.key, capacity)
    this.value = grown(this.value, capacity)
    this.#times.reserve(capacity)
    this.pair = grown(this.pair, capacity)
    this.node = grown(this.node, capacity)
  }
}
