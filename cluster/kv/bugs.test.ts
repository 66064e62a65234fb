import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bugNames, bugProblem, bugs } from './bugs.ts'
import type { Bug } from './bugs.ts'
import { presets } from './presets.ts'
import { simulate } from './testing/simulate.ts'
import type { Bench, Simulation } from './testing/simulate.ts'

/** The claim is the bug's; beside it the same scenario must be right without the bug. */
function plants(bug: Bug, claim: string, simulation: Simulation, scenario: (bench: Bench) => Promise<boolean>): void {
  test(`${bug}: ${claim}`, async () => {
    const run = (planted: Bug[]): Promise<boolean> => simulate({ ...simulation, overrides: { anti_entropy_interval_ms: 0, ...simulation.overrides, bugs: planted } }, scenario)
    assert.ok(await run([bug]), 'the bug does not show')
    assert.not.ok(await run([]), 'it goes wrong without the bug as well')
  })
}

plants('no-write-back', 'a read misses what an earlier read returned', { preset: 'abd' }, async (bench) => {
  const others = bench.ids.filter((id) => id !== 'n3')
  // Writes of a node whose messages are mostly lost: some of them reach a minority and no more.
  await bench.cluster.links.lose!(others.map((to) => ({ from: 'n3', to })), 0.8)
  for (let i = 0; i < 40; i++) await bench.write('n3', `k${i}`, i)
  await bench.cluster.links.heal()
  for (let i = 0; i < 40; i++) {
    const held = await bench.held(`k${i}`)
    const without = bench.ids.filter((_, node) => held[node] === null)
    if (without.length < 3 || held[2] !== i) continue
    await bench.partition(without.slice(2), ['n3', ...without.slice(0, 2)])
    const first = await bench.read('n3', `k${i}`)
    await bench.cluster.links.heal()
    await bench.partition(without, bench.ids.filter((id) => !without.includes(id)))
    const second = await bench.read(without[0]!, `k${i}`)
    await bench.cluster.links.heal()
    if (first.value === i && second.type === 'ok' && second.value === null) return true
  }
  return false
})

plants('read-one-replica', 'a minority reads what a majority has replaced', { preset: 'abd' }, async (bench) => {
  await bench.write('n1', 'k', 1)
  await bench.partition(['n1', 'n2'], ['n3', 'n4', 'n5'])
  await bench.write('n3', 'k', 2)
  const { type, value } = await bench.read('n1', 'k')
  return type === 'ok' && value === 1
})

plants('ack-before-replicating', 'a confirmed write is gone with the node that confirmed it', { preset: 'abd' }, async (bench) => {
  await bench.cluster.links.lose!(bench.ids.slice(1).map((to) => ({ from: 'n1', to })), 0.6)
  const confirmed: string[] = []
  for (let i = 0; i < 20; i++) if ((await bench.write('n1', `k${i}`, i)).type === 'ok') confirmed.push(`k${i}`)
  await bench.node('n1').kill()
  const reads = await Promise.all(confirmed.map((key) => bench.client('n2').invoke({ f: 'read', key })))
  return reads.some(({ type, value }) => type === 'ok' && value === null)
})

plants('wall-clock-versions', 'a write is lost to an earlier one of a faster clock', { preset: 'abd' }, async (bench) => {
  bench.node('n1').skewWall(60_000)
  await bench.write('n1', 'k', 'first')
  await bench.write('n2', 'k', 'second')
  return (await bench.read('n3', 'k')).value === 'first'
})

plants('definite-lie', 'a write that certainly failed is read', { preset: 'quorum' }, async (bench) => {
  await bench.partition(['n1', 'n2'], ['n3', 'n4', 'n5'])
  const { type } = await bench.write('n1', 'k', 1)
  await bench.cluster.links.heal()
  return type === 'fail' && (await bench.held('k')).includes(1)
})

for (const bug of ['ack-before-disk', 'skip-fsync'] as const) {
  plants(bug, 'a confirmed write does not survive a power loss', { preset: 'one', nodes: 1 }, async (bench) => {
    for (let i = 0; i < 30; i++) {
      await bench.write('n1', `k${i}`, i)
      await bench.node('n1').powerLoss()
      await bench.node('n1').start()
      if ((await bench.read('n1', `k${i}`)).value !== i) return true
    }
    return false
  })
}

plants('forget-tombstones', 'what was deleted comes back', { preset: 'one', overrides: { anti_entropy_interval_ms: 200 } }, async (bench) => {
  await bench.write('n1', 'k', 1)
  await bench.sleep(100)
  await bench.partition(['n1'], ['n2', 'n3', 'n4', 'n5'])
  await bench.on('n2').invoke({ f: 'delete', key: 'k' })
  await bench.sleep(100)
  await bench.cluster.links.heal()
  await bench.sleep(2000)
  return (await bench.held('k')).includes(1)
})

plants('last-arrival-wins', 'replicas that saw two writes in different orders never agree', { preset: 'one' }, async (bench) => {
  for (let i = 0; i < 20; i++) await Promise.all([bench.write('n1', `k${i}`, 'a'), bench.write('n2', `k${i}`, 'b')])
  await bench.sleep(1000)
  return !(await bench.agree(Array.from({ length: 20 }, (_, i) => `k${i}`)))
})

plants('forget-hints', 'a confirmed write is on no replica of its key', { preset: 'dynamo' }, async (bench) => {
  await bench.partition(['n1', 'n2'], ['n3', 'n4', 'n5'])
  await bench.sleep(500)
  const keys = Array.from({ length: 40 }, (_, i) => `k${i}`)
  for (const key of keys) assert.is((await bench.write('n1', key, 1)).type, 'ok')
  await bench.cluster.links.heal()
  await bench.sleep(2000)
  const held = await Promise.all(keys.map((key) => bench.held(key)))
  return held.some((values) => !values.includes(1))
})

test('a bug can act in the preset that shows it, and not in one without the part that makes the mistake', () => {
  const problem = (bug: Bug, preset: string): string | undefined => bugProblem(bug, presets[preset]!.options(5))
  for (const bug of bugNames) assert.is(problem(bug, bugs[bug].shows.preset), undefined, bug)
  assert.is(problem('ignore-ballot', 'quorum'), 'the bug ignore-ballot is a mistake of paxos, which is not in use here')
  assert.match(problem('unlogged-decision', 'paxos-commit') ?? '', 'a mistake of 2pc')
  assert.is(problem('early-release', 'paxos-commit'), undefined)
})

test('no preset has a planted bug', () => {
  for (const preset of Object.values(presets)) assert.equal(preset.options(5).bugs, [])
})

test.run()
