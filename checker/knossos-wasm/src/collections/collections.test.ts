/** The algorithms for collections and counters where histories are long. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { check } from '../check.ts'
import { models } from '../models.ts'
import { History } from '../history.ts'

test('a stack that was filled and emptied again is decided at once, however deep it is', async () => {
  const depth = 20_000
  const history = new History()
  const call = (f: string, input: number | null, output: number): void => {
    history.push({ time: history.length, process: 0, type: 'invoke', f, value: input })
    history.push({ time: history.length, process: 0, type: 'ok', f, value: output })
  }
  for (let i = 1; i <= depth; i++) call('push', i, i)
  for (let i = depth; i >= 1; i--) call('pop', null, i === 3 ? 2 : i === 2 ? 3 : i)
  const { verdict, witness, perKey } = await check(history, { model: models.stack(), elapsedMs: () => 0 })
  assert.is(verdict, 'violated')
  assert.is(perKey[0]!.algorithm, 'pairs')
  assert.equal(witness!.operations.map((row) => history.event(row).f), ['push', 'push', 'pop'])
})

test.run()
