import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { VirtualClock, sleep } from '../../../harness/clock.ts'
import { seededRandom } from '../../../harness/random.ts'
import type { Clock, Log } from '../../../harness/env.ts'
import type { ClusterPlan } from '../../cluster.ts'
import { ToyConnection, ask, toySystem } from '../testing/toy.ts'
import type { SimCluster, SimOptions } from './driver.ts'
import { simDriver } from './driver.ts'

const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** Runs `body` on a simulated cluster of three toy nodes. */
function simulate<T>(body: (cluster: SimCluster, clock: Clock) => Promise<T>, seed = 1, options: Omit<SimOptions, 'clock'> = {}): Promise<T> {
  const clock = new VirtualClock({ limitMs: 600_000 })
  const plan: ClusterPlan = { runId: 'test', nodes: ['n1', 'n2', 'n3'], dir: '/nowhere', seed, random: seededRandom(seed), log: silent }
  return clock.run(async () => {
    const cluster = await simDriver({ clock, ...options }).start(toySystem(), plan)
    const result = await body(cluster, clock)
    await cluster.stop()
    return result
  })
}

async function fails(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => 'no error', (error: Error) => error.message)
}

const node = (cluster: SimCluster, id: string) => cluster.nodes.find((n) => n.id === id)!
const heard = async (cluster: SimCluster, id: string): Promise<string[]> => JSON.parse(await ask(cluster, id, 'HEARD')) as string[]

test('nodes answer, keep what they are told, and hear each other and themselves', async () => {
  await simulate(async (cluster, clock) => {
    assert.is(await ask(cluster, 'n1', 'SET a 1'), 'OK')
    assert.is(await ask(cluster, 'n1', 'GET a'), '1')
    assert.is(await ask(cluster, 'n2', 'GET a'), 'NIL')
    await ask(cluster, 'n1', 'SEND n2 hello')
    await ask(cluster, 'n1', 'SEND n1 myself')
    await sleep(clock, 50)
    assert.equal(await heard(cluster, 'n2'), ['n1:hello'])
    assert.equal(await heard(cluster, 'n1'), ['n1:myself'])
  })
})

test('a cut is directed: what is under way when it falls is dropped, and the heal brings nothing back', async () => {
  await simulate(async (cluster, clock) => {
    const connection = await ToyConnection.open(cluster, 'n1', 'client', 1_000)
    const sent = connection.ask('SEND n2 under way', 1_000)
    await sleep(clock, 7)
    await cluster.links.cut([{ from: 'n1', to: 'n2' }])
    assert.is(await sent, 'OK')
    await ask(cluster, 'n1', 'SEND n2 lost')
    await ask(cluster, 'n2', 'SEND n1 the other way')
    await sleep(clock, 100)
    assert.not.ok(await cluster.links.probe({ from: 'n1', to: 'n2' }, 200))
    assert.ok(await cluster.links.probe({ from: 'n2', to: 'n1' }, 200))
    await cluster.links.heal()
    assert.ok(await cluster.links.probe({ from: 'n1', to: 'n2' }, 200))
    await ask(cluster, 'n1', 'SEND n2 after')
    await sleep(clock, 100)
    assert.equal((await heard(cluster, 'n2')).filter((text) => !text.includes('probe')), ['n1:after'])
    assert.ok((await heard(cluster, 'n1')).includes('n2:the other way'))
  }, 4, { links: { latencyMs: [5, 5], tailShare: 0 } })
})

test('a stream stalls while its link is cut, goes on after the heal, and the admin port is never disturbed', async () => {
  await simulate(async (cluster, clock) => {
    const connection = await ToyConnection.open(cluster, 'n1', 'client', 1_000)
    await cluster.links.cut([{ from: 'clients', to: 'n1' }])
    const answer = connection.ask('PING', 60_000)
    await sleep(clock, 10_000)
    assert.not.ok(await node(cluster, 'n1').answers(200))
    assert.match(await fails(cluster.dial('n1', 'client', 200)), 'no connection to the client port of n1 within 200 ms')
    assert.is(await ask(cluster, 'n1', 'PING', 500, 'admin'), 'PONG')
    await cluster.links.heal([{ from: 'clients', to: 'n1' }])
    const healed = clock.now()
    assert.is(await answer, 'PONG')
    assert.ok(clock.now() - healed < 100e6)
  })
})

