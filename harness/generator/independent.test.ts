import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seededRandom } from '../random.ts'
import { clients, concurrentKeys, eachThread, limit, phases, repeat, sequentialKeys, type GeneratorSource } from './index.ts'
import { invocations, simulate, type SimulatedEvent, type SimulateOptions } from './simulate.ts'

function run(source: GeneratorSource, options: Partial<SimulateOptions> = {}): SimulatedEvent[] {
  return invocations(simulate(source, { threads: 4, nemesis: true, random: seededRandom(1), ...options }))
}
const reads = (count: number) => limit(count, repeat({ f: 'read' }))

test('sequential keys come one after the other', () => {
  assert.equal(run(clients(sequentialKeys(['a', 'b'], () => reads(3)))).map(({ key }) => key), ['a', 'a', 'a', 'b', 'b', 'b'])
})

test('keys may be endless', () => {
  assert.equal(run(clients(sequentialKeys(index => index, () => reads(1))), { operations: 4 }).map(({ key }) => key), [0, 1, 2, 3])
})

test('the generator of a key may depend on the key, and be empty', () => {
  assert.equal(run(clients(sequentialKeys([1, 0, 2], key => reads(key as number)))).map(({ key }) => key), [1, 2, 2])
})

test('each group of threads works on keys of its own, all at the same time', () => {
  const events = run(clients(concurrentKeys(2, index => (index < 6 ? index : undefined), () => reads(10))))
  assert.is(events.length, 60)
  for (const { key, thread } of events) assert.is((key as number) % 2, (thread as number) < 2 ? 0 : 1, `thread ${thread}`)
  assert.is(new Set(events.slice(0, 4).map(({ key }) => key)).size, 2)
})

test('a group goes on to its next key without waiting for the other groups', () => {
  const events = run(clients(concurrentKeys(2, [0, 1, 2, 3], () => reads(4))), { latencyNs: ({ thread }) => ((thread as number) < 2 ? 10 : 1000) })
  assert.ok(events.findIndex(({ key }) => key === 2) < events.findIndex(({ key, time }) => key === 1 && time > 0))
})

test('phases and copies inside a key see only the threads of its group', () => {
  const events = run(clients(concurrentKeys(2, ['a', 'b'], () => phases(eachThread({ f: 'write' }), { f: 'read' }))))
  assert.equal(new Set(events.filter(({ key, f }) => key === 'a' && f === 'write').map(({ thread }) => thread)), new Set([0, 1]))
  assert.is(events.filter(({ f }) => f === 'read').length, 2)
})

test('threads that do not divide into groups are refused', () => {
  assert.throws(() => run(clients(concurrentKeys(3, ['a'], () => reads(1)))), /groups of 3/)
})

test.run()
