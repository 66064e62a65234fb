/** The algorithms for collections and counters, held against the brute-force oracle. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkCollection } from './index.ts'
import { models } from '../models.ts'
import { oracle } from '../oracle.ts'
import { partition } from '../order.ts'
import { chance, randomHistory } from '../testing/random-history.ts'
import type { History } from '../history.ts'
import type { Model } from '../model.ts'

/** Sets without what their algorithms leave to the general engine. */
const oneByOne: Model = { ...models.set(), functions: ['add', 'remove', 'contains'] }
const asAWhole: Model = { ...models.growOnlySet(), functions: ['add', 'read'] }

function verdictOf(history: History, model: Model): string | undefined {
  const { keys, rank } = partition(history, true)
  return keys[0] === undefined ? 'holds' : checkCollection(history, keys[0], rank, model)?.type
}

for (const [model, decidedMin] of [[models.stack(), 1000], [models.priorityQueue(), 1000], [models.fifoQueue(), 1400], [models.unorderedQueue(), 1250], [models.counter(), 1900], [asAWhole, 800], [oneByOne, 800]] as const) {
  test(`${model.name}: what its algorithm decides agrees with the oracle`, () => {
    let [decided, violated] = [0, 0]
    for (let seed = 1; seed <= 2000; seed++) {
      const next = chance(seed)
      const shape = { operations: 3 + next(9), processes: 1 + next(4), crashed: [0, 0, 10, 30][next(4)]!, wrong: [0, 10, 30][next(3)]!, values: 0, keys: 1, ties: next(3) === 0 }
      const history = randomHistory(model, shape, next)
      const verdict = verdictOf(history, model)
      if (verdict === undefined || verdict === 'split') continue
      decided++
      if (verdict === 'violated') violated++
      assert.is(verdict, oracle(history, model) ? 'holds' : 'violated', `seed ${seed}\n${Array.from({ length: history.length }, (_, row) => JSON.stringify(history.event(row))).join('\n')}`)
    }
    assert.ok(decided >= decidedMin && violated > 50, `${decided} decided, ${violated} of them violated`)
  })
}

test.run()
