import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { History, type Event, type Json } from './index.ts'
import { jsonLine } from './jsonl.ts'

test('a line holds one event, in the order of the documentation', () => {
  const event: Event = { time: 1234, process: 3, type: 'invoke', f: 'write', key: 'k7', value: 12, node: 'n4', intended: 1000 }
  assert.is(jsonLine(0, event), '{"index":0,"time":1234,"process":3,"type":"invoke","f":"write","key":"k7","value":12,"node":"n4","intended":1000}\n')
})

test('what is absent is left out, but a value is always there', () => {
  assert.is(jsonLine(7, { time: 0, process: 'nemesis', type: 'info', f: 'heal' }), '{"index":7,"time":0,"process":"nemesis","type":"info","f":"heal","value":null}\n')
})

const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('read', 'k7', 'with "quotes"', 'back\\slash', 'new\nline', '\u2028', '\ud800'))
const json = fc.jsonValue() as fc.Arbitrary<Json>

test('a line is what JSON.stringify makes of the event that the columns give back', () => {
  const event: fc.Arbitrary<Event> = fc.record(
    {
      time: fc.oneof(fc.nat(), fc.double({ min: 0, max: 1e16, noNaN: true })),
      process: fc.oneof(fc.nat(), fc.constantFrom('nemesis' as const, 'observer' as const)),
      type: fc.constant('invoke' as const),
      f: text,
      key: json,
      value: json,
      node: text,
      intended: fc.nat(),
      error: text,
    },
    { requiredKeys: ['time', 'process', 'type', 'f'] },
  )
  fc.assert(
    fc.property(event, it => {
      const history = new History()
      history.push(it)
      assert.is(jsonLine(0, it), `${JSON.stringify(history.event(0))}\n`)
    }),
    { numRuns: 2000, seed: 1 },
  )
})

test.run()
