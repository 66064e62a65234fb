/** The monitor says what `check` says, and says it at the response that breaks the history. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { check } from './check.ts'
import { History } from './history.ts'
import { models } from './models.ts'
import { createMonitor } from './monitor.ts'
import { drawn } from './testing/notation.ts'
import { chance, randomHistory } from './testing/random-history.ts'
import type { Event, EventType, Json } from './history.ts'
import type { Model } from './model.ts'

const model = models.register()

test('it remembers the open window only', async () => {
  const history = randomHistory(model, { operations: 20_000, processes: 10, crashed: 0, wrong: 0, values: 0, keys: 1, ties: false }, chance(7))
  const monitor = createMonitor({ model, record: false })
  let most = 0
  for (let row = 0; row < history.length; row++) {
    assert.is(monitor.push(history.event(row)), undefined)
    most = Math.max(most, monitor.remembered)
  }
  assert.ok(most < 500, `remembered ${most}`)
  assert.is((await monitor.finish()).verdict, 'holds')
})

test('the same where one compare-and-set follows the other, and where a window must do', async () => {
  for (const [judged, events] of [[models.casRegister(), 20_000], [models.counter(), 2_000]] as const) {
    const history = new History()
    const call = (f: string, input: Json, output: Json): void => {
      history.push({ time: history.length, process: 0, type: 'invoke', f, value: input })
      history.push({ time: history.length, process: 0, type: 'ok', f, value: output })
    }
    const [f, argument] = judged.name === 'counter' ? (['add', (): Json => 1] as const) : (['cas', (i: number): Json => [i === 0 ? null : i, i + 1]] as const)
    for (let i = 0; i < events; i++) call(f, argument(i), argument(i))
    call('read', null, events)
    const monitor = createMonitor({ model: judged, record: false })
    for (let row = 0; row < history.length; row++) assert.is(monitor.push(history.event(row)), undefined)
    assert.ok(monitor.remembered < 300, `remembered ${monitor.remembered}`)
    assert.is((await monitor.finish()).verdict, 'holds')
  }
})

test('of two equal operations that are open at once the one that returns first goes first, not the other', () => {
  // Two releases are open, of processes 3 and 2; the second answers first. The acquires of 2 and of 3 take the lock one after the other.
  const calls: readonly (readonly [process: number, type: EventType, f: string])[] = [
    [2, 'invoke', 'acquire'], [2, 'ok', 'acquire'], [3, 'invoke', 'release'], [2, 'invoke', 'release'], [1, 'invoke', 'acquire'], [2, 'ok', 'release'],
    [2, 'invoke', 'acquire'], [0, 'invoke', 'acquire'], [0, 'fail', 'acquire'], [0, 'invoke', 'release'], [3, 'ok', 'release'], [2, 'ok', 'acquire'],
    [0, 'fail', 'release'], [3, 'invoke', 'acquire'], [3, 'ok', 'acquire'],
  ]
  const monitor = createMonitor({ model: models.mutex(), record: false })
  calls.forEach(([process, type, f], time) => assert.is(monitor.push({ time, process, type, f, value: null }), undefined, `event ${time}`))
})

test('of two equal operations that are open at once both can have taken effect; what lies behind is walked over', () => {
  const monitor = createMonitor({ model: models.counter(), record: false })
  let time = 0
  const call = (process: number, type: EventType, f: string, value: Json = null): void => assert.is(monitor.push({ time: ++time, process, type, f, value }), undefined, `event ${time}`)
  const read = (sum: number): void => {
    call(2, 'invoke', 'read')
    call(2, 'ok', 'read', sum)
  }
  for (const process of [0, 1]) call(process, 'invoke', 'add', 2)
  read(4)
  for (const process of [0, 1]) call(process, 'ok', 'add', 2)
  for (let i = 0; i < 100; i++) read(4)
  assert.ok(monitor.remembered < 100, `remembered ${monitor.remembered}`)
})

test('it forgets on every key, in whatever turn they come', () => {
  for (const keys of [2, 3, 16]) {
    const monitor = createMonitor({ model, record: false })
    for (let i = 0; i < 10_000; i++) {
      const write = { process: 0, f: 'write', key: i % keys, value: i }
      for (const type of ['invoke', 'ok'] as const) assert.is(monitor.push({ ...write, time: i * 2 + (type === 'ok' ? 1 : 0), type }), undefined)
    }
    assert.ok(monitor.remembered < 100 * keys, `remembered ${monitor.remembered} on ${keys} keys`)
  }
})

test('a compare-and-set that goes on took effect once another consumed its value, and consumed one itself', () => {
  const history = drawn(`
    a w1--
    b      c12-------
    c       c23---
    d        c14----`)
  const monitor = createMonitor({ model: models.casRegister(), record: false })
  const stopped = Array.from({ length: history.length }, (_, row) => row).find((row) => monitor.push(history.event(row)) !== undefined)!
  assert.equal([history.event(stopped).process, history.event(stopped).type], [3, 'ok'])
})

test('a compare-and-set that goes on, and whose value was seen, took effect after it began', () => {
  const history = drawn(`
    a w1-- w5--
    b     r2-----------
    c             c12--------`)
  const monitor = createMonitor({ model: models.casRegister(), record: false })
  const stopped = Array.from({ length: history.length }, (_, row) => row).find((row) => monitor.push(history.event(row)) !== undefined)!
  assert.equal([history.event(stopped).process, history.event(stopped).type], [1, 'ok'])
})

test('what crashed is kept for later where another operation of the same value may have come first', () => {
  const history = drawn(`
    a w2--!
    b   w2--------
    c     c21--
    d               r1-- r2--`)
  const monitor = createMonitor({ model: models.casRegister(), record: false })
  for (let row = 0; row < history.length; row++) assert.is(monitor.push(history.event(row)), undefined, `event ${row}`)
})

test('a write of the value that is there already may hide another', () => {
  const history = drawn(`
    a w1-----------!
    b  c12--
    c    w0------  r2--`)
  const monitor = createMonitor({ model: models.casRegister({ initial: 1, failedCas: 'strict' }), record: false })
  for (let row = 0; row < history.length; row++) assert.is(monitor.push(history.event(row)), undefined, `event ${row}`)
})

test('an operation whose effect was seen cannot fail afterwards', () => {
  const monitor = createMonitor({ model: models.counter(), record: false })
  assert.is(monitor.push({ time: 1, process: 0, type: 'invoke', f: 'add', value: 2 }), undefined)
  assert.is(monitor.push({ time: 2, process: 1, type: 'invoke', f: 'read' }), undefined)
  assert.is(monitor.push({ time: 3, process: 1, type: 'ok', f: 'read', value: 2 }), undefined)
  assert.match(monitor.push({ time: 4, process: 0, type: 'fail', f: 'add', value: 2 })!.explanation, /failed add of 2 by process 0 \(event 0\) cannot be placed/)
})

/** What there is to see, the model, the event at which the monitor must stop (-1: none), and the events: process, type, function, value. */
const small: readonly (readonly [string, Model, number, string])[] = [
  ['compare-and-sets in a ring need each other first', models.casRegister(), 2, '0 invoke cas [1,2], 1 invoke cas [2,1], 0 ok cas null, 1 ok cas null'],
  ['an open operation turns out to have failed', models.mutex(), 5, '4 invoke acquire null, 0 invoke acquire null, 3 invoke release null, 3 ok release null, 4 fail acquire null, 0 fail acquire null'],
  ['two that were taken for effective fail, the earlier one first', models.casRegister({ failedCas: 'strict' }), -1, '5 invoke cas [null,2], 1 invoke cas [null,2], 4 invoke read null, 4 ok read 2, 3 invoke cas [0,2], 5 fail cas null, 3 fail cas null, 1 ok cas true'],
  ['one that took effect before the order began is acknowledged', models.casRegister({ failedCas: 'strict' }), -1, '5 invoke cas [null,2], 1 invoke cas [null,2], 4 invoke read null, 4 ok read 2, 5 fail cas null, 1 ok cas true'],
  ['an element is taken twice, and an enqueue crashed meanwhile', models.fifoQueue(), 9, '2 invoke enqueue 1, 0 invoke dequeue null, 0 ok dequeue 1, 2 ok enqueue [], 2 invoke dequeue null, 4 invoke enqueue 3, 2 ok dequeue 3, 4 info enqueue null, 2 invoke dequeue null, 2 ok dequeue 3'],
  ['many that crashed may take effect', models.stack(), -1, '6 invoke push 3, 3 invoke pop null, 3 info pop null, 6 info push null, 4 invoke push 4, 11 invoke push 5, 0 invoke push 6, 2 invoke push 7, 4 info push null, 2 ok push "1", 2 invoke pop null, 0 info push null, 2 ok pop 6, 11 info push null'],
  ['a take that went first answers what it did not find', models.stack(), 5, '3 invoke push 1, 3 ok push 3, 1 invoke pop null, 9 invoke pop null, 9 ok pop null, 1 ok pop 5'],
  ['a try that is given up leaves nothing behind', models.stack(), 12, '3 invoke push 1, 3 ok push null, 4 invoke push 0, 3 invoke pop null, 2 invoke pop null, 3 ok pop null, 2 ok pop 1, 2 invoke push 0, 2 ok push false, 4 ok push true, 3 invoke pop null, 1 invoke pop null, 1 ok pop null, 3 info pop null'],
  ['a write hides others, but not itself', models.register(), -1, '1 invoke write 0, 2 invoke write 0, 4 invoke read null, 4 ok read 0, 2 ok write null, 2 invoke write 1, 2 ok write true, 1 ok write true, 0 invoke read null, 0 ok read 0'],
  ['an operation that only looks has gone, and its place is taken by one that adds', models.set(), -1, '2 invoke remove 1, 1 invoke add 0, 0 invoke contains 1, 0 ok contains false, 0 invoke add 1, 2 ok remove null, 1 info add null, 0 ok add 2, 2 invoke read null, 2 ok read [0,1]'],
]

