import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { simulate } from '../testing/simulate.ts'
import type { Bench } from '../testing/simulate.ts'

const keys = Array.from({ length: 40 }, (_, i) => `k${i}`)

async function readable(bench: Bench, from: string, value: (i: number) => number): Promise<boolean> {
  const reads = await Promise.all(keys.map((key) => bench.client(from).invoke({ f: 'read', key })))
  return reads.every(({ type, value: read }, i) => type === 'ok' && read === value(i))
}

/** Whether every key is on its three replicas, with this value, and on nobody else's disk as its own. */
async function settled(bench: Bench, value: (i: number) => number): Promise<boolean> {
  for (const [i, key] of keys.entries()) {
    const held = await bench.held(key).catch(() => [])
    if (held.length !== 3 || held.some((own) => own !== value(i))) return false
  }
  return true
}

/** Whether every key is on exactly three nodes, and all hold the same. */
async function agree(bench: Bench): Promise<boolean> {
  for (const key of keys) {
    const held = await bench.held(key).catch(() => [])
    if (held.length !== 3 || new Set(held).size !== 1) return false
  }
  return true
}

for (const preset of ['chord', 'leaf-set', 'directory-recursive', 'directory-iterative']) {
  test(`${preset}: any node finds what another wrote, and three replicas hold it`, () =>
    simulate({ preset }, async (bench) => {
      await bench.sleep(2_000)
      for (const [i, key] of keys.entries()) assert.is((await bench.write(bench.ids[i % 5]!, key, i)).type, 'ok')
      for (const id of bench.ids) assert.ok(await readable(bench, id, (i) => i), `${id} does not read what was written`)
      await bench.until(() => settled(bench, (i) => i), 10_000)
    }))

  test(`${preset}: both sides of a partition meet again, and the replicas agree`, () =>
    simulate({ preset, seed: 2 }, async (bench) => {
      await bench.sleep(2_000)
      for (const [i, key] of keys.entries()) await bench.write('n1', key, i)
      await bench.partition(['n1', 'n2'], ['n3', 'n4', 'n5'])
      await bench.sleep(3_000)
      const written = await Promise.all(keys.map(async (key, i) => (await bench.client('n3').invoke({ f: 'write', key, value: i + 100 })).type))
      await bench.cluster.links.heal()
      await bench.until(() => agree(bench), 30_000)
      const reads = await Promise.all(keys.map((key) => bench.client('n1').invoke({ f: 'read', key })))
      for (const [i, type] of written.entries()) if (type === 'ok') assert.equal(reads[i], { type: 'ok', value: i + 100 }, `${keys[i]!} was acknowledged`)
    }))

  test(`${preset}: what a dead node held is on three nodes again, and it gets back what is its own when it returns`, () =>
    simulate({ preset, seed: 3, overrides: { replace_after_ms: 1_000 } }, async (bench) => {
      await bench.sleep(2_000)
      for (const [i, key] of keys.entries()) await bench.write('n2', key, i)
      await bench.node('n1').kill()
      const rest = bench.ids.slice(1)
      const three = async (): Promise<boolean> => {
        for (const [i, key] of keys.entries()) {
          const peeks = await Promise.all(rest.map((id) => bench.system.peek!(bench.cluster, id, [key], 1_000).catch(() => [])))
          const held = peeks.flat().filter(({ value }) => value === i)
          if (held.length !== 3) return false
        }
        return true
      }
      await bench.until(three, 30_000)
      await bench.node('n1').start()
      await bench.until(() => settled(bench, (i) => i), 30_000)
      assert.ok(await readable(bench, 'n1', (i) => i))
    }))
}

test.run()
