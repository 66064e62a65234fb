/** The monitor says what `check` says, and says it at the response that breaks the history. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { History } from './history.ts'
import { models } from './models.ts'
import { createMonitor } from './monitor.ts'
import { drawn } from './testing/notation.ts'
import { chance, randomHistory } from './testing/random-history.ts'
import type { Json } from './history.ts'

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
