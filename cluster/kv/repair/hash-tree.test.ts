import { test } from 'uvu'
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { TOKENS, partitioners } from '../partitioner.ts'
import { Ring } from '../ring.ts'
import { ABSENT } from '../versions.ts'
import type { Cell } from '../versions.ts'
import { RangeDigests } from './hash-tree.ts'
import type { SharedTree } from './hash-tree.ts'

const nodes = ['n1', 'n2', 'n3', 'n4', 'n5']
const ring = new Ring({ nodes, replicas: 3, virtualNodes: 64 })
const cell = (counter: number, writer = 'n1.1'): Cell => ({ counter, writer, value: null })

function digestsOf(cells: readonly (readonly [key: string, cell: Cell])[], self = 'n1'): RangeDigests {
  const digests = new RangeDigests(ring, self)
  for (const [key, held] of cells) digests.replace(partitioners.murmur3.token(key), ABSENT, held)
  return digests
}
const rootOf = (digests: RangeDigests): number => digests.shared('n2').digest(digests.shared('n2').depth - 1, 0)!

/** Every digest of a tree, level by level. */
function levelsOf(tree: SharedTree): (number | undefined)[][] {
  return Array.from({ length: tree.depth }, (_, level) => [...new Array(tree.width(level)).keys()].map(i => tree.digest(level, i)))
}

test('every token lies in one leaf, and every leaf within one arc of the ring', () => {
  const digests = new RangeDigests(ring, 'n1')
  let next = 0
  for (let leaf = 0; leaf < digests.leaves; leaf++) {
    const [from, to] = digests.range(leaf)
    assert.is(from, next)
    next = to
    assert.is(digests.leafOf(from), leaf)
    assert.is(digests.leafOf(to - 1), leaf)
    assert.is(ring.arcOf(from), ring.arcOf(to - 1))
  }
  assert.is(next, TOKENS)
})

test('two nodes share exactly the leaves that both are replicas of', () => {
  const digests = new RangeDigests(ring, 'n1')
  const shared = new Set(digests.shared('n2').leaves)
  for (let i = 0; i < 500; i++) {
    const token = partitioners.murmur3.token(`key${i}`)
    const replicas = ring.replicas(token)
    assert.is(shared.has(digests.leafOf(token)), replicas.includes('n1') && replicas.includes('n2'))
  }
})

test('the same cells in any order, over any detour, give the same root', () => {
  const cells = fc.array(fc.tuple(fc.string({ maxLength: 4 }), fc.integer({ min: 1, max: 2 ** 40 })), { maxLength: 30 })
  fc.assert(fc.property(cells, (list) => {
    const distinct = [...new Map(list)].map(([key, counter]) => [key, cell(counter)] as const)
    const detour = digestsOf(distinct.map(([key]) => [key, cell(7, 'n9.9')] as const))
    for (const [key, held] of distinct) detour.replace(partitioners.murmur3.token(key), cell(7, 'n9.9'), held)
    assert.is(rootOf(digestsOf([...distinct].reverse())), rootOf(detour))
  }), { numRuns: 50 })
})

test('one cell that differs changes its leaf and the nodes above it, and nothing else', () => {
  const keys = Array.from({ length: 300 }, (_, i) => `key${i}`)
  const [self, peer] = ring.replicas(partitioners.murmur3.token('key7'))
  const a = digestsOf(keys.map((key) => [key, cell(1)]), self)
  const b = digestsOf(keys.map((key) => [key, cell(key === 'key7' ? 2 : 1)]), self)
  const [left, right] = [a.shared(peer!), b.shared(peer!)]
  const digests = levelsOf(right)
  const differing = levelsOf(left).map((level, at) => [...level.keys()].filter(i => level[i] !== digests[at]![i]))
  assert.equal(differing.map(({ length }) => length), differing.map(() => 1))
  assert.is(left.leaves[differing[0]![0]!], a.leafOf(partitioners.murmur3.token('key7')))
})

test('a tree that is asked for before its cells come equals one that is asked for after', () => {
  const [early, late] = [digestsOf([]), digestsOf([])]
  early.shared('n2')
  for (const digests of [early, late]) for (let i = 0; i < 200; i++) digests.replace(partitioners.murmur3.token(`key${i}`), ABSENT, cell(i + 1))
  assert.equal(levelsOf(early.shared('n2')), levelsOf(late.shared('n2')))
})

test.run()
