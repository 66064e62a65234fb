/** Collections that are judged while they are used: random ones beside the brute-force oracle. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { check } from './check.ts'
import { History } from './history.ts'
import { models } from './models.ts'
import { createMonitor } from './monitor.ts'
import { oracle } from './oracle.ts'
import { worded } from './testing/notation.ts'
import { chance, randomHistory } from './testing/random-history.ts'
import { perturbedHistory } from './testing/perturbed.ts'
import type { Event } from './history.ts'
import type { Model } from './model.ts'

/** What most of the time is all that is asked of a set. */
const asAWhole: Model = { ...models.growOnlySet(), functions: ['add', 'read'] }

function historyOf(events: readonly Event[]): History {
  const history = new History()
  for (const event of events) history.push(event)
  return history
}

/** The event at which the monitor tells of a violation; -1. */
function stopOf(events: readonly Event[], model: Model): number {
  const monitor = createMonitor({ model, record: false })
  const stop = events.findIndex((event) => monitor.push(event) !== undefined)
  assert.is(monitor.leaves, undefined)
  return stop
}

for (const [model, violatedMin] of [[models.appendList(), 300], [models.growOnlySet(), 300], [asAWhole, 300], [models.set(), 300], [models.priorityQueue(), 300], [models.stack(), 300]] as const) {
  test(`${model.name}: it stops at the event after which the oracle finds no order`, () => {
    let violated = 0
    for (let seed = 1; seed <= 2_500; seed++) {
      const events = perturbedHistory(model, 10, chance(seed))
      const stop = stopOf(events, model)
      assert.is(oracle(historyOf(stop < 0 ? events : events.slice(0, stop + 1)), model), stop < 0, `seed ${seed}`)
      if (stop < 0) continue
      violated++
      assert.ok(oracle(historyOf(events.slice(0, stop)), model), `seed ${seed}: it stopped late, at ${stop}`)
    }
    assert.ok(violated > violatedMin, `${violated} violated`)
  })

  // What crashed can have popped too much for check.
  if (model.name !== 'stack') test(`${model.name}: on longer histories it stops where check says so`, async () => {
    const verdictOf = async (events: readonly Event[]): Promise<string> => (await check(historyOf(events), { model, explain: false, elapsedMs: () => 0 })).verdict
    for (let seed = 1; seed <= 120; seed++) {
      const events = perturbedHistory(model, 60, chance(seed))
      const stop = stopOf(events, model)
      assert.is(await verdictOf(stop < 0 ? events : events.slice(0, stop + 1)), stop < 0 ? 'holds' : 'violated', `seed ${seed}`)
      if (stop >= 0) assert.is(await verdictOf(events.slice(0, stop)), 'holds', `seed ${seed}: it stopped late, at ${stop}`)
    }
  })
}


const inTurn = (from: number, to: number, text: (i: number) => string): string => Array.from({ length: to - from }, (_, i) => text(from + i)).join(' ')

test('a list remembers an append for as long as reads may miss it, and its elements for ever', () => {
  const traffic = inTurn(1, 1_500, (i) => `0?append=${i} 0.`)
  const all = JSON.stringify(Array.from({ length: 1_499 }, (_, i) => i + 1))
  const model = models.appendList()
  assert.is(stopOf(worded(`1?read ${traffic} 2?read 2.${all} 1.[1,2]`), model), -1)
  const late = worded(`${traffic} 2?read 2.${all} 1?read 1.[1,2]`)
  assert.is(stopOf(late, model), late.length - 1)
  const stale = worded(`${traffic} 1?read 0?append=-1 0. 2?read 2.${all} 1.[]`)
  assert.is(stopOf(stale, model), stale.length - 2)
})

test('an element says since when all before it were there', () => {
  const events = worded('0?append=1 1?read 2?append=2 2. 3?read 1.[1] 4?read 4.[1,2] 3.[]')
  assert.is(stopOf(events, models.appendList()), events.length - 1)
})

