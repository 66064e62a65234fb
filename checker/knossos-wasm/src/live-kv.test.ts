/** Texts that are judged while they are put, appended to, read and deleted: what must not be forgotten or mistaken, and random ones beside the brute-force oracle. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { check } from './check.ts'
import { History } from './history.ts'
import { LiveKv } from './live-kv.ts'
import { models } from './models.ts'
import { createMonitor } from './monitor.ts'
import { oracle } from './oracle.ts'
import { worded } from './testing/notation.ts'
import { chance, randomHistory } from './testing/random-history.ts'
import { perturbedHistory } from './testing/perturbed.ts'
import type { Event } from './history.ts'
import type { KvMemory } from './live-eras.ts'
import type { Model } from './model.ts'

const model = models.kv()

/** Little is remembered, so that short histories are forgotten; too little; and as usual. */
const memories: readonly (KvMemory | undefined)[] = [
  { events: 1, eventsMax: 100, reads: 1, eras: 0, states: 1 },
  { events: 3, eventsMax: 1_000, reads: 64, eras: 2, states: 64 },
  { events: 3, eventsMax: 10, reads: 2, eras: 32, states: 64 },
  undefined,
]

/** Events from words; what stands behind one is a text. */
const eventsOf = (text: string): Event[] => worded(text, (argument, begins) => (begins && argument === '' ? null : argument))

function historyOf(events: readonly Event[]): History {
  const history = new History()
  for (const event of events) history.push(event)
  return history
}

/** The event at which it is violated; -1; undefined where that was not certain. */
function stopOf(events: readonly Event[], judged: Model, memory: KvMemory | undefined): number | undefined {
  const kv = new LiveKv(judged, memory)
  const open = new Map<Event['process'], ReturnType<LiveKv['invoke']>>()
  for (const [row, { process, type, f, value = null }] of events.entries()) {
    if (type === 'invoke') {
      open.set(process, kv.invoke(f, value, row, process as number))
      continue
    }
    const answer = kv.complete(open.get(process)!, type, value)
    if (answer.type !== 'possible') return answer.type === 'violated' ? row : undefined
  }
  return -1
}

/** What most histories do, and those that ask more of reads. */
const mixes = [['get', 'put', 'append', 'delete'], ['get', 'put', 'append'], ['get', 'get', 'append', 'delete'], ['get', 'get', 'get', 'put', 'append', 'delete']]

for (const [i, memory] of memories.entries()) {
  test(`it stops at the event after which the oracle finds no order, memory ${i}`, () => {
    let [violated, unclear] = [0, 0]
    for (let seed = 1; seed <= 1_500; seed++) {
      const judged = seed % 4 === 0 ? models.kv({ initial: null }) : model
      const events = perturbedHistory({ ...judged, functions: mixes[seed % mixes.length]! }, 10, chance(seed))
      const stop = stopOf(events, judged, memory)
      if (stop === undefined) {
        unclear++
        continue
      }
      assert.is(oracle(historyOf(stop < 0 ? events : events.slice(0, stop + 1)), judged), stop < 0, `seed ${seed}, stopped at ${stop}`)
      if (stop < 0) continue
      violated++
      assert.ok(oracle(historyOf(events.slice(0, stop)), judged), `seed ${seed}: it stopped late, at ${stop}`)
    }
    assert.ok(violated > 150, `${violated} violated`)
    assert.ok(unclear < 50, `${unclear} unclear`)
  })

  test(`on longer histories it stops where check says so, memory ${i}`, async () => {
    const verdictOf = async (events: readonly Event[]): Promise<string> => (await check(historyOf(events), { model, explain: false, elapsedMs: () => 0 })).verdict
    let violated = 0
    for (let seed = 1; seed <= 80; seed++) {
      const events = perturbedHistory({ ...model, functions: mixes[seed % mixes.length]! }, 80, chance(seed))
      const stop = stopOf(events, model, memory)
      if (stop === undefined) continue
      assert.is(await verdictOf(stop < 0 ? events : events.slice(0, stop + 1)), stop < 0 ? 'holds' : 'violated', `seed ${seed}`)
      if (stop < 0) continue
      violated++
      assert.is(await verdictOf(events.slice(0, stop)), 'holds', `seed ${seed}: it stopped late, at ${stop}`)
    }
    assert.ok(violated > 10, `${violated} violated`)
  })
}

