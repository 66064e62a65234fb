/**
 * Reads `history.jsonl`: one event a line, in the order in which the events happened.
 *
 * Errors name the line, say what is wrong with it and what to do. A file whose writer was killed ends in the
 * middle of a line; told to tolerate that, the reader drops the torn line and sets `history.truncated`. A
 * lenient reader turns every other error into a warning and reads the rest.
 */
import { History, HistoryError } from './history.ts'
import { createScanner } from './scanner.ts'
import { timeReader } from './times.ts'
import type { TimeReader } from './times.ts'
import type { Name, Scanner } from './scanner.ts'
import type { Block } from './scan-block.ts'
import type { Event, Json } from './history.ts'

/** How forgiving to be. */
export interface ReadOptions {
  /** Accept a torn last line: `history.truncated` tells. Default false. */
  readonly tolerateTruncation?: boolean
  /** Turn errors into `history.warnings` and read on. Default false. */
  readonly lenient?: boolean
}

const NEWLINE = 10

/** Reads a whole file. Throws HistoryError with the line of the first mistake. */
export function readJsonl(bytes: Uint8Array, options: ReadOptions = {}): History {
  const reader = new JsonlReader(options)
  reader.history.reserve(expectedEvents(bytes))
  reader.push(bytes)
  return reader.end()
}

/** A file's events, from the length of its first lines. */
function expectedEvents(bytes: Uint8Array): number {
  const sample = bytes.subarray(0, 1 << 16)
  let lines = 0
  for (const byte of sample) if (byte === NEWLINE) lines++
  return lines === 0 ? 0 : Math.ceil((bytes.length / sample.length) * lines * 1.05)
}

/** Reads a file that arrives in pieces. */
export class JsonlReader {
  readonly history = new History()
  readonly #options: ReadOptions
  readonly #decoder = new TextDecoder()
  readonly #time = timeReader()
  /** Plain lines go through it; without it, or once times need care, all go through JSON.parse. */
  readonly #scanner = createScanner()
  #line = 0
  #rest: Uint8Array = new Uint8Array(0)

  constructor(options: ReadOptions = {}) {
    this.#options = options
  }

  push(chunk: Uint8Array): void {
    let bytes = chunk
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + chunk.length)
      bytes.set(this.#rest)
      bytes.set(chunk, this.#rest.length)
    }
    let start = 0
    for (;;) {
      if (this.#scanner !== undefined && this.#time.plain()) start += this.#scan(this.#scanner, bytes.subarray(start))
      const end = bytes.indexOf(NEWLINE, start)
      if (end < 0) break
      this.#read(bytes.subarray(start, end), false)
      start = end + 1
    }
    // A copy (slice of a Buffer is none): the caller may fill the same buffer again.
    this.#rest = new Uint8Array(bytes.subarray(start))
  }

  /** Whether lines can be scanned elsewhere, in another thread. */
  get plain(): boolean {
    return this.#scanner !== undefined && this.#time.plain()
  }

  /** What a scanner elsewhere must know. */
  get names(): readonly Name[] {
    return this.#scanner?.names ?? []
  }

  /** Bytes of a line whose end did not come yet. */
  get pending(): number {
    return this.#rest.length
  }

  /** Forgets the line whose end did not come: it will be pushed again. */
  restartLine(): void {
    this.#rest = new Uint8Array(0)
  }

  /** Appends events that were scanned elsewhere, up to one that needs care; returns how many lines were taken. */
  append(block: Block, events: number): number {
    const scanner = this.#scanner!
    try {
      scanner.refusedAt = 0
      scanner.append(block, events, this.history)
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
    }
    this.#line += scanner.refusedAt
    return scanner.refusedAt
  }

  #scan(scanner: Scanner, bytes: Uint8Array): number {
    let read = 0
    for (;;) {
      try {
        const scanned = scanner.scan(bytes.subarray(read), this.history)
        read += scanned.bytes
        this.#line += scanned.lines
        if (scanned.stopped) return read
      } catch (error) {
        if (!(error instanceof HistoryError)) throw error
        // The refused event's line: read it again the careful way, which knows what to do about it.
        const lines = scanner.refusedAt
        this.#line += lines
        return read + afterLines(bytes.subarray(read), lines)
      }
    }
  }

