/** What a link proxy costs: round trips, throughput and latency of an echo server reached directly, along a link, and through a proxy. */
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { Stream } from '../../../harness/env.ts'
import { seededRandom } from '../../../harness/random.ts'
import { LinkState } from '../process/link-state.ts'
import { LinkProxy } from '../process/proxy.ts'
import { dialAlong } from '../process/shaped-stream.ts'
import { dialAddress } from '../real/socket-stream.ts'

const MESSAGE = Buffer.alloc(100, 'x')
const ROUND_TRIPS = 20_000
const BULK_BYTES = 200 * 2 ** 20

/** Sends messages one after another on every stream; returns each round trip in ms. */
async function roundTrips(streams: readonly Stream[]): Promise<number[]> {
  const times: number[] = []
  await Promise.all(streams.map((stream) => new Promise<void>((resolve) => {
    let left = ROUND_TRIPS / streams.length
    let received = 0
    let sent = 0
    const send = (): void => {
      sent = performance.now()
      stream.write(MESSAGE)
    }
    stream.onData((chunk) => {
      received += chunk.length
      if (received < MESSAGE.length) return
      received = 0
      times.push(performance.now() - sent)
      if (--left > 0) send()
      else resolve()
    })
    send()
  })))
  return times.sort((a, b) => a - b)
}

/** How long `BULK_BYTES` take there and back, in ms. */
function bulk(stream: Stream): Promise<number> {
  const chunk = Buffer.alloc(64 * 1024)
  const start = performance.now()
  return new Promise((resolve) => {
    let sent = 0
    let received = 0
    const send = (): void => {
      while (sent < BULK_BYTES && stream.buffered < 2 ** 20) {
        stream.write(chunk)
        sent += chunk.length
      }
      if (sent < BULK_BYTES) setImmediate(send)
    }
    stream.onData((bytes) => {
      received += bytes.length
      if (received >= BULK_BYTES) resolve(performance.now() - start)
    })
    send()
  })
}

async function measure(what: string, dial: () => Promise<Stream>, print: (line: string) => void): Promise<void> {
  for (const connections of [1, 32]) {
    const streams = await Promise.all(Array.from({ length: connections }, dial))
    await roundTrips(streams)
    const start = performance.now()
    const times = await roundTrips(streams)
    const perSecond = ROUND_TRIPS / ((performance.now() - start) / 1_000)
    const at = (share: number): string => times[Math.floor(times.length * share)]!.toFixed(3)
    print(`${what}, ${connections} connections: ${Math.round(perSecond)} round trips/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`)
    for (const stream of streams) stream.close()
  }
  const stream = await dial()
  print(`${what}, bulk: ${(BULK_BYTES / 2 ** 20 / ((await bulk(stream)) / 1_000)).toFixed(0)} MiB/s there and back`)
  stream.close()
}

export const bench = {
  name: 'link-proxy',
  describes: 'throughput and latency of the process driver\'s link proxies (echo server, clients and proxy in one process)',
  async run(_args: readonly string[], print: (line: string) => void): Promise<void> {
    const echo = createServer({ noDelay: true }, (socket) => void socket.pipe(socket).on('error', () => undefined))
    await new Promise<void>((resolve) => void echo.listen(0, '127.0.0.1', resolve))
    const target = (): string => `127.0.0.1:${(echo.address() as AddressInfo).port}`
    const forth = new LinkState(seededRandom(1))
    const proxy = new LinkProxy({ way: { forth, back: new LinkState(seededRandom(2)) }, target })
    await proxy.listen()
    await measure('direct', () => dialAddress(target(), 1_000), print)
    await measure('along a link', () => dialAlong(forth, target, 1_000), print)
    await measure('through a proxy', () => dialAddress(proxy.address, 1_000), print)
    await proxy.close()
    await new Promise((resolve) => echo.close(resolve))
  },
}
