import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { partitioners } from './partitioner.ts'
import { requirementOf } from './replication/levels.ts'
import { Ring } from './ring.ts'
import { dealtOut, topologyPlacement } from './topology.ts'

const nodes = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i + 1}`)
const keys = Array.from({ length: 300 }, (_, i) => `key${i}`)

function listsOf(count: number, centers: number, racks: number, replicas: number): { lists: readonly (readonly string[])[]; topology: ReturnType<typeof dealtOut> } {
  const topology = dealtOut(nodes(count), centers, racks)
  const ring = new Ring({ nodes: nodes(count), replicas, virtualNodes: 64, placement: topologyPlacement(topology) })
  return { lists: keys.map((key) => ring.replicas(partitioners.murmur3.token(key))), topology }
}

test('every data center holds its share of the replicas', () => {
  const { lists, topology } = listsOf(8, 2, 1, 4)
  for (const list of lists) assert.is(list.filter((node) => topology.dataCenter(node) === 'dc1').length, 2)
})

test('no two replicas in one data center share a rack while there is another', () => {
  const { lists, topology } = listsOf(12, 2, 3, 6)
  for (const list of lists) assert.is(new Set(list.map((node) => topology.rack(node))).size, 6)
})

test('with fewer racks than replicas all racks hold one, and the number of replicas stays', () => {
  const { lists, topology } = listsOf(6, 1, 2, 3)
  for (const list of lists) {
    assert.is(new Set(list).size, 3)
    assert.is(new Set(list.map((node) => topology.rack(node))).size, 2)
  }
})

test('one data center with one rack is the plain ring', () => {
  const plain = new Ring({ nodes: nodes(5), replicas: 3, virtualNodes: 64 })
  const { lists } = listsOf(5, 1, 1, 3)
  for (const [i, key] of keys.entries()) assert.equal(lists[i], plain.replicas(partitioners.murmur3.token(key)))
})

test('a level counts where replicas stand', () => {
  const topology = dealtOut(nodes(6), 2, 1)
  const replicas = nodes(6)
  const local = requirementOf('local-quorum', replicas, topology, 'n1')
  assert.is(local.need, 2)
  assert.not.ok(local.enough!(['n2', 'n4', 'n6', 'n1']))
  assert.ok(local.enough!(['n2', 'n1', 'n3']))
  const each = requirementOf('each-quorum', replicas, topology, 'n1')
  assert.is(each.need, 4)
  assert.not.ok(each.enough!(['n1', 'n3', 'n5', 'n2']))
  assert.ok(each.enough!(['n1', 'n3', 'n2', 'n4']))
  assert.is(requirementOf('quorum', replicas, topology, 'n1').need, 4)
  assert.is(requirementOf('all', replicas, topology, 'n1').need, 6)
})

test.run()
