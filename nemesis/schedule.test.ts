import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseDuration, parseNemesis, planSchedule, refuseOverlaps, resolveFault } from './schedule.ts'

test('a fault without a variant takes the first one', () => {
  assert.equal(parseNemesis('partition,kill(minority)'), [{ fault: 'partition(majority-minority)' }, { fault: 'kill(minority)' }])
})

test('every= and for= belong to the fault before them', () => {
  assert.equal(parseNemesis('pause(one),every=10s,for=500ms'), [{ fault: 'pause(one)', everyMs: 10_000, forMs: 500 }])
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
  assert.throws(() => resolveFault('partitoin'), /There is no fault "partitoin"; choose from partition, kill, pause, slow, delay/)
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

test('no fault outlasts the run', () => {
  assert.equal(planSchedule(parseNemesis('kill,every=4s,for=10m'), 5_000), [{ fault: 'kill(one)', at_ms: 2_000, for_ms: 3_000 }])
})

test.run()