  /** The last line may lack its newline; a line that also cannot be read was torn. */
  end(): History {
    if (this.#rest.length > 0) this.#read(this.#rest, true)
    this.#rest = new Uint8Array(0)
    return this.history
  }

  #read(bytes: Uint8Array, last: boolean): void {
    this.#line++
    const text = this.#decoder.decode(bytes)
    if (text.trim() === '') return
    let json: unknown
    try {
      json = parseExactly(text)
    } catch {
      if (last && (this.#options.tolerateTruncation || this.#options.lenient)) {
        this.history.truncated = true
        return
      }
      this.#refuse(new HistoryError(last ? 'TRUNCATED' : 'NOT_JSON', this.history.length, last
        ? `the file ends in the middle of an event (${excerpt(text)}): its writer was killed; remove the line, or read it as truncated`
        : `not a JSON object: ${excerpt(text)}; every line must hold one event`))
      return
    }
    try {
      const event = toEvent(json, text, this.history.length, this.#time)
      this.#scanner?.learn(event, this.history)
      pushEvent(this.history, event, this.#options.lenient === true)
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      this.#refuse(error)
    }
  }

  #refuse(error: HistoryError): void {
    const message = `line ${this.#line}: ${error.message}`
    if (!this.#options.lenient) throw new HistoryError(error.code, error.event, message, this.#line)
    this.history.warnings.push(message)
  }
}

function afterLines(bytes: Uint8Array, lines: number): number {
  let at = 0
  for (let i = 0; i < lines; i++) at = bytes.indexOf(NEWLINE, at) + 1
  return at
}

/** Appends an event; when lenient, a second invocation of a process leaves its first one pending for ever. */
export function pushEvent(history: History, event: Event, lenient: boolean): void {
  try {
    history.push(event)
  } catch (error) {
    if (!lenient || !(error instanceof HistoryError) || (error.code !== 'ALREADY_OPEN' && error.code !== 'DEAD_PROCESS')) throw error
    history.abandon(event.process as number)
    history.push(event)
    throw error
  }
}

const LONG_NUMBER = /\d{16}/

/** JSON.parse, which would round integers beyond 2^53, and different values would become equal: they are read as text instead. */
export function parseExactly(text: string): unknown {
  return JSON.parse(LONG_NUMBER.test(text) ? exactIntegers(text) : text)
}

function exactIntegers(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) => (!/^-?\d+$/.test(token) || Number.isSafeInteger(Number(token)) ? token : `"${token}"`))
}

function excerpt(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text)
}

function wrong(code: string, event: number, what: string): never {
  throw new HistoryError(code, event, what)
}

function toEvent(json: unknown, text: string, row: number, time: TimeReader): Event {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) wrong('NOT_AN_EVENT', row, `not an event: ${excerpt(text)}; expected an object with process, type, f and time`)
  const fields = json as Record<string, unknown>
  const { process, type, f, node, intended, error } = fields
  if (typeof process !== 'number' && process !== 'nemesis' && process !== 'observer') {
    wrong('BAD_PROCESS', row, `process is ${JSON.stringify(process) ?? 'missing'}; expected a whole number from 0, "nemesis" or "observer"`)
  }
  if (type !== 'invoke' && type !== 'ok' && type !== 'fail' && type !== 'info') {
    wrong('UNKNOWN_TYPE', row, `type is ${JSON.stringify(type) ?? 'missing'}; expected invoke, ok, fail or info`)
  }
  if (typeof f !== 'string') wrong('BAD_FUNCTION', row, `f is ${JSON.stringify(f) ?? 'missing'}; expected the name of a function, such as "read"`)
  return {
    time: time.read(fields['time'], row),
    process,
    type,
    f,
    key: (fields['key'] ?? null) as Json,
    value: (fields['value'] ?? null) as Json,
    ...(typeof node === 'string' ? { node } : {}),
    ...(typeof intended === 'number' ? { intended } : {}),
    ...(error === undefined || error === null ? {} : { error: typeof error === 'string' ? error : JSON.stringify(error) }),
  }
}
