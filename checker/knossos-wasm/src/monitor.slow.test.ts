/** On random histories the monitor stops at the very event after which no linearization exists; and what it does where orders are too many. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { check } from './check.ts'
import { History } from './history.ts'
import { models } from './models.ts'
import { createMonitor } from './monitor.ts'
import { chance, randomHistory } from './testing/random-history.ts'
import type { Model } from './model.ts'

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
async function stopsInTime(judged: Model, seeds: number, operations: number, values: number, wrong: readonly number[] = [0, 3, 20]): Promise<{ readonly violated: number; readonly unknown: number }> {
  let [violated, unknown] = [0, 0]
  for (let seed = 1; seed <= seeds; seed++) {
    const next = chance(seed)
    const history = randomHistory(judged, { operations: 4 + next(operations), processes: 1 + next(5), crashed: [0, 10, 30][next(3)]!, wrong: wrong[next(wrong.length)]!, values, keys: 1 + next(2), ties: false, deletes: values > 0 }, next)
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
  for (const judged of [models.register(), models.casRegister(), models.register({ nilReads: 'unknown' })]) {
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

test('so it does on long histories, of which most has been walked over and forgotten', async () => {
  const long = [models.register(), models.casRegister(), models.casRegister({ failedCas: 'strict' }), models.kv(), models.kv({ initial: null }), models.multiRegister(), models.counter(), models.fetchAndAdd(), models.fencedLock()]
  let all = 0
  for (const [i, judged] of long.entries()) {
    const { violated, unknown } = await stopsInTime(judged, 24, 200, i < 3 ? 3 : [0, 3][i % 2]!, [0, 1])
    assert.ok(unknown < 20, `${judged.name}: ${unknown} unknown`)
    all += violated
  }
  assert.ok(all > 20, `${all} violated`)
})

test('on queues whose elements are unique, too, however many orders are possible', async () => {
  for (const judged of [models.fifoQueue(), models.unorderedQueue()]) {
    const { violated, unknown } = await stopsInTime(judged, 1_500, 14, 0)
    assert.ok(violated > 100, `${violated} violated`)
    assert.is(unknown, 0)
  }
})

test('what allows too many orders is recorded, checked as it grows and at the end; without recording it is unknown', async () => {
  for (const record of [true, false]) {
    const monitor = createMonitor({ model: models.stack(), record })
    let time = 0
    for (let process = 0; process < 12; process++) monitor.push({ time: ++time, process, type: 'invoke', f: 'push', value: process })
    for (let process = 0; process < 12; process++) monitor.push({ time: ++time, process, type: 'ok', f: 'push', value: process })
    for (const type of ['invoke', 'ok'] as const) monitor.push({ time: ++time, process: 0, type, f: 'push', value: 12 })
    // What was pushed last lies above all others.
    for (let i = 0; i < 60; i++) monitor.push({ time: ++time, process: 0, type: i % 2 === 0 ? 'invoke' : 'ok', f: 'pop', value: i % 2 === 0 || i > 26 ? null : i >> 1 })
    assert.match(monitor.leaves!, /too many orders are possible/)
    assert.is((await monitor.poll()) !== undefined, record)
    const { verdict, reason } = await monitor.finish()
    assert.is(verdict, record ? 'violated' : 'unknown')
    if (!record) assert.match(reason!, /too many orders/)
  }
})

test.run()
