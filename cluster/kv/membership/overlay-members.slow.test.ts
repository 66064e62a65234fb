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
  await bench.until(async () => {
    const lists = await Promise.all(bench.ids.map((id) => bench.cluster.membership!.members(id, 1000).catch(() => [])))
    return lists.every((list) => [...list].sort().join() === [...wanted].sort().join())
  }, DEADLINE_MS)
}

/** Whether every key is on three nodes, with its value. */
async function threeHold(bench: Bench, value: number): Promise<boolean> {
  for (const key of keys) {
    const held = await bench.held(key).catch(() => [])
    if (held.length !== 3 || held.some((own) => own !== value)) return false
  }
  return true
}

const writeAll = async (bench: Bench, id: NodeId, value: number): Promise<void> => {
  for (const key of keys) assert.equal(await bench.write(id, key, value), { type: 'ok' })
}
const readsAll = async (bench: Bench, id: NodeId, value: number): Promise<void> => {
  for (const key of keys) assert.equal(await bench.read(id, key), { type: 'ok', value })
}

/** Counts a key up through n1, which does not leave, and reads it through one node after the other. A client of a node that is starting or ending has to go elsewhere. */
async function use(bench: Bench, key: string, begin: number, ended: () => boolean): Promise<{ confirmed: number; answered: number; unavailable: number }> {
  const counts = { confirmed: 0, answered: 0, unavailable: 0 }
  for (let value = 1; !ended(); value++) {
    if ((await bench.client('n1').invoke({ f: 'write', key, value })).type === 'ok') counts.confirmed = value
    const { type, error } = await bench.client(bench.ids[(begin + value) % bench.ids.length]!).invoke({ f: 'read', key })
    if (type === 'ok') counts.answered++
    else if (error === 'UNAVAILABLE') counts.unavailable++
    await bench.sleep(20)
  }
  return counts
}

for (const preset of ['chord', 'leaf-set']) {
  test(`${preset}: what was written before a node joins, leaves or is replaced is read after it, through any node, and held by three`, () =>
    simulate({ preset, spares: 2 }, async (bench) => {
      const { join, leave, replace } = bench.cluster.membership!
      await bench.sleep(2000)
      await writeAll(bench, 'n1', 1)
      await join('n6', DEADLINE_MS)
      await members(bench, ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'])
      await readsAll(bench, 'n6', 1)
      await bench.until(() => threeHold(bench, 1), 10_000)
      await writeAll(bench, 'n6', 2)
      await leave('n2', DEADLINE_MS)
      await members(bench, ['n1', 'n3', 'n4', 'n5', 'n6'])
      await readsAll(bench, 'n3', 2)
      await bench.until(() => threeHold(bench, 2), 10_000)
      await bench.node('n4').kill()
      await replace!('n4', 'n7', DEADLINE_MS)
      await members(bench, ['n1', 'n3', 'n5', 'n6', 'n7'])
      await readsAll(bench, 'n7', 2)
      await bench.until(() => threeHold(bench, 2), 10_000)
      await join('n2', DEADLINE_MS)
      await members(bench, ['n1', 'n2', 'n3', 'n5', 'n6', 'n7'])
      await readsAll(bench, 'n2', 2)
    }))

  for (const seed of [1, 2, 3]) {
    test(`${preset}: while nodes join and leave every read is answered and no confirmed write is lost, seed ${seed}`, () =>
      simulate({ preset, spares: 2, seed }, async (bench) => {
        const { join, leave } = bench.cluster.membership!
        await bench.sleep(2000)
        await writeAll(bench, 'n1', 0)
        let ended = false
        const users = keys.map((key, i) => use(bench, key, i, () => ended))
        await join('n6', DEADLINE_MS)
        await members(bench, ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'])
        await leave('n2', DEADLINE_MS)
        await join('n7', DEADLINE_MS)
        await members(bench, ['n1', 'n3', 'n4', 'n5', 'n6', 'n7'])
        await leave('n3', DEADLINE_MS)
        await members(bench, ['n1', 'n4', 'n5', 'n6', 'n7'])
        ended = true
        const uses = await Promise.all(users)
        assert.ok(uses.reduce((sum, { answered }) => sum + answered, 0) > 500)
        assert.is(uses.reduce((sum, { unavailable }) => sum + unavailable, 0), 0)
        await bench.until(() => bench.agree(keys), 10_000)
        for (const [i, { confirmed }] of uses.entries()) assert.ok(((await bench.read('n7', keys[i]!)).value as number) >= confirmed, `${keys[i]!} was ${confirmed}`)
      }))
  }

  test(`${preset}: nodes that start again find the others, though all whom they were told of at first have left`, () =>
    simulate({ preset, spares: 3 }, async (bench) => {
      const { join, leave } = bench.cluster.membership!
      await bench.sleep(2000)
      await writeAll(bench, 'n1', 1)
      for (const id of ['n6', 'n7', 'n8']) await join(id, DEADLINE_MS)
      await members(bench, ['n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8'])
      for (const id of ['n1', 'n2', 'n3', 'n4']) await leave(id, DEADLINE_MS)
      await members(bench, ['n5', 'n6', 'n7', 'n8'])
      await bench.sleep(2000)
      await bench.node('n5').kill()
      await bench.sleep(2000)
      await bench.node('n5').start()
      await members(bench, ['n5', 'n6', 'n7', 'n8'])
      await readsAll(bench, 'n5', 1)
    }))

  test(`${preset}: who is cut off does not leave before it can hand over, nor joins before it meets somebody`, () =>
    simulate({ preset, spares: 1 }, async (bench) => {
      const { join, leave } = bench.cluster.membership!
      await bench.sleep(2000)
      await writeAll(bench, 'n1', 1)
      await bench.partition(['n5', 'n6'], ['n1', 'n2', 'n3', 'n4'])
      await bench.sleep(2000)
      for (const key of keys) await bench.write('n5', key, 2)
      await leave('n5', 3000).then(() => assert.unreachable('nobody can have what n5 held'), () => undefined)
      const joined = join('n6', DEADLINE_MS)
      await bench.cluster.links.heal()
      await joined
      await leave('n5', DEADLINE_MS)
      await members(bench, ['n1', 'n2', 'n3', 'n4', 'n6'])
      await bench.until(() => threeHold(bench, 2), 10_000)
    }))
}

test('chord: a node that lives hands over what it holds before another comes in its place', () =>
  simulate({ preset: 'chord', spares: 1, overrides: { replicas: 1 } }, async (bench) => {
    await bench.sleep(2000)
    await writeAll(bench, 'n1', 1)
    await bench.cluster.membership!.replace!('n3', 'n6', DEADLINE_MS)
    await members(bench, ['n1', 'n2', 'n4', 'n5', 'n6'])
    // What n6 holds alone now comes from its successor's custody.
    await bench.until(async () => (await Promise.all(keys.map((key) => bench.client('n6').invoke({ f: 'read', key })))).every(({ value }) => value === 1), 10_000)
  }))

test('chord: as long as a node answers nobody takes its place', () =>
  simulate({ preset: 'chord', spares: 1 }, async (bench) => {
    await bench.sleep(2000)
    const connection = await RespConnection.open(bench.cluster, 'n1', 'admin', 3000)
    await connection.ask(['REPLACE', 'n3', 'n6'], 3000).then(() => assert.unreachable('n3 is there'), (error: Error) => assert.match(error.message, /n3 answers/))
    connection.close()
  }))

test.run()
