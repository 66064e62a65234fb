import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { History, type Json } from '../checker/history/index.ts'
import { linearizable } from '../checker/index.ts'
import { clients } from '../harness/generator/index.ts'
import { invocations, simulate, type SimulatedEvent, type SimulateOptions } from '../harness/generator/simulate.ts'
import { seededRandom } from '../harness/random.ts'
import { storeOf, workloadFrom } from './index.ts'
import type { Workload } from './workload.ts'

const MS = 1e6

const named = (text: string): Workload => workloadFrom(text, storeOf({ functions: ['read', 'write', 'cas'], expected: 'linearizable' }))
const register = named('register')

function run(workload: Workload, options: Partial<SimulateOptions> & { readonly rate?: number } = {}): SimulatedEvent[] {
  const random = seededRandom(1)
  const generator = workload.generator({ random: random.fork('workload'), clients: 10, nodes: ['n1'], ...(options.rate === undefined ? {} : { rate: options.rate }) })
  return simulate(clients(generator), { threads: 10, nemesis: true, random, operations: 2000, ...options })
}
const count = (events: readonly SimulatedEvent[], f: string): number => events.filter(event => event.f === f).length

/** One register per key, in memory: answers as a store on one node would, at the moment of completion. */
function registers(): NonNullable<SimulateOptions['answer']> {
  const held = new Map<Json, Json>()
  return ({ f, key, value }) => {
    const current = held.get(key!) ?? null
    if (f === 'read') return { type: 'ok', value: current }
    const [expected, next] = f === 'cas' ? (value as readonly [Json, Json]) : [current, value!]
    if (expected !== current) return { type: 'fail' }
    held.set(key!, next)
    return { type: 'ok' }
  }
}

test('four of five are reads, the rest writes, on all threads', () => {
  const events = invocations(run(register))
  assert.ok(Math.abs(count(events, 'read') - 1600) < 100)
  assert.is(count(events, 'read') + count(events, 'write'), 2000)
  assert.is(new Set(events.map(({ thread }) => thread)).size, 10)
})

test('no value is written twice, under any key', () => {
  const values = invocations(run(register)).filter(({ f }) => f === 'write').map(({ value }) => value)
  assert.is(new Set(values).size, values.length)
})

test('a hundred keys are used, each about as often', () => {
  const events = invocations(run(register, { operations: 20_000 }))
  const names = Array.from({ length: 100 }, (_, i) => `k${i}`)
  for (const name of names) assert.ok(Math.abs(events.filter(({ key }) => key === name).length - 200) < 70)
  assert.equal(new Set(events.map(({ key }) => key)), new Set(names))
})

test('keys are given up for new ones when that is asked for', () => {
  const workload = named('register(keys=2,operations-per-key=100,renewals=3)')
  const events = invocations(run(workload))
  assert.equal(workload.keys({ random: seededRandom(1), clients: 10, nodes: ['n1'] }), ['k0', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7'])
  assert.equal(new Set(events.slice(0, 200).map(({ key }) => key)), new Set(['k0', 'k1']))
  assert.equal(new Set(events.slice(200, 400).map(({ key }) => key)), new Set(['k2', 'k3']))
  assert.equal(new Set(events.slice(600).map(({ key }) => key)), new Set(['k6', 'k7']), 'the last ones stay')
})

test('a rate is that of all clients together, whatever the store takes', () => {
  const events = invocations(run(register, { rate: 500, latencyNs: 15 * MS }))
  assert.ok(Math.abs(events.at(-1)!.time / MS - 4000) < 200)
})

test('every key that is used is among the keys that are read at the end', () => {
  for (const workload of [register, named('register(operations-per-key=10,renewals=2)'), named('cas-register')]) {
    const known = new Set(workload.keys({ random: seededRandom(1), clients: 10, nodes: ['n1'] }))
    assert.ok(invocations(run(workload)).every(({ key }) => known.has(key!)))
  }
})

test('cas-register: compare-and-sets expect what was seen last, so many succeed and some fail', () => {
  const events = run(named('cas-register'), { answer: registers(), latencyNs: ({ thread }) => MS + 1000 * (thread as number) })
  const succeeded = count(events.filter(({ type }) => type === 'ok'), 'cas')
  const failed = count(events.filter(({ type }) => type === 'fail'), 'cas')
  assert.ok(succeeded > 200 && failed > 20, `${succeeded} succeeded, ${failed} failed`)
  assert.is(count(events.filter(({ type }) => type === 'fail'), 'write'), 0)
})

test('cas-register: new values are unique, whether written or set', () => {
  const values = invocations(run(named('cas-register'), { answer: registers() })).flatMap(({ f, value }) => (f === 'read' ? [] : f === 'cas' ? [(value as Json[])[1]] : [value]))
  assert.is(new Set(values).size, values.length)
})

test('cas-register: nothing is expected before anything was seen', () => {
  const first = invocations(run(named('cas-register'), { answer: registers() })).find(({ f }) => f === 'cas')
  assert.type((first!.value as Json[])[0], 'number')
})

/** Whether what a simulation did is linearizable. */
async function verdict(events: readonly SimulatedEvent[]): Promise<string> {
  const history = new History()
  for (const { thread, type, f, key, value, time } of events) history.push({ time, process: thread, type, f, key, value })
  return (await linearizable().judge(history, { faults: [], timeLimitMs: 60_000, memoryLimitMb: 256, elapsedMs: () => 0 })).verdict
}

test('a store with one copy of everything holds, under both workloads', async () => {
  for (const workload of [register, named('cas-register')]) {
    assert.is(await verdict(run(workload, { answer: registers(), latencyNs: ({ thread }) => MS + 1000 * (thread as number) })), 'holds')
  }
})

test('a store that now and then answers a read from a copy that lags is violated, under both workloads', async () => {
  for (const workload of [register, named('cas-register')]) {
    const fresh = registers()
    const lagging = registers()
    let answered = 0
    const answer: NonNullable<SimulateOptions['answer']> = op => {
      const truth = fresh(op)
      if (op.f !== 'read') return ++answered % 3 === 0 ? truth : (lagging(op), truth)
      return answered % 10 === 0 ? lagging(op) : truth
    }
    assert.is(await verdict(run(workload, { answer })), 'violated')
  }
})

test.run()
