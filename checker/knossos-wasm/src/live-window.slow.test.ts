/** The window says the same however early it is walked over: always, when one order fails, or late. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { check } from './check.ts'
import { History, INVOKE } from './history.ts'
import { LiveFrontier } from './live-frontier.ts'
import { LiveNeeds } from './live-needs.ts'
import { LiveObject } from './live-object.ts'
import { nothingUsed } from './live-uses.ts'
import { LiveWindow } from './live-window.ts'
import { models } from './models.ts'
import { chance, randomHistory } from './testing/random-history.ts'
import { canonical } from './values.ts'
import type { Configuration } from './live-frontier.ts'
import type { Known } from './live-needs.ts'
import type { Delay, LiveOperation } from './live-window.ts'
import type { Model } from './model.ts'
import type { Json } from './values.ts'

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
  ['whenever the one order fails, but only from the last events on', { lengths: [], eventsMax: 1, lasts: [2, 4, 7] }],
  ['late, but only from the last events on', { eventsMax: 2, lasts: [1, 3] }],
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

/** All that is possible before an event, walked over from the beginning; each configuration as a text. */
function possibleBefore(event: number, operations: readonly LiveOperation[], judged: Model): string[] {
  const object = new LiveObject(judged)
  const needs = new LiveNeeds(object)
  const walker = new LiveFrontier(object, needs)
  const log: Known[] = []
  const again = operations.map(({ type: { operation: { f, input, output = null, outcome } }, slot, invoked, ended, fate }) => {
    const asked = object.asked(f, input, null)
    const one = { type: object.known(outcome === 'info' ? asked : object.answered(asked, outcome, output)), slot, invoked, ended, fate }
    log[invoked] = one
    if (ended !== Infinity) log[ended] = one
    return one
  })
  let frontier: readonly Configuration[] = [{ state: object.init, done: 0, hide: 0, used: nothingUsed() }]
  walker.begin()
  needs.begin(log, 0, 0)
  for (let at = 0; at < event; at++) {
    const operation = again.find(({ invoked, ended }) => invoked === at || ended === at)!
    if (operation.ended === at) {
      frontier = walker.respond(frontier, operation)!
      walker.close(operation)
    } else if (operation.fate === 'ended') walker.invoke(operation)
    else if (operation.fate !== 'gone' && !operation.type.pure && !operation.type.ignored) walker.allow(operation.type, 1)
  }
  return asTexts(frontier, object.unseen.value)
}

function asTexts(frontier: readonly Configuration[], unseen: Json): string[] {
  return frontier.map(({ state, done, hide, used }) => `${state.value === unseen ? 'unseen' : canonical(state.value)} ${done} ${hide} ${[...used.counts].map(([{ operation: { f, input } }, count]) => `${f} ${canonical(input)} ${count}`).sort().join()}`).sort()
}

test('what the last events tell is what is possible, as if all had been walked over', () => {
  const lasts = [[2, 4], [6], [8, 16], [3, 30], [2, 5, 12]]
  const unseen = new LiveObject(models.register()).unseen.value
  let told = 0
  for (let seed = 1; seed <= 1_200; seed++) {
    const next = chance(seed)
    const judged = [models.register(), models.casRegister(), models.casRegister({ failedCas: 'strict' }), models.counter(), models.fetchAndAdd(), models.multiRegister()][next(6)]!
    const history = randomHistory(judged, { operations: 10 + next(30), processes: 2 + next(4), crashed: [0, 2, 10, 25][next(4)]!, wrong: 0, values: [0, 1, 2, 3, 6][next(5)]!, keys: 1, ties: false, deletes: next(3) === 0 }, next)
    const window = new LiveWindow(judged, { ...(next(3) === 0 ? { lengths: [] } : {}), eventsMax: [8, 16][next(2)]!, lasts: lasts[next(lasts.length)]! })
    const operations: LiveOperation[] = []
    const open = new Map<number, LiveOperation>()
    // Once it was asked: what was found out then may have been left to later, although more is known of what can be seen by now.
    for (let row = 0; row < history.length && window.known.event === 0; row++) {
      const { process, type, f, value = null } = history.event(row)
      if (history.type[row] === INVOKE) {
        const operation = window.invoke(f, value, null, row)
        operations.push(operation)
        open.set(process as number, operation)
      } else assert.is(window.complete(open.get(process as number)!, type as 'ok' | 'fail' | 'info', value).type, 'possible', `${judged.name}, seed ${seed}, row ${row}`)
      const { event, frontier } = window.known
      if (event === 0) continue
      told++
      assert.equal(asTexts(frontier!, unseen), possibleBefore(event, operations, judged), `${judged.name}, seed ${seed}, row ${row}`)
    }
  }
  assert.ok(told > 900, `${told} told`)
})

test('a compare-and-set that is open may fail, which says what stands there', () => {
  // Walked over as far as the read when the write has ended, behind which nobody sees the 0 any more but a compare-and-set that fails.
  const window = new LiveWindow(models.casRegister({ failedCas: 'strict', initial: 0 }), { eventsMax: 2 })
  const read = window.invoke('read', null, null, 0)
  assert.is(window.complete(read, 'ok', 0).type, 'possible')
  const cas = window.invoke('cas', [1, 0], null, 2)
  const write = window.invoke('write', 1, null, 3)
  assert.is(window.complete(write, 'ok', 1).type, 'possible')
  assert.is(window.complete(cas, 'fail', null).type, 'possible')
})

test('an operation that fails had no effect, although the window has been walked over in which it may have had one', () => {
  const window = new LiveWindow(models.counter(), { lengths: [] })
  const adds = [1, 2, 4].map((value, row) => window.invoke('add', value, null, row))
  const read = window.invoke('read', null, null, 3)
  assert.is(window.complete(read, 'ok', 7).type, 'possible')
  assert.is(window.complete(adds[0]!, 'fail', null).type, 'violated')
})

test.run()
