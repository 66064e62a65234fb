import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { faults } from './index.ts'
import { faultText, resolveFault } from './notation.ts'
import { parseDuration, parseNemesis, planSchedule } from './schedule.ts'
import { parseScheduleFile, refuseOverlaps, refuseStrangers, refuseTooLate, scheduleFile } from './schedule-file.ts'
import { planSwarm } from './swarm.ts'
import { seededRandom } from '../harness/random.ts'

const scene = { nodes: ['n1', 'n2', 'n3', 'n4', 'n5'], system: {}, zones: {} }
const fault = (text: string) => ({ type: 'fault', fault: text })

test('a fault without a variant takes the first one', () => {
  assert.equal(parseNemesis('partition,kill(minority)'), [{ unit: fault('partition(majority-minority)') }, { unit: fault('kill(minority)') }])
})

test('every= and for= belong to the fault before them', () => {
  assert.equal(parseNemesis('pause(one),every=10s,for=500ms'), [{ unit: fault('pause(one)'), everyMs: 10_000, forMs: 500 }])
  assert.equal(planSchedule(parseNemesis('pause(one),every=10s,for=500ms'), 20_000), [
    { fault: 'pause(one)', at_ms: 5_000, for_ms: 500 },
    { fault: 'pause(one)', at_ms: 15_000, for_ms: 500 },
  ])
})

test('none is no fault', () => {
  assert.equal(planSchedule(parseNemesis('none'), 20_000), [])
})

test('faults without a rhythm take turns, and every fault has health before and after it', () => {
  const schedule = planSchedule(parseNemesis('partition,kill'), 20_000)
  assert.equal(schedule.map((s) => s.fault), ['partition(majority-minority)', 'kill(one)'])
  assert.ok(schedule[0]!.at_ms >= 1_000)
  assert.ok(schedule[1]!.at_ms > schedule[0]!.at_ms + schedule[0]!.for_ms)
  assert.ok(schedule[1]!.at_ms + schedule[1]!.for_ms < 20_000)
})

test('what cannot be understood is refused with the choices', () => {
  assert.throws(() => resolveFault('partitoin'), /There is no fault "partitoin"; choose from partition, /)
  assert.throws(() => resolveFault('kill(leader)'), /"kill" has no variant "leader"; choose from one, minority/)
  assert.throws(() => parseNemesis('every=3s'), /has no fault before it/)
  assert.throws(() => parseNemesis('partition,every=0s'), /"every=0s" must be at least 1ms/)
  assert.throws(() => parseNemesis('partition,for=0.4ms'), /"for=0.4ms" must be at least 1ms/)
  assert.throws(() => parseDuration('20'), /"20" is not a duration/)
})

test('faults that would heal each other are refused; links and nodes may be disturbed at once', () => {
  assert.throws(() => refuseOverlaps(planSchedule(parseNemesis('partition,every=4s,for=3s,delay(one),every=4s,for=1s'), 12_000)), /both disturb links at the same time/)
  refuseOverlaps(planSchedule(parseNemesis('partition,every=4s,for=3s,kill,every=4s,for=1s'), 12_000))
  refuseOverlaps(planSchedule(parseNemesis('partition,kill,pause,slow,delay'), 60_000))
})

test('a schedule whose faults all begin after clients have stopped is refused', () => {
  const at = (at_ms: number) => ({ fault: 'kill(one)', at_ms, for_ms: 1_000 })
  assert.throws(() => refuseTooLate([at(7_000), at(5_000)], 5_000), /first fault begins after 5000 ms, and clients work for 5000 ms/)
  refuseTooLate([at(7_000), at(4_999)], 5_000)
  refuseTooLate([], 5_000)
})

test('a rhythm that never comes to strike is refused: the run would pass for one that withstood it', () => {
  assert.throws(() => planSchedule(parseNemesis('partition(one),every=10s'), 5_000), /every=10s strikes first after 5 s, and clients work for 5 s/)
  assert.is(planSchedule(parseNemesis('partition(one),every=10s'), 5_001).length, 1)
})

test('no fault outlasts the run', () => {
  assert.equal(planSchedule(parseNemesis('kill,every=4s,for=10m'), 5_000), [{ fault: 'kill(one)', at_ms: 2_000, for_ms: 3_000 }])
})

