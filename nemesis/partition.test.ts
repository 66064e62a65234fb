import { test } from 'uvu'
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import type { Random } from '../harness/env.ts'
import { seededRandom } from '../harness/random.ts'
import { grudges as byName, oneWay, type Grudge } from './grudges.ts'
import { linksFromTo } from './targets.ts'

const five = ['n1', 'n2', 'n3', 'n4', 'n5']
const grudges = Object.fromEntries(Object.entries(byName).map(([name, make]) => [name, (nodes: readonly string[], random: Random): Grudge => make({ nodes, system: {}, zones: {} }, random)]))
const arrows = (cut: readonly { from: string; to: string }[]): Set<string> => new Set(cut.map((l) => `${l.from}>${l.to}`))

/** The nodes that `node` can hear from and talk to, itself included. */
function sees(node: string, nodes: readonly string[], cut: Set<string>): string[] {
  return nodes.filter((other) => other === node || (!cut.has(`${node}>${other}`) && !cut.has(`${other}>${node}`)))
}

test('majority-minority leaves a majority whole and cuts every link to the rest, both ways', () => {
  const { sides, cut } = grudges['majority-minority']!(five, seededRandom(1))
  assert.is(sides['majority']!.length, 3)
  assert.is(sides['minority']!.length, 2)
  assert.is(cut.length, 12)
  for (const node of sides['majority']!) assert.equal(sees(node, five, arrows(cut)).sort(), [...sides['majority']!].sort())
})

test('in majorities-ring every node sees a majority and no two nodes see the same one', () => {
  fc.assert(fc.property(fc.constantFrom(5, 7, 9, 11), fc.nat(), (size, seed) => {
    const nodes = Array.from({ length: size }, (_, i) => `n${i + 1}`)
    const cut = arrows(grudges['majorities-ring']!(nodes, seededRandom(seed)).cut)
    const views = nodes.map((node) => sees(node, nodes, cut).sort().join())
    return views.every((view) => view.split(',').length > size / 2) && new Set(views).size === size
  }))
})

test('a bridge still sees everyone, and the halves see each other only through it', () => {
  const { sides, cut } = grudges['bridge']!(five, seededRandom(4))
  const [middle] = sides['bridge']!
  assert.is(sees(middle!, five, arrows(cut)).length, 5)
  for (const left of sides['left']!) for (const right of sides['right']!) assert.ok(arrows(cut).has(`${left}>${right}`))
})

test('in a partial partition one node sees a single other, which sees everyone', () => {
  const { sides, cut } = grudges['partial']!(five, seededRandom(3))
  assert.equal(sees(sides['alone']![0]!, five, arrows(cut)).sort(), [...sides['alone']!, ...sides['friend']!].sort())
  assert.is(sees(sides['friend']![0]!, five, arrows(cut)).length, 5)
})

test('one-way cuts what the minority says and nothing that it hears', () => {
  const { sides, cut } = grudges['one-way']!(five, seededRandom(2))
  assert.equal(arrows(cut), arrows(linksFromTo(sides['minority']!, sides['majority']!)))
})

test('in a quorum loss one node sees everyone, and the others see nobody else', () => {
  const { sides, cut } = grudges['quorum-loss']!(five, seededRandom(5))
  const [hub] = sides['hub']!
  assert.is(sees(hub!, five, arrows(cut)).length, 5)
  for (const node of sides['rest']!) assert.equal(new Set(sees(node, five, arrows(cut))), new Set([node, hub]))
})

test('in a constrained election one node is alone, and of the others only one sees a majority', () => {
  const { sides, cut } = grudges['constrained-election']!(five, seededRandom(6))
  assert.equal(sees(sides['alone']![0]!, five, arrows(cut)), sides['alone'])
  assert.is(sees(sides['hub']![0]!, five, arrows(cut)).length, 4)
  for (const node of sides['rest']!) assert.is(sees(node, five, arrows(cut)).length, 2)
})

test('in a chain every node sees its neighbours only', () => {
  const { cut } = grudges['chain']!(five, seededRandom(7))
  assert.equal(five.map((node) => sees(node, five, arrows(cut)).length).sort((a, b) => a - b), [2, 2, 3, 3, 3])
})

test('data centers and racks are islands', () => {
  const zones = { n1: { dc: 'a', rack: 'r1' }, n2: { dc: 'b', rack: 'r1' }, n3: { dc: 'a', rack: 'r2' }, n4: { dc: 'b', rack: 'r2' } }
  const scene = { nodes: Object.keys(zones), system: {}, zones }
  const dcs = arrows(byName['dcs']!(scene, seededRandom(1)).cut)
  assert.equal(sees('n1', scene.nodes, dcs), ['n1', 'n3'])
  const racks = arrows(byName['racks']!(scene, seededRandom(1)).cut)
  assert.equal(sees('n1', scene.nodes, racks), ['n1'])
})

test('one way: out is what the smaller side says, in what it would hear, mixed one of both for each pair', () => {
  const both = grudges['majority-minority']!(five, seededRandom(8))
  const { majority, minority } = both.sides as Record<string, string[]>
  assert.equal(arrows(oneWay(both, 'out', seededRandom(1)).cut), arrows(linksFromTo(minority!, majority!)))
  assert.equal(arrows(oneWay(both, 'in', seededRandom(1)).cut), arrows(linksFromTo(majority!, minority!)))
  const mixed = arrows(oneWay(both, 'mixed', seededRandom(1)).cut)
  assert.is(mixed.size, both.cut.length / 2)
  for (const a of minority!) for (const b of majority!) assert.ok(mixed.has(`${a}>${b}`) !== mixed.has(`${b}>${a}`))
})

test('every grudge is the same for the same seed and never cuts a node from itself', () => {
  fc.assert(fc.property(fc.constantFrom(...Object.keys(grudges)), fc.nat(), fc.integer({ min: 2, max: 9 }), (variant, seed, size) => {
    const nodes = Array.from({ length: size }, (_, i) => `n${i + 1}`)
    const [one, two] = [grudges[variant]!(nodes, seededRandom(seed)), grudges[variant]!(nodes, seededRandom(seed))]
    assert.equal(one, two)
    assert.ok(one.cut.every((l) => l.from !== l.to))
  }))
})

test('every grudge cuts something in every direction that can be asked for, and between two nodes one direction', () => {
  for (const [name, make] of Object.entries(grudges).filter(([one]) => one !== 'dcs' && one !== 'racks')) {
    for (const way of ['out', 'in', 'mixed'] as const) {
      const whole = make(five, seededRandom(5))
      const cut = arrows(oneWay(whole, way, seededRandom(6)).cut)
      assert.ok(cut.size > 0, `${name}, ${way}`)
      assert.is(cut.size, new Set(whole.cut.map(({ from, to }) => [from, to].sort().join())).size)
    }
  }
})

test.run()
