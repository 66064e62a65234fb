import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { presets } from '../presets.ts'
import { simulate } from '../testing/simulate.ts'

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `key${i}`)

for (const preset of ['abd', 'quorum', 'one']) {
  test(`${preset}: replicas that a partition kept apart agree on 300 keys within two intervals of anti-entropy after the heal`, () =>
    simulate({ preset }, async (bench) => {
      await bench.partition(['n1', 'n2'], ['n3', 'n4', 'n5'])
      const sides = [bench.client('n4'), bench.client('n1')]
      await Promise.all(sides.map(async (client, side) => {
        // The minority's clients are told that they can do nothing (abd), or wait and do not know (quorum): a few of them suffice.
        const count = preset === 'one' || side === 0 ? 300 : 3
        for (const key of names(count)) await client.invoke({ f: 'write', key, value: side })
      }))
      await bench.cluster.links.heal()
      assert.ok((await bench.until(() => bench.agree(names(300)), 20_000)) < 2 * presets[preset]!.options(5).anti_entropy_interval_ms)
    }))
}

test('deletions spread, and what was deleted does not come back', () =>
  simulate({ preset: 'one' }, async (bench) => {
    await bench.write('n1', 'k', 1)
    await bench.sleep(50)
    await bench.partition(['n1'], ['n2', 'n3', 'n4', 'n5'])
    await bench.on('n2').invoke({ f: 'delete', key: 'k' })
    await bench.sleep(50)
    assert.equal(await bench.held('k'), [1, null, null, null, null])
    await bench.cluster.links.heal()
    await bench.until(() => bench.agree(['k']), 2000)
    assert.equal(await bench.held('k'), [null, null, null, null, null])
    await bench.sleep(5000)
    assert.equal(await bench.held('k'), [null, null, null, null, null])
  }))

test('a node that was dead catches up after its restart', () =>
  simulate({ preset: 'quorum' }, async (bench) => {
    await bench.node('n5').kill()
    for (const key of names(50)) await bench.write('n1', key, 7)
    await bench.node('n5').start()
    await bench.until(() => bench.agree(names(50)), 10_000)
  }))

test('an empty disk is filled again', () =>
  simulate({ preset: 'one', overrides: { sync: 'never' } }, async (bench) => {
    for (const key of names(40)) await bench.write('n1', key, 1)
    await bench.sleep(1000)
    await bench.node('n3').powerLoss()
    await bench.node('n3').start()
    await bench.until(() => bench.agree(names(40)), 3000)
    assert.equal(await bench.held('key7'), [1, 1, 1, 1, 1])
  }))

test('with fewer replicas than nodes every key converges on its own replicas and nowhere else', () =>
  simulate({ preset: 'one', overrides: { replicas: 3 } }, async (bench) => {
    await bench.partition(['n1', 'n2'], ['n3', 'n4', 'n5'])
    const confirmed: string[] = []
    for (const key of names(60)) if ((await bench.write('n1', key, 1)).type === 'ok') confirmed.push(key)
    assert.ok(confirmed.length > 30)
    await bench.cluster.links.heal()
    await bench.sleep(1500)
    for (const key of confirmed) assert.is((await bench.held(key)).filter((value) => value === 1).length, 3, key)
  }))

test('values that do not fit one exchange arrive in several', () =>
  simulate({ preset: 'one', nodes: 2 }, async (bench) => {
    await bench.partition(['n1'], ['n2'])
    const big = 'x'.repeat(150_000)
    for (const key of names(20)) await bench.write('n1', key, big)
    for (const key of names(20)) await bench.write('n2', `other-${key}`, big)
    await bench.cluster.links.heal()
    await bench.sleep(3000)
    assert.ok(await bench.agree([...names(20), ...names(20).map((key) => `other-${key}`)]))
  }))

test.run()
