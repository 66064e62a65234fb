import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { simulate } from '../testing/simulate.ts'

/** Anti-entropy off: what replicas hold is what the protocol put there. */
const quiet = { preset: 'abd', overrides: { anti_entropy_interval_ms: 0 } }

test('a majority reads and writes on, a minority can do neither, and says that nothing happened', () =>
  simulate(quiet, async (bench) => {
    await bench.write('n1', 'k', 1)
    await bench.partition(['n1', 'n2'], ['n3', 'n4', 'n5'])
    assert.equal(await bench.write('n1', 'k', 2), { type: 'fail', error: 'UNAVAILABLE' })
    assert.equal(await bench.read('n2', 'k'), { type: 'fail', error: 'UNAVAILABLE' })
    assert.equal(await bench.write('n3', 'k', 3), { type: 'ok' })
    assert.equal(await bench.read('n4', 'k'), { type: 'ok', value: 3 })
    assert.equal(await bench.held('k'), [1, 1, 3, 3, 3])
  }))

test('a write whose replies are lost at any moment says ok, says that nobody knows, or did not happen', () =>
  simulate(quiet, async (bench) => {
    const seen = new Set<string>()
    for (let i = 0; i < 40; i++) {
      const key = `k${i}`
      const writing = bench.write('n1', key, 1)
      await bench.sleep(0.25 * i)
      await bench.cluster.links.cut(bench.ids.slice(1).map((from) => ({ from, to: 'n1' })))
      const { type } = await writing
      await bench.cluster.links.heal()
      seen.add(type)
      const replicas = (await bench.held(key)).filter((value) => value === 1).length
      if (type === 'ok') assert.ok(replicas >= 3, `confirmed with ${replicas} replicas`)
      if (type === 'fail') assert.is(replicas, 0, 'a write that failed for certain is nowhere')
    }
    assert.equal([...seen].sort(), ['fail', 'info', 'ok'])
  }))

test('a value that a read returned is at a majority: no later read misses it', () =>
  simulate(quiet, async (bench) => {
    await bench.write('n1', 'k', 1)
    await bench.partition(['n1', 'n2'], ['n3', 'n4', 'n5'])
    await bench.write('n3', 'k', 2)
    await bench.cluster.links.heal()
    await bench.partition(['n1', 'n2', 'n3'], ['n4', 'n5'])
    assert.equal(await bench.read('n1', 'k'), { type: 'ok', value: 2 })
    // n3, the only one of them that held 2 before the read, is gone now.
    await bench.cluster.links.heal()
    await bench.node('n3').kill()
    await bench.partition(['n1', 'n2', 'n4'], ['n5'])
    assert.equal(await bench.read('n4', 'k'), { type: 'ok', value: 2 })
  }))

test('two coordinators that write at once leave one value, and every later read agrees on it', () =>
  simulate(quiet, async (bench) => {
    const results = await Promise.all(bench.ids.map((id, i) => bench.write(id, 'k', i)))
    assert.ok(results.every(({ type }) => type === 'ok'))
    const reads = await Promise.all(bench.ids.map((id) => bench.read(id, 'k')))
    assert.is(new Set(reads.map(({ value }) => value)).size, 1)
  }))

test('one coordinator that writes twice at once gives its writes different versions', () =>
  simulate(quiet, async (bench) => {
    const [a, b] = [bench.client('n1'), bench.client('n1')]
    await Promise.all([a.invoke({ f: 'write', key: 'k', value: 'a' }), b.invoke({ f: 'write', key: 'k', value: 'b' })])
    await bench.sleep(100)
    assert.is(new Set(await bench.held('k')).size, 1)
  }))

test('what was confirmed survives a power loss of every node at once', () =>
  simulate(quiet, async (bench) => {
    for (let i = 0; i < 20; i++) assert.equal(await bench.write(bench.ids[i % 5]!, `k${i}`, i), { type: 'ok' })
    await Promise.all(bench.cluster.nodes.map((node) => node.powerLoss()))
    await Promise.all(bench.cluster.nodes.map((node) => node.start()))
    for (let i = 0; i < 20; i++) assert.equal(await bench.read(bench.ids[(i + 1) % 5]!, `k${i}`), { type: 'ok', value: i })
  }))

test('a network that loses a third and doubles a third of its messages costs time, not answers', () =>
  simulate({ ...quiet, sim: { links: { lose: 0.33, duplicate: 0.33 } }, overrides: { deadline_ms: 5000, resend_ms: 20, anti_entropy_interval_ms: 0 }, clientDeadlineMs: 10_000 }, async (bench) => {
    for (let i = 0; i < 50; i++) {
      assert.equal(await bench.write(bench.ids[i % 5]!, 'k', i), { type: 'ok' })
      assert.equal(await bench.read(bench.ids[(i + 2) % 5]!, 'k'), { type: 'ok', value: i })
    }
  }))

test.run()
