import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { simulate } from '../testing/simulate.ts'
import type { Bench } from '../testing/simulate.ts'

/** The nodes that believe to be the primary. */
async function primaries(bench: Bench): Promise<string[]> {
  const stats = await Promise.all(bench.ids.map(async (id) => [id, await bench.stats(id)] as const))
  return stats.filter(([, { primary }]) => primary === 1).map(([id]) => id)
}

async function elected(bench: Bench): Promise<string> {
  await bench.until(async () => (await primaries(bench)).length === 1, 5_000)
  await bench.sleep(300)
  return (await primaries(bench))[0]!
}

test('one primary is elected, and every node sends it what its clients ask', () =>
  simulate({ preset: 'primary-sync' }, async (bench) => {
    await elected(bench)
    for (const [i, id] of bench.ids.entries()) {
      assert.equal(await bench.write(id, 'k', i), { type: 'ok' })
      assert.equal(await bench.read(bench.ids[(i + 1) % 5]!, 'k'), { type: 'ok', value: i })
    }
    assert.equal(await bench.on('n1').invoke({ f: 'cas', key: 'k', value: [4, 5] }), { type: 'ok' })
    assert.equal(await bench.on('n2').invoke({ f: 'cas', key: 'k', value: [4, 6] }), { type: 'fail', error: 'MISMATCH' })
  }))

test('primary-sync: what was confirmed is there after the primary is gone', () =>
  simulate({ preset: 'primary-sync', overrides: { anti_entropy_interval_ms: 0 } }, async (bench) => {
    for (let round = 0; round < 3; round++) {
      const primary = await elected(bench)
      const other = bench.ids.find((id) => id !== primary)!
      await bench.until(async () => (await bench.write(other, 'first', round)).type === 'ok', 5_000)
      const confirmed: string[] = []
      for (let i = 0; i < 20; i++) if ((await bench.write(other, `k${i}`, round)).type === 'ok') confirmed.push(`k${i}`)
      assert.ok(confirmed.length > 0)
      await bench.node(primary).kill()
      await bench.until(async () => (await bench.read(other, 'first')).type === 'ok', 5_000)
      for (const key of confirmed) assert.equal(await bench.read(other, key), { type: 'ok', value: round })
      await bench.node(primary).start()
    }
  }))

test('primary-sync: a primary that is cut off neither reads nor writes once its lease has ended', () =>
  simulate({ preset: 'primary-sync' }, async (bench) => {
    const primary = await elected(bench)
    await bench.write(primary, 'k', 1)
    const others = bench.ids.filter((id) => id !== primary)
    await bench.partition([primary], others)
    await bench.until(async () => (await bench.write(others[0]!, 'k', 2)).type === 'ok', 5_000)
    assert.is((await bench.read(primary, 'k')).type, 'fail')
    assert.equal(await bench.write(primary, 'k', 3), { type: 'fail', error: 'UNAVAILABLE' })
    assert.equal(await bench.read(others[1]!, 'k'), { type: 'ok', value: 2 })
    await bench.cluster.links.heal()
    await bench.until(() => bench.agree(['k']), 10_000)
    await bench.until(async () => (await bench.read(primary, 'k')).type === 'ok', 5_000)
    assert.equal(await bench.read(primary, 'k'), { type: 'ok', value: 2 })
  }))

test('primary-async: a failover loses confirmed writes, and replicas agree in the end all the same', () =>
  simulate({ preset: 'primary-async' }, async (bench) => {
    const primary = await elected(bench)
    const others = bench.ids.filter((id) => id !== primary)
    await bench.write(primary, 'k', 'old')
    await bench.sleep(50)
    await bench.partition([primary], others)
    assert.equal(await bench.write(primary, 'k', 'new'), { type: 'ok' })
    assert.equal(await bench.write(primary, 'never-seen', 1), { type: 'ok' })
    await bench.until(async () => (await bench.read(others[0]!, 'k')).value === 'old', 5_000)
    assert.equal(await bench.read(primary, 'k'), { type: 'ok', value: 'new' })
    await bench.cluster.links.heal()
    await bench.until(() => bench.agree(['k', 'never-seen']), 20_000)
    assert.equal(await bench.held('k'), Array(5).fill('old'))
    assert.equal(await bench.held('never-seen'), Array(5).fill(1), 'nobody has used this key since')
  }))

test.run()
