/**
 * The sending half of the network between real nodes: one TCP connection to one peer, used in one direction only, so
 * that whatever stands on the way can cut `a -> b` and leave `b -> a` alone. It opens with a hello that carries the
 * run's token and the sender's id. While the peer cannot be reached, messages queue up to a bound and the oldest go first.
 *
 * The other way travel only receipts: how many frames have arrived. A connection whose receipts stay out is given up and
 * dialled anew, because TCP alone waits ever longer between two tries: after a minute's partition another minute may
 * pass before it notices the heal.
 */
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import type { Clock, Log, NodeId, Random, Timer } from '../../../harness/env.ts'
import { FrameReader, encodeFrames } from './frames.ts'
import { parseAddress } from './socket-stream.ts'

/** Bytes that wait for one peer at most, beyond what its socket has taken. */
const QUEUE_BYTES_MAX = 4 * 2 ** 20
/** The socket is given no more while it holds this much. */
const SOCKET_BYTES_MAX = 256 * 1024
const RECONNECT_MS_MIN = 20
const RECONNECT_MS_MAX = 320
/** A connection that has not come about by then is tried anew. */
const CONNECT_MS_MAX = 1_000
/** How often receipts are looked for, and how often in a row they may be missing. */
const WATCH_MS = 1_000
const MISSING_MAX = 2
/** A connection that lived this long was a good one: the next attempt is quick again. */
const GOOD_AFTER_MS = 1_000

const RECEIPT_BYTES = 4

/** A receipt for this many frames since the connection began. */
export function encodeReceipt(frames: number): Buffer {
  const receipt = Buffer.alloc(RECEIPT_BYTES)
  receipt.writeUInt32BE(frames % 2 ** 32)
  return encodeFrames([receipt])
}

/** What a link needs to know. */
export interface PeerLinkOptions {
  readonly address: string
  readonly peer: NodeId
  readonly hello: Uint8Array
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Sends messages to one peer, whole, in order, or not at all. A message is not copied: it must not change after it was sent. */
export class PeerLink {
  readonly #options: PeerLinkOptions
  #queue: Uint8Array[] = []
  #queueBytes = 0
  #dropped = 0
  #socket: Socket | undefined
  #connected = false
  #flushing = false
  #closed = false
  #backoffMs = RECONNECT_MS_MIN
  #retry: Timer | undefined
  #watch: Timer | undefined
  #sent = 0
  #received = 0

  constructor(options: PeerLinkOptions) {
    this.#options = options
    this.#connect()
  }

  send(message: Uint8Array): void {
    if (this.#closed) return
    this.#queue.push(message)
    this.#queueBytes += message.length
    if (this.#queueBytes > QUEUE_BYTES_MAX) this.#dropOldest()
    if (this.#connected && !this.#flushing) {
      this.#flushing = true
      queueMicrotask(() => this.#flush())
    }
  }

  close(): void {
    this.#closed = true
    this.#retry?.cancel()
    this.#watch?.cancel()
    this.#socket?.destroy()
  }

  /** Makes room for a while at once: taking messages out one by one would copy the queue every time. */
  #dropOldest(): void {
    let count = 0
    for (let freed = 0; freed < QUEUE_BYTES_MAX / 4 && count < this.#queue.length - 1; count++) freed += this.#queue[count]!.length
    const gone = this.#queue.splice(0, count)
    this.#queueBytes -= gone.reduce((sum, message) => sum + message.length, 0)
    if (this.#dropped === 0) this.#options.log.warn(`${this.#options.peer} does not keep up: the oldest messages to it are dropped`)
    this.#dropped += count
  }

  #flush(): void {
    this.#flushing = false
    const socket = this.#socket
    if (!this.#connected || socket === undefined || this.#queue.length === 0 || socket.writableLength > SOCKET_BYTES_MAX) return
    const messages = this.#queue
    this.#queue = []
    this.#queueBytes = 0
    this.#write(socket, messages)
  }

  #write(socket: Socket, messages: readonly Uint8Array[]): void {
    socket.write(encodeFrames(messages))
    this.#sent += messages.length
    this.#watch ??= this.#options.clock.after(WATCH_MS, () => this.#look(socket, this.#received, 0))
  }

  /** Gives the connection up when nothing more has been received for a while although more was sent. */
  #look(socket: Socket, before: number, missing: number): void {
    this.#watch = undefined
    if (this.#socket !== socket || this.#received >= this.#sent) return
    const misses = this.#received > before ? 0 : missing + 1
    if (misses >= MISSING_MAX) {
      socket.destroy()
      return
    }
    this.#watch = this.#options.clock.after(WATCH_MS, () => this.#look(socket, this.#received, misses))
  }

  #connect(): void {
    if (this.#closed) return
    const { address, clock, hello } = this.#options
    const started = clock.now()
    const socket = connect(parseAddress(address))
    this.#socket = socket
    socket.setNoDelay(true)
    this.#sent = 0
    this.#received = 0
    const late = clock.after(CONNECT_MS_MAX, () => socket.destroy())
    socket.on('connect', () => {
      late.cancel()
      this.#connected = true
      this.#write(socket, [hello])
      this.#flush()
    })
    socket.on('drain', () => this.#flush())
    const receipts = new FrameReader(RECEIPT_BYTES)
    socket.on('data', (chunk) => {
      try {
        receipts.push(chunk, (receipt) => {
          this.#received = receipt.readUInt32BE()
        })
      } catch {
        socket.destroy()
      }
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      late.cancel()
      this.#watch?.cancel()
      this.#watch = undefined
      this.#reconnect(clock.now() - started > GOOD_AFTER_MS * 1e6)
    })
  }

  #reconnect(wasGood: boolean): void {
    this.#connected = false
    this.#socket = undefined
    if (this.#closed) return
    if (this.#dropped > 0) this.#options.log.warn(`${this.#dropped} messages to ${this.#options.peer} were dropped`)
    this.#dropped = 0
    this.#backoffMs = wasGood ? RECONNECT_MS_MIN : Math.min(this.#backoffMs * 2, RECONNECT_MS_MAX)
    this.#retry = this.#options.clock.after(this.#backoffMs * (0.5 + this.#options.random.float()), () => this.#connect())
  }
}
