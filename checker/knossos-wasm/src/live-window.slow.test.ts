/** The window says the same however early it is walked over: always, when one order fails, or late. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { check } from './check.ts'
import { History, INVOKE } from './history.ts'
import { LiveWindow } from './live-window.ts'
import { models } from './models.ts'
import { chance, randomHistory } from './testing/random-history.ts'
import type { Delay, LiveOperation } from './live-window.ts'
import type { Model } from './model.ts'

/** The row of the response at which a window finds the history violated; -1: none; undefined: too hard. */
function stopOf(history: History, judged: Model, delay: Delay): number | undefined {
  const window = new LiveWindow(judged, delay)
  const open = new Map<number, LiveOperation>()
  for (let row = 0; row < history.length; row++) {
    const { process, type, f, value = null } = history.event(row)
    if (typeof process !== 'number') continue
    if (history.type[row] === INVOKE) open.set(process, window.invoke(f, value, judged.perProcess === true ? process : null, row))
    else {
      const answer = window.complete(open.get(process)!, type as 'ok' | 'fail' | 'info', value)
      if (answer.type !== 'possible') return answer.type === 'violated' ? row : undefined
    }
  }
  return -1
}

async function isViolated(history: History, events: number, judged: Model): Promise<boolean> {
  const prefix = new History()
  for (let row = 0; row < events; row++) prefix.push(history.event(row))
  return (await check(prefix, { model: judged, explain: false })).verdict === 'violated'
}

const delays: readonly (readonly [string, Delay])[] = [
  ['whenever the one order fails', { lengths: [] }],
  ['as soon as nothing is open', { eventsMax: 1 }],
  ['both', { lengths: [], eventsMax: 1 }],
]

for (const [when, delay] of delays) {
  test(`walked over ${when}`, async () => {
    let violated = 0
    for (const judged of [models.register(), models.casRegister({ failedCas: 'strict' }), ...Object.values(models).slice(1).map((make) => make())]) {
      for (let seed = 1; seed <= 120; seed++) {
        const next = chance(seed)
        const history = randomHistory(judged, { operations: 4 + next(14), processes: 1 + next(5), crashed: [0, 10, 30][next(3)]!, wrong: [0, 3, 20][next(3)]!, values: 2, keys: 1, ties: false, deletes: true }, next)
        const stopped = stopOf(history, judged, delay)
        if (stopped === undefined) continue
        const name = `${judged.name}, seed ${seed}, stopped ${stopped}`
        assert.is(await isViolated(history, stopped < 0 ? history.length : stopped + 1, judged), stopped >= 0, name)
        if (stopped < 0) continue
        violated++
        assert.not(await isViolated(history, stopped, judged), name)
      }
    }
    assert.ok(violated > 180, `${violated} violated`)
  })
}

test('an operation that fails had no effect, although the window has been walked over in which it may have had one', () => {
  const window = new LiveWindow(models.counter(), { lengths: [] })
  const adds = [1, 2, 4].map((value, row) => window.invoke('add', value, null, row))
  const read = window.invoke('read', null, null, 3)
  assert.is(window.complete(read, 'ok', 7).type, 'possible')
  assert.is(window.complete(adds[0]!, 'fail', null).type, 'violated')
})

test.run()
