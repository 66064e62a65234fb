/**
 * A load generator in a closed loop, the same for every protocol: so many connections, each with one request under
 * way. A protocol says what a request is in bytes and when one has been answered; the rest is shared, so that two
 * systems which are compared differ in nothing but the bytes.
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { build as histogramOf } from 'hdr-histogram-js'
import { parseAddress } from '../../drivers/real/socket-stream.ts'

/** What a connection is asked for. */
export interface Operation {
  readonly type: 'read' | 'write'
  /** The number of the key. */
  readonly key: number
}

/** One connection's side of a protocol. */
export interface Conversation {
  /** What is said before the first request. */
  readonly greeting: Uint8Array
  request(operation: Operation): Uint8Array
  /** Takes what came. Calls `answered` for the answer, with an error if it is not what a success looks like. Returns what must be said in return, if anything. */
  receive(chunk: Buffer, answered: (error?: string) => void): Uint8Array | undefined
}

/** How to load. */
export interface Load {
  /** host:port, connections are dealt out to them in turn. */
  readonly addresses: readonly string[]
  readonly converse: () => Conversation
  readonly connections: number
  readonly type: Operation['type']
  readonly keys: number
  readonly durationMs: number
  /** Ends earlier, after so many requests. Default: never. */
  readonly requests?: number
  /** The first so many milliseconds are not counted. */
  readonly warmUpMs: number
}

/** What came of it. */
export interface Loaded {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly errors: number
  /** One of the errors. */
  readonly error: string | undefined
}

/** Loads the servers for a while. The keys are asked for in turn. */
export async function closedLoop(load: Load): Promise<Loaded> {
  const latencies = histogramOf({ lowestDiscernibleValue: 1, highestTrackableValue: 60e6, numberOfSignificantValueDigits: 3 })
  const started = performance.now()
  const from = started + load.warmUpMs
  const until = from + load.durationMs
  const errors: string[] = []
  let answers = 0
  let requests = 0
  const oneConnection = (index: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const conversation = load.converse()
      const socket: Socket = connect(parseAddress(load.addresses[index % load.addresses.length]!))
      let asked = 0
      const ask = (): void => {
        asked = performance.now()
        if (asked >= until || requests >= (load.requests ?? Infinity)) {
          socket.destroy()
          resolve()
          return
        }
        socket.write(conversation.request({ type: load.type, key: requests++ % load.keys }))
      }
      const answered = (error?: string): void => {
        const now = performance.now()
        if (error !== undefined) errors.push(error)
        else if (now >= from && now < until) {
          answers++
          latencies.recordValue(Math.max(1, Math.round((now - asked) * 1000)))
        }
        ask()
      }
      socket.setNoDelay(true)
      socket.on('connect', () => {
        if (conversation.greeting.length > 0) socket.write(conversation.greeting)
        ask()
      })
      socket.on('data', (chunk: Buffer) => {
        const reply = conversation.receive(chunk, answered)
        if (reply !== undefined) socket.write(reply)
      })
      socket.on('error', reject)
      socket.on('close', resolve)
    })
  await Promise.all(Array.from({ length: load.connections }, (_, index) => oneConnection(index)))
  return { perSecond: (answers / load.durationMs) * 1000, p50Ms: latencies.getValueAtPercentile(50) / 1000, p99Ms: latencies.getValueAtPercentile(99) / 1000, errors: errors.length, error: errors[0] }
}
