import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { RespConnection } from '../systems/resp-connection.ts'
import { cellOf, clockAfter, conflictRules, decodeContext, encodeContext, joinClocks, siblingsOf } from './siblings.ts'
import type { Sibling } from './siblings.ts'
import { simulate } from './testing/simulate.ts'
import type { Bench } from './testing/simulate.ts'
import { ABSENT } from './versions.ts'
import type { Cell } from './versions.ts'

const { merge } = conflictRules['vector-clocks']
const put = (actor: string, counter: number, value: string, seen: readonly Sibling[] = []): Sibling => ({ dot: { writer: actor, counter }, past: joinClocks(seen.map(clockAfter)), value: Buffer.from(value) })
const texts = (cell: Cell): string[] => siblingsOf(cell).map(({ value }) => Buffer.from(value!).toString()).sort()

test('writes that did not know of each other stand side by side; who has read both replaces both', () => {
  const [a, b] = [put('a', 1, 'A'), put('b', 2, 'B')]
  const both = merge(cellOf([a]), cellOf([b]))
  assert.equal(texts(both), ['A', 'B'])
  assert.equal(texts(merge(both, cellOf([put('c', 3, 'C', [a, b])]))), ['C'])
  assert.equal(texts(merge(both, cellOf([put('c', 3, 'C', [a])]))), ['B', 'C'])
})

test('a long clock forgets its oldest entries: what they covered may come back, and nothing else goes', () => {
  const old = put('old', 1, 'old')
  let last = put('s0', 10, 'v0', [old])
  for (let i = 1; i < 30; i++) last = put(`s${i}`, 10 + i, `v${i}`, [last])
  assert.is(last.past.size, 20)
  assert.equal(texts(merge(cellOf([last]), cellOf([old]))), ['old', 'v29'])
})

test('contexts travel as text; what is none is refused', () => {
  const clock = joinClocks([new Map([['n1.1/3', 1764180000000000]])])
  assert.equal(decodeContext(encodeContext(clock)), clock)
  for (const text of ['x', '', 'kgEC']) assert.throws(() => decodeContext(text), /is no context/)
})

/** Any history of puts: each by one of three sessions, which knows its own and has seen some others of those before. */
const histories = fc.array(fc.record({ actor: fc.constantFrom('a', 'b', 'c'), sees: fc.array(fc.nat(11), { maxLength: 3 }) }), { minLength: 1, maxLength: 12 }).map((steps) => {
  const puts: Sibling[] = []
  for (const [i, { actor, sees }] of steps.entries()) puts.push(put(actor, i + 1, String(i), [...puts.filter(({ dot }) => dot.writer === actor), ...sees.flatMap((one) => puts[one] ?? [])]))
  return puts.map((one) => cellOf([one]))
})

test('merging is commutative, associative and idempotent, and equal versions are equal siblings', () => {
  fc.assert(fc.property(histories, fc.infiniteStream(fc.nat()), (cells, chance) => {
    const any = (): Cell => cells.filter(() => chance.next().value % 2 === 0).reduce(merge, ABSENT)
    const [a, b, c] = [any(), any(), any()]
    assert.equal(merge(a, b), merge(b, a))
    assert.equal(merge(merge(a, b), c), merge(a, merge(b, c)))
    assert.is(merge(a, a), a)
    assert.is(a.writer === b.writer, JSON.stringify(siblingsOf(a)) === JSON.stringify(siblingsOf(b)))
  }))
})

const vectors = { preset: 'dynamo', overrides: { versions: 'vector-clocks' as const } }

class Says {
  readonly #connection: RespConnection
  constructor(connection: RespConnection) {
    this.#connection = connection
  }
  static async to(bench: Bench, id: string): Promise<Says> {
    return new Says(await RespConnection.open(bench.cluster, id, 'client', 1_000))
  }
  async says(...words: string[]): Promise<unknown> {
    const reply = await this.#connection.ask(words, 2_000)
    return reply instanceof Uint8Array ? Buffer.from(reply).toString() : reply
  }
  /** [value, context] of each sibling. */
  async gets(key: string): Promise<[string, string][]> {
    return ((await this.says('GETS', key)) as Uint8Array[][]).map((pair) => pair.map((one) => Buffer.from(one).toString()) as [string, string])
  }
}

test('both sides of a partition write: GETS shows both, a PUT with both contexts merges them', () =>
  simulate(vectors, async (bench) => {
    const [left, right] = [await Says.to(bench, 'n1'), await Says.to(bench, 'n4')]
    await left.says('SET', 'cart', 'milk')
    await bench.partition(['n1', 'n2'], ['n3', 'n4', 'n5'])
    await bench.sleep(500)
    await left.says('SET', 'cart', 'milk,eggs')
    await right.says('SET', 'cart', 'milk,bread')
    await bench.cluster.links.heal()
    await bench.until(async () => (await left.gets('cart')).length === 2 && (await bench.agree(['cart'])), 5_000)
    const siblings = await left.gets('cart')
    assert.equal(siblings.map(([value]) => value), ['milk,bread', 'milk,eggs'])
    assert.is(await left.says('GET', 'cart'), 'milk,bread')
    assert.is(await left.says('PUT', 'cart', 'milk,bread,eggs', ...siblings.map(([, context]) => context)), 'OK')
    assert.equal((await right.gets('cart')).map(([value]) => value), ['milk,bread,eggs'])
  }))

test('a plain SET or DEL replaces what is there, whatever the clocks say', () =>
  simulate(vectors, async (bench) => {
    const [ahead, behind] = [await Says.to(bench, 'n1'), await Says.to(bench, 'n2')]
    bench.node('n1').skewWall(60_000)
    await ahead.says('SET', 'k', 'first')
    await behind.says('SET', 'k', 'second')
    assert.equal((await ahead.gets('k')).map(([value]) => value), ['second'])
    // What the session itself did not see stays: a PUT without a context replaces only its own.
    await ahead.says('PUT', 'k', 'third')
    assert.equal((await ahead.gets('k')).map(([value]) => value), ['third', 'second'])
    await behind.says('SET', 'k', 'last')
    assert.is(await behind.says('DEL', 'k'), 1)
    assert.is(await ahead.says('GET', 'k'), null)
    assert.is(await ahead.says('DEL', 'k'), 0)
  }))

test('a store without siblings says so', () =>
  simulate({ preset: 'dynamo' }, async (bench) => {
    const client = await Says.to(bench, 'n1')
    assert.match(String(await client.says('GETS', 'k').catch(String)), /no siblings: versions are "last-write-wins"/)
  }))

test.run()
