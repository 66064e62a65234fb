/** The quick acceptor of large histories, on small ones, where it can be compared. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { acceptZones } from './accept-zones.ts'
import { check } from './check.ts'
import { History } from './history.ts'
import { models } from './models.ts'
import { drawn } from './testing/notation.ts'
import { chance, randomHistory } from './testing/random-history.ts'

/** The history as it stood so many events before its end: some operations have not ended. */
function withoutEnd(history: History, events: number): History {
  const begun = new History()
  for (let row = 0; row < history.length - events; row++) begun.push(history.event(row))
  return begun
}

test('it accepts exactly the histories that zones find linearizable, key by key', async () => {
  let [accepted, refused] = [0, 0]
  for (let seed = 1; seed <= 3000; seed++) {
    const next = chance(seed)
    const model = seed % 2 === 0 ? models.register() : models.casRegister()
    const shape = { operations: 3 + next(30), processes: 1 + next(4), crashed: [0, 10, 30][next(3)]!, wrong: [0, 2, 15][next(3)]!, values: 0, keys: 1 + next(2), ties: false }
    const history = withoutEnd(randomHistory(model, shape, next), next(6))
    const keys = acceptZones(history, model, model.register!, history.values.encode(model.register!.initial))
    const { verdict, perKey } = await check(history, { model, explain: false, elapsedMs: () => 0 })
    if (verdict !== 'holds') {
      assert.is(keys, null, `seed ${seed} is violated`)
      refused++
    } else if (perKey.every(({ algorithm }) => algorithm !== 'window')) {
      assert.equal(keys?.map(({ key, operations, events }) => [history.values.decode(key), operations, events]), perKey.map(({ key, operations, decidedEvents }) => [key, operations, decidedEvents]), `seed ${seed} holds`)
      accepted++
    }
  }
  assert.ok(accepted > 500 && refused > 100, `${accepted} accepted, ${refused} refused`)
})

test('it leaves histories with deletes to others: what is deleted was written twice, mostly', () => {
  const model = models.register()
  const accepts = (text: string): boolean => acceptZones(drawn(text), model, model.register!, -1) !== null
  assert.is(accepts('a w1-- r1--'), true)
  assert.is(accepts('a w1-- d_-- r_--'), false)
  assert.is(accepts('a w1-- d_-- r1--'), false)
})

test('it does not accept compare-and-sets in a ring: each needs the value of another first', () => {
  const history = drawn(`
    a c12----
    b c21----
    c r1----`)
  const model = models.casRegister()
  assert.is(acceptZones(history, model, model.register!, history.values.encode(null)), null)
})

test('a chain begins where the first operation on any of its values ended', () => {
  const history = drawn(`
    a w1--------------
    b  c12--
    c       w3--
    d             r2--`)
  const model = models.casRegister()
  assert.is(acceptZones(history, model, model.register!, history.values.encode(null)), null)
})

test('a value that a compare-and-set makes is not read before that begins', () => {
  const model = models.casRegister()
  const accepts = (picture: string) => {
    const history = drawn(picture)
    return acceptZones(history, model, model.register!, history.values.encode(null)) !== null
  }
  assert.not(accepts(`
    a w1--
    b      r2--
    c           c12--`))
  assert.ok(accepts(`
    a w1--
    b      r2------
    c           c12--`))
})

test('it says nothing about functions that the model does not know', () => {
  const history = new History()
  for (const [i, type] of (['invoke', 'ok'] as const).entries()) history.push({ time: i, process: 1, type, f: 'increment', value: 1 })
  const model = models.casRegister()
  assert.is(acceptZones(history, model, model.register!, history.values.encode(null)), null)
})

test.run()
