/**
 * The host's side of the byte scanner (assembly/scan.ts): feeds it pieces of a file, appends what it read to a
 * history, and hands the lines that it does not understand back to the caller.
 */
import { instantiateNow } from './engine.ts'
import type { ScanEngine } from './engine.ts'
import type { Event, History } from './history.ts'
import { NIL } from './values.ts'
import type { Json } from './values.ts'

/** Pieces grow while lines are plain, and shrink at every line that is not, so that little is copied in vain. */
const PIECE_MIN = 1 << 12
const PIECE_MAX = 1 << 20
const EVENTS_MAX = 1 << 15
const FUNCTION = 1
const NODE = 2
const VALUE = 3
const BASE = 1024

export interface Scanned {
  readonly bytes: number
  readonly lines: number
  /** There is no further plain line here. */
  readonly stopped: boolean
}

export interface Scanner {
  /** Reads whole lines as long as they are plain. Returns how many bytes were read and how many lines; stops early at a line that is not. */
  scan(bytes: Uint8Array, history: History): Scanned
  /** Teaches it the names in an event that it could not read. */
  learn(event: Event, history: History): void
  /** The line of the event that `history.append` refused, counted from the start of the piece. */
  readonly refusedAt: number
}

/** A scanner, or undefined where WebAssembly cannot be had at once. */
export function createScanner(): Scanner | undefined {
  const engine = instantiateNow()
  if (engine === undefined) return undefined
  engine.reset(BASE, 0xffff0000)
  if (engine.scanStart(EVENTS_MAX) === 0) return undefined
  // Eight bytes of slack: the scanner compares words, which may reach beyond the last line.
  const input = engine.alloc(PIECE_MAX + 8) >>> 0
  if (input === 0) return undefined
  return new WasmScanner(engine, input)
}

class WasmScanner implements Scanner {
  refusedAt = 0
  #piece = PIECE_MIN
  readonly #engine: ScanEngine
  readonly #input: number
  readonly #encoder = new TextEncoder()

  constructor(engine: ScanEngine, input: number) {
    this.#engine = engine
    this.#input = input
  }

  scan(bytes: Uint8Array, history: History): Scanned {
    const piece = bytes.subarray(0, this.#piece)
    const whole = piece.subarray(0, piece.lastIndexOf(10) + 1)
    if (whole.length === 0) return { bytes: 0, lines: 0, stopped: true }
    new Uint8Array(this.#engine.memory.buffer, this.#input, whole.length).set(whole)
    let at = this.#input
    let lines = 0
    for (;;) {
      const n = this.#engine.scan(at, this.#input + whole.length, EVENTS_MAX)
      at = this.#engine.scanned() >>> 0
      this.refusedAt = lines
      this.#append(history, n)
      lines += n
      if (n < EVENTS_MAX) break
    }
    const stopped = at - this.#input < whole.length
    this.#piece = stopped ? PIECE_MIN : Math.min(PIECE_MAX, this.#piece * 2)
    return { bytes: at - this.#input, lines, stopped }
  }

  #append(history: History, n: number): void {
    const { buffer } = this.#engine.memory
    const engine = this.#engine
    const ints = (at: number): Int32Array => new Int32Array(buffer, at >>> 0, n)
    const types = new Uint8Array(buffer, engine.columnTypes() >>> 0, n)
    const pairs = new Uint8Array(buffer, engine.columnPairs() >>> 0, n)
    const times = new Float64Array(buffer, engine.columnTimes() >>> 0, n)
    const processes = ints(engine.columnProcesses())
    const functions = ints(engine.columnFunctions())
    const keys = ints(engine.columnKeys())
    const values = ints(engine.columnValues())
    const seconds = ints(engine.columnSeconds())
    const nodes = ints(engine.columnNodes())
    for (let i = 0; i < n; i++) {
      const value = pairs[i] === 0 ? values[i]! : history.values.encodePair(values[i]!, seconds[i]!)
      history.append(types[i]!, processes[i]!, functions[i]!, keys[i]!, value, times[i]!, nodes[i]!)
      this.refusedAt++
    }
  }

  learn(event: Event, history: History): void {
    this.#teach(FUNCTION, event.f, history.functionCode(event.f))
    if (event.node !== undefined) this.#teach(NODE, event.node, history.nodeCode(event.node))
    this.#teachValue(event.key, history)
    this.#teachValue(event.value, history)
    if (Array.isArray(event.value)) for (const part of event.value as readonly Json[]) this.#teachValue(part, history)
  }

  #teachValue(value: Json | undefined, history: History): void {
    if (typeof value === 'string') this.#teach(VALUE, value, history.values.encode(value))
  }

  #teach(space: number, text: string, code: number): void {
    const bytes = this.#encoder.encode(text)
    if (bytes.length > 256 || code < NIL - 0x3fffffff) return
    new Uint8Array(this.#engine.memory.buffer, this.#input, bytes.length).set(bytes)
    this.#engine.learn(space, this.#input, bytes.length, code)
  }
}
