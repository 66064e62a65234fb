import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { NodeId } from '../../../harness/env.ts'
import { RespConnection } from '../../systems/resp-connection.ts'
import { simulate } from '../testing/simulate.ts'
import type { Bench } from '../testing/simulate.ts'

const keys = Array.from({ length: 60 }, (_, i) => `key${i}`)
const DEADLINE_MS = 30_000

/** Waits until every member says that these are the members, and that none are about to change. */
async function members(bench: Bench, wanted: readonly NodeId[]): Promise<void> {
  const { membership } = bench.cluster
  await bench.until(async () => {
    const lists = await Promise.all(bench.ids.map((id) => membership!.members(id, 1000).catch(() => [])))
    return lists.every((list) => [...list].sort().join() === [...wanted].sort().join())
  }, DEADLINE_MS)
}

/** Where there is a primary, one has to be elected first. */
async function served(bench: Bench, id: NodeId): Promise<void> {
  await bench.until(async () => (await bench.read(id, keys[0]!)).type === 'ok', DEADLINE_MS)
}

const writeAll = async (bench: Bench, id: NodeId, value: number): Promise<void> => {
  await served(bench, id)
  for (const key of keys) assert.equal(await bench.write(id, key, value), { type: 'ok' })
}
const readsAll = async (bench: Bench, id: NodeId, value: number): Promise<void> => {
  await served(bench, id)
  for (const key of keys) assert.equal(await bench.read(id, key), { type: 'ok', value })
}

