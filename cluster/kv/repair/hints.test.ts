import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Bench } from '../testing/simulate.ts'
import { simulate } from '../testing/simulate.ts'

/** Hinted handoff alone: neither anti-entropy nor reads repair anything. */
const alone = { preset: 'dynamo', overrides: { anti_entropy_interval_ms: 0, read_repair: false } }
const keys = Array.from({ length: 40 }, (_, i) => `key${i}`)

async function stat(bench: Bench, id: string, name: string): Promise<number> {
  return (await bench.stats(id))[name]!
}

async function sumOf(bench: Bench, ids: readonly string[], name: string): Promise<number> {
  const all = await Promise.all(ids.map((id) => stat(bench, id, name)))
  return all.reduce((sum, count) => sum + count, 0)
}

test('both sides of a partition write and read once they know who is missing, though neither holds all replicas', () =>
  simulate(alone, async (bench) => {
    await bench.partition(['n1', 'n2'], ['n3', 'n4', 'n5'])
    await bench.sleep(500)
    for (const id of ['n1', 'n4']) {
      for (const key of keys) {
        assert.equal(await bench.write(id, key, `${id} ${key}`), { type: 'ok' })
        assert.equal(await bench.read(id, key), { type: 'ok', value: `${id} ${key}` })
      }
    }
    assert.ok((await sumOf(bench, bench.ids, 'hints_pending')) > 40)
  }))

test('hints are handed over after the heal: then all replicas of a key agree, and no hint is left', () =>
  simulate(alone, async (bench) => {
    await bench.partition(['n1', 'n2'], ['n3', 'n4', 'n5'])
    await bench.sleep(500)
    for (const key of keys) await bench.write('n4', key, key)
    await bench.cluster.links.heal()
    const ms = await bench.until(async () => (await bench.agree(keys)) && (await sumOf(bench, bench.ids, 'hints_pending')) === 0, 3000)
    assert.ok(ms < 1000, `${ms} ms`)
    for (const key of keys) assert.equal(await bench.held(key), [key, key, key])
  }))

test('hints survive the death of the node that keeps them', () =>
  simulate(alone, async (bench) => {
    await bench.node('n5').kill()
    await bench.sleep(500)
    for (const key of keys) assert.equal(await bench.write('n1', key, 1), { type: 'ok' })
    const kept = await sumOf(bench, ['n1', 'n2', 'n3', 'n4'], 'hints_pending')
    assert.ok(kept > 10)
    for (const id of ['n1', 'n2', 'n3', 'n4']) await bench.node(id).powerLoss()
    await Promise.all(bench.cluster.nodes.map((node) => node.start()))
    await bench.until(() => bench.agree(keys), 5000)
    for (const key of keys) assert.equal(await bench.held(key), [1, 1, 1])
  }))

test('a node keeps the newest cell of a key for each replica, not every one', () =>
  simulate(alone, async (bench) => {
    await bench.node('n5').kill()
    await bench.sleep(500)
    for (let i = 0; i < 20; i++) for (const key of keys.slice(0, 5)) await bench.write('n1', key, i)
    assert.ok((await sumOf(bench, ['n1', 'n2', 'n3', 'n4'], 'hints_pending')) <= 5)
    await bench.node('n5').start()
    await bench.until(() => bench.agree(keys.slice(0, 5)), 3000)
    assert.equal(await bench.held('key0'), [19, 19, 19])
  }))

test('a node that keeps enough for others refuses more, and the write is in doubt rather than forgotten', () =>
  simulate({ ...alone, overrides: { ...alone.overrides, hints_max: 3 } }, async (bench) => {
    for (const id of ['n4', 'n5']) await bench.node(id).kill()
    await bench.sleep(500)
    const results = new Set<string>()
    for (const key of keys) results.add((await bench.write('n1', key, 1)).type)
    assert.equal([...results].sort(), ['info', 'ok'])
    for (const id of ['n1', 'n2', 'n3']) assert.ok((await stat(bench, id, 'hints_pending')) <= 3)
  }))

/** One replica for each key, and one other node that stands in for it. */
const pair = { preset: 'dynamo', nodes: 2, overrides: { ...alone.overrides, replicas: 1 } }

test('hints are handed over in the order in which they were kept, also after a restart of their keeper', () =>
  simulate(pair, async (bench) => {
    const held = async (): Promise<number[]> => (await bench.system.peek!(bench.cluster, 'n2', all, 1_000)).flatMap(({ value }) => (value === null ? [] : [value as number]))
    const all = Array.from({ length: 300 }, (_, i) => `key${(i * 7919) % 300}`)
    await bench.node('n2').kill()
    await bench.sleep(500)
    for (const [i, key] of all.entries()) await bench.write('n1', key, i)
    const kept = await stat(bench, 'n1', 'hints_pending')
    assert.ok(kept > 100)
    await bench.node('n1').kill()
    await bench.node('n1').start()
    await bench.node('n2').start()
    // What n2 has got at any time are the oldest of its cells.
    const order: number[][] = [[]]
    await bench.until(async () => {
      order.push(await held())
      return (await stat(bench, 'n1', 'hints_pending')) === 0
    }, 5_000)
    const last = await held()
    assert.is(last.length, kept)
    for (const seen of order) assert.equal(seen, last.slice(0, seen.length))
  }))

test('hints expire: what is too old is not handed over any more', () =>
  simulate({ ...pair, overrides: { ...pair.overrides, hints_ttl_ms: 5_000 } }, async (bench) => {
    await bench.node('n2').kill()
    await bench.sleep(500)
    for (const key of keys.slice(0, 20)) await bench.write('n1', key, 'old')
    await bench.sleep(4_000)
    for (const key of keys.slice(20)) await bench.write('n1', key, 'young')
    await bench.sleep(2_000)
    await bench.node('n2').start()
    await bench.until(async () => (await stat(bench, 'n1', 'hints_pending')) === 0, 5_000)
    const held = (await bench.system.peek!(bench.cluster, 'n2', keys, 1_000)).map(({ value }) => value)
    assert.ok((await stat(bench, 'n1', 'hints_expired')) > 0)
    assert.equal(new Set(held), new Set([null, 'young']))
  }))

test('a read hands the newest cell to the replicas that answered with an older one', () =>
  simulate({ preset: 'dynamo', nodes: 3, overrides: { anti_entropy_interval_ms: 0, sloppy: false, read_quorum: 3 } }, async (bench) => {
    await bench.partition(['n1', 'n2'], ['n3'])
    assert.equal(await bench.write('n1', 'k', 1), { type: 'ok' })
    await bench.cluster.links.heal()
    assert.equal(await bench.held('k'), [1, 1, null])
    assert.equal(await bench.read('n2', 'k'), { type: 'ok', value: 1 })
    await bench.sleep(20)
    assert.equal(await bench.held('k'), [1, 1, 1])
  }))

test('a node that dies is suspected soon, and trusted again when it is back', () =>
  simulate(alone, async (bench) => {
    const before = await stat(bench, 'n1', 'suspected')
    await bench.node('n2').kill()
    await bench.sleep(500)
    const during = await stat(bench, 'n1', 'suspected')
    await bench.node('n2').start()
    await bench.sleep(500)
    assert.equal([before, during, await stat(bench, 'n1', 'suspected')], [0, 1, 0])
  }))

test.run()