for (const [what, judged, stop, text] of small) {
  test(`${judged.name}: ${what}`, async () => {
    const events = text.split(', ').map((words, time): Event => {
      const [process, type, f, value] = words.split(' ')
      return { time, process: Number(process), type: type as EventType, f: f!, value: JSON.parse(value!) as Json }
    })
    const monitor = createMonitor({ model: judged, record: false })
    assert.is(events.findIndex((event) => monitor.push(event) !== undefined), stop)
    assert.is(monitor.leaves, undefined)
    const history = new History()
    for (const [row, event] of events.entries()) {
      const expected = stop >= 0 && row >= stop ? 'violated' : 'holds'
      history.push(event)
      assert.is((await check(history, { model: judged, explain: false, elapsedMs: () => 0 })).verdict, expected, `after event ${row}`)
    }
  })
}

test('a write whose value was read cannot fail afterwards', () => {
  const monitor = createMonitor({ model, record: false })
  const events: Event[] = [
    { time: 1, process: 0, type: 'invoke', f: 'write', value: 2 }, { time: 2, process: 1, type: 'invoke', f: 'read' },
    { time: 3, process: 1, type: 'ok', f: 'read', value: 2 }, { time: 4, process: 0, type: 'fail', f: 'write', value: 2 },
  ]
  assert.is(events.findIndex((event) => monitor.push(event) !== undefined), 3)
})

test('of a long chain nothing is forgotten that an open operation may have seen', () => {
  const monitor = createMonitor({ model: models.casRegister(), record: false })
  let time = 0
  const call = (process: number, type: EventType, f: string, value: Json): unknown => monitor.push({ time: ++time, process, type, f, value })
  assert.is(call(0, 'invoke', 'read', null), undefined)
  for (let i = 0; i < 200; i++) for (const type of ['invoke', 'ok'] as const) assert.is(call(1, type, 'cas', [i === 0 ? null : i, i + 1]), undefined)
  assert.is(call(0, 'ok', 'read', 50), undefined)
})

test('what begins as another ends leaves the order open: it is recorded and checked at the end', async () => {
  const monitor = createMonitor({ model })
  monitor.push({ time: 1, process: 0, type: 'invoke', f: 'write', value: 1 })
  monitor.push({ time: 5, process: 0, type: 'ok', f: 'write', value: 1 })
  monitor.push({ time: 5, process: 1, type: 'invoke', f: 'read' })
  monitor.push({ time: 7, process: 1, type: 'ok', f: 'read', value: null })
  assert.match(monitor.leaves!, /event 2 begins when a response has come already/)
  assert.is((await monitor.finish()).verdict, 'holds')
})

test.run()
