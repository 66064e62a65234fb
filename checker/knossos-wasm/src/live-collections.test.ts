/** Collections that are judged while they are used: random ones beside the brute-force oracle. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { History } from './history.ts'
import { models } from './models.ts'
import { createMonitor } from './monitor.ts'
import { oracle } from './oracle.ts'
import { chance } from './testing/random-history.ts'
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

for (const [model, violatedMin] of [[models.appendList(), 300], [models.growOnlySet(), 300], [asAWhole, 300]] as const) {
  test(`${model.name}: it stops at the event after which the oracle finds no order`, () => {
    let violated = 0
    for (let seed = 1; seed <= 2_500; seed++) {
      const events = perturbedHistory(model, 10, chance(seed))
      const monitor = createMonitor({ model, record: false })
      const stop = events.findIndex((event) => monitor.push(event) !== undefined)
      assert.is(monitor.leaves, undefined)
      assert.is(oracle(historyOf(stop < 0 ? events : events.slice(0, stop + 1)), model), stop < 0, `seed ${seed}`)
      if (stop < 0) continue
      violated++
      assert.ok(oracle(historyOf(events.slice(0, stop)), model), `seed ${seed}: it stopped late, at ${stop}`)
    }
    assert.ok(violated > violatedMin, `${violated} violated`)
  })
}

test.run()
