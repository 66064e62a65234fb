/** What `check` says about thousands of small random histories, held against the brute-force oracle. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { check } from './check.ts'
import { models } from './models.ts'
import { compareWithOracle } from './oracle-linearizable.soak.ts'
import { oracle } from './oracle.ts'
import { chance, randomHistory } from './testing/random-history.ts'
import { only } from './testing/notation.ts'
import type { Model } from './model.ts'

const registers = models.casRegister()

test('random small histories of every model agree with the brute-force oracle', async () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const { complaint } = await compareWithOracle(seed)
    assert.is(complaint, undefined, complaint)
  }
})

test('random small histories of the models with algorithms of their own agree with the oracle', async () => {
  for (const model of [models.register(), registers, models.casRegister({ failedCas: 'strict' }), models.kv(), models.fifoQueue(), models.unorderedQueue(), models.growOnlySet()]) {
    for (let seed = 1; seed <= 1500; seed++) {
      const { complaint } = await compareWithOracle(seed, model)
      assert.is(complaint, undefined, complaint)
    }
  }
})

test('so do those in which the engine counts crashed operations, and hides ones of the same type', async () => {
  for (const [model, crashed, functions] of [[models.register(), 45, 2], [models.casRegister({ failedCas: 'strict' }), 45, 3], [models.kv(), 5, 3]] as const) {
    for (let seed = 1; seed <= 2000; seed++) {
      const few: Model = { ...model, functions: model.functions.slice(0, functions) }
      const history = randomHistory(few, { operations: 9, processes: 4, crashed, wrong: 25, values: 2, keys: 1, ties: false }, chance(seed))
      const { verdict } = await check(history, { model, explain: false, elapsedMs: () => 0 })
      assert.is(verdict, oracle(history, model) ? 'holds' : 'violated', `${model.name}, seed ${seed}`)
    }
  }
})

test('every witness of a register is refuted by the oracle when it stands alone, and nothing can be left out of its core', async () => {
  let seen = 0
  for (let seed = 1; seed <= 400; seed++) {
    const next = chance(seed)
    const model = models.casRegister({ failedCas: seed % 2 === 0 ? 'strict' : 'drop' })
    const history = randomHistory(model, { operations: 9, processes: 4, crashed: 10, wrong: 20, values: [0, 3][seed % 2]!, keys: 1, ties: false }, next)
    const { witness } = await check(history, { model })
    if (witness === undefined) continue
    seen++
    assert.not(oracle(only(history, witness.operations), model), `seed ${seed}: ${witness.explanation}`)
  }
  assert.ok(seen > 60)
})

test.run()
