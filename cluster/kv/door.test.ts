import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { VirtualClock, sleep } from '../../harness/clock.ts'
import type { Stream } from '../../harness/env.ts'
import { Door } from './door.ts'
import { bulkReply, encodeCommand } from './resp.ts'

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** A peer that asks and reads `perRead` bytes of the answers now and then. */
class Peer implements Stream {
  buffered = 0
  peak = 0
  closed = false
  #handler: (chunk: Uint8Array) => void = () => undefined
  #gone: () => void = () => undefined

  say(words: readonly string[]): void {
    this.#handler(encodeCommand(words))
  }
  read(bytes: number): void {
    this.buffered = Math.max(0, this.buffered - bytes)
  }
  write(chunk: Uint8Array): void {
    this.buffered += chunk.length
    this.peak = Math.max(this.peak, this.buffered)
  }
  pause(): void {}
  resume(): void {}
  onData(handler: (chunk: Uint8Array) => void): void {
    this.#handler = handler
  }
  onClose(handler: () => void): void {
    this.#gone = handler
  }
  close(): void {
    this.closed = true
    this.#gone()
  }
}

function doorOn(clock: VirtualClock): Door {
  const value = Buffer.alloc(50_000, 'v')
  return new Door({
    clock,
    log: silent,
    limits: { argumentsMax: 4, bulkBytesMax: 100, totalBytesMax: 400 },
    connectionsMax: 10,
    halfReadBytesMax: 1_000,
    commands: new Map([['GET', { words: [1, 1], keys: 'none', run: () => bulkReply(value) }]]),
    guarded: false,
  })
}

test('a peer that reads none of its answers is sent away; one that reads slowly is not', () => {
  const clock = new VirtualClock({ limitMs: 1_000_000 })
  return clock.run(async () => {
    const door = doorOn(clock)
    const [deaf, slow] = [new Peer(), new Peer()]
    for (const peer of [deaf, slow]) {
      door.accept(peer)
      for (let i = 0; i < 10; i++) peer.say(['GET'])
    }
    await sleep(clock, 20_000)
    slow.read(10_000)
    assert.equal([deaf.closed, slow.closed], [false, false])
    await sleep(clock, 11_000)
    assert.equal([deaf.closed, slow.closed], [true, false])
    assert.is(door.counts.connections, 1)
    door.close()
  })
})

test.run()
