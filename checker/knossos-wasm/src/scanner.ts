/**
 * The host's side of the byte scanner (assembly/scan.ts): feeds it pieces of a file, appends what it read to a
 * history, and hands the lines that it does not understand back to the caller.
 */
import { instantiateNow } from './engine.ts'
import { blockOf, EVENTS_MAX } from './scan-block.ts'
import type { ScanEngine } from './engine.ts'
import type { Block } from './scan-block.ts'
import type { Event, History } from './history.ts'
import { NIL } from './values.ts'
import type { Json } from './values.ts'

/** Pieces grow while lines are plain, and shrink at every line that is not, so that little is copied in vain. */
const PIECE_MIN = 1 << 12
export const PIECE_MAX = 1 << 20
const FUNCTION = 1
const NODE = 2
const VALUE = 3
export const BASE = 1024

/** A name that the scanner was taught: the space it is in, its bytes, its code. */
export interface Name {
  readonly space: number
  readonly bytes: Uint8Array
  readonly code: number
}

/** Teaches an engine a name; `input` is room for its bytes. */
export function teach(engine: ScanEngine, input: number, { space, bytes, code }: Name): void {
  new Uint8Array(engine.memory.buffer, input, bytes.length).set(bytes)
  engine.learn(space, input, bytes.length, code)
}

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
  refusedAt: number
  /** What it was taught. */
  readonly names: readonly Name[]
  /** Appends events that were scanned elsewhere with the same names; `refusedAt` counts them. */
  append(block: Block, n: number, history: History): void
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
  readonly names: Name[] = []
  readonly #known = new Set<string>()
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
      this.append(blockOf(this.#engine, n), n, history)
      lines += n
      if (n < EVENTS_MAX) break
    }
    const stopped = at - this.#input < whole.length
    this.#piece = stopped ? PIECE_MIN : Math.min(PIECE_MAX, this.#piece * 2)
    return { bytes: at - this.#input, lines, stopped }
  }

  append(block: Block, n: number, history: History): void {
    const before = history.length
    try {
      history.appendBlock(block, n)
    } finally {
      this.refusedAt += history.length - before
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
    const known = `${space} ${text}`
    if (bytes.length > 256 || code < NIL - 0x3fffffff || this.#known.has(known)) return
    this.#known.add(known)
    this.names.push({ space, bytes, code })
    teach(this.#engine, this.#input, this.names.at(-1)!)
  }
}
