/** The session guarantees, PRAM and causality, held against their definitions by brute force on random histories. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { explainedAnyhow, brokenGuarantees } from './testing/oracles.ts'
import { chance } from './testing/chance.ts'
import { randomOperations } from './testing/operations.ts'
import { soak as causalSoak } from './causal.soak.ts'
import { soak } from './sessions.soak.ts'

test('the guarantees agree with their definitions on random histories', async () => {
  const lines: string[] = []
  assert.ok(await soak.run(3_000, 1, (line) => lines.push(line)), lines.join('\n'))
})

test('PRAM and causal agree with theirs, published models imply them, and every witness is enough by itself', async () => {
  const lines: string[] = []
  assert.ok(await causalSoak.run(1_000, 2, (line) => lines.push(line)), lines.join('\n'))
})

test('the smallest visible sets are the best: choosing any others explains nothing more', () => {
  const random = chance(11)
  for (let at = 0; at < 400; at++) {
    const operations = randomOperations(random, { processes: 2, operations: 3 + random(4), keys: 1 + random(2), noise: [20, 100][random(2)]! })
    assert.equal(brokenGuarantees(operations), brokenGuarantees(operations, explainedAnyhow), JSON.stringify(operations))
  }
})

test.run()
