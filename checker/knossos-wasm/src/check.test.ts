/** What `check` says about small histories, and what its witnesses are. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { check } from './check.ts'
import { models } from './models.ts'
import { oracle } from './oracle.ts'
import { chance, randomHistory } from './testing/random-history.ts'
import { drawn, only } from './testing/notation.ts'
import { simulatedHistory } from './testing/simulated-history.ts'
import { History } from './history.ts'
import type { Json } from './history.ts'

const registers = models.casRegister()

async function verdictOf(text: string, model = registers): Promise<string> {
  return (await check(drawn(text), { model })).verdict
}

test('a read that misses an acknowledged write is refused, with three operations as its witness', async () => {
  const history = drawn(`
    a w1-- w2--
    b            r1--`)
  const { verdict, witness } = await check(history, { model: registers })
  assert.is(verdict, 'violated')
  assert.equal(witness!.operations.map((row) => history.event(row).f), ['write', 'write', 'read'])
  assert.match(witness!.explanation, /Read of 1 by process 1 began after the write of 2 by process 0 was acknowledged, and nothing wrote 1 again/)
})

test('a read may see a write that overlaps it, or not', async () => {
  assert.is(await verdictOf(`
    a w1-- w2-----
    b        r1--`), 'holds')
  assert.is(await verdictOf(`
    a w1-- w2-----
    b        r2--`), 'holds')
})

test('once somebody saw the new value nobody sees the old one', async () => {
  assert.is(await verdictOf(`
    a w1-- w2-------------
    b        r2--  r1--`), 'violated')
})

test('operations that touch at one instant are concurrent', async () => {
  const history = new History()
  history.push({ time: 1, process: 0, type: 'invoke', f: 'write', value: 1 })
  history.push({ time: 5, process: 0, type: 'ok', f: 'write', value: 1 })
  history.push({ time: 5, process: 1, type: 'invoke', f: 'read' })
  history.push({ time: 7, process: 1, type: 'ok', f: 'read', value: null })
  assert.is((await check(history, { model: registers })).verdict, 'holds')
})

test('a crashed write may take effect long after, or never, but once at most', async () => {
  assert.is(await verdictOf(`
    a w1--!
    b w2--   r2--  r1--`), 'holds')
  assert.is(await verdictOf(`
    a w1--!
    b w2--   r2--  r2--`), 'holds')
  assert.is(await verdictOf(`
    a w1--!
    b w2--   r1--  w3-- r3-- r1--`), 'violated')
})

test('two successful compare-and-sets cannot consume one value', async () => {
  assert.is(await verdictOf(`
    a w1-- c12--
    b      c13--`), 'violated')
})

test('what was deleted does not come back, and the sentence says so', async () => {
  const { verdict, witness } = await check(drawn(`
    a w1-- d_--           r1--
    b            d_-- d_--`), { model: registers })
  assert.is(verdict, 'violated')
  assert.is(witness!.explanation, 'Read of 1 by process 0 began after the delete by process 1 was acknowledged, and nothing wrote 1 again.')
})

test('a key may be empty before, between and after: no order of two deletes is taken for granted', async () => {
  assert.is(await verdictOf(`
    a w1-- d_------------   r_--
    b        d_-- w2-- r_--`), 'holds')
  assert.is(await verdictOf(`
    a w1-- d_-----          r_--
    b        d_-- w2-- r2--`), 'violated')
  assert.is(await verdictOf(`
    a w1-- d_--!            r_--
    b        d_-- w2-- r2--`), 'holds')
})

test('a failed read and a failed write prove nothing', async () => {
  assert.is(await verdictOf(`
    a w1--  r7--x
    b w2--x      r1--`), 'holds')
  assert.is(await verdictOf(`
    a w1--
    b w2--x   r2--`), 'violated')
})

test('in a chain of compare-and-sets every value is gone once the next one stands', async () => {
  assert.is(await verdictOf(`
    a w1-- c12--
    b            r1--`), 'violated')
  assert.is(await verdictOf(`
    a w1-- c12-- c23--
    b         r1-----r2-----r3--`), 'holds')
  assert.is(await verdictOf(`
    a w1--  c12--------
    b r2--`), 'violated')
  assert.is(await verdictOf(`
    a w1-- c12--!
    b             c23--   r3--  r2--`), 'violated')
})

test('a chain has begun as soon as any of its values was seen, even if its write goes on', async () => {
  assert.is(await verdictOf(`
    a w1--------------------
    b r1-- c12--------------
    c         w5-- r5--         r2--`), 'violated')
  assert.is(await verdictOf(`
    a w1--------------------
    b r1-- c12--------------
    c         w5-- r5--         r5--`), 'holds')
})

test('compare-and-sets that need each other need something to begin with', async () => {
  assert.is(await verdictOf(`
    a c12----
    b c21----`), 'violated')
})

test('a failed compare-and-set proves nothing, or that the value differed, as told', async () => {
  const text = `
    a w1-- c12--x`
  assert.is(await verdictOf(text), 'holds')
  assert.is(await verdictOf(text, models.casRegister({ failedCas: 'strict' })), 'violated')
})

test('a value that nobody wrote is a violation', async () => {
  const { witness } = await check(drawn('a r7--'), { model: registers })
  assert.is(witness!.operations.length, 1)
  assert.match(witness!.explanation, /nothing ever wrote 7/)
})

test('keys are judged apart, and one violated key leaves the verdicts of the others', async () => {
  const history = new History()
  const push = (time: number, type: 'invoke' | 'ok', f: string, key: string, value: number | null): void => {
    history.push({ time, process: 0, type, f, key, value })
  }
  push(1, 'invoke', 'write', 'x', 1)
  push(2, 'ok', 'write', 'x', 1)
  push(3, 'invoke', 'read', 'y', null)
  push(4, 'ok', 'read', 'y', 1)
  const { verdict, perKey } = await check(history, { model: registers })
  assert.is(verdict, 'violated')
  assert.equal(perKey.map(({ key, verdict: one }) => [key, one]), [['x', 'holds'], ['y', 'violated']])
})

test('values of any JSON type, and integers beyond 2^31 and 2^53, are themselves', async () => {
  for (const [written, read, expected] of [
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, 'holds'], [[1, 2], [1, 2], 'holds'], [[1, 2], [2, 1], 'violated'],
    [2 ** 31, 2 ** 31, 'holds'], [2 ** 31, -(2 ** 31), 'violated'], ['1', 1, 'violated'], [true, true, 'holds'], [-1, null, 'violated'],
  ] as const) {
    const history = new History()
    history.push({ time: 1, process: 0, type: 'invoke', f: 'write', value: written })
    history.push({ time: 2, process: 0, type: 'ok', f: 'write', value: written })
    history.push({ time: 3, process: 0, type: 'invoke', f: 'read' })
    history.push({ time: 4, process: 0, type: 'ok', f: 'read', value: read })
    assert.is((await check(history, { model: registers })).verdict, expected, JSON.stringify([written, read]))
  }
})

test('out of time is unknown, never a pass', async () => {
  const history = randomHistory(registers, { operations: 5000, processes: 30, crashed: 0, wrong: 0, values: 8, keys: 1, ties: false }, chance(1))
  let now = 0
  const { verdict, reason } = await check(history, { model: registers, timeLimitMs: 10, elapsedMs: () => (now += 100) })
  assert.is(verdict, 'unknown')
  assert.match(reason!, /time limit/)
})

test('out of memory is unknown, never a pass', async () => {
  const history = randomHistory(registers, { operations: 2000, processes: 10, crashed: 0, wrong: 0, values: 4, keys: 1, ties: false }, chance(1))
  const { verdict, reason } = await check(history, { model: registers, memoryLimitMb: 0.05 })
  assert.is(verdict, 'unknown')
  assert.match(reason!, /memory limit of 0.05 MB/)
})

test('of two equal appends the hidden one may stay hidden, although it returns first', async () => {
  const history = new History()
  const events: readonly (readonly [number, 'invoke' | 'ok', string, string | null])[] = [
    [1, 'invoke', 'append', 'a'], [0, 'invoke', 'put', 'x'], [0, 'ok', 'put', 'x'], [2, 'invoke', 'append', 'a'], [0, 'invoke', 'get', null], [0, 'ok', 'get', 'xa'],
    [1, 'ok', 'append', 'a'], [2, 'ok', 'append', 'a'], [0, 'invoke', 'get', null], [0, 'ok', 'get', 'xa'],
  ]
  events.forEach(([process, type, f, value], time) => history.push({ time, process, type, f, value }))
  assert.is((await check(history, { model: models.kv() })).verdict, 'holds')
})

test('a crashed write of the value that is there already may hide another write', async () => {
  const history = new History()
  const events: readonly (readonly [number, number, 'invoke' | 'ok' | 'info', string, Json])[] = [
    [1, 0, 'invoke', 'write', 1], [2, 1, 'invoke', 'cas', [1, 2]], [3, 2, 'invoke', 'write', 0], [4, 1, 'ok', 'cas', [1, 2]],
    [5, 2, 'ok', 'write', 0], [6, 0, 'info', 'write', 1], [7, 2, 'invoke', 'read', null], [8, 2, 'ok', 'read', 2],
  ]
  for (const [time, process, type, f, value] of events) history.push({ time, process, type, f, value })
  const model = models.casRegister({ initial: 1, failedCas: 'strict' })
  assert.ok(oracle(history, model))
  assert.is((await check(history, { model })).verdict, 'holds')
})

test('a violation says how far the history is linearizable, whose response broke it, and what the object could be there', async () => {
  const history = drawn(`
    a w1-- w2--          w3--
    b            r1--`)
  const { perKey } = await check(history, { model: registers })
  const { decidedEvents, stuck, finalStates } = perKey[0]!
  assert.is(decidedEvents, 5)
  assert.equal(history.event(stuck!).f, 'read')
  assert.equal(finalStates, [2])
  let [seen, longest] = [0, 0]
  for (let seed = 1; seed <= 300; seed++) {
    const model = seed % 2 === 0 ? registers : models.casRegister({ failedCas: 'strict' })
    const random = randomHistory(model, { operations: 12, processes: 4, crashed: 10, wrong: 20, values: 0, keys: 1, ties: false }, chance(seed))
    const [broken] = (await check(random, { model })).perKey
    if (broken?.verdict !== 'violated') continue
    seen++
    longest = Math.max(longest, broken.decidedEvents)
    const [before, after] = [0, 1].map((more) => prefixOf(random, random.pair[broken.stuck!]! + more))
    assert.ok(oracle(before!, model), `seed ${seed}: the prefix is not linearizable`)
    assert.not(oracle(after!, model), `seed ${seed}: the prefix is not the longest`)
  }
  assert.ok(seen > 60 && longest > 12)
})

function prefixOf(history: History, events: number): History {
  const prefix = new History()
  for (let row = 0; row < events; row++) prefix.push(history.event(row))
  return prefix
}

test('keys may be decided in several threads; the verdicts are the same', async () => {
  const history = simulatedHistory({ operations: 3000, processes: 8, model: 'cas-register', keys: 6, values: 5 })
  const alone = await check(history, { model: registers, elapsedMs: () => 0 })
  const shared = await check(history, { model: registers, workers: 2, elapsedMs: () => 0 })
  assert.is(alone.verdict, 'holds')
  assert.equal(shared.perKey, alone.perKey)
})

test('a queue that skips an element is refused with three operations, and the sentence says what it could hold', async () => {
  const history = new History()
  let time = 0
  const call = (process: number, f: string, value: number | null, result: number): void => {
    history.push({ time: ++time, process, type: 'invoke', f, value })
    history.push({ time: ++time, process, type: 'ok', f, value: result })
  }
  for (let i = 0; i < 50; i++) call(0, 'enqueue', i, i)
  for (let i = 0; i < 20; i++) call(1, 'dequeue', null, i)
  call(2, 'dequeue', null, 33)
  const { witness } = await check(history, { model: models.fifoQueue() })
  assert.is(witness!.operations.length, 3)
  assert.match(witness!.explanation, /dequeue that returned 33 by process 2 .* could only be \[\d+,33\]/)
  assert.not(oracle(only(history, witness!.operations), models.fifoQueue()))
})

test.run()