test('of a growing set the ground is forgotten, and whoever misses it is wrong', () => {
  const model = models.growOnlySet()
  const traffic = inTurn(1, 200, (i) => `0?add=${i} 0. 1?read 1.${JSON.stringify(Array.from({ length: i }, (_, at) => i - at))}`)
  const monitor = createMonitor({ model, record: false })
  for (const event of worded(traffic)) assert.is(monitor.push(event), undefined)
  assert.ok(monitor.remembered < 205, `remembered ${monitor.remembered}`)
  for (const end of ['2?read 2.[]', '2?contains=7 2.false', '2?add=7 2.true', '2?read 2.[1,1]']) {
    const events = worded(`${traffic} ${end}`)
    assert.is(stopOf(events, model), events.length - 1)
  }
  assert.is(stopOf(worded(`2?read 3?contains=7 ${traffic} 2.[2,1] 3.false 4?add=7 4.false`), model), -1)
})

/** What there is to see, the place of the event at which the monitor must stop, counted from the end (0: none), and the events. */
const growing: readonly (readonly [string, number, string])[] = [
  ['who missed an element began before it was added, and so did what ended before that', 1, '1?add=1 2?read 3?add=2 3. 4?contains=1 4.false 2.[1]'],
  ['within a block an element that was missed may come last', 0, '2?read 3?add=2 3. 1?add=1 4?contains=1 2.[1,2] 4.false 1.'],
  ['what no read has shown stands behind what was missed, and ended too early', 1, '1?add=1 2?read 3?add=2 3. 4?contains=1 2.[1] 4.false'],
  ['an element is there once it was found, not only once its addition has ended', 1, '1?add=1 2?contains=1 2.true 3?read 1. 3.[]'],
  ['an addition whose element was found cannot fail', 1, '1?add=1 2?contains=1 2.true 1x'],
  ['reads form a chain, whichever comes last', 1, '1?add=1 2?add=2 3?read 4?read 5?read 3.[1] 4.[1,2] 5.[2]'],
  ['reads form a chain, and none shows more and less', 1, '1?add=1 2?add=2 3?read 4?read 3.[1] 4.[2]'],
  ['a smaller read divides a block, and not against time', 1, '4?read 5?read 2?add=2 2. 1?add=1 4.[1,2] 5.[1]'],
  ['of two additions at once the second may be the one', 0, '1?add=1 2?add=1 2. 1x 3?read 3.[1]'],
]

for (const [what, fromEnd, text] of growing) {
  test(`growing sets: ${what}`, () => {
    const events = worded(text)
    assert.is(oracle(historyOf(events), models.growOnlySet()), fromEnd === 0)
    assert.is(stopOf(events, models.growOnlySet()), fromEnd === 0 ? -1 : events.length - fromEnd)
  })
}

