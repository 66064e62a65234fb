import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { RespConnection } from '../../systems/resp-connection.ts'
import { simulate } from '../testing/simulate.ts'
import type { Bench } from '../testing/simulate.ts'

// dc1 is n1, n3, n5; dc2 is n2, n4, n6.
const east = ['n1', 'n3', 'n5']
const west = ['n2', 'n4', 'n6']
const strict = { sloppy: false, anti_entropy_interval_ms: 0 }

async function says(bench: Bench, id: string, ...commands: string[][]): Promise<unknown> {
  const connection = await RespConnection.open(bench.cluster, id, 'client', 1_000)
  let reply: unknown
  for (const words of commands) reply = await connection.ask(words, 2_000).catch((error: Error) => error.message.split(' ')[0])
  connection.close()
  return reply instanceof Uint8Array ? Buffer.from(reply).toString() : reply
}

test('cassandra-local-quorum: each data center goes on while the other is cut off', () =>
  simulate({ preset: 'cassandra-local-quorum', nodes: 6, overrides: strict }, async (bench) => {
    await bench.partition(east, west)
    assert.equal(await bench.write('n1', 'k', 'east'), { type: 'ok' })
    assert.equal(await bench.read('n3', 'k'), { type: 'ok', value: 'east' })
    assert.equal(await bench.read('n2', 'k'), { type: 'ok', value: null })
  }))

test('cassandra-each-quorum: nothing is confirmed while either data center is cut off', () =>
  simulate({ preset: 'cassandra-each-quorum', nodes: 6, overrides: strict }, async (bench) => {
    assert.equal(await bench.write('n1', 'k', 1), { type: 'ok' })
    await bench.partition(east, west)
    assert.equal(await bench.write('n1', 'k', 2), { type: 'info', error: 'INDETERMINATE' })
    assert.equal(await bench.read('n1', 'k'), { type: 'fail', error: 'UNAVAILABLE' })
  }))

test('a connection chooses the level of its own operations', () =>
  simulate({ preset: 'cassandra-one', nodes: 6, overrides: strict }, async (bench) => {
    await bench.partition(['n1'], bench.ids.slice(1))
    assert.is(await says(bench, 'n1', ['SET', 'k', '1']), 'OK')
    assert.is(await says(bench, 'n1', ['CONSISTENCY', 'quorum'], ['SET', 'k', '2']), 'INDETERMINATE')
    assert.is(await says(bench, 'n1', ['consistency', 'LOCAL_QUORUM'], ['GET', 'k']), 'UNAVAILABLE')
    assert.is(await says(bench, 'n1', ['CONSISTENCY', 'most']), 'ERR')
    assert.is(await says(bench, 'n1', ['CONSISTENCY', 'all'], ['CONSISTENCY', 'default'], ['CONSISTENCY']), 'as configured')
  }))

test('a protocol that has no levels says so', () =>
  simulate({ preset: 'abd' }, async (bench) => {
    assert.is(await says(bench, 'n1', ['CONSISTENCY', 'one']), 'ERR')
  }))

test('level ANY: with all replicas down the coordinator keeps the write, and hands it over when they are back', () =>
  simulate({ preset: 'dynamo', nodes: 6, overrides: { write_level: 'any' } }, async (bench) => {
    await bench.partition(['n1'], bench.ids.slice(1))
    await bench.sleep(1_000)
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
    for (const key of keys) assert.equal(await bench.write('n1', key, 1), { type: 'ok' })
    await bench.cluster.links.heal()
    await bench.until(async () => {
      const held = await Promise.all(keys.map((key) => bench.held(key)))
      return held.every((values) => values.length === 3 && values.every((value) => value === 1))
    }, 10_000)
  }))

test('a speculative read leaves a slow replica alone and does not wait for it', () =>
  simulate({ preset: 'dynamo', nodes: 3, overrides: { speculative: true, anti_entropy_interval_ms: 0, read_repair: false } }, async (bench) => {
    await bench.write('n1', 'k', 1)
    for (let i = 0; i < 40; i++) await bench.read('n1', 'k')
    await bench.cluster.links.delay!([{ from: 'n1', to: 'n2' }], 60, 0)
    const began = bench.clock.now()
    for (let i = 0; i < 100; i++) assert.equal(await bench.read('n1', 'k'), { type: 'ok', value: 1 })
    const meanMs = (bench.clock.now() - began) / 1e6 / 100
    assert.ok(meanMs < 10, `${meanMs} ms`)
  }))

test.run()
