import { test } from 'uvu'
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { pack } from 'msgpackr'
import { VirtualClock } from '../../harness/clock.ts'
import type { Network } from '../../harness/env.ts'
import { livesBefore, nextLife } from './lives.ts'
import { PING, READ, VERSION, WRITE } from './messages.ts'
import { Rpc } from './rpc.ts'
import type { Cell } from './versions.ts'

const cell: Cell = { counter: 5, writer: 'n1.1', value: Buffer.from('v') }
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** Rpcs on a network that the test sees through: `deliver` is asked about every message. */
class Net {
  readonly clock = new VirtualClock()
  readonly #handlers = new Map<string, (from: string, message: Uint8Array) => void>()
  sent = 0
  deliver: (from: string, to: string, arrive: () => void) => void = (_from, _to, arrive) => void this.clock.after(1, arrive)

  node(id: string, incarnation = 1): Rpc {
    const network: Network = {
      nodes: ['a', 'b', 'c'],
      send: (to, message) => {
        this.sent++
        this.deliver(id, to, () => this.#handlers.get(to)?.(id, message))
      },
      onMessage: (handler) => this.#handlers.set(id, handler),
      listen: async () => undefined,
      close: async () => undefined,
    }
    return new Rpc({ self: id, incarnation, clock: this.clock, network, log: silent, deadlineMs: 500, resendMs: 100 })
  }

  /** What arrives at a node from outside any Rpc. */
  inject(to: string, from: string, message: Uint8Array): void {
    this.#handlers.get(to)!(from, message)
  }
}

test('a request ends when enough have answered', async () => {
  const net = new Net()
  const [a, b, c] = [net.node('a'), net.node('b'), net.node('c')]
  for (const rpc of [a, b]) rpc.serve(READ, () => cell)
  c.serve(READ, () => new Promise<Cell>(() => undefined))
  await net.clock.run(async () => {
    const answer = await a.gather(READ, { to: ['a', 'b', 'c'], request: 'k', need: 2 })
    assert.ok(answer.complete)
    assert.equal(answer.from, ['a', 'b'])
    assert.is(Buffer.from(answer.replies[1]!.value!).toString(), 'v')
  })
})

test('a request that too few answer ends at its deadline, one that too many refuse ends at once', async () => {
  const net = new Net()
  const [a, b, c] = [net.node('a'), net.node('b'), net.node('c')]
  c.serve(READ, () => new Promise<Cell>(() => undefined))
  b.serve(READ, () => Promise.reject(new Error('the disk is on fire')))
  a.serve(READ, () => cell)
  await net.clock.run(async () => {
    const late = await a.gather(READ, { to: ['a', 'b', 'c'], request: 'k', need: 2 })
    assert.not.ok(late.complete)
    assert.is(net.clock.now(), 500e6)
    assert.match(late.refusals.join(), /^b: Error: the disk is on fire/)
    const refused = await a.gather(READ, { to: ['a', 'b'], request: 'k', need: 2 })
    assert.not.ok(refused.complete)
    assert.ok(net.clock.now() < 510e6)
  })
})

test('a doubled reply counts once', async () => {
  const net = new Net()
  net.deliver = (_from, _to, arrive) => {
    net.clock.after(1, arrive)
    net.clock.after(2, arrive)
  }
  const [a, b] = [net.node('a'), net.node('b')]
  b.serve(READ, () => cell)
  await net.clock.run(async () => {
    const answer = await a.gather(READ, { to: ['b', 'c'], request: 'k', need: 2 })
    assert.not.ok(answer.complete)
    assert.equal(answer.from, ['b'])
  })
})

test('a lost request is sent again', async () => {
  const net = new Net()
  let lost = 0
  net.deliver = (_from, _to, arrive) => void (lost++ < 2 || net.clock.after(1, arrive))
  const [a, b] = [net.node('a'), net.node('b')]
  b.serve(READ, () => cell)
  await net.clock.run(async () => assert.ok((await a.gather(READ, { to: ['b'], request: 'k', need: 1 })).complete))
})

test('a reply to a former life of the node is not taken for one to this life', async () => {
  const net = new Net()
  const held: (() => void)[] = []
  const b = net.node('b')
  let version = 1
  b.serve(VERSION, () => [version, true] as const)
  await net.clock.run(async () => {
    net.deliver = (from, _to, arrive) => void (from === 'b' ? held.push(arrive) : net.clock.after(1, arrive))
    void net.node('a', 1).gather(VERSION, { to: ['b'], request: 'k', need: 1 })
    await new Promise<void>((resolve) => net.clock.after(10, resolve))
    version = 2
    const second = net.node('a', 2).gather(VERSION, { to: ['b'], request: 'other', need: 1 })
    await new Promise<void>((resolve) => net.clock.after(10, resolve))
    for (const arrive of held) arrive()
    assert.is((await second).replies[0]![0], 2)
  })
})

test('nor is a reply to a former membership, whose requests have the same numbers', async () => {
  const net = new Net()
  const held: (() => void)[] = []
  const b = net.node('b')
  b.serve(VERSION, (key) => [key === 'former' ? 1 : 2, true] as const)
  await net.clock.run(async () => {
    net.deliver = (from, _to, arrive) => void (from === 'b' ? held.push(arrive) : net.clock.after(1, arrive))
    void net.node('a', nextLife(livesBefore(3))).gather(VERSION, { to: ['b'], request: 'former', need: 1 })
    await new Promise<void>((resolve) => net.clock.after(10, resolve))
    // So many memberships later that few digits would say the same of both.
    const present = net.node('a', nextLife(livesBefore(3 + 2 ** 20))).gather(VERSION, { to: ['b'], request: 'present', need: 1 })
    await new Promise<void>((resolve) => net.clock.after(10, resolve))
    for (const arrive of held) arrive()
    assert.is((await present).replies[0]![0], 2)
  })
})

test('what is sent to one peer in one turn travels as one message', async () => {
  const net = new Net()
  const [a, b] = [net.node('a'), net.node('b')]
  const pings: string[] = []
  b.serve(PING, (nonce) => {
    pings.push(nonce)
    return null
  })
  await net.clock.run(async () => {
    for (let i = 0; i < 100; i++) a.send('b', PING, String(i))
    await new Promise<void>((resolve) => net.clock.after(10, resolve))
  })
  assert.is(pings.length, 100)
  assert.is(net.sent, 1)
})

test('whatever a peer sends, nothing breaks and nothing is believed that is not well formed', () => {
  const net = new Net()
  const a = net.node('a')
  let reads = 0
  a.serve(READ, (key) => {
    assert.type(key, 'string')
    reads++
    return cell
  })
  a.serve(WRITE, ([, given]) => {
    assert.ok(Number.isSafeInteger(given.counter) && typeof given.writer === 'string')
    return Promise.resolve(true)
  })
  const leaf = fc.oneof(fc.string(), fc.integer(), fc.double(), fc.constant(null), fc.boolean(), fc.uint8Array(), fc.constantFrom(0, 1, 2, 4, 5))
  const message = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.array(fc.array(fc.oneof(leaf, fc.array(fc.oneof(leaf, fc.array(leaf)))), { maxLength: 4 }), { maxLength: 4 }).map((value) => new Uint8Array(pack(value))),
  )
  fc.assert(fc.property(message, (bytes) => net.inject('a', 'b', bytes)), { numRuns: 3000 })
  net.inject('a', 'b', pack([[READ.code, 1, 'k'], 'nonsense', [READ.code, 2, 'k']]))
  assert.ok(reads >= 2)
  assert.ok(a.counts.malformed > 100)
})

test.run()