/** The same for sets from which elements are removed. */
const changing: readonly (readonly [string, number, string])[] = [
  ['what was removed is not shown again', 1, '1?add=1 1. 2?remove=1 2. 3?read 3.[1]'],
  ['what a removal missed had not been added', 1, '1?add=1 1. 2?remove=1 2.false'],
  ['an element goes once', 1, '1?add=1 1. 2?remove=1 3?remove=1 2.true 3.true'],
  ['who removed an element began before others missed it', 1, '1?add=1 1. 3?read 2?remove=1 2x 3.[]'],
  ['a removal that missed its element cannot be what others saw', 1, '1?add=1 1. 2?remove=1 3?read 3.[] 2.false'],
  ['of two removals at once either may be the one', 0, '1?add=1 1. 2?remove=1 3?remove=1 4?read 4.[] 2.false 3.true'],
  ['of two removals at once, when one fails the other began later', 1, '1?add=1 1. 2?remove=1 4?contains=1 3?remove=1 4.true 5?read 5.[] 2x 3.false'],
  ['who must have removed it cannot have failed', 1, '1?add=1 1. 2?remove=1 3?contains=1 3.false 2x'],
  ['when one of two removals fails, whoever looked before the other began found it', 1, '1?add=1 1. 2?remove=1 3?read 1?add=2 1. 4?remove=1 2x 3.[]'],
  ['a removal found the element, which so had been added', 1, '1?add=1 2?remove=1 2.true 1x'],
  ['who began before all of it may have looked before or after', 0, '3?read 4?read 1?add=1 1. 2?remove=1 2.true 3.[] 1?add=2 1. 4.[2]'],
  ['who found it looked in between', 1, '3?contains=1 1?add=1 1. 4?read 4.[1] 2?remove=1 2. 4?read 4.[] 3.true 3?contains=1 3.true'],
  ['reads agree upon when it went', 1, '1?add=1 1. 1?add=2 3?read 4?read 2?remove=1 3.[1,2] 4.[]'],
  ['what came and went while nobody showed it may have done so before a read that missed it', 0, '1?add=1 0?read 2?add=2 1. 3?remove=2 6?add=3 6. 6?read 6.[1,3] 3.true 0.[1,2]'],
  ['what is removed while it is added may be there afterwards', 0, '1?add=1 2?remove=1 2. 1. 3?read 3.[1]'],
  ['what is removed while it is added may be gone afterwards', 0, '1?add=1 2?remove=1 2. 1. 3?read 3.[]'],
  ['but not both', 1, '1?add=1 2?remove=1 2. 1. 3?read 3.[] 3?read 3.[1]'],
  ['and nobody who looks later sees it go', 1, '1?add=1 2?remove=1 2. 1. 3?contains=1 3.true 3?contains=1 3.false'],
  ['a removal that crashed may have its effect at any time', 0, '1?add=1 1. 2?remove=1 2! 3?read 3.[1] 3?read 3.[] 3?add=2 3. 4?read 4.[2]'],
  ['a removal that crashed has its effect once', 1, '1?add=1 1. 2?remove=1 2! 3?read 3.[] 1?add=1 1. 3?read 3.[1] 3?read 3.[]'],
  ['what has gone may be added again, by the time at which all that began before has ended', 0, '1?add=1 1. 2?remove=1 2. 1?add=1 1. 3?read 3.[1] 2?remove=1 2. 3?read 3.[]'],
  ['what has been added again was there', 1, '1?add=1 1. 3?read 3.[1] 2?remove=1 2. 1?add=1 1. 3?read 3.[]'],
]

for (const [what, fromEnd, text] of changing) {
  test(`sets: ${what}`, () => {
    const events = worded(text)
    assert.is(oracle(historyOf(events), models.set()), fromEnd === 0)
    assert.is(stopOf(events, models.set()), fromEnd === 0 ? -1 : events.length - fromEnd)
  })
}

test('elements of a set may be any values, and are added again', () => {
  const all = '[{"a":1},["b",null]]'
  const events = worded(`0?add={"a":1} 0. 0?add=["b",null] 0. 1?read 1.${all} 0?remove={"a":1} 0. 0?add={"a":1} 0. 1?read 1.${all} 0?remove=["b",null] 0. 1?read 1.${all}`)
  assert.is(stopOf(events, models.set()), events.length - 1)
})

const churn = inTurn(1, 3_000, (i) => `0?add=${i} 0. 1?remove=${i} 1.`)

test('a set without reads of the whole is remembered by what is in it', () => {
  const monitor = createMonitor({ model: models.set(), record: false })
  let most = 0
  for (const event of worded(`0?add=-1 0. ${churn}`)) {
    assert.is(monitor.push(event), undefined)
    most = Math.max(most, monitor.remembered)
  }
  assert.ok(most < 200, `remembered ${most}`)
})

test('elements may be removed for the first time after thousands of additions, and a late violation is told at once', () => {
  const end = '0?remove=7 3?read 0. 3.[8,9] 4?read 4.[7,8,9]'
  const events = worded(`${inTurn(7, 10, (i) => `0?add=${i} 0.`)} ${inTurn(0, 3_000, () => '1?read 1.[7,8,9]')} ${end}`)
  assert.is(stopOf(events, models.set()), events.length - 1)
})

test('while one operation is open all the time, what happened is forgotten, and what nobody decided on is still certain', () => {
  const events = worded(`9?read ${churn} 0?add=-1 0. 1?read 1.[]`)
  assert.is(stopOf(events, models.set()), events.length - 1)
})

