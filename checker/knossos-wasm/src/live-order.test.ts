/** One order is followed, and changed where it cannot go on; what cannot be ordered is not. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LiveObject } from './live-object.ts'
import { LiveOrder } from './live-order.ts'
import { LiveRepair } from './live-repair.ts'
import { models } from './models.ts'
import type { Placeable } from './live-repair.ts'
import type { Model } from './model.ts'
import type { Json } from './values.ts'

/** An operation that was invoked and ended at these events; without a result it goes on. */
function operation(object: LiveObject, f: string, input: Json, invoked: number, ended = Infinity, output: Json = null): Placeable {
  const asked = object.asked(f, input, null)
  return { type: ended === Infinity ? asked : object.answered(asked, 'ok', output), invoked, ended, isPlaced: false, from: undefined, to: undefined }
}

/** What is put into order, and the order: places in the list. */
function ordered(model: Model, calls: readonly (readonly [f: string, input: Json, invoked: number, ended?: number, output?: Json])[]): number[] | undefined {
  const object = new LiveObject(model)
  const operations = calls.map((call) => operation(object, ...call))
  return new LiveRepair(object).order(object.init.value, operations)?.map(({ operation: one }) => operations.indexOf(one))
}

test('of two writes at once the one that is read afterwards goes last', () => {
  assert.equal(ordered(models.register(), [['write', 5, 0, 3], ['write', 6, 1, 2], ['read', null, 4, 5, 6]]), [0, 1, 2])
  assert.equal(ordered(models.register(), [['write', 5, 0, 3], ['write', 6, 1, 2], ['read', null, 4, 5, 5]]), [1, 0, 2])
})

test('what ended before another began goes first, whatever is read', () => {
  assert.is(ordered(models.register(), [['write', 5, 0, 1], ['write', 6, 2, 3], ['read', null, 4, 5, 5]]), undefined)
  assert.is(ordered(models.register(), [['write', 5, 0, 1], ['write', 6, 2, 4], ['read', null, 5, 6, 5], ['read', null, 7, 8, 6]]), undefined)
})

test('what hides a write was not ended before it began', () => {
  assert.is(ordered(models.register(), [['write', 5, 0, 1], ['read', null, 2, 3, 5], ['write', 6, 4, 9], ['write', 7, 5, 6], ['read', null, 7, 8, 6], ['read', null, 10, 11, 5]]), undefined)
  assert.is(ordered(models.register(), [['write', 1, 0, 1], ['write', 2, 2, 3], ['read', null, 4, 5, 1]]), undefined)
})

test('what was hidden in an order that was given up is hidden in the next one', () => {
  assert.equal(ordered(models.register(), [['write', 1, 0, 10], ['write', 2, 1, 11], ['write', 3, 2, 12], ['read', null, 5, 13, 3], ['read', null, 14, 15, 1]]), [1, 2, 3, 0, 4])
})

test('nothing is left of an order that was given up', () => {
  assert.equal(ordered(models.casRegister(), [['cas', [null, 1], 0, 10], ['cas', [null, 2], 1, 11], ['cas', [2, null], 2, 12], ['read', null, 3, 13, 1]]), [1, 2, 0, 3])
})

test('an operation that goes on takes effect where it is needed, and is left out otherwise', () => {
  assert.equal(ordered(models.register(), [['write', 5, 0], ['read', null, 1, 2, 5]]), [0, 1])
  assert.equal(ordered(models.register(), [['write', 5, 0], ['write', 6, 1, 2], ['read', null, 3, 4, 6]]), [1, 2])
})

test('compare-and-sets go in the order in which they need each other, and a write serves the first', () => {
  assert.equal(ordered(models.casRegister(), [['cas', [2, 3], 0, 4], ['cas', [1, 2], 1, 5], ['write', 1, 2, 3]]), [2, 1, 0])
})

test('appends that no read shows go where nobody sees them, or stay for a later one', () => {
  const kv = models.kv()
  assert.equal(ordered(kv, [['append', 'a', 0, 5], ['append', 'b', 1, 4], ['put', 'c', 2, 3], ['get', null, 6, 7, 'ca']]), [1, 2, 0, 3])
  assert.equal(ordered(kv, [['append', 'a', 0, 8], ['append', 'b', 1, 9], ['put', 'c', 2, 3], ['get', null, 4, 5, 'cb'], ['get', null, 10, 11, 'cba']]), [2, 1, 3, 0, 4])
})

