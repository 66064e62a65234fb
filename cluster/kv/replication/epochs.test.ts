import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { NodeId } from '../../../harness/env.ts'
import { simulate } from '../testing/simulate.ts'
import type { Bench, Simulation } from '../testing/simulate.ts'

const DEADLINE_MS = 60_000
const keys = Array.from({ length: 20 }, (_, i) => `key${i}`)

/** The node that is the primary, and has been for a while. */
async function elected(bench: Bench, among: readonly NodeId[] = bench.ids): Promise<NodeId> {
  const primaries = async (): Promise<NodeId[]> => (await bench.system.primaries!(bench.cluster)).filter((id) => among.includes(id))
  await bench.until(async () => (await primaries()).length === 1, DEADLINE_MS)
  await bench.sleep(300)
  return (await primaries())[0]!
}

/** Anti-entropy off: what replicas hold is what the protocol put there. */
const five: Simulation = { preset: 'primary-sync', overrides: { anti_entropy_interval_ms: 0, deadline_ms: 100, resend_ms: 30 } }
const LEASE_MS = 20_000
/** Nobody is elected before the members have changed twice. */
const patient: Simulation = { ...five, overrides: { ...five.overrides, lease_ms: LEASE_MS } }

/**
 * A majority of five, among them the primary of an epoch that the other two have not heard of, confirms a write. Then the
 * primary is cut off with a lease of that majority and hears of nothing more, and its other two leave.
 */
async function majorityLeaves(bench: Bench): Promise<{ readonly primary: NodeId; readonly others: readonly NodeId[] }> {
  const others = ['n4', 'n5']
  await elected(bench)
  await bench.partition(['n1', 'n2', 'n3'], others)
  for (const id of ['n1', 'n2', 'n3']) {
    await bench.node(id).kill()
    await bench.node(id).start()
  }
  const primary = await elected(bench, ['n1', 'n2', 'n3'])
  const leavers = ['n1', 'n2', 'n3'].filter((id) => id !== primary)
  for (const key of keys) assert.equal(await bench.write(primary, key, 'old'), { type: 'ok' })
  // The other two would vote by now.
  await bench.sleep(LEASE_MS)
  await bench.cluster.links.heal()
  await bench.partition([primary], [...leavers, ...others])
  for (const id of leavers) await bench.cluster.membership!.leave(id, DEADLINE_MS)
  return { primary, others }
}

test('what a majority confirmed is read by a majority of those who stay when most of the first have left', () =>
  simulate(patient, async (bench) => {
    const { others } = await majorityLeaves(bench)
    const [next] = others
    await bench.until(async () => (await bench.read(next!, keys[0]!)).type === 'ok', DEADLINE_MS)
    for (const key of keys) assert.equal(await bench.read(next!, key), { type: 'ok', value: 'old' })
  }))

test('no epoch is won twice, though most of those who voted in it have left', () =>
  simulate(patient, async (bench) => {
    const { primary, others } = await majorityLeaves(bench)
    const before = (await bench.stats(primary))['epoch']!
    const next = await elected(bench, others)
    const after = (await bench.stats(next))['epoch']!
    assert.ok(after > before, `epoch ${after} after ${before}`)
    await bench.cluster.links.heal()
    await bench.until(async () => (await bench.system.primaries!(bench.cluster)).length === 1, DEADLINE_MS)
  }))

test('a lease that a majority gave is honoured by those who were elected by others since, in views that its holder has never heard of', () =>
  simulate(patient, async (bench) => {
    const { primary, others } = await majorityLeaves(bench)
    assert.equal(await bench.read(primary, keys[0]!), { type: 'ok', value: 'old' }, 'the lease lasts, and the views have changed')
    await bench.until(async () => (await bench.write(others[0]!, keys[0]!, 'new')).type === 'ok', DEADLINE_MS)
    assert.is((await bench.read(primary, keys[0]!)).type, 'fail')
  }))

test('a primary that leaves steps down, and knows no primary afterwards', () =>
  simulate({ preset: 'primary-sync', nodes: 3, spares: 1 }, async (bench) => {
    const primary = await elected(bench)
    const others = bench.ids.filter((id) => id !== primary)
    const left = bench.cluster.membership!.leave(primary, DEADLINE_MS)
    await bench.until(async () => (await bench.stats(primary))['epoch_of_members'] === 2, DEADLINE_MS)
    assert.is((await bench.stats(primary))['primary'], 0)
    assert.equal(await bench.write(primary, 'k', 1), { type: 'fail', error: 'UNAVAILABLE' })
    await left
    await bench.until(async () => (await bench.write(others[0]!, 'k', 2)).type === 'ok', DEADLINE_MS)
  }))

test('a new member that holds nothing yet does not stand for election, and its vote alone elects nobody', () =>
  simulate({ ...five, nodes: 3, spares: 1 }, async (bench) => {
    const primary = await elected(bench)
    const others = bench.ids.filter((id) => id !== primary)
    for (const key of keys) assert.equal(await bench.write(primary, key, 'old'), { type: 'ok' })
    // The fourth one is admitted by all, reaches one of them alone, and so fetches too little.
    await bench.partition(['n4'], bench.ids.filter((id) => id !== others[0]))
    const joined = bench.cluster.membership!.join('n4', DEADLINE_MS)
    await bench.sleep(1_000)
    await bench.partition([primary, others[1]!], [others[0]!, 'n4'])
    await bench.sleep(2_000)
    assert.equal((await bench.system.primaries!(bench.cluster)).filter((id) => id !== primary), [])
    assert.is.not((await bench.write(others[0]!, keys[0]!, 'new')).type, 'ok')
    await bench.cluster.links.heal()
    await joined
    await bench.until(async () => (await bench.read('n4', keys[0]!)).type === 'ok', DEADLINE_MS)
    for (const key of keys) assert.equal(await bench.read('n4', key), { type: 'ok', value: 'old' })
  }))

test('primary-async: a primary that leaves loses nothing that it confirmed, before and while it does', () =>
  simulate({ preset: 'primary-async', overrides: { anti_entropy_interval_ms: 0 } }, async (bench) => {
    const primary = await elected(bench)
    const others = bench.ids.filter((id) => id !== primary)
    await bench.cluster.links.delay!(others.map((to) => ({ from: primary, to })), 150, 0)
    const confirmed = new Map<string, number>()
    let leaving: Promise<void> | undefined
    for (let round = 0; leaving === undefined || (await bench.stats(primary).catch(() => ({ primary: 0 })))['primary'] === 1; round++) {
      const key = keys[round % keys.length]!
      if ((await bench.write(primary, key, round)).type === 'ok') confirmed.set(key, round)
      if (round === 100) leaving = bench.cluster.membership!.leave(primary, DEADLINE_MS)
    }
    await leaving
    await bench.cluster.links.heal()
    await bench.until(async () => (await bench.read(others[0]!, keys[0]!)).type === 'ok', DEADLINE_MS)
    for (const [key, value] of confirmed) {
      const read = await bench.read(others[0]!, key)
      assert.ok(read.type === 'ok' && (read.value as number) >= value, `${key} is ${JSON.stringify(read)} after ${value} was confirmed`)
    }
  }))

test.run()
