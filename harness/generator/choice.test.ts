import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seededRandom } from '../random.ts'
import { any, concat, cycle, filter, flipFlop, fMap, limit, map, mix, once, repeat, sleep, unfold, untilOk, type GeneratorSource, type ReadyOp } from './index.ts'
import { invocations, simulate, type SimulateOptions } from './simulate.ts'

function run(source: GeneratorSource, options: Partial<SimulateOptions> = {}): string[] {
  return invocations(simulate(source, { threads: 1, random: seededRandom(1), ...options })).map(({ f, value }) => (value === undefined ? f : `${f}${JSON.stringify(value)}`))
}

/** a1, a2, a3, ... for ever. */
const counting = (f: string) => unfold({ state: 1, next: n => [{ f, value: n }, n + 1] })

function count(list: readonly string[], f: string): number {
  return list.filter(text => text.startsWith(f)).length
}

test('limit ends after so many operations', () => {
  assert.equal(run(limit(3, counting('a'))), ['a1', 'a2', 'a3'])
})

test('once is a limit of one', () => {
  assert.equal(run(once(counting('a'))), ['a1'])
})

test('mix draws from all, about equally, each in its own order', () => {
  const mixed = run(limit(1000, mix(counting('a'), counting('b'))))
  assert.ok(Math.abs(count(mixed, 'a') - 500) < 80, `${count(mixed, 'a')} of 1000`)
  assert.equal(mixed.filter(text => text.startsWith('a')).slice(0, 3), ['a1', 'a2', 'a3'])
})

test('mix goes on with the others when one has ended, and ends with the last', () => {
  const mixed = run(mix(limit(2, counting('a')), limit(50, counting('b'))))
  assert.is(count(mixed, 'a'), 2)
  assert.is(count(mixed, 'b'), 50)
})

test('mix passes over generators that have nothing ready', () => {
  const mixed = run(limit(20, mix(concat(sleep(1), counting('a')), counting('b'))))
  assert.is(count(mixed, 'b'), 20)
})

test('any takes whichever is ready and lets them take turns', () => {
  assert.equal(run(limit(5, any(counting('a'), counting('b'), counting('c')))), ['a1', 'b1', 'c1', 'a2', 'b2'])
})

test('any serves the soonest while another waits', () => {
  const later = concat(sleep(25e-6), { f: 'later' })
  assert.equal(run(any(later, limit(4, counting('a')))), ['a1', 'a2', 'a3', 'later', 'a4'])
})

test('any does not lose what a waiting generator has already waited', () => {
  const slow = cycle([sleep(30e-6), { f: 'tick' }])
  const events = invocations(simulate(any(slow, counting('a')), { threads: 1, nemesis: true, random: seededRandom(1), operations: 40 }))
  assert.ok(events.filter(({ f }) => f === 'tick').length >= 3)
})

test('flipFlop alternates and ends when the one whose turn it is has ended', () => {
  assert.equal(run(flipFlop(counting('a'), limit(2, counting('b')))), ['a1', 'b1', 'a2', 'b2', 'a3'])
})

test('cycle starts over from the beginning', () => {
  assert.equal(run(cycle([{ f: 'a' }, { f: 'b' }], 2)), ['a', 'b', 'a', 'b'])
  assert.equal(run(limit(3, cycle({ f: 'a' }))), ['a', 'a', 'a'])
})

test('a cycle of nothing ends', () => {
  assert.equal(run(cycle(filter(() => false, limit(2, counting('a'))))), [])
})

test('repeat hands out the first operation again and again', () => {
  assert.equal(run(repeat(counting('a'), 3)), ['a1', 'a1', 'a1'])
})

test('untilOk stops at the first success of one of its own operations', () => {
  const answer = (op: ReadyOp) => ({ type: op.value === 3 ? ('ok' as const) : ('fail' as const) })
  assert.equal(run(untilOk(counting('a')), { answer }), ['a1', 'a2', 'a3'])
})

test('untilOk does not mistake the success of another generator for its own', () => {
  const answer = (op: ReadyOp) => ({ type: op.f === 'other' || op.value === 4 ? ('ok' as const) : ('info' as const) })
  const both = any(untilOk(counting('a')), limit(10, counting('other')))
  assert.is(count(run(both, { answer, threads: 3 }), 'a'), 5, 'a4 succeeds while a5 is under way')
})

test('filter drops operations, and they do not count', () => {
  const even = filter(({ value }) => (value as number) % 2 === 0, counting('a'))
  assert.equal(run(limit(3, even)), ['a2', 'a4', 'a6'])
})

test('map rewrites function and value but neither time nor thread', () => {
  const events = invocations(simulate(map(op => ({ f: 'w', value: [op.value!, 'x'], time: 99, thread: 5 }), limit(1, counting('a'))), { threads: 1, random: seededRandom(1) }))
  assert.equal(events, [{ type: 'invoke', thread: 0, f: 'w', key: undefined, value: [1, 'x'], time: 0, meant: 0 }])
})

test('fMap renames functions outwards, and inwards in events', () => {
  const seen: string[] = []
  const source = unfold({
    state: 0,
    next: n => (n === 2 ? null : [{ f: 'start' }, n + 1]),
    observe: (n, event) => (seen.push(event.f), n),
  })
  assert.equal(run(fMap({ start: 'start-partition' }, source)), ['start-partition', 'start-partition'])
  assert.equal(new Set(seen), new Set(['start']))
})

test.run()