for (const preset of ['abd', 'paxos', 'primary-sync', 'primary-async', 'quorum', 'one', 'dynamo', 'cassandra-quorum']) {
  test(`${preset}: what was written before a node joins, leaves or is replaced is read after it, through any node`, () =>
    simulate({ preset, spares: 2 }, async (bench) => {
      await writeAll(bench, 'n1', 1)
      await bench.cluster.membership!.join('n6', DEADLINE_MS)
      await members(bench, ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'])
      await readsAll(bench, 'n6', 1)
      await writeAll(bench, 'n6', 2)
      await bench.cluster.membership!.leave('n2', DEADLINE_MS)
      await members(bench, ['n1', 'n3', 'n4', 'n5', 'n6'])
      await readsAll(bench, 'n3', 2)
      await bench.node('n4').kill()
      await bench.cluster.membership!.replace!('n4', 'n7', DEADLINE_MS)
      await members(bench, ['n1', 'n3', 'n5', 'n6', 'n7'])
      await readsAll(bench, 'n7', 2)
      await bench.cluster.membership!.join('n2', DEADLINE_MS)
      await members(bench, ['n1', 'n2', 'n3', 'n5', 'n6', 'n7'])
      await readsAll(bench, 'n2', 2)
      await bench.until(() => bench.agree(keys), 10_000)
    }))
}

/** Counts up by compare-and-set through one node after the other, until `ended`. Resolves to how many were confirmed, and how many may have happened. */
async function countUp(bench: Bench, key: string, ended: () => boolean): Promise<{ confirmed: number; perhaps: number }> {
  const counts = { confirmed: 0, perhaps: 0 }
  for (let i = 0; !ended(); i++) {
    const client = bench.client(bench.ids[i % bench.ids.length]!)
    const { type, value } = await client.invoke({ f: 'read', key })
    if (type === 'ok') {
      const { type: result } = await client.invoke({ f: 'cas', key, value: [value as number, (value as number) + 1] })
      if (result === 'ok') counts.confirmed++
      if (result === 'info') counts.perhaps++
    }
    await bench.sleep(10)
  }
  return counts
}

/** Four clients count up under each of these keys while `body` runs; in the end no confirmed step may be missing, and none be there twice. */
async function counting(bench: Bench, counters: readonly string[], body: () => Promise<void>): Promise<void> {
  for (const key of counters) await bench.write('n1', key, 0)
  let ended = false
  const clients = counters.map((key) => Promise.all([1, 2, 3, 4].map(() => countUp(bench, key, () => ended))))
  await body()
  ended = true
  for (const [i, key] of counters.entries()) {
    const counts = await clients[i]!
    const [confirmed, perhaps] = [counts.reduce((sum, one) => sum + one.confirmed, 0), counts.reduce((sum, one) => sum + one.perhaps, 0)]
    const { type, value } = await bench.client(bench.ids[0]!).invoke({ f: 'read', key })
    assert.is(type, 'ok')
    assert.ok((value as number) >= confirmed && (value as number) <= confirmed + perhaps, `${key} is ${value as number} after ${confirmed} steps, and ${perhaps} that may have happened`)
    assert.ok(confirmed > 100, `only ${confirmed} steps were confirmed`)
  }
}

const counters = Array.from({ length: 12 }, (_, i) => `counter${i}`)
const counted = (seed: number) => ({ preset: 'paxos', nodes: 3, spares: 2, seed })

for (const seed of [1, 2, 3]) {
  test(`paxos: what is counted up by compare-and-set while members change and nodes restart is neither lost nor doubled, seed ${seed}`, () =>
    simulate(counted(seed), (bench) => counting(bench, counters, async () => {
      const { membership } = bench.cluster
      const join = membership!.join('n4', DEADLINE_MS)
      await bench.sleep(40 * seed)
      // In the middle of it.
      await bench.node('n2').kill()
      await bench.sleep(200)
      await bench.node('n2').start()
      await join
      await members(bench, ['n1', 'n2', 'n3', 'n4'])
      const second = membership!.join('n5', DEADLINE_MS)
      await bench.sleep(40 * seed)
      await bench.node('n4').kill()
      await bench.node('n4').start()
      await second
      await members(bench, ['n1', 'n2', 'n3', 'n4', 'n5'])
      // Two moves in a row, away from the first leaders.
      await membership!.leave('n1', DEADLINE_MS)
      await membership!.leave('n2', DEADLINE_MS)
      await members(bench, ['n3', 'n4', 'n5'])
      await bench.node('n3').kill()
      await membership!.replace!('n3', 'n1', DEADLINE_MS)
      await members(bench, ['n1', 'n4', 'n5'])
    })))
}

test('paxos: a change that is given up half way leaves the old replicas as they were', () =>
  simulate(counted(1), (bench) => counting(bench, counters, async () => {
    const administer = async (id: NodeId, ...words: readonly string[]): Promise<void> => {
      const connection = await RespConnection.open(bench.cluster, id, 'admin', 3000)
      await connection.ask(words, 3000)
      connection.close()
    }
    // n4 is admitted and never comes.
    await administer('n1', 'ADMIT', 'n4')
    await bench.sleep(500)
    await administer('n2', 'DISMISS', 'n4')
    await members(bench, ['n1', 'n2', 'n3'])
    await bench.sleep(500)
    await bench.cluster.membership!.join('n5', DEADLINE_MS)
    await members(bench, ['n1', 'n2', 'n3', 'n5'])
    await bench.cluster.membership!.leave('n1', DEADLINE_MS)
    await members(bench, ['n2', 'n3', 'n5'])
  })))

test('paxos: what a member promised of keys that are not its own any more goes when the change is done, the rest stays', () =>
  simulate({ preset: 'paxos', nodes: 3, spares: 1 }, async (bench) => {
    // A comparison with what is not there leaves a promise of every replica behind, and no cell.
    for (const key of keys) assert.is((await bench.client('n1').invoke({ f: 'cas', key, value: [1, 2] })).type, 'fail')
    const promises = async (id: NodeId): Promise<number> => (await bench.stats(id))['promises']!
    for (const id of ['n1', 'n2', 'n3']) assert.is(await promises(id), keys.length)
    await bench.cluster.membership!.join('n4', DEADLINE_MS)
    await members(bench, ['n1', 'n2', 'n3', 'n4'])
    await bench.sleep(1000)
    for (const id of ['n1', 'n2', 'n3']) {
      const own = (await bench.system.peek!(bench.cluster, id, keys, 1000)).length
      assert.ok(own < keys.length && own > 20)
      assert.is(await promises(id), own)
    }
    await bench.cluster.membership!.leave('n2', DEADLINE_MS)
    await members(bench, ['n1', 'n3', 'n4'])
    await writeAll(bench, 'n4', 1)
    await readsAll(bench, 'n1', 1)
  }))

for (const preset of ['abd', 'paxos']) {
  test(`${preset}: when members die one after the other and are let go, what three of five had is read from the last two`, () =>
    simulate({ preset, overrides: { anti_entropy_interval_ms: 0 } }, async (bench) => {
      await bench.partition(['n1', 'n2', 'n3'], ['n4', 'n5'])
      await bench.sleep(500)
      await writeAll(bench, 'n1', 1)
      await bench.cluster.links.heal()
      for (const id of ['n1', 'n2', 'n3']) {
        await bench.node(id).kill()
        await bench.cluster.membership!.leave(id, DEADLINE_MS)
      }
      await members(bench, ['n4', 'n5'])
      await readsAll(bench, 'n4', 1)
    }))
}

for (const preset of ['abd', 'paxos']) {
  test(`${preset}: a machine with an empty disk begins in no view that was left, though somebody is in it still`, () =>
    simulate({ preset, nodes: 3, spares: 1 }, async (bench) => {
      await writeAll(bench, 'n1', 1)
      await bench.partition(['n1'], ['n2', 'n3', 'n4'])
      await bench.sleep(500)
      await bench.cluster.membership!.replace!('n3', 'n4', DEADLINE_MS)
      await bench.sleep(1000)
      await writeAll(bench, 'n2', 2)
      await bench.cluster.links.heal()
      // For n1 alone n3 is a member to this day.
      await bench.partition(['n1', 'n3'], ['n2', 'n4'])
      await bench.cluster.membership!.join('n3', 5_000).then(() => assert.unreachable('n3 is a member without knowing what it confirmed'), () => undefined)
      for (const key of keys.slice(0, 4)) assert.is.not((await bench.client('n1').invoke({ f: 'write', key, value: 3 })).type, 'ok')
      await bench.cluster.links.heal()
      await readsAll(bench, 'n4', 2)
    }))
}

test('a member is not taken for gone, and its disk not emptied, by the word of one who was cut off before it joined', () =>
  simulate({ preset: 'abd', spares: 1 }, async (bench) => {
    const { join, leave, members: membersBy } = bench.cluster.membership!
    await bench.partition(['n1'], ['n2', 'n3', 'n4', 'n5', 'n6'])
    await join('n6', DEADLINE_MS)
    await writeAll(bench, 'n6', 1)
    assert.not.ok((await membersBy('n1', 1000)).includes('n6'))
    const left = leave('n6', DEADLINE_MS)
    await bench.sleep(8_000)
    assert.ok(bench.ids.includes('n6'), 'n1 would have to fetch what will be its own first')
    await bench.cluster.links.heal()
    await left
    assert.equal(await membersBy('n2', 1000), ['n1', 'n2', 'n3', 'n4', 'n5'])
    await readsAll(bench, 'n2', 1)
  }))

for (const change of ['dismissed', 'replaced']) {
  test(`paxos: one of the last three who is dead is ${change}, though writes were tried without it`, () =>
    simulate({ preset: 'paxos', spares: 1 }, async (bench) => {
      const { leave, replace } = bench.cluster.membership!
      await writeAll(bench, 'n1', 1)
      await leave('n5', DEADLINE_MS)
      await leave('n4', DEADLINE_MS)
      await members(bench, ['n1', 'n2', 'n3'])
      await bench.node('n3').kill()
      for (const key of keys.slice(0, 4)) for (const id of ['n1', 'n2']) assert.is.not((await bench.client(id).invoke({ f: 'write', key, value: 2 })).type, 'ok')
      await (change === 'dismissed' ? leave('n3', DEADLINE_MS) : replace!('n3', 'n6', DEADLINE_MS))
      await members(bench, change === 'dismissed' ? ['n1', 'n2'] : ['n1', 'n2', 'n6'])
      for (const key of keys.slice(4)) assert.equal(await bench.read('n2', key), { type: 'ok', value: 1 })
      await writeAll(bench, 'n1', 3)
    }))
}

test.run()