/** What there is to see, whether the last event is the one at which it is violated (or none), and the events. */
const short: readonly (readonly [string, boolean, string])[] = [
  ['a read shows what was put and appended', false, '0?put=a 0. 0?append=b 0. 1?get 1.ab'],
  ['a read that began later does not miss an append that ended', true, '0?put=a 0. 0?append=b 0. 1?get 1.a'],
  ['nor one that was seen', true, '0?put=a 0. 0?append=b 2?get 2.ab 1?get 1.a'],
  ['a read that began before may miss it', false, '0?put=a 0. 1?get 0?append=b 0. 2?get 2.ab 1.a'],
  ['what was appended one after the other stands so', true, '0?put=a 0. 0?append=b 0. 0?append=c 0. 1?get 1.acb'],
  ['each piece is appended once', true, '0?put=a 0. 0?append=b 0. 1?get 1.abb'],
  ['what was seen cannot fail', true, '0?put=a 0. 0?append=b 2?get 2.ab 0x'],
  ['what failed is not seen', true, '0?put=a 0x 1?get 1.a'],
  ['of two puts at once one overwrites the other for good', true, '0?put=a 1?put=b 0. 2?get 2.a 2?get 2.b 2?get 2.a'],
  ['a put that nobody has seen overwrites as well', true, '0?put=a 0. 1?put=b 1. 2?get 2.a'],
  ['an append began too late to be in front of what ended before', true, '0?put=x 0. 1?get 0?put=y 0. 0?append=a 1.xa'],
  ['and so does an append, where it is not shown', true, '0?put=a 0. 1?append=b 1. 1?append=c 1. 2?get 2.ac'],
  ['where nothing was something is appended', false, '0?append=a 0. 1?append=b 1. 2?get 2.ab'],
  ['a second time only when it was deleted', true, '0?append=a 0. 1?get 1.a 0?append=b 0. 1?get 1.b'],
  ['which it was', false, '0?append=a 0. 1?get 1.a 0?delete 0. 0?append=b 0. 1?get 1.b'],
  ['a delete that crashed takes effect once', true, '0?put=a 0. 9?delete 9! 1?get 1. 1?put=b 1. 1?get 1.b 1?get 1.'],
  ['a delete that begins later did not do it', true, '0?put=1 1?delete 1. 0. 1?get 0?get 1. 1?delete 0.1'],
  ['another delete did it when this one failed', false, '0?put=a 0. 9?delete 9! 8?delete 1?get 1. 8x 1?get 1.'],
  ['two deletes that crashed may have', false, '0?put=a 0. 8?delete 8! 9?delete 9! 1?get 1. 1?put=b 1. 1?get 1.'],
  ['one delete is followed by one append', true, '0?put=z 0. 0?get 0.z 3?delete 0?append=a 1?get 3. 0. 1.a 0?append=b 0. 1?get 1.b'],
  ['nothing was there before what was appended, not behind it', true, '0?put=z 0. 0?get 0.z 4?delete 2?append=a 1?get 0?append=b 0. 3?get 4. 3. 1.a 0?get 0.ab'],
  ['nor where the delete had ended before', true, '0?put=z 0. 0?get 0.z 4?delete 0?append=b 2?append=a 1?get 4. 0. 3?get 3. 1.a 0?get 0.ab'],
  ['what a delete leaves is gone when something is appended', true, '0?put=a 0. 0?delete 0. 0?append=b 0. 1?get 1.b 2?get 2.'],
  ['where a text can be made in two ways both are tried', false, '0?put=a 0. 0?append=b 0. 1?put=ab 1. 2?get 2.ab 0?append=b 0. 2?get 2.abb'],
  ['and where a put and an append begin alike', false, '0?put=x 0. 0?append=a 0. 1?get 1.xa 0?delete 0. 0?append=x 0. 0?append=q 0. 1?get 1.xq 1?get 1.xq'],
  ['and where the same is put again', true, '0?put=a 0. 1?put=b 1. 0?put=a 0. 2?get 2.a 2?get 2.b'],
  ['a put of null is no put of nothing', true, '0?put=a 0. 0?put= 0. 1?get 1.'],
  ['what was seen to be appended is not appended again', true, `0?put=x 0. 0?append=a 0! ${'1?get 1.xa '.repeat(10)} 8?append=b 9?append=b 1?get 1.xaa`],
  ['nor put again when another era has come', true, `9?put=y 9! 1?get 1.y 0?put=e 0. ${'1?get 1.e '.repeat(10)} 8?append=b 7?append=b 1?get 1.y`],
  ['nor when its put ends then', true, `9?put=y 1?get 1.y 0?put=e 0. ${'1?get 1.e '.repeat(10)} 9. 8?append=b 7?append=b 1?get 1.y`],
  ['what was seen in a later era is not forgotten', false, '0?put=e 0. 9?put=g 1?get 2?get 2.g 1.e 3?append=b 4?append=b 2?get 2.g'],
  ['what nobody has seen stood between a delete and what was appended then', true, '0?put=z 0. 0?get 0.z 0?delete 0. 9?put=x 0?append=a 0. 1?get 1.a 1?get 1.a 9. 1?get 1.a'],
  ['two deletes that crashed may have taken effect when it is not certain any more', true, '0?put=y 0. 8?delete 8! 9?delete 9! 3?put=c 1?get 1. 1?get 1. 3. 2?get 1?get 1. 2.c 0?put=e 0. 1?get 1.e 1?get 1.e 1?get 1.e 1?get 1.'],
  ['before a read that is open the text may have been shorter', false, '0?put=2 3?get 3. 1?put=1 1. 0. 3?get 1?append=0 1. 2?get 2.20 1?append=2 0?get 0.20 1. 3.2'],
  ['and that may be forgotten', false, '1?append=0 1. 0?get 1?append=2 1. 1?get 0.02 0?append=1 1.02 1?get 1.02 0. 0?get 1?append=1 1. 0.021 0?put=1 0! 2?get 2.1'],
]

