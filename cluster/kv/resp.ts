/**
 * RESP, the Redis serialization protocol (redis.io, "Redis serialization protocol specification"): commands in and
 * replies out for a server, replies in and commands out for a client.
 *
 * Written here because there is no well-kept parser for the server's side: redis-parser reads replies only and had its
 * last release (3.0.0) in 2017, respjs and hiredis are no better off. A parser is fed chunks as they come off the network, keeps what
 * is incomplete, and never holds more than its limits allow, whatever it is sent.
 *
 * Output is built as strings of one character per byte (latin1): joining many small replies that way is cheaper in V8
 * than copying buffers, and one conversion per turn of the event loop makes the bytes.
 */

/** Bytes that are no RESP. The connection cannot go on: nobody knows where the next command begins. */
export class ProtocolError extends Error {
  constructor(message: string) {
    super(`Protocol error: ${message}`)
    this.name = 'ProtocolError'
  }
}

/** What one peer may make us hold. */
export interface RespLimits {
  /** Elements of one array. */
  readonly argumentsMax: number
  /** Bytes of one bulk string. */
  readonly bulkBytesMax: number
  /** Bytes of one whole command or reply. */
  readonly totalBytesMax: number
}

const LINE_BYTES_MAX = 64 * 1024
const CR = 13
const LF = 10
const ASTERISK = 42
const DOLLAR = 36
const MINUS = 45

/** Bytes that came and were not yet understood. Chunks are joined only when enough of them are there. */
class Pending {
  bytes: Buffer = Buffer.alloc(0)
  at = 0
  #later: Buffer[] = []
  #laterBytes = 0

  push(chunk: Uint8Array): void {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    if (this.at === this.bytes.length && this.#later.length === 0) {
      this.bytes = buffer
      this.at = 0
    } else {
      this.#later.push(buffer)
      this.#laterBytes += buffer.length
    }
  }

  /** Bytes that are kept and not yet understood. */
  get size(): number {
    return this.bytes.length - this.at + this.#laterBytes
  }