test('sets and stacks of many processes are judged to the end, whatever had to be decided on', async () => {
  for (const [model, processes] of [[models.set(), 3], [models.set(), 20], [models.stack(), 3], [models.stack(), 10]] as const) {
    const history = randomHistory(model, { operations: 4_000, processes, crashed: 0, wrong: 0, values: 0, keys: 1, ties: false }, chance(processes))
    const monitor = createMonitor({ model, record: false })
    let most = 0
    for (let row = 0; row < history.length; row++) {
      assert.is(monitor.push(history.event(row)), undefined)
      most = Math.max(most, monitor.remembered)
    }
    assert.ok(most < 3_000, `remembered ${most}`)
    assert.is((await monitor.finish()).verdict, 'holds')
  }
})

/** The same for stacks. */
const stacks: readonly (readonly [string, number, string])[] = [
  ['last in, first out', 1, '0?push=1 0. 0?push=2 0. 1?pop 1.1'],
  ['what was pushed at once comes out in any order', 0, '0?push=1 3?push=2 4?push=3 0. 3. 4. 1?pop 1.1 1?pop 1.3 1?pop 1.2 1?pop 1.'],
  ['but not in one that others contradict', 1, '0?push=1 3?push=2 0. 4?push=3 4. 3. 1?pop 1.2 1?pop 1.1'],
  ['what lay above may have been popped by somebody who has not said so', 0, '0?push=1 0. 0?push=2 0. 1?pop 3?pop 3.1 1.2'],
  ['unless that began too late', 1, '0?push=1 0. 0?push=2 0. 3?pop 4?pop 3.1 1?pop 1.2'],
  ['or there is nobody', 1, '0?push=1 0. 0?push=2 0. 3?pop 4?push=3 3.1'],
  ['nor by one who says that it popped something else', 1, '0?push=1 0. 0?push=2 0. 0?push=3 0. 1?pop 3?pop 4?pop 3.1 1.3 4.'],
  ['who fails has popped nothing', 1, '0?push=1 0. 0?push=2 0. 1?pop 3?pop 3.1 1x'],
  ['who crashed may have popped something', 0, '0?push=1 0. 0?push=2 0. 1?pop 1! 3?pop 3.1 3?pop 3.'],
  ['but one thing', 1, '0?push=1 0. 0?push=2 0. 0?push=3 0. 1?pop 1! 3?pop 3.1'],
  ['it is empty when all that was there has been popped', 1, '0?push=1 0. 0?push=2 0. 1?pop 3?pop 3.'],
  ['what is pushed while it is found empty came later', 0, '0?push=1 3?pop 0. 3. 3?pop 3.1'],
  ['what cannot have been pushed twice is not popped twice', 1, '0?push=1 1?pop 1.1 3?pop 3.1'],
  ['what was popped was pushed', 1, '0?push=1 1?pop 1.1 0x'],
  ['who popped what lay below did so later than was thought', 0, '0?push=1 0. 0?push=2 0. 4?pop 5?pop 7?push=3 7. 6?pop 5.1 6.2 4.3'],
  ['a pop that began while others went on popped between them', 0, '0?push=1 0. 0?push=2 0. 0?push=3 0. 4?pop 5?pop 3?pop 4.1 5.2 3.3'],
]

for (const [what, fromEnd, text] of stacks) {
  test(`stacks: ${what}`, () => {
    const events = worded(text)
    assert.is(oracle(historyOf(events), models.stack()), fromEnd === 0)
    assert.is(stopOf(events, models.stack()), fromEnd === 0 ? -1 : events.length - fromEnd)
  })
}

test('a priority queue on which a take is always open is judged by the window that follows, too', () => {
  const model = models.priorityQueue()
  const traffic = `9?poll ${inTurn(1, 700, (i) => `0?insert=${i} 0. 1?poll 1.${i}`)} 0?insert=5001 0. 0?insert=5000 0. 1?poll 1.5001`
  assert.is(stopOf(worded(`${traffic} 9.5000 1?poll 1.`), model), -1)
  const twice = worded(`${traffic} 1?poll 1.5000`)
  assert.is(stopOf(twice, model), twice.length - 1)
})

