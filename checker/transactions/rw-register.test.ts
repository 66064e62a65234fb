import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { chance } from '../testing/chance.ts'
import { isolationOf } from './isolation.ts'
import { historyOfTransactions, type Micro, type Small } from './testing/small.ts'

/** A serial store of registers with many clients at once: every transaction takes effect at some moment between its start and its end, 1 in 10 of unknown outcome. */
function serialStore(seed: number): Small[] {
  const random = chance(seed)
  const current = new Map<string, number>()
  const open = new Map<number, { start: number; micros?: Micro[] }>()
  const done: Small[] = []
  let written = 0
  let sessions = 12
  const process = Array.from({ length: sessions }, (_, thread) => thread)
  for (let time = 0; done.length < 250; time++) {
    const thread = random(process.length)
    const one = open.get(thread)
    if (one === undefined) open.set(thread, { start: time })
    else if (one.micros === undefined) {
      one.micros = Array.from({ length: 1 + random(3) }, (): Micro => {
        const key = `k${random(4)}`
        if (random(2) === 0) return ['r', key, current.get(key) ?? null]
        current.set(key, ++written)
        return ['w', key, written]
      })
    } else {
      const outcome = random(10) === 0 ? 'info' : 'ok'
      done.push({ process: process[thread]!, outcome, start: one.start, end: time, micros: one.micros })
      if (outcome === 'info') process[thread] = sessions++
      open.delete(thread)
    }
  }
  for (const [thread, { start, micros }] of open) if (micros !== undefined) done.push({ process: process[thread]!, outcome: 'info', start, end: 0, micros })
  return done
}

test('what a serial store did with registers is found strict serializable, however many clients there are', () => {
  for (let seed = 1; seed <= 15; seed++) {
    const { levels } = isolationOf(historyOfTransactions(serialStore(seed)))
    assert.is(levels['strict-serializable'], 'holds', `seed ${seed}`)
  }
})

test.run()
