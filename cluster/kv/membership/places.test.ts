import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { NodeId } from '../../../harness/env.ts'
import { partitioners } from '../partitioner.ts'
import { hashedTokens } from '../ring.ts'
import { simulate } from '../testing/simulate.ts'
import { placesByBytes } from './places.ts'
import type { Load } from './places.ts'
import { admitting, firstView, ringOf } from './view.ts'

const choices = { replicas: 1, virtual_nodes: 128, data_centers: 1, racks: 1 }
const nodes = ['n1', 'n2', 'n3', 'n4']
const view = firstView(nodes)
const ring = ringOf(view.members, choices)

/** A tenth of the keys is fifty times as heavy, and all of these lie on one sixteenth of the ring. */
const keys = Array.from({ length: 20_000 }, (_, i) => partitioners.murmur3.token(`key${i}`)).map((token, i) => (i % 10 === 0 ? ([token % 2 ** 28, 5_000] as const) : ([token, 100] as const)))

function loadsOf(): Map<NodeId, Load[]> {
  const loads = new Map<NodeId, Load[]>(nodes.map((node) => [node, []]))
  for (const [token, bytes] of [...keys].sort((a, b) => a[0] - b[0])) loads.get(ring.replicas(token)[0]!)!.push([token, token + 1, bytes])
  return loads
}

function bytesOf(tokens: readonly number[] | null): Map<NodeId, number> {
  const after = ringOf(admitting(view, 'n5', tokens).next!, choices)
  const bytes = new Map<NodeId, number>()
  for (const [token, size] of keys) bytes.set(after.replicas(token)[0]!, (bytes.get(after.replicas(token)[0]!) ?? 0) + size)
  return bytes
}

test('a new member takes its share of the bytes from those that hold most, whatever lies where', () => {
  const total = keys.reduce((sum, [, bytes]) => sum + bytes, 0)
  const tokens = placesByBytes(ring, loadsOf(), 128)!
  assert.ok(tokens.length <= 128)
  const [placed, named] = [bytesOf(tokens), bytesOf(hashedTokens('n5', 128))]
  assert.ok(Math.abs(placed.get('n5')! - total / 5) < 0.05 * (total / 5), `${placed.get('n5')} of ${total}`)
  assert.ok(Math.max(...placed.values()) < Math.max(...named.values()))
})

test('where there is next to nothing, a name is as good a place as any', () => {
  assert.is(placesByBytes(ring, new Map(nodes.map((node) => [node, [[0, 1, 10] as const]])), 128), null)
})

test('a node that joins asks the others what they hold, and stands where most of it is', () =>
  simulate({ preset: 'dynamo', nodes: 4, spares: 1, overrides: { replicas: 1, read_quorum: 1, write_quorum: 1 } }, async (bench) => {
    for (let i = 0; i < 60; i++) await bench.write('n1', `key${i}`, 'x'.repeat(i < 12 ? 20_000 : 100))
    await bench.cluster.membership!.join('n5', 30_000)
    await bench.until(async () => (await bench.cluster.membership!.members('n5', 1000).catch((): string[] => [])).includes('n5'), 30_000)
    const big = Array.from({ length: 12 }, (_, i) => `key${i}`)
    assert.ok((await bench.system.peek!(bench.cluster, 'n5', big, 1000)).length >= 2)
  }))

test.run()