/** An order that has met these responses, of operations all of which are open at the beginning; how the last is answered. */
function followed(model: Model, calls: readonly (readonly [f: string, input: Json, output: Json])[], ends: readonly number[]): boolean {
  const object = new LiveObject(model)
  const order = new LiveOrder(object)
  const open = calls.map(([f, input], i) => operation(object, f, input, i) as { -readonly [K in keyof Placeable]: Placeable[K] })
  const left = [...open]
  let answer = true
  ends.forEach((end, i) => {
    const x = open[end]!
    left.splice(left.indexOf(x), 1)
    x.type = object.answered(x.type, 'ok', calls[end]![2])
    x.ended = calls.length + i
    answer = order.respond(x, left)
  })
  return answer
}

test('an operation that took effect before its response answers what it did, or takes effect elsewhere, or cannot', () => {
  const add = (output: Json): [string, Json, Json] => ['add', 1, output]
  // The second add returns 1, so that the first has taken effect before.
  assert.ok(followed(models.fetchAndAdd(), [add(0), add(1)], [1, 0]))
  assert.not(followed(models.fetchAndAdd(), [add(2), add(1)], [1, 0]))
  // The first is taken for the one that the read needs, but it was the second.
  assert.ok(followed(models.fetchAndAdd(), [add(1), add(0), ['read', null, 1]], [2, 0, 1]))
})

test('a read may see what stood there since it began, and nothing older', () => {
  const object = new LiveObject(models.register())
  const order = new LiveOrder(object)
  const write = (value: number, at: number): boolean => order.respond(operation(object, 'write', value, at, at + 1), [])
  assert.ok([write(1, 0), write(2, 2), write(3, 5)].every(Boolean))
  assert.ok(order.respond(operation(object, 'read', null, 4, 8, 2), []))
  assert.not(order.respond(operation(object, 'read', null, 4, 9, 1), []))
  // The read of 2 stands before the write of 3; who begins after that read may see either.
  assert.ok(order.respond(operation(object, 'read', null, 4, 10, 3), []))
  assert.not(order.respond(operation(object, 'read', null, 11, 12, 2), []))
})

test('what had no effect after all is taken out of the order, unless it was seen', () => {
  for (const [seen, expected] of [[null, true], [1, false]] as const) {
    const object = new LiveObject(models.register())
    const order = new LiveOrder(object)
    const write = operation(object, 'write', 1, 0)
    const read = operation(object, 'read', null, 1, 2, seen)
    assert.ok(order.respond(read, [write]))
    assert.is(write.isPlaced, seen === 1)
    assert.is(order.withdraw(write, []), expected)
  }
  const object = new LiveObject(models.casRegister())
  const order = new LiveOrder(object)
  const [lost, used] = [operation(object, 'write', 1, 0), operation(object, 'write', 1, 1)]
  assert.ok(order.respond(operation(object, 'read', null, 2, 3, 1), [lost, used]))
  assert.ok(order.withdraw(lost.isPlaced ? lost : used, lost.isPlaced ? [used] : [lost]))
})

test('an order that is begun anew knows only what has taken effect, not where', () => {
  for (const effective of [false, true]) {
    const object = new LiveObject(models.register())
    const order = new LiveOrder(object)
    const [write, other] = [operation(object, 'write', 1, 0), operation(object, 'write', 2, 1, 5)]
    assert.ok(order.respond(operation(object, 'read', null, 2, 3, 1), [write, other]))
    order.restart(object.init.value, effective ? [write] : [], [write, other], 4)
    assert.equal([write.isPlaced, write.from, write.to], [effective, undefined, undefined])
    assert.is(order.respond({ ...write, ended: 4 }, [other]), !effective)
  }
})

test('what the order was at an event is known as far back as it is remembered', () => {
  const object = new LiveObject(models.register())
  const order = new LiveOrder(object)
  const long = operation(object, 'write', 0, 1, 8, 0)
  const written = [operation(object, 'write', 1, 0, 3, 1), operation(object, 'write', 2, 2, 5, 2), operation(object, 'read', null, 4, 7, 2), long]
  for (const one of written) assert.ok(order.respond(one, [long]))
  assert.equal(order.at(2, [written[0]!, long]), { state: 1, effective: [written[0]] })
  assert.equal(order.at(4, [written[1]!, long]), { state: 2, effective: [written[1]] })
  assert.equal(order.at(9, []), { state: 0, effective: [] })
  for (let i = 0; i < 300; i++) assert.ok(order.respond(operation(object, 'write', i, 10 + 2 * i, 11 + 2 * i, i), []))
  assert.is(order.at(9, []), undefined)
  assert.equal(order.at(600, []), { state: 294, effective: [] })
})

test.run()
