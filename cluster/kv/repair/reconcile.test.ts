import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { pack, unpack } from 'msgpackr'
import { VirtualClock } from '../../../harness/clock.ts'
import type { NodeId } from '../../../harness/env.ts'
import type { Gather } from '../gather.ts'
import type { Kind } from '../messages.ts'
import { TOKENS, partitioners } from '../partitioner.ts'
import type { Partitioner, TokenRange } from '../partitioner.ts'
import type { Rpc } from '../rpc.ts'
import { Storage } from '../storage.ts'
import { MemoryDisk } from '../testing/memory-disk.ts'
import { lastWriteWins } from '../versions.ts'
import { RECONCILE, Reconciler } from './reconcile.ts'

type Handler = (request: unknown, from: NodeId) => unknown

/** Two nodes, what each says to the other as it is on the wire, and whether it is heard. */
class Wire {
  readonly #served = new Map<NodeId, Map<number, { readonly kind: Kind<unknown, unknown>; readonly handler: Handler }>>()
  readonly clock = new VirtualClock()
  /** Bytes of each question and each answer. */
  readonly bytes: number[] = []
  hears: () => boolean = () => true
  partitioner: Partitioner = partitioners.murmur3

  rpc(self: NodeId): Rpc {
    const served = new Map<number, { readonly kind: Kind<unknown, unknown>; readonly handler: Handler }>()
    this.#served.set(self, served)
    const ask = async (kind: Kind<unknown, unknown>, to: NodeId, request: unknown): Promise<unknown> => {
      const { handler } = this.#served.get(to)!.get(kind.code)!
      return kind.reply.decode(this.#carried(kind.reply.encode(await handler(kind.request.decode(this.#carried(kind.request.encode(request))), self))))
    }
    return {
      serve: (kind: Kind<unknown, unknown>, handler: Handler) => void served.set(kind.code, { kind, handler }),
      gather: async (kind: Kind<unknown, unknown>, { to, request }: Gather<unknown>) => (this.hears() ? { complete: true, replies: [await ask(kind, to[0]!, request)] } : { complete: false, replies: [] }),
      send: (to: NodeId, kind: Kind<unknown, unknown>, request: unknown) => {
        this.#served.get(to)!.get(kind.code)?.handler(request, self)
      },
    } as unknown as Rpc
  }

  #carried(payload: unknown): unknown {
    const packed = pack(payload)
    this.bytes.push(packed.length)
    return unpack(packed)
  }
}

interface Side {
  readonly storage: Storage
  readonly reconciler: Reconciler
  readonly given: string[]
}

const LIMITS = { versionBytes: 1_000, cellBytes: 2_000 }

async function side(wire: Wire, self: NodeId): Promise<Side> {
  const { clock, partitioner } = wire
  const storage = await Storage.open(new MemoryDisk(), clock, partitioner, { sync: 'always', syncIntervalMs: 100, cacheBytes: 1 << 20, conflicts: lastWriteWins, bugs: [] })
  const rpc = wire.rpc(self)
  const given: string[] = []
  rpc.serve({ code: 4 } as Kind<readonly [string], boolean>, ([key]) => {
    given.push(key)
    return true
  })
  return { storage, given, reconciler: new Reconciler({ rpc, storage, partitioner, conflicts: lastWriteWins, limits: LIMITS }) }
}

const put = (storage: Storage, key: string, counter: number): Promise<boolean> => storage.apply(key, { counter, writer: 'n1.1', value: Buffer.alloc(50, counter) })

async function counters(storage: Storage): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  for await (const [key, { counter }] of storage.scan(0, TOKENS)) found[key] = counter
  return found
}

const HALVES: readonly TokenRange[] = [[TOKENS / 2, TOKENS], [0, TOKENS / 2]]
const KEYS = Array.from({ length: 300 }, (_, i) => `key${i}`)

for (const partitioner of [partitioners.murmur3, partitioners.ordered]) {
  test(`however many keys there are, no message is longer than a page, partitioner ${partitioner.name}`, () => {
    const wire = new Wire()
    wire.partitioner = partitioner
    return wire.clock.run(async () => {
      const [here, there] = [await side(wire, 'n1'), await side(wire, 'n2')]
      // Of each third one side knows nothing, or has less.
      for (const [i, key] of KEYS.entries()) {
        if (i % 6 !== 0) await put(here.storage, key, i % 6 === 1 ? 5 : 1)
        if (i % 6 !== 2) await put(there.storage, key, i % 6 === 3 ? 5 : 1)
      }
      const { left, repaired } = await here.reconciler.reconcile('n2', HALVES, () => false)
      assert.equal(left, [])
      assert.is(repaired, 200)
      assert.equal(await counters(here.storage), Object.fromEntries(KEYS.map((key, i) => [key, i % 6 === 1 || i % 6 === 3 ? 5 : 1])))
      assert.equal(there.given.sort(), KEYS.filter((_, i) => i % 6 === 1 || i % 6 === 2).sort())
      assert.ok(Math.max(...wire.bytes) < LIMITS.cellBytes + 1_000, `a message has ${Math.max(...wire.bytes)} bytes`)
      assert.ok(wire.bytes.length > 30, `only ${wire.bytes.length} messages`)
    })
  })
}

test('who knows nothing fetches everything in pages, without saying again what it has fetched', () => {
  const wire = new Wire()
  return wire.clock.run(async () => {
    const [here, there] = [await side(wire, 'n1'), await side(wire, 'n2')]
    for (const key of KEYS) await put(there.storage, key, 1)
    assert.equal(await here.reconciler.reconcile('n2', HALVES, () => false), { repaired: 300, left: [] })
    const questions = wire.bytes.filter((_, i) => i % 2 === 0)
    assert.ok(Math.max(...questions) < 60, `a question has ${Math.max(...questions)} bytes`)
  })
})

test('when the peer falls silent, what was not gone through is left, and nothing else', () => {
  const wire = new Wire()
  return wire.clock.run(async () => {
    const [here, there] = [await side(wire, 'n1'), await side(wire, 'n2')]
    for (const key of KEYS) await put(there.storage, key, 1)
    let heard = 0
    wire.hears = () => heard++ < 5
    const { repaired, left } = await here.reconciler.reconcile('n2', HALVES, () => false)
    const token = Math.max(...Object.keys(await counters(here.storage)).map((key) => partitioners.murmur3.token(key)))
    assert.ok(repaired > 50 && repaired < 150)
    assert.equal(left, [[token, TOKENS], [0, TOKENS / 2]])
    wire.hears = () => true
    assert.equal(await here.reconciler.reconcile('n2', left, () => false), { repaired: 300 - repaired, left: [] })
  })
})

test('an answer that goes no further than the question before is not gone on with', () => {
  const wire = new Wire()
  return wire.clock.run(async () => {
    const here = await side(wire, 'n1')
    wire.rpc('n2').serve(RECONCILE, () => [[], [], 'key1'] as const)
    const { left } = await here.reconciler.reconcile('n2', [[0, TOKENS]], () => false)
    assert.equal(left, [[partitioners.murmur3.token('key1'), TOKENS]])
  })
})

test.run()
