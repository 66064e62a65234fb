import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Cluster } from '../cluster/cluster.ts'
import type { System } from '../cluster/system.ts'
import { VirtualClock } from './clock.ts'
import { oneWay, watchDelays } from './delays.ts'

const test = suite('delays between nodes')

/** A question at `asked`, with a peer whose clock is ahead of ours. */
const exchange = (ahead: number) => (asked: number, there: number, back: number) => ({ peer: 'n2', asked, said: asked + there + ahead, returned: asked + there + back })

test("a peer's clock may begin anywhere, once it is known where", () => {
  for (const ahead of [0, 5_000_000, -70]) {
    assert.equal(oneWay([exchange(ahead)(0, 100, 300), exchange(ahead)(1_000, 400, 100)], ahead), { there: [100, 400], back: [300, 100] })
  }
})

test('a message that was quick in one direction only, because a fault ended under way, moves nothing', () => {
  assert.equal(oneWay([exchange(7)(0, 200, 150), exchange(7)(1_000, 180, 1)], 7), { there: [200, 180], back: [150, 1] })
})

test('no message arrives before it was sent, whatever we took the clocks to be', () => {
  assert.equal(oneWay([exchange(7)(0, 2, 30), exchange(7)(1_000, 30, 2)], 100), { there: [0, 28], back: [32, 4] })
})

test('of a peer that never answered us the fastest message there was as fast as the fastest back', () => {
  assert.equal(oneWay([exchange(-70)(0, 100, 300), exchange(-70)(1_000, 400, 100)], NaN), { there: [100, 400], back: [300, 100] })
})

test('a node that joins while others are asked is asked as well', async () => {
  const clock = new VirtualClock()
  const nodes = [{ id: 'n1' }]
  const cluster = { clock, nodes } as unknown as Cluster
  const answer = { ...exchange(0)(0, 2_000_000, 2_000_000) }
  const delays: System['delays'] = { quorums: () => ({ replicas: 1, read_quorum: 1, write_quorum: 1 }), exchange: async () => [answer] }
  const measured = await clock.run(async () => {
    clock.after(60, () => nodes.push({ id: 'n6' }))
    return watchDelays(cluster, { delays } as unknown as System, 200, new AbortController().signal)
  })
  assert.equal(measured, { nodes: 2, replicas: 1, read_quorum: 1, write_quorum: 1, there_ms: Array(6).fill(2), back_ms: Array(6).fill(2) })
})

test.run()
