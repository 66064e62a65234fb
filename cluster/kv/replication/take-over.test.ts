import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { NodeId } from '../../../harness/env.ts'
import type { Gather } from '../gather.ts'
import { presetConfigs, findPreset } from '../presets.ts'
import { admitting, firstView, ringOf } from '../membership/view.ts'
import { partitioners } from '../partitioner.ts'
import type { Storage } from '../storage.ts'
import { simulate } from '../testing/simulate.ts'
import type { Bench } from '../testing/simulate.ts'
import type { Rpc } from '../rpc.ts'
import { StoreError } from '../errors.ts'
import { ABSENT } from '../versions.ts'
import type { Version } from '../versions.ts'
import type { Vote, Votes } from './acceptor.ts'
import { takingOver } from './take-over.ts'
import type { Stretch } from '../stretch.ts'
import { contains } from '../stretch.ts'
import { placeOf } from '../records.ts'

/** Three nodes hold every key, and n4 joins. Anti-entropy off: what replicas hold is what the protocol put there. */
const growing = { preset: 'paxos', nodes: 3, spares: 1, overrides: { anti_entropy_interval_ms: 0 } }
const DEADLINE_MS = 30_000

const cas = (bench: Bench, id: NodeId, key: string, expected: unknown, value: unknown) => bench.client(id).invoke({ f: 'cas', key, value: [expected as never, value as never] })

/** A key that n3, n2 and n1 hold, in this order, and that n1 does not hold any more once n4 has joined. */
const moving = ((): string => {
  const view = firstView(['n1', 'n2', 'n3'])
  const choices = { replicas: 3, virtual_nodes: 256, data_centers: 1, racks: 1 }
  const [before, after] = [ringOf(view.members, choices), ringOf(admitting(view, 'n4', null).next!, choices)]
  const moves = (token: number): boolean => before.replicas(token).join() === 'n3,n2,n1' && !after.replicas(token).includes('n1')
  return Array.from({ length: 1000 }, (_, i) => `k${i}`).find((name) => moves(partitioners.murmur3.token(name)))!
})()

/** Until it hears a heartbeat, n1 believes the others down and leads every key. */
async function n1Leads(bench: Bench): Promise<void> {
  await bench.partition(['n1'], ['n2', 'n3', 'n4'])
  await bench.sleep(500)
  await bench.cluster.links.heal()
}

async function joined(bench: Bench): Promise<void> {
  await bench.cluster.membership!.join('n4', DEADLINE_MS)
  await bench.until(async () => (await bench.cluster.membership!.members('n2', 1000).catch((): readonly NodeId[] => [])).includes('n4'), DEADLINE_MS)
}

/** Now these see each other, and nobody else. */
async function sides(bench: Bench, left: readonly NodeId[], right: readonly NodeId[]): Promise<void> {
  await bench.cluster.links.heal()
  await bench.partition(left, right)
}

test('what a majority of the old replicas promised stands against what is found among the new ones', () =>
  simulate(growing, async (bench) => {
    await bench.write('n3', moving, 'old')
    await bench.partition(['n3'], ['n1', 'n2', 'n4'])
    assert.is((await bench.write('n3', moving, 'a')).type, 'info', 'n3 alone accepts it')
    await n1Leads(bench)
    await bench.partition(['n3'], ['n1', 'n2', 'n4'])
    // n2 promises it to n1, and hears no more of it.
    await bench.cluster.links.delay!([{ from: 'n2', to: 'n1' }], 100, 0)
    const compared = cas(bench, 'n1', moving, 'old', 'b')
    await bench.sleep(150)
    await bench.cluster.links.cut([{ from: 'n1', to: 'n2' }])
    assert.is((await compared).type, 'info')
    assert.equal(await bench.held(moving), ['b', 'old', 'a'])
    await sides(bench, ['n1'], ['n2', 'n3', 'n4'])
    await joined(bench)
    await bench.partition(['n2'], ['n3', 'n4'])
    assert.equal(await bench.read('n4', moving), { type: 'ok', value: 'a' })
    await bench.cluster.links.heal()
    // n1 gives away what it has.
    await bench.until(async () => (await bench.stats('n1'))['cells_handed'] === 1, DEADLINE_MS)
    assert.equal(await bench.read('n4', moving), { type: 'ok', value: 'a' }, 'b was compared with what a has replaced')
  }))

