/**
 * What containers print. The engine sends standard output and error in one stream of frames:
 * a byte for the stream, three of nothing, the length in four, then the bytes.
 */
import type { Readable } from 'node:stream'
import { ClusterError } from '../../cluster.ts'

const HEADER_BYTES = 8

/** The bytes of all frames, in the order in which they were printed. A last frame that was cut off is left out. */
export function unframe(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  let offset = 0
  while (offset + HEADER_BYTES <= bytes.length) {
    const end = offset + HEADER_BYTES + bytes.readUInt32BE(offset + 4)
    if (end > bytes.length) break
    parts.push(bytes.subarray(offset + HEADER_BYTES, end))
    offset = end
  }
  return Buffer.concat(parts)
}

/** Everything that an attached program prints until it ends. */
export function textOf(stream: Readable, deadlineMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const timer = setTimeout(() => {
      reject(new ClusterError('exec-timeout', `A program in a container did not end within ${deadlineMs} ms. Is the machine that runs it overloaded?`))
      stream.destroy()
    }, deadlineMs)
    const done = (): void => {
      clearTimeout(timer)
      resolve(unframe(Buffer.concat(chunks)).toString())
      stream.destroy()
    }
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    // Stays for the stream's whole life: destroying one whose writing side is open may be reported as one more error.
    stream.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    stream.once('end', done)
    stream.once('close', done)
  })
}
