/** What each model allows and forbids, in the smallest histories that show it. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { check } from './check.ts'
import { History } from './history.ts'
import { modelNamed, models } from './models.ts'
import { oracle } from './oracle.ts'
import type { Json } from './history.ts'
import type { Model, ModelOperation } from './model.ts'

type Call = readonly [f: string, input: Json, output?: Json | 'crash', process?: number]

/** One call after another; `crash`: nobody knows what came of it. */
function sequence(calls: readonly Call[]): History {
  const history = new History()
  let process = 100
  calls.forEach(([f, input, output = input, who], i) => {
    const p = who ?? process
    history.push({ time: 2 * i, process: p, type: 'invoke', f, value: input })
    history.push({ time: 2 * i + 1, process: p, type: output === 'crash' ? 'info' : 'ok', f, value: output === 'crash' ? null : output })
    if (output === 'crash') process++
  })
  return history
}

/** Model, what it allows, what it forbids. */
const cases: readonly (readonly [Model, readonly (readonly Call[])[], readonly (readonly Call[])[]])[] = [
  [models.register(), [[['read', null, null], ['write', 1], ['read', null, 1]], [['write', 1], ['delete', null], ['read', null, null], ['delete', null], ['write', 1], ['read', null, 1]], [['write', 1], ['delete', null, 'crash'], ['read', null, 1], ['read', null, null]]], [[['write', 1], ['read', null, null]], [['write', 1], ['delete', null], ['read', null, 1]], [['write', 1], ['delete', null, 'crash'], ['read', null, null], ['read', null, 1]], [['delete', 5], ['read', null, 5]]]],
  [models.register({ initial: 0 }), [[['read', null, 0], ['delete', null], ['read', null, null]]], [[['delete', null], ['read', null, 0]], [['read', null, null]]]],
  [models.register({ nilReads: 'unknown' }), [[['write', 1], ['read', null, null]], [['write', 1], ['delete', null], ['write', 2], ['read', null, null]]], [[['write', 1], ['read', null, 2]], [['write', 1], ['delete', null], ['read', null, 1]]]],
  [models.casRegister({ initial: 0 }), [[['cas', [0, 1]], ['read', null, 1]], [['cas', [0, 1]], ['delete', null], ['cas', [null, 2]], ['read', null, 2]]], [[['cas', [1, 2]]], [['cas', [0, 1]], ['cas', [0, 2]]], [['delete', null], ['cas', [0, 1]]], [['cas', [0, 1]], ['delete', null], ['cas', [1, 2]]]]],
  [models.kv(), [[['append', 'a'], ['append', 'b'], ['get', null, 'ab'], ['put', 'c'], ['get', null, 'c'], ['delete', null], ['get', null, '']]], [[['append', 'a'], ['append', 'b'], ['get', null, 'ba']], [['put', 'c'], ['append', 'd'], ['get', null, 'd']]]],
  [models.multiRegister(), [[['txn', [['write', 'x', 1], ['read', 'x', null]], [['write', 'x', 1], ['read', 'x', 1]]]]], [[['txn', [['write', 'x', 1], ['write', 'y', 1]]], ['txn', [['read', 'x', null], ['read', 'y', null]], [['read', 'x', 1], ['read', 'y', 2]]]]]],
  [models.mutex(), [[['acquire', null], ['release', null], ['acquire', null]], [['acquire', null, 'crash'], ['release', null]]], [[['acquire', null], ['acquire', null]], [['release', null]]]],
  [models.reentrantLock(), [[['acquire', null, null, 1], ['acquire', null, null, 1], ['release', null, null, 1], ['release', null, null, 1], ['acquire', null, null, 2]]], [[['acquire', null, null, 1], ['acquire', null, null, 2]], [['acquire', null, null, 1], ['release', null, null, 2]], [['acquire', null, null, 1], ['acquire', null, null, 1], ['acquire', null, null, 1]]]],
  [models.fencedLock(), [[['acquire', null, 5, 1], ['release', null, null, 1], ['acquire', null, 6, 2]]], [[['acquire', null, 5, 1], ['release', null, null, 1], ['acquire', null, 5, 2]], [['acquire', null, 5, 1], ['acquire', null, 6, 2]]]],
  [models.set(), [[['add', 1, null], ['add', 2, true], ['remove', 1, true], ['contains', 1, false], ['read', null, [2]]]], [[['add', 1, null], ['contains', 1, false]], [['add', 1, null], ['add', 1, true]], [['remove', 1, true]]]],
  [models.growOnlySet(), [[['add', 2, null], ['add', 1, null], ['read', null, [1, 2]]], [['add', 1, 'crash'], ['read', null, []], ['read', null, [1]]]], [[['add', 1, null], ['read', null, []]], [['add', 1, 'crash'], ['read', null, [1]], ['read', null, []]], [['read', null, [7]]], [['add', 1, 'crash'], ['add', 2, 'crash'], ['read', null, [1]], ['read', null, [2]]], [['read', null, [1]], ['add', 1, null]], [['add', 1, null], ['add', 2, 'crash'], ['read', null, [2]]]]],
  [models.counter(), [[['add', 2], ['add', -1], ['read', null, 1]], [['add', 2, 'crash'], ['read', null, 0], ['read', null, 2]]], [[['add', 2], ['read', null, 0]], [['add', 2, 'crash'], ['read', null, 2], ['read', null, 0]]]],
  [models.fetchAndAdd(), [[['add', 2, 0], ['add', 3, 2], ['read', null, 5]]], [[['add', 2, 0], ['add', 3, 0]]]],
  [models.fifoQueue(), [[['enqueue', 1], ['enqueue', 2], ['dequeue', null, 1], ['dequeue', null, 2], ['dequeue', null, null]], [['enqueue', 1], ['enqueue', 2], ['dequeue', null, 'crash'], ['dequeue', null, 2]]], [[['enqueue', 1], ['enqueue', 2], ['dequeue', null, 2]], [['enqueue', 1], ['dequeue', null, null]], [['enqueue', 1], ['dequeue', null, 1], ['dequeue', null, 1]], [['dequeue', null, 1], ['enqueue', 1]], [['enqueue', 1], ['enqueue', 2], ['dequeue', null, 2], ['dequeue', null, 1]], [['enqueue', 1], ['enqueue', 2], ['enqueue', 3], ['dequeue', null, 1], ['dequeue', null, 3], ['dequeue', null, 2]]]],
  [models.unorderedQueue(), [[['enqueue', 1], ['enqueue', 2], ['dequeue', null, 2], ['dequeue', null, 1]]], [[['dequeue', null, 1]], [['enqueue', 1], ['dequeue', null, 1], ['dequeue', null, 1]], [['enqueue', 1], ['dequeue', null, null]]]],
  [models.stack(), [[['push', 1], ['push', 2], ['pop', null, 2], ['pop', null, 1], ['pop', null, null]]], [[['push', 1], ['push', 2], ['pop', null, 1]], [['push', 1], ['push', 2], ['pop', null, 1], ['pop', null, 2]]]],
  [models.priorityQueue(), [[['insert', 10], ['insert', 9], ['poll', null, 9], ['poll', null, 10]]], [[['insert', 10], ['insert', 9], ['poll', null, 10]], [['insert', 10], ['insert', 9], ['poll', null, 10], ['poll', null, 9]]]],
  [models.appendList(), [[['append', 1], ['append', 2], ['read', null, [1, 2]]]], [[['append', 1], ['append', 2], ['read', null, [2, 1]]], [['append', 1], ['read', null, []]]]],
]