  /** Whether `count` more bytes are there; after that they lie in `bytes` from `at`. */
  has(count: number): boolean {
    if (this.bytes.length - this.at >= count) return true
    if (this.bytes.length - this.at + this.#laterBytes < count) return false
    this.#join()
    return true
  }

  /** The end of the line that begins at `at` (the index of its CR LF or LF), or -1. */
  lineEnd(): number {
    if (this.#later.length > 0) this.#join()
    const end = this.bytes.indexOf(LF, this.at)
    if ((end === -1 ? this.bytes.length : end) - this.at > LINE_BYTES_MAX) throw new ProtocolError('too big inline request')
    return end
  }

  #join(): void {
    this.bytes = Buffer.concat([this.bytes.subarray(this.at), ...this.#later])
    this.at = 0
    this.#later = []
    this.#laterBytes = 0
  }
}

/** As many as the greatest integer has that a double holds exactly: counters of microseconds since 1970 are as long. */
const INTEGER_DIGITS_MAX = 16

/** The integer in `bytes[from, to)`, as RESP writes them: digits, perhaps a minus. NaN for anything else, and for what a double does not hold exactly. */
function integer(bytes: Buffer, from: number, to: number): number {
  const negative = bytes[from] === MINUS
  const start = negative ? from + 1 : from
  if (start >= to || to - start > INTEGER_DIGITS_MAX) return NaN
  let value = 0
  for (let i = start; i < to; i++) {
    const digit = bytes[i]! - 48
    if (digit < 0 || digit > 9) return NaN
    value = value * 10 + digit
  }
  if (value > Number.MAX_SAFE_INTEGER) return NaN
  return negative ? -value : value
}

/** Where a line's text ends: before the CR, if there is one. */
function textEnd(bytes: Buffer, from: number, lineFeed: number): number {
  return lineFeed > from && bytes[lineFeed - 1] === CR ? lineFeed - 1 : lineFeed
}

/**
 * Cuts a client's bytes into commands. Arguments are views into the chunks that were pushed: who keeps one longer than
 * the call keeps a copy. Understands arrays of bulk strings and inline commands.
 */
export class CommandParser {
  readonly #limits: RespLimits
  readonly #pending = new Pending()
  #arguments: Buffer[] = []
  /** Arguments of the current array that are still to come. */
  #missing = 0
  /** Length of the bulk string whose header has been read; -1 before. */
  #bulk = -1
  #bytes = 0

  constructor(limits: RespLimits) {
    this.#limits = limits
  }

  /** Bytes held of a command that is not complete. */
  get held(): number {
    return this.#pending.size + (this.#missing === 0 ? 0 : this.#bytes - Math.max(this.#bulk, 0))
  }

  /** Takes a chunk and hands on every command that it completes. Throws ProtocolError, after which the parser is of no more use. */
  push(chunk: Uint8Array, emit: (command: readonly Buffer[]) => void): void {
    this.#pending.push(chunk)
    for (;;) {
      if (this.#missing === 0 ? !this.#begin(emit) : !this.#argument(emit)) return
    }
  }

  /** Reads the head of a command: an array's length, or a whole inline command. False when more bytes are needed. */
  #begin(emit: (command: readonly Buffer[]) => void): boolean {
    const pending = this.#pending
    const lineFeed = pending.lineEnd()
    if (lineFeed === -1) return false
    const { bytes, at } = pending
    const end = textEnd(bytes, at, lineFeed)
    pending.at = lineFeed + 1
    if (bytes[at] !== ASTERISK) {
      const words = inlineWords(bytes.subarray(at, end))
      if (words.length > this.#limits.argumentsMax) throw new ProtocolError('too many arguments')
      if (words.length > 0) emit(words)
      return true
    }
    const length = integer(bytes, at + 1, end)
    if (!(length <= this.#limits.argumentsMax)) throw new ProtocolError('invalid multibulk length')
    this.#missing = Math.max(length, 0)
    this.#arguments = []
    this.#bytes = 0
    return true
  }

  /** Reads the next argument. False when more bytes are needed. */
  #argument(emit: (command: readonly Buffer[]) => void): boolean {
    const pending = this.#pending
    if (this.#bulk === -1) {
      const lineFeed = pending.lineEnd()
      if (lineFeed === -1) return false
      const { bytes, at } = pending
      if (bytes[at] !== DOLLAR) throw new ProtocolError(`expected '$', got '${String.fromCharCode(bytes[at]!)}'`)
      const length = integer(bytes, at + 1, textEnd(bytes, at, lineFeed))
      if (!(length >= 0 && length <= this.#limits.bulkBytesMax)) throw new ProtocolError('invalid bulk length')
      this.#bytes += length
      if (this.#bytes > this.#limits.totalBytesMax) throw new ProtocolError('too big request')
      this.#bulk = length
      pending.at = lineFeed + 1
    }
    if (!pending.has(this.#bulk + 2)) return false
    const { bytes, at } = pending
    const end = at + this.#bulk
    if (bytes[end] !== CR || bytes[end + 1] !== LF) throw new ProtocolError('a bulk string is longer than it says')
    this.#arguments.push(bytes.subarray(at, end))
    pending.at = end + 2
    this.#bulk = -1
    this.#missing--
    if (this.#missing === 0) emit(this.#arguments)
    return true
  }
}

const inlineWord = /"((?:[^"\\]|\\.)*)"(?=\s|$)|'((?:[^'\\]|\\.)*)'(?=\s|$)|([^\s"']\S*)|(\S)/g
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' }

/** Splits an inline command as a person types it: words, "quoted\n words" and 'quoted words'. */
function inlineWords(line: Buffer): Buffer[] {
  const words: Buffer[] = []
  for (const [, double, single, bare, broken] of line.toString('latin1').matchAll(inlineWord)) {
    if (broken !== undefined) throw new ProtocolError('unbalanced quotes in request')
    const word =
      bare ??
      single?.replaceAll("\\'", "'") ??
      double!.replace(/\\(?:x([0-9a-fA-F]{2})|(.))/g, (_: string, hex?: string, char?: string) => (hex === undefined ? (escapes[char!] ?? char!) : String.fromCharCode(parseInt(hex, 16))))
    words.push(Buffer.from(word, 'latin1'))
  }
  return words
}

/** An error reply: the code is its first word. */
export class ErrorReply {
  readonly code: string
  readonly message: string
  constructor(text: string) {
    const space = text.indexOf(' ')
    this.code = space === -1 ? text : text.slice(0, space)
    this.message = space === -1 ? '' : text.slice(space + 1)
  }
}

/** What a server answers. Bulk strings are bytes, simple strings are strings. */
export type Reply = null | number | string | Uint8Array | ErrorReply | readonly Reply[]

/** Cuts a server's bytes into replies (RESP 2, and the null of RESP 3). */
export class ReplyParser {
  readonly #limits: RespLimits
  readonly #pending = new Pending()
  /** Arrays that were begun, outermost first. */
  readonly #open: { readonly items: Reply[]; readonly length: number }[] = []
  #bulk = -1
  #bytes = 0

  constructor(limits: RespLimits) {
    this.#limits = limits
  }

  /** Takes a chunk and hands on every reply that it completes. Throws ProtocolError, after which the parser is of no more use. */
  push(chunk: Uint8Array, emit: (reply: Reply) => void): void {
    this.#pending.push(chunk)
    for (;;) {
      const reply = this.#bulk === -1 ? this.#line() : this.#bulkString()
      if (reply === undefined) return
      if (reply !== OPENED) this.#place(reply, emit)
    }
  }

  #line(): Reply | typeof OPENED | undefined {
    const pending = this.#pending
    const lineFeed = pending.lineEnd()
    if (lineFeed === -1) return undefined
    const { bytes, at } = pending
    const end = textEnd(bytes, at, lineFeed)
    pending.at = lineFeed + 1
    this.#count(end - at)
    const type = String.fromCharCode(bytes[at]!)
    switch (type) {
      case '+':
        return bytes.toString('latin1', at + 1, end)
      case '-':
        return new ErrorReply(bytes.toString('utf8', at + 1, end))
      case '_':
        return null
      case ':':
        return this.#number(at + 1, end)
      case '$':
        return this.#openBulk(this.#number(at + 1, end))
      case '*':
        return this.#openArray(this.#number(at + 1, end))
      default:
        throw new ProtocolError(`a reply cannot begin with '${type}'`)
    }
  }

  #number(from: number, to: number): number {
    const value = integer(this.#pending.bytes, from, to)
    if (Number.isNaN(value)) throw new ProtocolError('expected an integer')
    return value
  }

  #openBulk(length: number): Reply | typeof OPENED {
    if (length < 0) return null
    if (length > this.#limits.bulkBytesMax) throw new ProtocolError('invalid bulk length')
    this.#count(length)
    this.#bulk = length
    return OPENED
  }

  #openArray(length: number): Reply | typeof OPENED {
    if (length < 0) return null
    if (length > this.#limits.argumentsMax || this.#open.length >= 8) throw new ProtocolError('invalid multibulk length')
    if (length === 0) return []
    this.#open.push({ items: [], length })
    return OPENED
  }

  #bulkString(): Reply | undefined {
    const pending = this.#pending
    if (!pending.has(this.#bulk + 2)) return undefined
    const end = pending.at + this.#bulk
    if (pending.bytes[end] !== CR || pending.bytes[end + 1] !== LF) throw new ProtocolError('a bulk string is longer than it says')
    const value = pending.bytes.subarray(pending.at, end)
    pending.at = end + 2
    this.#bulk = -1
    return value
  }

  /** Puts a finished value into the innermost open array; closes every array that this fills. */
  #place(reply: Reply, emit: (reply: Reply) => void): void {
    let value = reply
    for (let array = this.#open.at(-1); array !== undefined; array = this.#open.at(-1)) {
      array.items.push(value)
      if (array.items.length < array.length) return
      this.#open.pop()
      value = array.items
    }
    this.#bytes = 0
    emit(value)
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#limits.totalBytesMax) throw new ProtocolError('too big reply')
  }
}

/** An array or a bulk string was begun: its content follows. */
const OPENED = Symbol('opened')

/** `+OK` */
export const OK_REPLY = '+OK\r\n'

/** A short text without line breaks. */
export function simpleReply(text: string): string {
  return `+${text}\r\n`
}

/** An error, its line breaks and non-ASCII characters made harmless. */
export function errorReply(code: string, message: string): string {
  return `-${code} ${message.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 1024)}\r\n`
}

export function integerReply(value: number): string {
  return `:${value}\r\n`
}

/** Bytes, or a text (as UTF-8). */
export function bulkReply(value: Uint8Array | string): string {
  // A text of ASCII alone, as nearly all are, is its own bytes.
  const text = typeof value === 'string' && isAscii(value) ? value : latin1Of(typeof value === 'string' ? Buffer.from(value) : value)
  return `$${text.length}\r\n${text}\r\n`
}

function latin1Of({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('latin1')
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

/** An array of replies that are encoded already. */
export function arrayReply(encoded: readonly string[]): string {
  return `*${encoded.length}\r\n${encoded.join('')}`
}

/** No value, in RESP 2 and in RESP 3. */
export function nullReply(protocol: 2 | 3): string {
  return protocol === 3 ? '_\r\n' : '$-1\r\n'
}

/** A client's command. */
export function encodeCommand(words: readonly (string | Uint8Array)[]): Uint8Array {
  return Buffer.from(arrayReply(words.map(bulkReply)), 'latin1')
}
