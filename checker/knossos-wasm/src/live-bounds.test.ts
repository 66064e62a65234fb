/** What the last events tell of what is possible: whatever came before, and however much it was. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { areSame, leastOf, mostOf, usedByAll } from './live-bounds.ts'
import { LiveFrontier } from './live-frontier.ts'
import { LiveNeeds } from './live-needs.ts'
import { LiveObject } from './live-object.ts'
import { LiveWindow } from './live-window.ts'
import { nothingUsed } from './live-uses.ts'
import { models } from './models.ts'
import type { Acknowledged, Configuration } from './live-frontier.ts'
import type { Model } from './model.ts'
import type { Json } from './values.ts'

/** Acknowledged operations, in slots of their own. */
function acknowledged(object: LiveObject, calls: readonly (readonly [f: string, input: Json, output: Json])[]): Acknowledged[] {
  return calls.map(([f, input, output], slot) => ({ type: object.answered(object.asked(f, input, null), 'ok', output), slot, ended: 10 + slot }))
}

test('at most everything that looks has looked, writes are hidden, and anything else took effect or did not', () => {
  const object = new LiveObject(models.casRegister())
  const open = acknowledged(object, [['read', null, 1], ['write', 2, 2], ['cas', [1, 2], null]])
  const anything = object.anything(1, [])!
  assert.equal(mostOf(anything, open, nothingUsed())!.map(({ done, hide }) => [done, hide]), [[1, 2], [5, 2]])
  assert.equal(leastOf(object.init, [open[2]!], nothingUsed()).map(({ done, hide }) => [done, hide]), [[4, 0]])
})

test('what may have taken effect in too many ways is not followed', () => {
  const object = new LiveObject(models.casRegister())
  const calls = (count: number): Acknowledged[] => acknowledged(object, Array.from({ length: count }, (_, i) => ['cas', [i, i + 1], null]))
  assert.is(mostOf(object.anything(1, [])!, calls(6), nothingUsed())!.length, 64)
  assert.is(mostOf(object.anything(1, [])!, calls(7), nothingUsed()), undefined)
})

test('frontiers are the same whatever their order, but not where one holds more, or took more', () => {
  const object = new LiveObject(models.register())
  const type = object.known(object.asked('write', 1, null))
  const one: Configuration = { state: object.init, done: 1, hide: 0, used: nothingUsed() }
  const other: Configuration = { ...one, done: 2 }
  const more: Configuration = { ...one, used: { counts: new Map([[type, 1]]), size: 1, more: new Map() } }
  assert.ok(areSame([one, other], [other, { ...one, used: nothingUsed() }]))
  for (const [a, b] of [[[one], [one, other]], [[one], [more]], [[more], [one]], [[one], [{ ...one, hide: 4 }]], [[one], [{ ...one, state: object.unseen }]]] as const) assert.not(areSame(a, b))
  assert.is(usedByAll([more, { ...more, done: 0 }]).size, 1)
  assert.is(usedByAll([more, one]).size, 0)
  const another: Configuration = { ...more, used: { counts: new Map([[object.known(object.asked('write', 2, null)), 1]]), size: 1, more: new Map() } }
  assert.is(usedByAll([more, another]).size, 0)
})

test('a read from a state that stands for all tells which it was; a write does not ask', () => {
  const object = new LiveObject(models.register())
  const [read, write] = acknowledged(object, [['read', null, 1], ['write', 2, 2]]) as [Acknowledged, Acknowledged]
  const needs = new LiveNeeds(object)
  const walker = new LiveFrontier(object, needs)
  walker.begin()
  needs.begin([], 0, 0)
  for (const one of [read, write]) walker.invoke({ ...one, type: object.known(one.type), ended: -1 })
  const from = mostOf(object.anything(1, [])!, [], nothingUsed())!
  assert.equal(walker.respond(from, { ...read, ended: -1 }, true)!.map(({ state }) => state.value), [1])
  assert.equal(walker.respond(from, { ...write, ended: -1 }, true)!.map(({ state, done }) => [state.value, done]), [[2, 1]])
})

test('a state that stands for all knows the keys of operations that crashed', () => {
  const object = new LiveObject(models.multiRegister())
  const crashed = [[['write', 'y', 1]], [['read', 'x', null], ['write', 'z', 1]]].map((micros) => object.known(object.asked('txn', micros, null)))
  assert.equal(Object.keys(object.anything({ x: 1 }, crashed)!.value as object), ['x', 'y', 'z'])
  assert.is(new LiveObject(models.mutex()).anything(false, []), undefined)
})

/** What a window that asks the last events only says to the last of some operations, one after the other. */
function answerTo(judged: Model, calls: readonly (readonly [f: string, input: Json, output: Json])[]): string {
  const window = new LiveWindow(judged, { lengths: [], eventsMax: 4, lasts: [4, 8] })
  return calls.map(([f, input, output], row) => window.complete(window.invoke(f, input, null, row), 'ok', output).type).at(-1)!
}

test('a register of several is known once all of it was seen or overwritten, not before', () => {
  const txn = (...micros: readonly (readonly [string, string, Json])[]): [string, Json, Json] => ['txn', micros.map(([f, key, value]) => [f, key, f === 'read' ? null : value]), micros]
  const often = (...micros: readonly (readonly [string, string, Json])[]): [string, Json, Json][] => Array.from({ length: 12 }, () => txn(...micros))
  const judged = models.multiRegister({ initial: { x: 1, y: 1 } })
  assert.is(answerTo(judged, [...often(['read', 'x', 1], ['read', 'y', 1]), txn(['read', 'y', 2])]), 'violated')
  assert.is(answerTo(judged, [...often(['read', 'x', 1]), txn(['read', 'y', 2])]), 'violated')
  assert.is(answerTo(judged, [...often(['write', 'x', 1], ['write', 'z', 1]), txn(['read', 'y', 1], ['read', 'z', 1])]), 'possible')
})

test.run()