for (const [model, allowed, forbidden] of cases) {
  test(`${model.name}: what it allows, and what it forbids`, async () => {
    for (const [histories, verdict] of [[allowed, 'holds'], [forbidden, 'violated']] as const) {
      for (const calls of histories) {
        const history = sequence(calls)
        assert.is((await check(history, { model })).verdict, verdict, JSON.stringify(calls))
        assert.is(oracle(history, model), verdict === 'holds', `the oracle on ${JSON.stringify(calls)}`)
      }
    }
  })
}

/** Models in which a state can stand for all others, operations of theirs, and states. */
const loose: readonly (readonly [Model, readonly (readonly [f: string, input: Json, output: Json | undefined])[]])[] = [
  [models.casRegister({ failedCas: 'strict' }), [['read', null, 1], ['read', null, null], ['write', 1, 1], ['write', 2, undefined], ['delete', null, null], ['cas', [1, 2], null], ['cas', [2, 1], undefined]]],
  [models.counter(), [['add', 1, null], ['add', 2, undefined], ['read', null, 1], ['read', null, 3]]],
  [models.fetchAndAdd(), [['add', 1, 0], ['add', 1, 1], ['add', 2, undefined], ['read', null, 2], ['read', null, 3]]],
  [models.multiRegister({ initial: { x: 1 } }), [
    ['txn', [['write', 'x', 2]], [['write', 'x', 2]]], ['txn', [['write', 'y', 1], ['read', 'x', null]], [['write', 'y', 1], ['read', 'x', 1]]], ['txn', [['read', 'x', null], ['read', 'y', null]], [['read', 'x', 2], ['read', 'y', 1]]],
    ['txn', [['write', 'z', 1], ['read', 'y', null]], undefined], ['txn', [['read', 'z', null]], [['read', 'z', null]]], ['txn', [['read', 'x', null]], null],
  ]],
]

