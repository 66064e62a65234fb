/**
 * Length-prefixed frames: four bytes of length, big-endian, four of the message's CRC-32, then the message. TCP's own
 * checksum is weak, and bits flip in memory on the way too (Stone and Partridge, SIGCOMM 2000): a frame that fails is an
 * error of the whole stream.
 */
import { crc32 } from 'node:zlib'

/** No message between nodes is longer than this. */
export const FRAME_BYTES_MAX = 16 * 2 ** 20

const HEADER_BYTES = 8

/** Several messages as one buffer of frames. */
export function encodeFrames(messages: readonly Uint8Array[]): Buffer {
  const total = messages.reduce((sum, message) => sum + HEADER_BYTES + message.length, 0)
  const buffer = Buffer.allocUnsafe(total)
  let at = 0
  for (const message of messages) {
    buffer.writeUInt32BE(message.length, at)
    buffer.writeUInt32BE(crc32(message), at + 4)
    buffer.set(message, at + HEADER_BYTES)
    at += HEADER_BYTES + message.length
  }
  return buffer
}

/** Cuts a stream of chunks into messages. A damaged frame or one beyond the limit is an error: the stream cannot be followed any further. */
export class FrameReader {
  /** The longest frame that is accepted now. */
  limit: number
  #rest: Buffer = Buffer.alloc(0)
  /** Chunks of a message that is not complete, and how much of it is still missing. */
  #chunks: Buffer[] = []
  #missing = 0

  constructor(limit = FRAME_BYTES_MAX) {
    this.limit = limit
  }

  /** Hands every message that this chunk completes to `handle`. */
  push(chunk: Buffer, handle: (message: Buffer) => void): void {
    if (this.#missing > chunk.length) {
      this.#chunks.push(chunk)
      this.#missing -= chunk.length
      return
    }
    let rest = this.#chunks.length > 0 ? Buffer.concat([...this.#chunks, chunk]) : this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    this.#chunks = []
    this.#missing = 0
    while (rest.length >= HEADER_BYTES) {
      const length = rest.readUInt32BE(0)
      if (length > this.limit) throw new RangeError(`a frame of ${length} bytes is longer than the limit of ${this.limit}`)
      const end = HEADER_BYTES + length
      if (rest.length < end) {
        this.#chunks = [rest]
        this.#missing = end - rest.length
        break
      }
      const message = rest.subarray(HEADER_BYTES, end)
      if (crc32(message) !== rest.readUInt32BE(4)) throw new RangeError(`a frame of ${length} bytes was damaged on its way: its checksum is wrong`)
      handle(message)
      rest = rest.subarray(end)
    }
    this.#rest = this.#missing > 0 ? Buffer.alloc(0) : rest
  }
}
