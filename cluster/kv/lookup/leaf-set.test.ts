import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { VirtualClock, sleep } from '../../../harness/clock.ts'
import { pick, seededRandom } from '../../../harness/random.ts'
import { TOKENS, clockwise, onArc } from '../partitioner.ts'
import { tokenOf } from './chord.ts'
import { LeafSet } from './leaf-set.ts'
import { LightNetwork } from './testing/light-network.ts'

const distance = (node: string, token: number): number => Math.min(clockwise(tokenOf(node), token), clockwise(token, tokenOf(node)))

/** The N nodes that are closest to a token, in truth. */
const closest = (nodes: Iterable<string>, token: number, count: number): string[] => [...nodes].sort((a, b) => distance(a, token) - distance(b, token)).slice(0, count)

/** An overlay of so many nodes that know each other as well as they ever will. */
function overlay(count: number, body: (nodes: Map<string, LeafSet>, network: LightNetwork, clock: VirtualClock) => Promise<void>): Promise<void> {
  const clock = new VirtualClock({ limitMs: 600_000 })
  const random = seededRandom(1)
  const network = new LightNetwork(clock, random.fork('network'))
  const nodes = new Map<string, LeafSet>()
  return clock.run(async () => {
    for (let i = 1; i <= count; i++) {
      const self = `n${i}`
      const seeds = nodes.size === 0 ? [] : [pick(random, [...nodes.keys()])]
      const node = new LeafSet({ self, seeds, replicas: 3, intervalMs: 100, hopDeadlineMs: 50, budgetMs: 1_000, clock, random: random.fork(self), rpc: network.conversation(self) })
      nodes.set(self, node)
      await node.start()
    }
    await sleep(clock, 5_000)
    await body(nodes, network, clock)
  })
}

async function allRight(nodes: ReadonlyMap<string, LeafSet>, lookups: number): Promise<number> {
  const random = seededRandom(2)
  let hops = 0
  for (let i = 0; i < lookups; i++) {
    const token = Math.floor(random.float() * TOKENS)
    const { location, hops: taken } = await nodes.get(pick(random, [...nodes.keys()]))!.route(token, 1_000)
    assert.equal(location.replicas, closest(nodes.keys(), token, 3))
    assert.ok(onArc(token, location.after, location.upTo))
    hops += taken
  }
  return hops / lookups
}

test('a lookup ends at the numerically closest nodes after about as many hops as N has hexadecimal digits', () =>
  overlay(100, async (nodes) => {
    const meanHops = await allRight(nodes, 300)
    assert.ok(meanHops <= Math.log2(100) / 4 + 1, `${meanHops} hops`)
  }))

test('all tokens of the arc that an answer names have the same replicas', () =>
  overlay(5, async (nodes) => {
    for (let i = 0; i < 64; i++) {
      const { location } = await nodes.get('n1')!.route((i * TOKENS) / 64, 1_000)
      for (const token of [(location.after + 2) % TOKENS, (location.upTo + TOKENS - 1) % TOKENS]) assert.equal(closest(nodes.keys(), token, 3).sort(), [...location.replicas].sort())
    }
  }))

test('dead nodes are forgotten and not believed in again', () =>
  overlay(40, async (nodes, network, clock) => {
    for (const dead of [...nodes.keys()].filter((_, i) => i % 2 === 0)) {
      nodes.get(dead)!.stop()
      nodes.delete(dead)
      network.kill(dead)
    }
    await sleep(clock, 15_000)
    await allRight(nodes, 200)
  }))

test.run()
