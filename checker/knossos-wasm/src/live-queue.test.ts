/** Queues that are judged while they are used: what must not be forgotten, and random ones beside the brute-force oracle. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { check } from './check.ts'
import { History } from './history.ts'
import { models } from './models.ts'
import { createMonitor } from './monitor.ts'
import { oracle } from './oracle.ts'
import { chance } from './testing/random-history.ts'
import { queueHistory } from './testing/queue-history.ts'
import type { Event } from './history.ts'
import type { Model } from './model.ts'

/** Events from words: `0?1` process 0 begins to put 1, `0?` to take; `0.1` it has put or taken 1, `0.` found nothing; `0!` crashes. */
function eventsOf(text: string): Event[] {
  const puts = new Map<number, boolean>()
  return text.trim().split(/\s+/).map((word, time) => {
    const [, name, sign, number] = /^(\d+)([?.!])(\d*)$/.exec(word)!
    const [process, value] = [Number(name), number === '' ? null : Number(number)]
    if (sign === '?') puts.set(process, value !== null)
    const f = puts.get(process) === true ? 'enqueue' : 'dequeue'
    return { time, process, type: sign === '?' ? 'invoke' : sign === '.' ? 'ok' : 'info', f, value }
  })
}

/** The event at which the monitor tells of a violation; -1. */
function stopOf(events: readonly Event[], model: Model): number {
  const monitor = createMonitor({ model, record: false })
  const stop = events.findIndex((event) => monitor.push(event) !== undefined)
  assert.is(monitor.leaves, undefined)
  return stop
}

/** Elements that come and go one after the other, each alone. */
const traffic = (from: number, to: number): string => Array.from({ length: to - from }, (_, i) => `1?${from + i} 1.${from + i} 2? 2.${from + i}`).join(' ')

test('what was there when a slow take began is remembered until that ends', () => {
  const relay = Array.from({ length: 20 }, (_, i) => `1?${i + 3} 1.${i + 3} 2? 2.${i + 2}`).join(' ')
  const events = eventsOf(`1?1 1.1 1?2 0? 1.2 2? 2.1 ${relay} 0.`)
  assert.is(stopOf(events, models.fifoQueue()), events.length - 1)
})

test('a take that found nothing, and hangs on one that crashed, is judged when another returns what that may have taken', () => {
  const events = eventsOf(`1?1 1.1 9? 9! 0? 1?2 1.2 2? 0. 2.1 ${traffic(3, 30)} 3? 3.2`)
  assert.is(stopOf(events, models.unorderedQueue()), events.length - 1)
})

test('what is lost takes no gap of an earlier take that found nothing along when it is forgotten', () => {
  const slow = [20, 21, 22, 23, 24, 25]
  const [begin, end] = [slow.map((p) => `${p}?${p}`).join(' '), slow.map((p) => `${p}.${p} 2? 2.${p}`).join(' ')]
  const events = eventsOf(`1?1 1.1 0? 5?2 ${begin} 1?3 1.3 8? 9? 8! 9! 5.2 2? 2.2 0. ${end} 3? 3.3`)
  assert.is(stopOf(events, models.fifoQueue()), events.length - 1)
})

test('an element is not lost as long as a take is open that may return it', () => {
  const events = eventsOf('1?1 1.1 9? 9! 0? 1?2 1.2 0. 5? 6? 6.2 5.1')
  assert.is(stopOf(events, models.fifoQueue()), events.length - 1)
})

test('crashed takes are forgotten with what they took, and so are takes that found nothing', async () => {
  for (const model of [models.fifoQueue(), models.unorderedQueue()]) {
    const rounds = Array.from({ length: 500 }, (_, i) => `1?${i * 10} 1.${i * 10} ${i + 100}? ${i + 100}! 3? 3. ${traffic(i * 10 + 1, i * 10 + 4)} 3? 3.`)
    const monitor = createMonitor({ model, record: false })
    for (const event of eventsOf(rounds.join(' '))) assert.is(monitor.push(event), undefined)
    assert.is(monitor.leaves, undefined)
    // Of an unordered queue nobody knows what is lost.
    assert.ok(monitor.remembered < (model.name === 'fifo-queue' ? 50 : 2_000), `${model.name}: ${monitor.remembered}`)
    assert.is((await monitor.finish()).verdict, 'holds')
  }
})

test('null is an element like any other, though who takes it may have found nothing', async () => {
  for (const model of [models.fifoQueue(), models.unorderedQueue()]) {
    const history = new History()
    for (const [time, [type, f]] of ([['invoke', 'enqueue'], ['ok', 'enqueue'], ['invoke', 'dequeue'], ['ok', 'dequeue']] as const).entries()) history.push({ time, process: 0, type, f, value: null })
    assert.ok(oracle(history, model))
    assert.is((await check(history, { model })).verdict, 'holds')
  }
})

test('an element whose put crashed, and that was taken, may be put again', () => {
  const again = Array.from({ length: 1_200 }, (_, i) => `${i + 10}?7 ${i + 10}! 1? 1.7`).join(' ')
  assert.is(stopOf(eventsOf(again), models.fifoQueue()), -1)
})

for (const model of [models.fifoQueue(), models.unorderedQueue()]) {
  test(`${model.name}: it stops at the event after which the oracle finds no order, and check says what the oracle says`, async () => {
    let violated = 0
    for (let seed = 1; seed <= 2_500; seed++) {
      const next = chance(seed)
      const events = queueHistory(3 + next(9), next)
      const stop = stopOf(events, model)
      const expected = async (length: number): Promise<boolean> => {
        const history = new History()
        for (const event of events.slice(0, length)) history.push(event)
        const isPossible = oracle(history, model)
        assert.is((await check(history, { model, explain: false, elapsedMs: () => 0 })).verdict, isPossible ? 'holds' : 'violated', `seed ${seed}, ${length} events`)
        return isPossible
      }
      assert.is(await expected(stop < 0 ? events.length : stop + 1), stop < 0, `seed ${seed}`)
      if (stop < 0) continue
      violated++
      assert.ok(await expected(stop), `seed ${seed}: it stopped late, at ${stop}`)
    }
    assert.ok(violated > 300, `${violated} violated`)
  })
}

test.run()
