/** Whatever holds a model holds every weaker one, on random histories. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { chance } from './testing/chance.ts'
import { monotoneVerdicts } from './testing/monotone.ts'
import { historyOf, randomOperations } from './testing/operations.ts'

test('random histories are monotone along the ladder', async () => {
  const random = chance(5)
  for (let at = 0; at < 1_500; at++) {
    const operations = randomOperations(random, { processes: 3, operations: 4 + random(12), keys: 1 + random(2), noise: [0, 0, 10, 40][random(4)]! })
    await monotoneVerdicts(historyOf(operations)).catch((error: Error) => assert.unreachable(`${error.message} ${JSON.stringify(operations)}`))
  }
})

test.run()
