/** The monitor says what `check` says, and says it at the response that breaks the history. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { check } from './check.ts'
import { History } from './history.ts'
import { models } from './models.ts'
import { createMonitor } from './monitor.ts'
import { chance, randomHistory } from './testing/random-history.ts'

const model = models.register()

test('on registers with unique values it stops at the very event after which no linearization exists', async () => {
  let violated = 0
  for (let seed = 1; seed <= 1500; seed++) {
    const next = chance(seed)
    const history = randomHistory(model, { operations: 4 + next(30), processes: 1 + next(5), crashed: [0, 10, 30][next(3)]!, wrong: [0, 3, 20][next(3)]!, values: 0, keys: 1, ties: false }, next)
    const monitor = createMonitor({ model, record: false })
    let stopped = -1
    const prefix = new History()
    for (let row = 0; row < history.length && stopped < 0; row++) {
      prefix.push(history.event(row))
      if (monitor.push(history.event(row)) !== undefined) stopped = row
    }
    const expected = (await check(prefix, { model })).verdict
    assert.is((await monitor.finish()).verdict, expected, `seed ${seed}`)
    if (stopped < 0) continue
    violated++
    const shorter = new History()
    for (let row = 0; row < stopped; row++) shorter.push(history.event(row))
    assert.is((await check(shorter, { model })).verdict, 'holds', `seed ${seed}: stopped late, at ${stopped}`)
  }
  assert.ok(violated > 200)
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

test('what has no streaming algorithm is recorded and checked as it grows and at the end', async () => {
  const queue = models.fifoQueue()
  const monitor = createMonitor({ model: queue })
  let time = 0
  const event = (type: 'invoke' | 'ok', f: string, value: number | null): void => {
    monitor.push({ time: ++time, process: 0, type, f, value })
  }
  for (let i = 0; i < 100; i++) {
    event('invoke', 'enqueue', i)
    event('ok', 'enqueue', i)
  }
  assert.is(await monitor.poll(), undefined)
  event('invoke', 'dequeue', null)
  event('ok', 'dequeue', 5)
  assert.is((await monitor.finish()).verdict, 'violated')
})

test('without recording, what it cannot decide is unknown', async () => {
  const monitor = createMonitor({ model: models.casRegister(), record: false })
  monitor.push({ time: 1, process: 0, type: 'invoke', f: 'cas', value: [1, 2] })
  const { verdict, reason } = await monitor.finish()
  assert.is(verdict, 'unknown')
  assert.match(reason!, /cas/)
})

test.run()
