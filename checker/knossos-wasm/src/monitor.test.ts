/** The monitor says what `check` says, and says it at the response that breaks the history. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { check } from './check.ts'
import { History } from './history.ts'
import { models } from './models.ts'
import { createMonitor } from './monitor.ts'
import { drawn } from './testing/notation.ts'
import { chance, randomHistory } from './testing/random-history.ts'
import type { Json } from './history.ts'
import type { Model } from './model.ts'

const model = models.register()

/** Pushes a history event by event; the row at which the monitor stopped (-1), and whether it could judge every event. */
async function stopOf(history: History, judged: Model): Promise<{ readonly stopped: number; readonly verdict: string }> {
  const monitor = createMonitor({ model: judged, record: false })
  for (let row = 0; row < history.length; row++) if (monitor.push(history.event(row)) !== undefined) return { stopped: row, verdict: 'violated' }
  return { stopped: -1, verdict: (await monitor.finish()).verdict }
}

function begun(history: History, events: number): History {
  const prefix = new History()
  for (let row = 0; row < events; row++) prefix.push(history.event(row))
  return prefix
}

/** Whether it stops at the very event after which no linearization exists, on random histories; how many were violated, and undecided. */
async function stopsInTime(judged: Model, seeds: number, operations: number, values: number): Promise<{ readonly violated: number; readonly unknown: number }> {
  let [violated, unknown] = [0, 0]
  for (let seed = 1; seed <= seeds; seed++) {
    const next = chance(seed)
    const history = randomHistory(judged, { operations: 4 + next(operations), processes: 1 + next(5), crashed: [0, 10, 30][next(3)]!, wrong: [0, 3, 20][next(3)]!, values, keys: 1 + next(2), ties: false }, next)
    const { stopped, verdict } = await stopOf(history, judged)
    const expected = async (events: number): Promise<string> => (await check(begun(history, events), { model: judged, explain: false })).verdict
    if (verdict === 'unknown') unknown++
    else assert.is(verdict, await expected(stopped < 0 ? history.length : stopped + 1), `${judged.name}, seed ${seed}`)
    if (stopped < 0) continue
    violated++
    assert.is(await expected(stopped), 'holds', `${judged.name}, seed ${seed}: stopped late, at ${stopped}`)
  }
  return { violated, unknown }
}

test('on registers with unique values it stops at the very event after which no linearization exists', async () => {
  for (const judged of [model, models.casRegister(), models.register({ nilReads: 'unknown' })]) {
    const { violated, unknown } = await stopsInTime(judged, 300, 30, 0)
    assert.ok(violated > 40, `${violated} violated`)
    assert.is(unknown, 0)
  }
})

test('so it does on every other model', async () => {
  const others = [models.register(), models.casRegister(), models.casRegister({ failedCas: 'strict' }), ...Object.values(models).slice(2).map((make) => make())]
  let all = 0
  for (const [i, judged] of others.entries()) {
    const { violated, unknown } = await stopsInTime(judged, i < 3 ? 100 : 40, 12, i < 3 ? 2 : [0, 3][i % 2]!)
    assert.ok(unknown < 20, `${judged.name}: ${unknown} unknown`)
    all += violated
  }
  assert.ok(all > 60, `${all} violated`)
})

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

test('what allows too many orders is recorded, checked as it grows and at the end; without recording it is unknown', async () => {
  for (const record of [true, false]) {
    const monitor = createMonitor({ model: models.fifoQueue(), record })
    let time = 0
    for (let process = 0; process < 12; process++) monitor.push({ time: ++time, process, type: 'invoke', f: 'enqueue', value: process })
    for (let process = 0; process < 12; process++) monitor.push({ time: ++time, process, type: 'ok', f: 'enqueue', value: process })
    for (let i = 0; i < 60; i++) monitor.push({ time: ++time, process: 0, type: i % 2 === 0 ? 'invoke' : 'ok', f: 'dequeue', value: i % 2 === 0 ? null : i < 24 ? i >> 1 : 3 })
    assert.match(monitor.leaves!, /too many orders are possible/)
    assert.is((await monitor.poll()) !== undefined, record)
    const { verdict, reason } = await monitor.finish()
    assert.is(verdict, record ? 'violated' : 'unknown')
    if (!record) assert.match(reason!, /too many orders/)
  }
})

test.run()
