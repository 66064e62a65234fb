import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seededRandom } from '../random.ts'
import { clients, eachThread, limit, nemesis, onThreads, phases, repeat, reserve, sleep, unfold, type GeneratorSource, type Thread } from './index.ts'
import { invocations, simulate, type SimulatedEvent, type SimulateOptions } from './simulate.ts'

function run(source: GeneratorSource, options: Partial<SimulateOptions> = {}): SimulatedEvent[] {
  return invocations(simulate(source, { threads: 6, nemesis: true, random: seededRandom(1), ...options }))
}
function threadsOf(events: readonly SimulatedEvent[], f: string): Set<Thread> {
  return new Set(events.filter(event => event.f === f).map(({ thread }) => thread))
}

test('onThreads confines a generator to its threads', () => {
  const events = run(onThreads(thread => thread === 1 || thread === 4, limit(20, repeat({ f: 'a' }))))
  assert.equal(threadsOf(events, 'a'), new Set<Thread>([1, 4]))
})

test('clients and nemesis keep apart', () => {
  const events = run(clients(limit(50, repeat({ f: 'read' })), limit(5, repeat({ f: 'kill' }))))
  assert.equal(threadsOf(events, 'read'), new Set<Thread>([0, 1, 2, 3, 4, 5]))
  assert.equal(threadsOf(events, 'kill'), new Set<Thread>(['nemesis']))
  assert.equal(run(nemesis({ f: 'kill' }, { f: 'read' })).length, 2)
})

test('a confined generator hears only of its own threads', () => {
  const heard = new Set<Thread>()
  const ears = unfold({ state: 0, next: (n: number) => (n === 9 ? null : [{ f: 'a' }, n + 1]), observe: (n, { thread }) => (heard.add(thread), n) })
  run(clients(onThreads(thread => thread === 2, ears), limit(9, repeat({ f: 'kill' }))))
  assert.equal([...heard], [2])
})

test('reserve gives each generator its own threads, and the rest to the last', () => {
  const forever = (f: string) => repeat({ f })
  const events = run(clients(limit(200, reserve([[1, forever('a')], [3, forever('b')]], forever('c')))))
  assert.equal(threadsOf(events, 'a'), new Set<Thread>([0]))
  assert.equal(threadsOf(events, 'b'), new Set<Thread>([1, 2, 3]))
  assert.equal(threadsOf(events, 'c'), new Set<Thread>([4, 5]))
})

test('reserve ends when all its generators have ended', () => {
  assert.is(run(clients(reserve([[2, limit(3, repeat({ f: 'a' }))], [0, repeat({ f: 'never' })]], limit(4, repeat({ f: 'b' }))))).length, 7)
})

test('a slow share does not hold up the others', () => {
  const events = run(clients(reserve([[1, limit(2, repeat({ f: 'slow' }))]], limit(50, repeat({ f: 'fast' })))), { latencyNs: ({ f }) => (f === 'slow' ? 1_000_000 : 10) })
  assert.ok(events.findIndex(({ time }) => time >= 1_000_000) >= 50)
})

test('eachThread gives every thread a copy of its own', () => {
  const events = run(clients(eachThread([{ f: 'a' }, { f: 'b' }])))
  for (let thread = 0; thread < 6; thread++) {
    assert.equal(events.filter(event => event.thread === thread).map(({ f }) => f), ['a', 'b'])
  }
})

test('eachThread sleeps per thread', () => {
  const events = run(clients(eachThread([{ f: 'a' }, sleep(1), { f: 'b' }])), { latencyNs: ({ thread }) => 100 * ((thread as number) + 1) })
  assert.equal(events.filter(({ f }) => f === 'b').map(({ thread, time }) => time - 100 * ((thread as number) + 1)), [1e6, 1e6, 1e6, 1e6, 1e6, 1e6])
})

test('phases inside eachThread wait for that thread alone', () => {
  const events = run(clients(eachThread(phases({ f: 'a' }, { f: 'b' }))), { latencyNs: ({ thread }) => 100 * ((thread as number) + 1) })
  assert.equal(events.filter(({ f }) => f === 'b').map(({ time }) => time), [100, 200, 300, 400, 500, 600])
})

test.run()
