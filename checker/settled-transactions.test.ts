import { models } from 'knossos-wasm'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { linearizableObject } from './linearizable-object.ts'
import { settledTransactions } from './settled-transactions.ts'
import { chance } from './testing/chance.ts'
import { context } from './testing/context.ts'
import { historyOfTransactions, randomTransactions, type Small } from './transactions/testing/small.ts'
import type { JudgementVerdict } from './verdict.ts'

const unknown = (start: number, value: number): Small => ({ process: start, outcome: 'info', start, end: 0, micros: [['r', 'y', null], ['w', 'x', value]] })
const reader = (start: number, end: number, value: number | null): Small => ({ process: start, outcome: 'ok', start, end, micros: [['r', 'x', value]] })

const judged = async (transactions: readonly Small[], settle?: typeof settledTransactions): Promise<JudgementVerdict> => linearizableObject(models.multiRegister(), true, settle === undefined ? {} : { settle }).judge(historyOfTransactions(transactions), context)

test('what nobody saw is left out, what somebody read was over when the reader was', () => {
  const { history, rows } = settledTransactions(historyOfTransactions([unknown(0, 1), unknown(1, 2), reader(2, 3, 2)]))
  assert.equal(Array.from({ length: history.length }, (_, row) => history.event(row)).map(({ type, value }) => [type, value]), [
    ['invoke', [['w', 'x', 2]]],
    ['invoke', [['r', 'x', null]]],
    ['ok', [['r', 'x', 2]]],
    ['ok', [['w', 'x', 2]]],
  ])
  assert.equal(rows, [1, 2, 3, 1])
})

test('a hundred transactions of unknown outcome are no obstacle', async () => {
  const many = Array.from({ length: 100 }, (_, at) => [unknown(4 * at, at), ...(at % 2 === 0 ? [reader(4 * at + 1, 4 * at + 2, at)] : [])]).flat()
  assert.is((await judged(many, settledTransactions)).verdict, 'holds')
  const back = await judged([...many, reader(1_000, 1_001, 0)], settledTransactions)
  assert.is(back.verdict, 'violated')
  assert.ok(back.witnesses[0]!.operations.length > 0)
})

test('random histories are judged as they are without it', async () => {
  const random = chance(17)
  for (let at = 0; at < 3_000; at++) {
    const transactions = randomTransactions(random, { model: 'rw-register', transactions: 2 + random(5), keys: 1 + random(2), processes: 1 + random(3), noise: [0, 20, 50][random(3)]! })
    // A value twice, now and then: then nobody can tell who wrote it.
    const doubled = random(3) === 0 ? transactions.map((one) => ({ ...one, micros: one.micros.map(([f, key, value]) => [f, key, typeof value === 'number' ? Math.ceil(value / 2) : value] as const) })) : transactions
    assert.is((await judged(doubled, settledTransactions)).verdict, (await judged(doubled)).verdict, JSON.stringify(doubled))
  }
})

test.run()