test('a killed node is gone with its memory; its disk stays, and it comes back from it', async () => {
  await simulate(async (cluster, clock) => {
    const n1 = node(cluster, 'n1')
    await ask(cluster, 'n1', 'PUT a unsynced')
    await ask(cluster, 'n2', 'SEND n1 before')
    const connection = await ToyConnection.open(cluster, 'n1', 'client', 1_000)
    await n1.kill()
    assert.is(await n1.state(), 'stopped')
    assert.match(await fails(connection.ask('PING', 1_000)), 'reset by the peer')
    assert.match(await fails(ask(cluster, 'n1', 'PING')), 'n1 refused a connection')
    assert.not.ok(await n1.answers(200))
    await ask(cluster, 'n2', 'SEND n1 to the dead')
    await n1.start()
    assert.is(await n1.state(), 'running')
    assert.is(await ask(cluster, 'n1', 'GET a'), 'unsynced')
    await sleep(clock, 100)
    assert.equal(await heard(cluster, 'n1'), [])
    assert.ok(Number(await ask(cluster, 'n1', 'TICKS')) < 40, 'the timers of the old life do not tick in the new one')
  })
})

test('a message sent to a life does not reach the next one', async () => {
  await simulate(async (cluster, clock) => {
    const connection = await ToyConnection.open(cluster, 'n2', 'client', 1_000)
    const sent = connection.ask('SEND n1 late', 5_000)
    await sent
    await node(cluster, 'n1').kill()
    await node(cluster, 'n1').start()
    await sleep(clock, 5_000)
    assert.equal(await heard(cluster, 'n1'), [])
  }, 1, { links: { latencyMs: [40, 40], tailShare: 0 } })
})

test('a power loss keeps what was synced and may lose a suffix of the rest', async () => {
  const kept = new Set<string>()
  for (let seed = 1; seed <= 30; seed++) {
    const survivors = await simulate(async (cluster) => {
      await ask(cluster, 'n1', 'SET a synced')
      for (const [key, value] of [['b', '1'], ['c', '2'], ['a', 'overwritten']]) await ask(cluster, 'n1', `PUT ${key} ${value}`)
      await node(cluster, 'n1').powerLoss()
      await node(cluster, 'n1').start()
      return Promise.all(['b', 'c', 'a'].map((key) => ask(cluster, 'n1', `GET ${key}`)))
    }, seed)
    kept.add(survivors.join(' '))
  }
  assert.equal([...kept].sort(), ['1 2 overwritten', '1 2 synced', '1 NIL synced', 'NIL NIL synced'])
})

test('a synced write makes all writes before it safe', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    await simulate(async (cluster) => {
      await ask(cluster, 'n1', 'PUT a 1')
      await ask(cluster, 'n1', 'SET b 2')
      await node(cluster, 'n1').powerLoss()
      await node(cluster, 'n1').start()
      assert.is(await ask(cluster, 'n1', 'GET a'), '1')
      assert.is(await ask(cluster, 'n1', 'GET b'), '2')
    }, seed)
  }
})

test('a paused node does nothing, keeps its connections, and catches up in order', async () => {
  await simulate(async (cluster, clock) => {
    const n1 = node(cluster, 'n1')
    const connection = await ToyConnection.open(cluster, 'n1', 'client', 1_000)
    const ticks = Number(await connection.ask('TICKS', 1_000))
    await n1.pause!()
    assert.is(await n1.state(), 'paused')
    assert.not.ok(await n1.answers(500))
    for (const text of ['one', 'two']) {
      await ask(cluster, 'n2', `SEND n1 ${text}`)
      await sleep(clock, 200)
    }
    const answer = connection.ask('TICKS', 20_000)
    await sleep(clock, 3_000)
    await n1.resume!()
    assert.ok(Number(await answer) < ticks + 10, 'no tick while it was paused')
    assert.equal(await heard(cluster, 'n1'), ['n2:one', 'n2:two'])
    assert.is(await n1.state(), 'running')
  })
})

test('a slow node answers later; the whole speed comes back', async () => {
  await simulate(async (cluster, clock) => {
    const slowestMs = async (): Promise<number> => {
      let slowest = 0
      for (let i = 0; i < 20; i++) {
        const start = clock.now()
        assert.ok(await node(cluster, 'n1').answers(5_000))
        slowest = Math.max(slowest, (clock.now() - start) / 1e6)
        await sleep(clock, 7)
      }
      return slowest
    }
    const before = await slowestMs()
    await node(cluster, 'n1').throttle!(0.1)
    assert.is(await node(cluster, 'n1').state(), 'running')
    const during = await slowestMs()
    await node(cluster, 'n1').throttle!(1)
    const after = await slowestMs()
    assert.ok(during > before + 30, `${before} ms, then ${during} ms`)
    assert.ok(after < before + 20, `${before} ms, then ${after} ms`)
    assert.match(await fails(node(cluster, 'n1').throttle!(0)), 'above 0 and at most 1')
  }, 2, { links: { tailShare: 0 } })
})

