/** The algorithms for collections and counters where histories are long. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { check } from '../check.ts'
import { models } from '../models.ts'
import { History } from '../history.ts'
import { drawn } from '../testing/notation.ts'
import type { Model } from '../model.ts'

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

/** The verdict, which the algorithm for the model must have found. */
async function verdictOf(model: Model, picture: string): Promise<string> {
  const { verdict, perKey } = await check(drawn(picture), { model, elapsedMs: () => 0 })
  assert.is(perKey[0]!.algorithm, 'pairs')
  return verdict
}

test('an element that was overtaken may have gone to a take that crashed, if that began in time', async () => {
  const queue = models.fifoQueue()
  assert.is(await verdictOf(queue, `
    a e1-- e2--
    b           t2--
    c            t_--!`), 'holds')
  assert.is(await verdictOf(queue, `
    a e1-- e2--
    b           t2--
    c                t_--!`), 'violated')
})

test('of those that overtook it the first that was taken counts', async () => {
  assert.is(await verdictOf(models.fifoQueue(), `
    a e1-- e2-- e3--
    b                t2--
    c                     t_--!
    d                       t3--`), 'violated')
})

test('a take that waits for its element finds the smaller ones that came meanwhile', async () => {
  const picture = (first: number) => `
    a p47---------------
    b  i${first}--
    c        i47--`
  assert.is(await verdictOf(models.priorityQueue(), picture(10)), 'violated')
  assert.is(await verdictOf(models.priorityQueue(), picture(50)), 'holds')
})

test.run()
