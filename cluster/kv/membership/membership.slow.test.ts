import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { NodeId } from '../../../harness/env.ts'
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

const writeAll = async (bench: Bench, id: NodeId, value: number): Promise<void> => {
  for (const key of keys) assert.equal(await bench.write(id, key, value), { type: 'ok' })
}
const readsAll = async (bench: Bench, id: NodeId, value: number): Promise<void> => {
  for (const key of keys) assert.equal(await bench.read(id, key), { type: 'ok', value })
}

for (const preset of ['abd', 'quorum', 'one', 'dynamo', 'cassandra-quorum']) {
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

test.run()
