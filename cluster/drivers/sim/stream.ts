/**
 * Streams of the simulated network: TCP as its users see it. Bytes arrive in order and once; a cut link stalls them
 * and lets them through after the heal, as retransmission does; a peer that dies breaks the stream.
 */
import type { Clock, Stream } from '../../../harness/env.ts'
import type { Wire } from './wire.ts'

/** Bytes that the network takes in before a writer sees them in `buffered`: the socket's send buffer. */
const SEND_BUFFER = 65_536

/** One direction of a stream: a queue of chunks and at last the end. */
export class Pipe {
  readonly #clock: Clock
  readonly #wire: Wire
  readonly #queue: { readonly at: number; readonly bytes: number; readonly arrive: () => void }[] = []
  #bytes = 0
  #lastAt = 0
  #moving = false

  constructor(clock: Clock, wire: Wire) {
    this.#clock = clock
    this.#wire = wire
  }

  /** Bytes that have not arrived. */
  get bytes(): number {
    return this.#bytes
  }

  /** Sends `bytes` bytes; `arrive` runs when they are there, after everything sent before. */
  send(bytes: number, arrive: () => void): void {
    this.#lastAt = Math.max(this.#lastAt, this.#clock.now() + this.#wire.travelMs(bytes) * 1e6)
    this.#bytes += bytes
    this.#queue.push({ at: this.#lastAt, bytes, arrive })
    this.#move()
  }

  #move(): void {
    const head = this.#queue[0]
    if (head === undefined || this.#moving) return
    this.#moving = true
    this.#clock.after(Math.max(0, head.at - this.#clock.now()) / 1e6, () => this.#arrived())
  }

  #arrived(): void {
    this.#moving = false
    if (this.#wire.isCut) {
      this.#moving = true
      this.#wire.whenHealed(() => this.#retransmit())
      return
    }
    const { bytes, arrive } = this.#queue.shift()!
    this.#bytes -= bytes
    arrive()
    this.#move()
  }

  #retransmit(): void {
    this.#clock.after(this.#wire.travelMs(0), () => this.#arrived())
  }
}

/** One end of a stream. `happen` runs what the owner of this end sees: in its turn, or never when it is dead. */
export class StreamEnd implements Stream {
  readonly #out: Pipe
  readonly #happen: (callback: () => void) => void
  readonly #clock: Clock
  readonly #inbox: Uint8Array[] = []
  #peer: StreamEnd | undefined
  #flowing = true
  #closed = false
  /** Set when the other side is gone; told to the owner after the last chunk. */
  #ending: { readonly error: Error | undefined } | undefined
  #dataHandler: ((chunk: Uint8Array) => void) | undefined
  #closeHandler: ((error?: Error) => void) | undefined
  #goneHandler: (() => void) | undefined

  constructor(clock: Clock, out: Pipe, happen: (callback: () => void) => void) {
    this.#clock = clock
    this.#out = out
    this.#happen = happen
  }

  /** Joins two ends into a stream. */
  static join(a: StreamEnd, b: StreamEnd): void {
    a.#peer = b
    b.#peer = a
  }

  /** Calls `handler` when this end has closed for any reason. */
  onGone(handler: () => void): void {
    this.#goneHandler = handler
  }

  get buffered(): number {
    return Math.max(0, this.#out.bytes - SEND_BUFFER)
  }

  write(chunk: Uint8Array): void {
    if (this.#closed || chunk.length === 0) return
    const copy = Buffer.from(chunk)
    const peer = this.#peer!
    this.#out.send(copy.length, () => peer.#happen(() => peer.#receive(copy)))
  }

  pause(): void {
    this.#flowing = false
  }

  resume(): void {
    this.#flowing = true
    this.#clock.after(0, () => this.#happen(() => this.#flush()))
  }

  onData(handler: (chunk: Uint8Array) => void): void {
    this.#dataHandler = handler
    if (this.#inbox.length > 0) this.resume()
  }

  onClose(handler: (error?: Error) => void): void {
    this.#closeHandler = handler
  }

  close(): void {
    if (this.#closed) return
    this.#endPeer(undefined)
    this.#ending = { error: undefined }
    this.#shut()
    this.#inbox.length = 0
    this.#clock.after(0, () => this.#happen(() => this.#tellClosed()))
  }

  /** The owner of this end died: the other side sees the stream break, this one sees nothing any more. */
  abandon(): void {
    if (this.#closed) return
    this.#shut()
    this.#endPeer(new Error('the connection was reset by the peer'))
  }

  #endPeer(error: Error | undefined): void {
    const peer = this.#peer!
    this.#out.send(0, () => peer.#happen(() => {
      if (peer.#closed) return
      peer.#ending = { error }
      peer.#flush()
    }))
  }

  #receive(chunk: Uint8Array): void {
    if (this.#closed) return
    this.#inbox.push(chunk)
    this.#flush()
  }

  #flush(): void {
    while (this.#flowing && !this.#closed && this.#dataHandler !== undefined && this.#inbox.length > 0) this.#dataHandler(this.#inbox.shift()!)
    if (this.#ending === undefined || this.#closed || this.#inbox.length > 0) return
    this.#shut()
    this.#tellClosed()
  }

  #shut(): void {
    this.#closed = true
    this.#goneHandler?.()
  }

  #tellClosed(): void {
    this.#closeHandler?.(this.#ending?.error)
    this.#closeHandler = undefined
  }
}
