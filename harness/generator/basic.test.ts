import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seededRandom } from '../random.ts'
import { concat, from, limit, log, nothing, unfold, type GeneratorSource } from './index.ts'
import { invocations, simulate } from './simulate.ts'

/** Functions and values of what is invoked, in order, on one thread. */
function run(source: GeneratorSource, threads = 1, operations?: number): string[] {
  return invocations(simulate(source, { threads, random: seededRandom(1), operations })).map(({ f, value }) => (value === undefined ? f : `${f} ${JSON.stringify(value)}`))
}

test('an operation stands for itself, once', () => {
  assert.equal(run({ f: 'write', value: 1 }), ['write 1'])
})

test('a list runs in order, lists inside lists too', () => {
  assert.equal(run([{ f: 'a' }, [{ f: 'b' }, []], { f: 'c' }]), ['a', 'b', 'c'])
})

test('nothing is exhausted from the start, and so is what is made of nothing', () => {
  assert.equal(run(nothing), [])
  assert.is(concat(nothing, []), nothing)
  assert.is(limit(3, []), nothing)
})

test('a function is called again until it returns null', () => {
  const source = from(({ time }) => (time < 30 ? { f: 'read', value: time } : null))
  assert.equal(run(source), ['read 0', 'read 10', 'read 20'])
})

test('a function may return generators; each runs to its end first', () => {
  let calls = 0
  const source = from(() => (calls++ < 2 ? [{ f: 'a' }, { f: 'b' }] : null))
  assert.equal(run(source), ['a', 'b', 'a', 'b'])
})

test('a function is not called while no thread is free', () => {
  let calls = 0
  const source = limit(4, () => ({ f: 'read', value: calls++ }))
  assert.equal(run(source, 2), ['read 0', 'read 1', 'read 2', 'read 3'])
  assert.is(calls, 4)
})

test('a function that returns only empty generators is reported instead of looping for ever', () => {
  assert.throws(() => run(() => []), /empty generators/)
})

test('a state unfolds into operations without being changed in place', () => {
  const source = unfold({ state: 1, next: n => (n > 3 ? null : [{ f: 'write', value: n }, n + 1]) })
  assert.equal(run(source), ['write 1', 'write 2', 'write 3'])
  assert.equal(run(source), ['write 1', 'write 2', 'write 3'], 'the generator is a value: a second run starts anew')
})

test('an unfolding generator learns from events', () => {
  const source = unfold({
    state: 0,
    next: (seen: number) => [{ f: 'cas', value: seen }, seen],
    observe: (seen, event) => (event.type === 'ok' ? seen + 1 : seen),
  })
  assert.equal(run(source, 1, 3), ['cas 0', 'cas 1', 'cas 2'])
})

test('an operation with a time waits for it, and keeps it when it comes late', () => {
  const events = invocations(simulate([{ f: 'a', time: 5 }, { f: 'b', time: 7 }], { threads: 1, random: seededRandom(1) }))
  assert.equal(events.map(({ time, meant }) => [time, meant]), [[5, 5], [15, 7]])
})

test('an operation for a thread waits for that thread', () => {
  const events = invocations(simulate([{ f: 'a', thread: 1 }, { f: 'b', thread: 1 }, { f: 'c', thread: 0 }], { threads: 2, random: seededRandom(1) }))
  assert.equal(events.map(({ f, thread, time }) => [f, thread, time]), [['a', 1, 0], ['b', 1, 10], ['c', 0, 10]])
})

test('an operation for a thread that does not exist is refused', () => {
  assert.throws(() => run({ f: 'a', thread: 7 }), /asks for thread 7/)
})

test('words for the log are no operations of the history', () => {
  assert.equal(run([{ f: 'a' }, log('half way'), { f: 'b' }]), ['a', 'b'])
})

test('every invocation and completion is told to the generator', () => {
  const heard: string[] = []
  run(unfold({ state: 0, next: n => [{ f: 'read' }, n], observe: (n, { type }) => (heard.push(type), n) }), 1, 2)
  assert.equal(heard, ['invoke', 'ok', 'invoke', 'ok'])
})

test.run()