test('a take that began late cannot have taken what was in the way before', () => {
  const model = models.priorityQueue()
  const events = worded('0?insert=2 0. 0?insert=1 0. 9?poll 3?poll 3.2 4?poll 9x 4.1')
  assert.is(stopOf(events, model), 8)
})

test('what went out while a slow take was open is remembered until that ends', () => {
  const events = worded(`0?insert=1000 0. 0?insert=1 0. 1?poll ${inTurn(1, 100, (i) => `0?insert=${i + 1} 0. 2?poll 2.${i}`)} 1.1000`)
  assert.is(stopOf(events, models.priorityQueue()), events.length - 1)
})

test('before what was in the way came, something else was, which no take had taken by then', () => {
  const events = worded('0?insert=1 0. 3?insert=9 1?poll 0?insert=2 0. 0?insert=3 0. 9?poll 0?insert=1.5 0. 2?poll 2.1.5 2?poll 2.2 1.9')
  assert.is(oracle(historyOf(events), models.priorityQueue()), false)
  assert.is(stopOf(events, models.priorityQueue()), events.length - 1)
})

test('a put whose element was taken cannot fail, wherever the log began anew', () => {
  const model = models.priorityQueue()
  const events = worded(`5?insert=7 1?poll 1.7 ${inTurn(10, 60, (i) => `0?insert=${i} 0. 1?poll 1.${i}`)} 5x`)
  assert.is(stopOf(events, model), events.length - 1)
})

/** All is well, but the one way is lost: 101 could have gone before 103 came, and was taken later. */
const lost = '0?insert=101 0. 0?insert=105 0. 4?poll 5?poll 0?insert=103 0. 6?poll 4.105 6.101'
const traffic = inTurn(10, 60, (i) => `0?insert=${i} 0. 1?poll 1.${i}`)

test('a take that crashed may have taken what was there long before the one way was lost', () => {
  assert.is(stopOf(worded(`0?insert=5 0. 9?poll 9! ${traffic} ${lost} 5.103`), models.priorityQueue()), -1)
})

test('a put that has been open for long may be taken when the one way is lost', () => {
  assert.is(stopOf(worded(`7?insert=1 ${traffic} ${lost} 8?poll 8.1 5.103`), models.priorityQueue()), -1)
})

test('what was put by one that crashed may be taken whenever, but once', () => {
  const model = models.priorityQueue()
  const once = `5?insert=7 5! ${traffic} 1?poll 1.7 ${traffic}`
  assert.is(stopOf(worded(once), model), -1)
  const twice = worded(`${once} 1?poll 1.7`)
  assert.is(stopOf(twice, model), twice.length - 1)
})

test('where the window gave up nothing is called possible once the one way is lost', () => {
  const many = Array.from({ length: 13 }, (_, p) => p + 1)
  const crowd = [...many.map((p) => `${p}?insert=${p}`), ...many.map((p) => `${p}.`), ...many.map((p) => `${p}?poll`), ...many.map((p) => `${p}.${p}`)].join(' ')
  const events = worded(`99?poll 0?insert=5000 0. ${crowd} 1?poll 1.5000 ${inTurn(100, 640, (i) => `0?insert=${i} 0. 1?poll 1.${i}`)} 1?poll 1.5000`)
  const monitor = createMonitor({ model: models.priorityQueue(), record: false })
  assert.is(events.findIndex((event) => monitor.push(event) !== undefined || monitor.leaves !== undefined), events.length - 1)
})

test('a long history of a priority queue is remembered by what is in it', async () => {
  const model = models.priorityQueue()
  const history = randomHistory(model, { operations: 20_000, processes: 4, crashed: 0, wrong: 0, values: 0, keys: 1, ties: false }, chance(3))
  const monitor = createMonitor({ model, record: false })
  let most = 0
  for (let row = 0; row < history.length; row++) {
    assert.is(monitor.push(history.event(row)), undefined)
    most = Math.max(most, monitor.remembered)
  }
  assert.ok(most < 2_000, `remembered ${most}`)
  assert.is((await monitor.finish()).verdict, 'holds')
})

test.run()