for (const [model, calls] of loose) {
  test(`${model.name}: what is possible in a state is possible in the one that stands for all, and in what comes of it`, () => {
    const operations = calls.map(([f, input, output]): ModelOperation => ({ f, input, output, outcome: output === undefined ? 'info' : 'ok', process: null }))
    const failed = model.register === undefined ? [] : operations.filter(({ f }) => f === 'cas').map((operation): ModelOperation => ({ ...operation, outcome: 'fail' }))
    const isCovered = (state: Json, cover: readonly Json[], depth: number): boolean => depth === 0 || [...operations, ...failed].every((operation) => model.step(state, operation).every((next) => {
      const after = cover.flatMap((one) => model.step(one, operation))
      return after.length > 0 && isCovered(next, after, depth - 1)
    }))
    const after = (states: readonly Json[]): Json[] => [...states, ...states.flatMap((state) => operations.flatMap((operation) => model.step(state, operation)))]
    const states = after(after([model.init]))
    // One that was reached with all the keys that there are.
    const last = states.reduce((most, state) => (Object.keys(state ?? {}).length > Object.keys(most ?? {}).length ? state : most))
    for (const state of states) assert.ok(isCovered(state, [model.anything!(last)], 3), JSON.stringify(state))
  })
}

test('what may become possible after others is told from what cannot', () => {
  const judged = models.multiRegister({ initial: { x: 1 } })
  const txn = (output: Json | undefined, input: Json = output!): ModelOperation => ({ f: 'txn', input, output, outcome: output === undefined ? 'info' : 'ok', process: null })
  const [two, both, lost] = [txn(undefined, [['write', 'x', 2]]), txn([['write', 'y', 3], ['write', 'x', 3]]), txn([['read', 'x', 4]])]
  const mayBecome = (operation: ModelOperation, ...others: readonly ModelOperation[]): boolean => judged.attainable!({ x: 1 }, operation, others)
  for (const output of [[['read', 'x', 1]], [['read', 'x', 2]], [['r', 'x', 3], ['r', 'y', 3]], [['read', 'y', null]], [['write', 'x', 9]], []] as Json[]) assert.ok(mayBecome(txn(output), two, both, lost), JSON.stringify(output))
  for (const output of [[['read', 'x', 4]], [['read', 'x', 1], ['read', 'y', 2]], 'nothing', [null]] as Json[]) assert.not(mayBecome(txn(output), two, both, lost), JSON.stringify(output))
  assert.ok(mayBecome(lost, txn([['write', 'x', 4]])))
  assert.ok(mayBecome(two))
  assert.ok(mayBecome(txn(null, [['read', 'x', null]])))
})

test('the keys of a register of several may have any names', async () => {
  for (const key of ['toString', '__proto__', 'constructor']) {
    const write: Call = ['txn', [['write', key, 1]]]
    assert.is((await check(sequence([['txn', [['read', key, null]], [['read', key, 1]]]]), { model: models.multiRegister() })).verdict, 'violated', key)
    assert.is((await check(sequence([write, ['txn', [['read', key, null]], [['read', key, 1]]]]), { model: models.multiRegister() })).verdict, 'holds', key)
    assert.is((await check(sequence([write, ['txn', [['read', key, null]], [['read', key, 2]]]]), { model: models.multiRegister() })).verdict, 'violated', key)
  }
})

test('models are found by their names', () => {
  assert.is(modelNamed('append-list')!.name, 'append-list')
  assert.is(modelNamed('no-such-model'), undefined)
})

test('a function that a model does not know is named, with what it knows', async () => {
  try {
    await check(sequence([['push', 1]]), { model: models.register() })
    assert.unreachable()
  } catch (error) {
    assert.match((error as Error).message, /event 0 invokes "push", which a register does not know \(it knows read, write, delete\)/)
  }
})

test.run()
