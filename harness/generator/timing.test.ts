import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seededRandom } from '../random.ts'
import { andThen, any, clients, concat, cycle, delay, eachThread, limit, nemesis, once, phases, repeat, sleep, stagger, synchronize, timeLimit, type GeneratorSource } from './index.ts'
import { invocations, simulate, type SimulatedEvent, type SimulateOptions } from './simulate.ts'

const MS = 1e6
const reads = repeat({ f: 'read' })

function run(source: GeneratorSource, options: Partial<SimulateOptions> = {}): SimulatedEvent[] {
  return invocations(simulate(source, { threads: 1, random: seededRandom(1), ...options }))
}
const times = (events: readonly SimulatedEvent[]): number[] => events.map(({ time }) => time / MS)

test('delay puts operations exactly so far apart', () => {
  assert.equal(times(run(limit(4, delay(3, reads)))), [0, 3, 6, 9])
})

test('delay is the rate of all threads together', () => {
  assert.equal(times(run(limit(4, delay(3, reads)), { threads: 5, latencyNs: 20 * MS })), [0, 3, 6, 9])
})

test('delay ends with its last operation and does not wait once more', () => {
  const events = run(concat(delay(5, [{ f: 'a' }, { f: 'b' }]), { f: 'end' }), { threads: 2 })
  assert.equal(times(events), [0, 5, 5])
})

test('stagger spaces operations by dt on average, and by at most 2 dt', () => {
  const at = times(run(limit(2000, stagger(2, reads)), { threads: 10 }))
  const gaps = at.slice(1).map((time, i) => time - at[i]!)
  assert.ok(Math.max(...gaps) <= 4)
  assert.ok(Math.abs(at.at(-1)! / 1999 - 2) < 0.1, `${at.at(-1)! / 1999} ms`)
})

test('an operation that finds no free thread keeps the time for which it was meant', () => {
  const events = run(limit(4, delay(1, reads)), { threads: 1, latencyNs: 3 * MS })
  assert.equal(events.map(({ time, meant }) => [time / MS, meant! / MS]), [[0, 0], [3, 1], [6, 2], [9, 3]])
})

test('the schedule catches up after a stall', () => {
  const latencyNs = ({ time }: { time: number }): number => (time === 2 * MS ? 10 * MS : 100)
  const events = run(limit(14, delay(1, reads)), { latencyNs })
  assert.equal(events.map(({ meant }) => meant! / MS), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
  assert.is(events[13]!.time, 13 * MS, 'on time again')
})

test('threads confined to other generators do not hide that an operation is late', () => {
  const events = run(limit(3, delay(1, clients(reads))), { nemesis: true, latencyNs: 3 * MS })
  assert.equal(events.map(({ meant }) => meant! / MS), [0, 1, 2])
})

test('a generator that pauses of its own accord is not late afterwards', () => {
  const events = run(delay(1, [{ f: 'a' }, sleep(50), { f: 'b' }, { f: 'c' }]))
  assert.equal(events.map(({ time, meant }) => [time / MS, meant! / MS]), [[0, 0], [51, 51], [52, 52]])
})

test('sleep lasts from when it is first asked', () => {
  assert.equal(times(run([{ f: 'a' }, sleep(5), { f: 'b' }, sleep(5), { f: 'c' }])), [0, 5, 10])
})

test('a nemesis cycle keeps its rhythm beside busy clients', () => {
  const faults = cycle([sleep(5), { f: 'start' }, sleep(5), { f: 'stop' }])
  const events = run(timeLimit(30, clients(stagger(0.1, reads), faults)), { threads: 3, nemesis: true })
  const strikes = events.filter(({ thread }) => thread === 'nemesis')
  assert.equal(strikes.map(({ f, time }) => [f, Math.round(time / MS)]), [['start', 5], ['stop', 10], ['start', 15], ['stop', 20], ['start', 25]])
})

test('timeLimit lets nothing start after its end', () => {
  const events = run(timeLimit(10, reads), { threads: 3, latencyNs: 3 * MS })
  assert.equal([...new Set(times(events))], [0, 3, 6, 9])
})

test('timeLimit ends on time even when its generator sleeps', () => {
  assert.equal(times(run(concat(timeLimit(10, concat({ f: 'a' }, sleep(100), { f: 'never' })), { f: 'end' }))), [0, 10])
})

test('timeLimit does not start an operation that was meant before its end but is late', () => {
  const events = run(timeLimit(10, delay(1, reads)), { threads: 1, latencyNs: 4 * MS })
  assert.equal(times(events), [0, 4, 8])
})

test('timeLimit counts from its first question, not from the start of the test', () => {
  assert.equal(times(run(concat(sleep(20), timeLimit(5, delay(2, reads))))), [20, 22, 24])
})

test('phases wait for each other', () => {
  const events = simulate(phases(limit(3, repeat({ f: 'a' })), limit(3, repeat({ f: 'b' }))), { threads: 3, random: seededRandom(3), latencyNs: ({ thread }) => (thread as number) * 10 + 10 })
  const order = events.map(({ type, f }) => `${type} ${f}`)
  assert.ok(order.lastIndexOf('ok a') < order.indexOf('invoke b'))
})

test('andThen waits for the first to complete', () => {
  assert.equal(times(run(andThen({ f: 'a' }, { f: 'b' }), { threads: 2, latencyNs: 7 * MS })), [0, 7])
})

test('synchronize waits only for the threads that its generator may use', () => {
  const busyNemesis = nemesis([{ f: 'long' }])
  const work = clients(concat(eachThread(once(reads)), synchronize({ f: 'last' })))
  const events = run(any(busyNemesis, work), { threads: 2, nemesis: true, latencyNs: ({ f }) => (f === 'long' ? 1000 * MS : MS) })
  assert.is(events.find(({ f }) => f === 'last')!.time, MS)
})

test.run()
