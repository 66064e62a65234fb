import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { simulate } from '../testing/simulate.ts'

/** A key that is deleted while one replica is cut off for so long. Resolves to what the replicas hold after the heal. */
function deletedMeanwhile(graceMs: number): Promise<unknown[]> {
  return simulate({ preset: 'one', nodes: 3, overrides: { tombstone_grace_ms: graceMs, anti_entropy_interval_ms: 200 } }, async (bench) => {
    await bench.write('n1', 'k', 1)
    await bench.sleep(500)
    await bench.partition(['n1'], ['n2', 'n3'])
    await bench.on('n2').invoke({ f: 'delete', key: 'k' })
    await bench.sleep(3_000)
    await bench.cluster.links.heal()
    await bench.sleep(2_000)
    return bench.held('k')
  })
}

test('a tombstone that outlives the absence of a replica keeps the key deleted', async () => {
  assert.equal(await deletedMeanwhile(60_000), [null, null, null])
})

test('a tombstone that is removed before every replica has heard of it lets the deleted value come back', async () => {
  assert.equal(await deletedMeanwhile(1_000), [1, 1, 1])
})

test('after the grace period nothing is left of a deleted key', () =>
  simulate({ preset: 'one', nodes: 3, overrides: { tombstone_grace_ms: 5_000 } }, async (bench) => {
    await bench.write('n1', 'k', 1)
    await bench.on('n1').invoke({ f: 'delete', key: 'k' })
    const collected = (): Promise<number[]> => Promise.all(bench.ids.map(async (id) => (await bench.stats(id))['tombstones_collected']!))
    await bench.sleep(2_000)
    assert.equal(await collected(), [0, 0, 0])
    await bench.until(async () => (await collected()).every((count) => count > 0), 20_000)
    assert.equal(await bench.held('k'), [null, null, null])
  }))

test.run()