test('settings are read, filled in, checked, and written where they differ', () => {
  assert.equal(resolveFault('delay(n1+n3,ms=50)').parameters, { ms: 50, jitter_ms: 180 })
  assert.is(faultText(resolveFault('delay(n1+n3,ms=50,jitter_ms=180)')), 'delay(n1+n3,ms=50)')
  assert.is(faultText(resolveFault('kill(replicas-of(k1))')), 'kill(replicas-of(k1))')
  assert.throws(() => resolveFault('delay(one,ms=fast)'), /"ms=fast": ms of delay is a number from 1 to 60000/)
  assert.throws(() => resolveFault('delay(one,seconds=1)'), /"delay" has no setting "seconds"; choose from ms, jitter_ms/)
  assert.throws(() => resolveFault('partition(one,way=up)'), /way as both, out, in, mixed/)
  assert.throws(() => parseNemesis('kill(one'), /parentheses of "kill\(one" do not match/)
})

test('combinators: at once, one after the other, in turn, one by chance, until healed', () => {
  const plan = (text: string, seed = 1) => planSchedule(parseNemesis(text), 12_000, seededRandom(seed))
  assert.equal(plan('parallel(partition(one),kill),every=12s,for=2s'), [{ fault: 'partition(one)', at_ms: 6_000, for_ms: 2_000 }, { fault: 'kill(one)', at_ms: 6_000, for_ms: 2_000 }])
  assert.equal(plan('sequence(kill,pause),every=12s,for=4s'), [{ fault: 'kill(one)', at_ms: 6_000, for_ms: 1_500 }, { fault: 'pause(one)', at_ms: 8_000, for_ms: 2_000 }])
  assert.equal(plan('alternate(kill,pause),every=3s,for=1s').map((s) => s.fault), ['kill(one)', 'pause(one)', 'kill(one)', 'pause(one)'])
  const mixed = plan('mix(kill,pause),every=1s,for=100ms').map((s) => s.fault)
  assert.equal([...new Set(mixed)].sort(), ['kill(one)', 'pause(one)'])
  assert.equal(mixed, plan('mix(kill,pause),every=1s,for=100ms').map((s) => s.fault))
  assert.equal(plan('partition,every=12s,for=healed'), [{ fault: 'partition(majority-minority)', at_ms: 6_000, for_ms: 6_000 }])
})

test('a schedule file is read back as it was written; a wrong one is refused with the place and the reason', () => {
  const schedule = [{ fault: 'kill(one)', at_ms: 100, for_ms: 50 }]
  assert.equal(parseScheduleFile(JSON.stringify(scheduleFile(schedule, 7)), 'faults.json'), { schema: 'splitbrain-faults/1', seed: 7, faults: schedule })
  const bad = (entries: unknown): string => JSON.stringify({ schema: 'splitbrain-faults/1', faults: entries })
  assert.throws(() => parseScheduleFile('{', 'f.json'), /f\.json is not JSON/)
  assert.throws(() => parseScheduleFile(bad([{ fault: 'kill', at_ms: -1, for_ms: 5 }]), 'f.json'), /f\.json is no schedule:[^]*faults\[0\]\.at_ms/)
  assert.throws(() => parseScheduleFile(bad([{ fault: 'explode', at_ms: 1, for_ms: 5 }]), 'f.json'), /f\.json, faults\[0\]: There is no fault "explode"/)
})

test('a selector that can select nobody is refused before the run', () => {
  const strike = (text: string): void => refuseStrangers([{ fault: text, at_ms: 0, for_ms: 1 }], scene)
  strike('kill(n1+n5)')
  strike('kill(coordinator-of(7))')
  strike('partition(bridge)')
  assert.throws(() => strike('kill(n9)'), /there is no node n9; the nodes are n1/)
  assert.throws(() => strike('kill(primaries)'), /does not say who its primaries are/)
  assert.throws(() => strike('partition(dcs)'), /do not stand in several data centers/)
  assert.throws(() => strike('pause(dc(dc1))'), /no node says in which dc it stands/)
})

test('a swarm is decided by its seed, keeps within the run, and no two of its faults heal each other', () => {
  const mixes = new Set<string>()
  for (let seed = 1; seed <= 60; seed++) {
    const schedule = planSwarm([...faults.values()], 10_000, seededRandom(seed), scene)
    assert.equal(schedule, planSwarm([...faults.values()], 10_000, seededRandom(seed), scene))
    refuseOverlaps(schedule)
    refuseStrangers(schedule, scene)
    for (const { fault: text, at_ms, for_ms } of schedule) {
      assert.is(faultText(resolveFault(text)), text)
      assert.ok(at_ms + for_ms <= 10_000)
    }
    assert.ok(schedule.length > 0)
    mixes.add([...new Set(schedule.map((s) => resolveFault(s.fault).fault.name))].sort().join())
  }
  assert.ok(mixes.size > 30)
})

test.run()
