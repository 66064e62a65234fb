import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Completion, Json } from '../../../checker/history/index.ts'
import { simulate } from '../testing/simulate.ts'
import type { Bench } from '../testing/simulate.ts'

const txn = (bench: Bench, id: string, ...steps: Json[]): Promise<Completion> => bench.client(id).invoke({ f: 'txn', value: steps })
const ACCOUNTS = ['a', 'b', 'c', 'd', 'e', 'f']

for (const preset of ['2pc', 'paxos-commit']) {
  test(`${preset}: a transaction reads and writes several keys at once`, () =>
    simulate({ preset }, async (bench) => {
      assert.equal(await txn(bench, 'n1', ['w', 'a', 1], ['w', 'b', 2], ['append', 'l', 1], ['r', 'a', null]), { type: 'ok', value: [['w', 'a', 1], ['w', 'b', 2], ['append', 'l', 1], ['r', 'a', 1]] })
      assert.equal(await txn(bench, 'n2', ['r', 'b', null], ['append', 'l', 2], ['r', 'l', null], ['w', 'a', null]), { type: 'ok', value: [['r', 'b', 2], ['append', 'l', 2], ['r', 'l', [1, 2]], ['w', 'a', null]] })
      assert.equal(await bench.read('n3', 'a'), { type: 'ok', value: null })
      assert.equal(await bench.client('n4').invoke({ f: 'cas', key: 'b', value: [2, 3] }), { type: 'ok' })
      assert.equal(await bench.client('n4').invoke({ f: 'cas', key: 'b', value: [2, 4] }), { type: 'fail', error: 'MISMATCH' })
      assert.equal(await txn(bench, 'n5', ['append', 'b', 1]), { type: 'fail', error: 'WRONGTYPE' })
    }))

  test(`${preset}: what is written together is read together, also while nodes crash`, () =>
    simulate({ preset, seed: 3 }, async (bench) => {
      const clients = { stopped: false }
      let written = 0
      const writer = async (id: string, offset: number): Promise<void> => {
        for (let i = offset; !clients.stopped; i += 10) {
          if ((await txn(bench, id, ...ACCOUNTS.map((key) => ['w', key, i]))).type === 'ok') written++
          await bench.sleep(20)
        }
      }
      let read = 0
      const reader = async (id: string): Promise<void> => {
        while (!clients.stopped) {
          const { type, value } = await txn(bench, id, ...ACCOUNTS.map((key) => ['r', key, null]))
          await bench.sleep(10)
          if (type !== 'ok') continue
          read++
          assert.is(new Set((value as Json[][]).map(([, , found]) => JSON.stringify(found))).size, 1, JSON.stringify(value))
        }
      }
      const working = [writer('n1', 1), writer('n2', 2), reader('n3'), reader('n4')]
      for (const id of ['n1', 'n5', 'n2']) {
        await bench.sleep(1_000)
        await bench.node(id).powerLoss()
        await bench.sleep(700)
        await bench.node(id).start()
      }
      await bench.sleep(4_000)
      clients.stopped = true
      await Promise.all(working)
      assert.ok(written > 10 && read > 10, `${written} written, ${read} read`)
      await bench.until(async () => (await txn(bench, 'n3', ...ACCOUNTS.map((key) => ['r', key, null]))).type === 'ok', 5_000)
    }))
}

/** A coordinator that dies as soon as every participant has voted. Resolves to a participant's key, or undefined if that did not come about. */
async function dieAfterVotes(bench: Bench): Promise<boolean> {
  const others = bench.ids.slice(1)
  const coordinator = bench.node('n1')
  for (let i = 0; i < 60; i++) {
    const keys = Array.from({ length: 8 }, (_, n) => `${i}-${n}`)
    const pending = txn(bench, 'n1', ...keys.map((key) => ['w', key, 1]))
    await bench.sleep(1 + (i % 30) * 0.25)
    await coordinator.kill()
    await pending
    const doubts = await Promise.all(others.map(async (id) => (await bench.stats(id))['in_doubt']!))
    if (doubts.filter((count) => count > 0).length >= 2) return true
    await coordinator.start()
  }
  return false
}

const inDoubt = async (bench: Bench): Promise<number> => {
  const counts = await Promise.all(bench.ids.slice(1).map(async (id) => (await bench.stats(id))['in_doubt']!))
  return counts.reduce((a, b) => a + b, 0)
}

test('2pc: a coordinator that dies after the votes blocks its participants until it is back', () =>
  simulate({ preset: '2pc' }, async (bench) => {
    assert.ok(await dieAfterVotes(bench))
    await bench.sleep(10_000)
    assert.ok((await inDoubt(bench)) > 0, 'participants wait')
    await bench.node('n1').start()
    await bench.until(async () => (await inDoubt(bench)) === 0, 10_000)
  }))

test('paxos-commit: participants finish without the coordinator', () =>
  simulate({ preset: 'paxos-commit' }, async (bench) => {
    assert.ok(await dieAfterVotes(bench))
    await bench.until(async () => (await inDoubt(bench)) === 0, 5_000)
  }))

test('transactions that lock the same keys in opposite orders all end, and none is carried out in part', () =>
  simulate({ preset: '2pc' }, async (bench) => {
    const results = await Promise.all(Array.from({ length: 40 }, (_, i) => txn(bench, bench.ids[i % 5]!, ...(i % 2 === 0 ? ACCOUNTS : ACCOUNTS.toReversed()).map((key) => ['append', key, i]))))
    assert.ok(results.every(({ type }) => type === 'ok' || type === 'fail'))
    const { value } = await txn(bench, 'n1', ...ACCOUNTS.map((key) => ['r', key, null]))
    const lists = (value as Json[][]).map(([, , list]) => JSON.stringify(list))
    assert.is(new Set(lists).size, 1)
    assert.is((JSON.parse(lists[0]!) as unknown[]).length, results.filter(({ type }) => type === 'ok').length)
  }))

test.run()