test('a majority of the old replicas confirms nothing once the new ones count', () =>
  simulate(growing, async (bench) => {
    await n1Leads(bench)
    assert.equal(await bench.write('n1', moving, 0), { type: 'ok' })
    await bench.partition(['n1'], ['n2', 'n3', 'n4'])
    await joined(bench)
    await bench.partition(['n2'], ['n3', 'n4'])
    await bench.sleep(500)
    assert.equal(await cas(bench, 'n3', moving, 0, 1), { type: 'ok' })
    await sides(bench, ['n1', 'n2'], ['n3', 'n4'])
    // As far as n1 knows it leads the key, and has its next ballot already.
    assert.is((await cas(bench, 'n1', moving, 0, 2)).type, 'info')
    await bench.cluster.links.heal()
    assert.equal(await bench.read('n1', moving), { type: 'ok', value: 1 })
  }))

const held = { counter: 5, writer: 'n1.1', value: null }

/** The storage of a new replica that holds these keys. */
function holding(keys: readonly string[]): Storage {
  return {
    async *scan(from: number, to: number, { after, upTo }: { readonly after: string | null; readonly upTo: string | null }) {
      const inside = { ranges: [[from, to] as const], after, upTo }
      for (const key of keys) if (contains(inside, key, partitioners.murmur3)) yield [key, held]
    },
  } as unknown as Storage
}

/** Has a new replica take over the whole ring from n1, n2 and n3, which vote like this; n1 absent: it does not answer. */
async function takeOver(votes: Readonly<Record<NodeId, readonly Vote[]>>, { own = [] as readonly string[], settles = true } = {}): Promise<{ readonly settled: readonly string[]; readonly promised: readonly number[]; readonly done: boolean }> {
  const settled: string[] = []
  const promised: number[] = []
  const segment = { range: [0, 2 ** 32] as const, before: ['n1', 'n2', 'n3'], after: ['n2', 'n3', 'n4'] }
  const rpc = { gather: async (_: unknown, { to }: Gather<Stretch>) => ({ replies: [votes[to[0]!]].flatMap((reply) => (reply === undefined ? [] : [[reply, null]])) }) } as unknown as Rpc
  const storage = holding(own)
  const [config] = presetConfigs(findPreset('paxos'), ['n1', 'n2', 'n3'], 'token')
  const promise = async (key: string, { counter }: Version): Promise<Version> => {
    promised.push(counter)
    return own.includes(key) ? held : ABSENT
  }
  const take = takingOver({ config: config!, partitioner: partitioners.murmur3, rpc, storage, settle: async (key) => void settled.push(key), promise })
  const left = await take([segment], () => !settles)
  return { settled: settled.sort(), promised, done: left.length === 0 }
}

/** What a replica says that has accepted this ballot of n1, and promised what follows from that, or more. */
const at = (key: string, counter: number, promised = counter + 1): Vote => ({ key, accepted: { counter, writer: 'n1.1' }, promised: { counter: promised, writer: 'n1.1' } })
const nothing = (key: string, promised: number): Vote => ({ key, accepted: ABSENT, promised: { counter: promised, writer: 'n1.1' } })

test('a key of which the new replica has as much as enough of the old ones accepted and promised needs nothing more', async () => {
  assert.equal(await takeOver({ n1: [at('k', 5)], n2: [at('k', 5)], n3: [] }, { own: ['k'] }), { settled: [], promised: [], done: true })
  assert.equal(await takeOver({ n2: [at('k', 5)], n3: [at('k', 2, 4)] }, { own: ['k'] }), { settled: [], promised: [], done: true })
  assert.equal(await takeOver({ n1: [at('k', 5, 9)], n2: [nothing('k', 5)], n3: [] }, { own: ['k'] }), { settled: [], promised: [], done: true })
})

test('a key is settled of which the new replica has less, or that more was promised of', async () => {
  assert.equal(await takeOver({ n1: [at('k', 5)], n2: [at('k', 5)], n3: [] }), { settled: ['k'], promised: [], done: true })
  assert.equal(await takeOver({ n1: [at('k', 6)], n2: [at('k', 6)], n3: [] }, { own: ['k'] }), { settled: ['k'], promised: [], done: true })
  assert.equal(await takeOver({ n2: [at('k', 5)], n3: [nothing('k', 6)] }, { own: ['k'] }), { settled: ['k'], promised: [], done: true })
})

test('who has accepted the same promises what an old one has promised, and needs nothing more', async () => {
  assert.equal(await takeOver({ n2: [at('k', 5)], n3: [at('k', 5, 7)] }, { own: ['k'] }), { settled: [], promised: [7], done: true })
  assert.equal(await takeOver({ n1: [at('k', 5, 8)], n2: [at('k', 5, 9)], n3: [nothing('k', 20)] }, { own: ['k'] }), { settled: [], promised: [9], done: true })
  assert.equal(await takeOver({ n2: [], n3: [nothing('k', 1)] }), { settled: [], promised: [1], done: true })
})