for (const [what, isViolated, text] of short) {
  test(`a text: ${what}`, () => {
    const events = eventsOf(text)
    assert.is(oracle(historyOf(events), model), !isViolated)
    for (const memory of memories) {
      const stop = stopOf(events, model, memory)
      if (stop !== undefined || memory === undefined) assert.is(stop, isViolated ? events.length - 1 : -1)
    }
  })
}

test('a read that failed found nothing', () => {
  const judged = models.kv({ initial: null })
  const events = eventsOf('1?get 1. 0?append=1 0. 0?get 0x 1?get 1.').map((event) => (event.value === '' ? { ...event, value: null } : event))
  for (const memory of memories.slice(0, 2)) assert.is(stopOf(events, judged, memory), events.length - 1)
})

const inTurn = (from: number, to: number, text: (i: number) => string): string => Array.from({ length: to - from }, (_, i) => text(from + i)).join(' ')

test('many appends are seen at once, and missed by none that begins later', () => {
  const all = `${inTurn(10, 60, (i) => `0?append=${i} 0.`)} 1?get 1.${inTurn(10, 60, String).replaceAll(' ', '')}`
  assert.is(stopOf(eventsOf(`${all} 0?put=x 0. 1?get 1.x`), model, undefined), -1)
  const missed = eventsOf(`${all} 1?get 1.${inTurn(10, 59, String).replaceAll(' ', '')}`)
  assert.is(stopOf(missed, model, undefined), missed.length - 1)
})

test('what is written again when it has gone can be told apart', () => {
  const again = eventsOf(`${inTurn(0, 100, (i) => `0?put=${'ab'[i % 2]} 0. 1?get 1.${'ab'[i % 2]}`)} 1?get 1.a`)
  assert.is(stopOf(again, model, { events: 8, eventsMax: 16, reads: 2, eras: 2, states: 2 }), again.length - 1)
})

test('a text that does not begin with nothing is judged as well', () => {
  const judged = models.kv({ initial: 'x' })
  const events = eventsOf('1?get 1.x 0?append=y 0. 1?get 1.xy 1?get 1.x')
  assert.is(stopOf(events, judged, undefined), events.length - 1)
})

test('it is told when it is not certain and too much has happened since it was', () => {
  const events = eventsOf(`${inTurn(10, 20, (i) => `0?put=${i} 0.`)} 1?get 1.`)
  assert.is(stopOf(events, model, memories[2]), undefined)
  assert.is(stopOf(events, model, undefined), events.length - 1)
})

test('texts that can be made in two ways are judged however late they come', () => {
  const traffic = inTurn(1_000, 3_000, (i) => `0?put=${i} 0. 1?get 1.${i}`)
  const twice = eventsOf(`${traffic} 0?put=a 0. 0?append=b 0. 1?put=ab 1. 2?get 2.ab 2?get 2.a`)
  const monitor = createMonitor({ model, record: false })
  assert.is(twice.findIndex((event) => monitor.push(event) !== undefined), twice.length - 1)
})

/** Remembers at most so many operations and texts, and judges every event. */
async function remembers(judged: Model, processes: number, most: number): Promise<void> {
  const history = randomHistory(judged, { operations: 20_000, processes, crashed: 0, wrong: 0, values: 0, keys: 1, ties: false }, chance(3))
  const monitor = createMonitor({ model, record: false })
  for (let row = 0; row < history.length; row++) {
    assert.is(monitor.push(history.event(row)), undefined)
    assert.ok(monitor.remembered < most, `remembers ${monitor.remembered}`)
  }
  assert.is((await monitor.finish()).verdict, 'holds')
}

test('a long history is remembered by what is open and what can be seen', async () => {
  await remembers(model, 4, 1_500)
})

test('reads alone are not remembered, whether texts say what made them or not', () => {
  const reads = inTurn(0, 2_000, () => '1?get 1.ab')
  for (const begin of ['0?put=ab 0.', '0?put=a 0. 0?append=b 0. 1?put=ab 1.']) {
    const monitor = createMonitor({ model, record: false })
    for (const event of eventsOf(`${begin} ${reads}`)) assert.is(monitor.push(event), undefined)
    assert.ok(monitor.remembered < 500, `remembers ${monitor.remembered}`)
  }
  const nothing = createMonitor({ model, record: false })
  for (const event of eventsOf(inTurn(0, 2_000, () => '1?get 1.'))) assert.is(nothing.push(event), undefined)
  assert.ok(nothing.remembered < 500, `remembers ${nothing.remembered}`)
})

test('a hundred processes are judged', async () => {
  await remembers({ ...model, functions: ['get', 'put'] }, 100, 5_000)
})

test.run()
