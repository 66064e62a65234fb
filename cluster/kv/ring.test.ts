import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { TOKENS, partitioners } from './partitioner.ts'
import { Ring } from './ring.ts'

const nodes = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i + 1}`)
const keys = Array.from({ length: 20_000 }, (_, i) => `key-${i}`)
const ring = (count: number, replicas: number): Ring => new Ring({ nodes: nodes(count), replicas, virtualNodes: 256 })
const replicasOf = (r: Ring, key: string): readonly string[] => r.replicas(partitioners.murmur3.token(key))

test('a preference list names N distinct nodes', () => {
  const r = ring(7, 3)
  for (const key of keys.slice(0, 1000)) assert.is(new Set(replicasOf(r, key)).size, 3)
})

test('the order in which nodes are named does not matter', () => {
  const reversed = new Ring({ nodes: nodes(5).reverse(), replicas: 3, virtualNodes: 256 })
  for (const key of keys.slice(0, 1000)) assert.equal(replicasOf(ring(5, 3), key), replicasOf(reversed, key))
})

test('a key belongs to the first place at or after its token, and past the last place to the first', () => {
  const r = ring(3, 1)
  const { tokens } = r
  assert.is(r.arcOf(tokens[5]!), 5)
  assert.is(r.arcOf(tokens[5]! + 1), 6)
  assert.is(r.arcOf(TOKENS - 1), 0)
  assert.is(r.arcOf(0), 0)
})

test('each node is the first replica of its share of the keys, within 15 % of the mean', () => {
  const r = ring(5, 3)
  const load = new Map<string, number>()
  for (const key of keys) load.set(replicasOf(r, key)[0]!, (load.get(replicasOf(r, key)[0]!) ?? 0) + 1)
  const mean = keys.length / 5
  for (const [node, count] of load) assert.ok(Math.abs(count - mean) < 0.15 * mean, `${node} has ${count} of ${keys.length}`)
})

test('one more node takes at most 1.2/N of the keys from the others, and nothing moves between these', () => {
  const before = ring(10, 1)
  const after = ring(11, 1)
  let moved = 0
  for (const key of keys) {
    const [from, to] = [replicasOf(before, key)[0], replicasOf(after, key)[0]]
    if (from === to) continue
    moved++
    assert.is(to, 'n11')
  }
  assert.ok(moved / keys.length < 1.2 / 10, `${moved} of ${keys.length} keys moved`)
})

test.run()
