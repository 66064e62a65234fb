import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { canonical, Values, type Json } from './values.ts'

const json = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>,
  fc.array(fc.oneof(fc.integer({ min: -2, max: 4 }), fc.constantFrom(null, 'r', 'append', 2 ** 30, 0.5), fc.array(fc.nat(2), { maxLength: 4 })), { maxLength: 5 }) as fc.Arbitrary<Json>,
)

test('values have the same code exactly if they are equal, and come back as they were', () => {
  fc.assert(
    fc.property(fc.array(json, { maxLength: 60 }), (given) => {
      const values = new Values()
      const codes = given.map((value) => values.encode(value))
      const texts = new Map<string, number>()
      for (const [at, value] of given.entries()) {
        const text = canonical(value)
        assert.is(canonical(values.decode(codes[at]!)), text)
        assert.is(texts.get(text) ?? codes[at], codes[at])
        texts.set(text, codes[at]!)
      }
      assert.is(new Set(codes).size, texts.size)
    }),
    { numRuns: 1000, seed: 1 },
  )
})

test('the elements of an array are codes', () => {
  const values = new Values()
  const code = values.encode([['append', 'x', 3], [1, 2], []])
  assert.is(values.length(code), 3)
  assert.equal([0, 1, 2].map((at) => values.length(values.at(code, at))), [3, 2, 0])
  assert.is(values.at(values.at(code, 0), 0), values.encode('append'))
  assert.is(values.isPair(values.at(code, 1)), true)
  assert.equal(['x', null, 7].map((one) => values.length(values.encode(one))), [-1, -1, -1])
})

test('pairs have the same code exactly if they are equal, looked up together or alone, also those that are looked for in one place', () => {
  // Second codes that fall together in a table of any size up to 2^12, among some that lie side by side.
  const pairs = Array.from({ length: 3000 }, (_, i) => [i % 7, i % 3 === 0 ? (i % 11) << 12 : i % 500] as const)
  const [together, alone] = [new Values(), new Values()]
  const column = new Int32Array(pairs.length)
  together.encodeAll(column, 0, { values: Int32Array.from(pairs, ([a]) => a), seconds: Int32Array.from(pairs, ([, b]) => b), pairs: new Uint8Array(pairs.length).fill(1) }, pairs.length)
  assert.equal([...column], pairs.map(([a, b]) => alone.encodePair(a, b)))
  assert.equal(Array.from(column, (code) => together.decode(code)), pairs)
  assert.is(new Set(column).size, new Set(pairs.map(String)).size)
})

test.run()