test('nothing is taken over from a minority, nor after the view is over', async () => {
  assert.equal(await takeOver({ n1: [at('k', 5)] }, { own: ['k'] }), { settled: [], promised: [], done: false })
  assert.equal(await takeOver({ n1: [at('k', 5)], n2: [at('k', 4)], n3: [] }, { settles: false }), { settled: [], promised: [], done: false })
})

test('many keys are taken over page by page, and of a segment only the keys that could not be settled are left', async () => {
  const keys = Array.from({ length: 100 }, (_, i) => `key${i}`)
  const place = (key: string): string => placeOf(key, partitioners.murmur3).diskKey
  const inOrder = [...keys].sort((a, b) => (place(a) < place(b) ? -1 : 1))
  const asked: Stretch[] = []
  // Each old replica tells of another number of keys at a time, and n3 of every second one.
  const told: Record<NodeId, { readonly keys: readonly string[]; readonly atOnce: number }> = { n1: { keys: inOrder, atOnce: 7 }, n2: { keys: inOrder, atOnce: 10 }, n3: { keys: inOrder.filter((_, i) => i % 2 === 0), atOnce: 4 } }
  const gather = async (_: unknown, { to, request }: Gather<Stretch>): Promise<{ replies: readonly Votes[] }> => {
    asked.push(request)
    const { keys: its, atOnce } = told[to[0]!]!
    const inside = its.filter((key) => contains(request, key, partitioners.murmur3))
    return { replies: [[inside.slice(0, atOnce).map((key) => at(key, 5)), inside.length > atOnce ? inside[atOnce - 1]! : null]] }
  }
  const settled: string[] = []
  let stuck: readonly string[] = [inOrder[20]!, inOrder[70]!]
  const [config] = presetConfigs(findPreset('paxos'), ['n1', 'n2', 'n3'], 'token')
  const settle = async (key: string): Promise<void> => {
    if (stuck.includes(key)) throw new StoreError('UNAVAILABLE', 'not now')
    settled.push(key)
  }
  const take = takingOver({ config: config!, partitioner: partitioners.murmur3, rpc: { gather } as unknown as Rpc, storage: holding(inOrder.slice(0, 50)), settle, promise: async () => ABSENT })
  const segment = { range: [0, 2 ** 32] as const, before: ['n1', 'n2', 'n3'], after: ['n2', 'n3', 'n4'] }
  const left = await take([segment], () => false)
  // What the new replica holds needs nothing, except that n3 and whoever answers with it must be covered too.
  assert.equal(settled.sort(), inOrder.slice(50).filter((key) => !stuck.includes(key)).sort())
  assert.equal(left, [{ ...segment, range: [partitioners.murmur3.token(inOrder[70]!), partitioners.murmur3.token(inOrder[70]!) + 1] }])
  assert.ok(asked.length >= 3 * 14 && asked.length <= 3 * 30, `${asked.length} questions`)
  stuck = []
  asked.length = 0
  assert.equal(await take(left, () => false), [])
  assert.equal(asked.map(({ ranges }) => ranges), [1, 2, 3].map(() => [left[0]!.range]))
  assert.is(settled.at(-1), inOrder[70])
})

test('an attempt that is broken off leaves what it has not come to', async () => {
  const keys = Array.from({ length: 40 }, (_, i) => `key${i}`).sort((a, b) => partitioners.murmur3.token(a) - partitioners.murmur3.token(b))
  let answers = 3
  const gather = async (_: unknown, { request }: Gather<Stretch>): Promise<{ replies: readonly Votes[] }> => {
    const inside = keys.filter((key) => contains(request, key, partitioners.murmur3))
    return { replies: answers-- > 0 ? [[inside.slice(0, 10).map((key) => at(key, 5)), inside[9]!]] : [] }
  }
  const [config] = presetConfigs(findPreset('paxos'), ['n1', 'n2', 'n3'], 'token')
  const take = takingOver({ config: config!, partitioner: partitioners.murmur3, rpc: { gather } as unknown as Rpc, storage: holding(keys), settle: async () => undefined, promise: async () => ABSENT })
  const segment = { range: [0, 2 ** 32] as const, before: ['n1', 'n2', 'n3'], after: ['n2', 'n3', 'n4'] }
  assert.equal(await take([segment], () => false), [{ ...segment, range: [partitioners.murmur3.token(keys[9]!), 2 ** 32] }])
})

test.run()
