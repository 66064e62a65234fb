import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { History } from '../checker/history/index.ts'
import { judge } from '../checker/judge.ts'
import type { Cluster, ClusterPlan, Driver } from '../cluster/cluster.ts'
import { netnsDriver } from '../cluster/drivers/netns/driver.ts'
import { simDriver } from '../cluster/drivers/sim/driver.ts'
import type { NodeAddresses, System } from '../cluster/system.ts'
import { kvSystem } from '../cluster/systems/kv.ts'
import { VirtualClock } from '../harness/clock.ts'
import { seededRandom } from '../harness/random.ts'
import { matrixRows, tryFault } from './matrix.ts'
import { Nemesis } from './nemesis.ts'
import { impossibility, resolveFault } from './notation.ts'

const nodes = ['n1', 'n2', 'n3', 'n4', 'n5']
const zones = Object.fromEntries(nodes.map((id, i) => [id, { dc: `dc${(i % 2) + 1}`, rack: 'r1' }]))
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
const planOf = (runId: string, dir: string): ClusterPlan => ({ runId, nodes, spares: ['n6'], dir, seed: 1, random: seededRandom(1), log: silent })

async function simulated(system: System, body: (cluster: Cluster, driver: Driver) => Promise<void>): Promise<void> {
  const clock = new VirtualClock()
  const driver = simDriver({ clock })
  await clock.run(async () => {
    const cluster = await driver.start(system, planOf('faults', ''))
    await body(cluster, driver)
    await cluster.stop()
  })
}

test('every fault bites in the simulator, is healed, and leaves the cluster fit for the next', async () => {
  const system = kvSystem({ preset: 'abd' })
  await simulated(system, async (cluster, driver) => {
    const report = await driver.capabilities()
    for (const { fault, text } of matrixRows().filter((row) => impossibility(resolveFault(row.text), report, { nodes, system, zones }) === undefined)) {
      const cell = await tryFault(text, { cluster, system, zones, random: seededRandom(1).fork(text) })
      assert.ok(cell.type === 'tried' && cell.bit && cell.healed, `${fault.name}: ${JSON.stringify(cell)}`)
    }
  })
})

test('a fault that is aimed at the replicas of a key strikes these and no other node', async () => {
  const system = kvSystem({ preset: 'dynamo' })
  await simulated(system, async (cluster) => {
    const holders = await system.replicasOf!(cluster, 'k1')
    assert.is(holders.length, 3)
    const nemesis = new Nemesis({ cluster, system, zones: {}, random: seededRandom(1) })
    const { type, value } = await nemesis.invoke({ f: 'inject', value: { id: 0, fault: 'pause(replicas-of(k1))' } })
    assert.is(type, 'ok')
    assert.equal((value as { targets: string[] }).targets, holders)
    await nemesis.invoke({ f: 'heal', value: { id: 0, fault: '' } })
  })
})

/** Our store, but nodes talk to each other on another port than the one that the packet filters know. */
function elsewhere(system: System): System {
  const moved = (address: string): string => address.replace(/\d+$/, '7999')
  const move = (given: NodeAddresses): NodeAddresses => ({
    ...given,
    listen: { ...given.listen, peer: moved(given.listen.peer) },
    peers: Object.fromEntries(Object.entries(given.peers).map(([id, address]) => [id, moved(address)])),
  })
  return { ...system, nodes: (ids) => system.nodes(ids).map((spec) => ({ ...spec, command: (addresses) => spec.command(move(addresses)) })) }
}

test('an inert fault, a rule for a port that nobody uses, makes the run vacuous: unknown, with the reason', async () => {
  const driver = netnsDriver()
  if (!(await driver.capabilities()).cut.available) return
  const system = elsewhere(kvSystem({ preset: 'abd' }))
  const dir = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-inert-'))
  const cluster = await driver.start(system, planOf(`inert${process.pid}`, dir))
  try {
    const history = new History()
    let time = 0
    const nemesis = new Nemesis({ cluster, system, zones: {}, random: seededRandom(1) })
    for (const f of ['inject', 'heal']) {
      const value = { id: 0, fault: 'partition(one,way=out)' }
      history.push({ time: time++, process: 'nemesis', type: 'invoke', f, value })
      const completion = await nemesis.invoke({ f, value })
      history.push({ time: time++, process: 'nemesis', type: completion.type, f, value: completion.value ?? null })
    }
    const { verdict, reason } = await judge(history, { run: null, promised: 'linearizable' })
    assert.is(verdict, 'unknown')
    assert.match(reason!, /partition\(one,way=out\).* did not bite \(4 of 4 cut links still pass messages/)
  } finally {
    await cluster.stop()
    await rm(dir, { recursive: true, force: true })
  }
})

test.run()