test('links can delay, lose, double, reorder and limit what they carry', async () => {
  await simulate(async (cluster, clock) => {
    const link = [{ from: 'n1', to: 'n2' }]
    const arrivals = async (count: number): Promise<string[]> => {
      const before = (await heard(cluster, 'n2')).length
      const connection = await ToyConnection.open(cluster, 'n1', 'client', 1_000)
      for (let i = 0; i < count; i++) await connection.ask(`SEND n2 ${i} ${'x'.repeat(100)}`, 1_000)
      connection.close()
      await sleep(clock, 2_000)
      return (await heard(cluster, 'n2')).slice(before).map((text) => text.split(' ')[0]!.slice(3))
    }
    const numbers = Array.from({ length: 100 }, (_, i) => String(i))
    assert.equal((await arrivals(100)).sort(), [...numbers].sort())

    await cluster.links.delay!(link, 300, 10)
    assert.not.ok(await cluster.links.probe(link[0]!, 250))
    assert.ok(await cluster.links.probe(link[0]!, 500))
    await cluster.links.heal(link)
    assert.ok(await cluster.links.probe(link[0]!, 250))

    await cluster.links.lose!(link, 0.5)
    const left = (await arrivals(100)).length
    assert.ok(left > 25 && left < 75, `${left} of 100 arrived`)
    await cluster.links.heal()

    await cluster.links.duplicate!(link, 0.5)
    const doubled = await arrivals(100)
    assert.ok(doubled.length > 125 && new Set(doubled).size === 100)
    await cluster.links.heal()

    await cluster.links.reorder!(link, 0.3, 100)
    const order = await arrivals(100)
    assert.is(order.length, 100)
    assert.not.equal(order, [...numbers])
    await cluster.links.heal()

    await cluster.links.limit!(link, 2_000)
    const start = clock.now()
    const limited = arrivals(30)
    await sleep(clock, 1_000)
    const arrived = (await heard(cluster, 'n2')).length
    await limited
    assert.ok((await heard(cluster, 'n2')).length > arrived, 'what is beyond the bandwidth waits')
    assert.ok(clock.now() > start)
  }, 3)
})

test('wall clocks can be skewed one by one, and monotonic time starts anew with every life', async () => {
  const clock = new VirtualClock()
  const walls = new Map<string, Clock>()
  await clock.run(async () => {
    const toy = toySystem()
    const system = { ...toy, nodes: (ids: readonly string[]) => toy.nodes(ids).map((spec) => ({
      ...spec,
      start: (env: Parameters<NonNullable<typeof spec.start>>[0], token: string) => {
        walls.set(spec.id, env.clock)
        return spec.start!(env, token)
      },
    })) }
    const cluster = await simDriver({ clock }).start(system, { runId: 'test', nodes: ['n1', 'n2'], dir: '', seed: 1, random: seededRandom(1), log: silent })
    cluster.nodes[0]!.skewWall(-5_000)
    await sleep(clock, 1_000)
    assert.is(walls.get('n2')!.wall() - walls.get('n1')!.wall(), 5_000)
    await cluster.nodes[0]!.kill()
    await cluster.nodes[0]!.start()
    assert.ok(walls.get('n1')!.now() < 100e6)
    await cluster.stop()
  })
})

test('the same seed gives the same run, event for event; another seed another', async () => {
  const trace = (seed: number): Promise<string> => simulate(async (cluster, clock) => {
    const seen: string[] = []
    const talk = async (id: string): Promise<void> => {
      for (let i = 0; i < 40; i++) {
        const answer = await ask(cluster, id, ['PUT k v', 'GET k', 'SEND n1 x', 'HEARD', 'TICKS'][i % 5]!, 300).catch((error: Error) => error.message)
        seen.push(`${clock.now()} ${id} ${answer}`)
        await sleep(clock, 5)
      }
    }
    const faults = async (): Promise<void> => {
      await sleep(clock, 100)
      await cluster.links.cut([{ from: 'n2', to: 'n1' }, { from: 'clients', to: 'n3' }])
      await node(cluster, 'n2').powerLoss()
      await sleep(clock, 100)
      await node(cluster, 'n2').start()
      await node(cluster, 'n1').throttle!(0.2)
      await cluster.links.heal()
    }
    await Promise.all([talk('n1'), talk('n2'), talk('n3'), faults()])
    return seen.join('\n')
  }, seed)
  const first = await trace(1)
  assert.is(await trace(1), first)
  assert.is.not(await trace(2), first)
})

test('a node that never starts is an error with its name, and nothing is left running', async () => {
  const clock = new VirtualClock()
  const toy = toySystem()
  const system = { ...toy, nodes: (ids: readonly string[]) => toy.nodes(ids).map((spec) => ({ ...spec, start: () => new Promise<never>(() => undefined) })) }
  const plan: ClusterPlan = { runId: 'test', nodes: ['n1'], dir: '', seed: 1, random: seededRandom(1), log: silent }
  assert.is(await clock.run(() => fails(simDriver({ clock }).start(system, plan))), 'n1 did not start within 10000 ms')
})

test.run()
