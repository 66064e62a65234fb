import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { RespConnection } from '../../systems/resp-connection.ts'
import { simulate } from '../testing/simulate.ts'
import type { Bench } from '../testing/simulate.ts'

const ordered = { preset: 'dynamo', overrides: { partitioner: 'ordered' as const, anti_entropy_interval_ms: 0, read_repair: false, sloppy: false } }
const names = Array.from({ length: 120 }, (_, i) => `${String.fromCharCode(97 + (i % 12))}${String(i).padStart(3, '0')}`)

async function says(bench: Bench, id: string, ...words: string[]): Promise<string[]> {
  const connection = await RespConnection.open(bench.cluster, id, 'client', 1_000)
  const reply = await connection.ask(words, 5_000).catch(String)
  connection.close()
  return typeof reply === 'string' ? [reply] : (reply as Uint8Array[]).map((one) => Buffer.from(one).toString())
}
const keysIn = async (bench: Bench, id: string, ...words: string[]): Promise<string[]> => (await says(bench, id, 'RANGE', ...words)).filter((_, i) => i % 2 === 0)

test('RANGE finds the keys between two in their order, wherever they lie, and leaves out what was deleted', () =>
  simulate(ordered, async (bench) => {
    for (const name of names) await bench.write('n1', name, name)
    await bench.on('n2').invoke({ f: 'delete', key: 'b001' })
    const sorted = names.filter((name) => name !== 'b001').sort()
    assert.equal(await keysIn(bench, 'n3', '-', '+'), sorted)
    assert.equal(await keysIn(bench, 'n4', 'b', 'd'), sorted.filter((name) => name >= 'b' && name < 'd'))
    assert.equal(await keysIn(bench, 'n5', 'c', '+', 'LIMIT', '5'), sorted.filter((name) => name >= 'c').slice(0, 5))
    assert.equal(await says(bench, 'n1', 'RANGE', 'b013', 'b014'), ['b013', '"b013"'])
  }))

test('a replica that missed a write does not make RANGE miss it', () =>
  simulate(ordered, async (bench) => {
    await bench.partition(['n1', 'n2', 'n3', 'n4'], ['n5'])
    const written = (await Promise.all(names.map(async (name) => ((await bench.write('n1', name, 1)).type === 'ok' ? [name] : [])))).flat()
    await bench.cluster.links.heal()
    assert.equal(await keysIn(bench, 'n5', '-', '+'), written.sort())
    await bench.partition(['n1'], ['n2', 'n3', 'n4', 'n5'])
    assert.match((await says(bench, 'n1', 'RANGE', '-', '+'))[0]!, /UNAVAILABLE/)
  }))

test('a scan longer than a page goes on where the page ended', () =>
  simulate({ ...ordered, nodes: 3 }, async (bench) => {
    const many = Array.from({ length: 700 }, (_, i) => `key${String(i).padStart(4, '0')}`)
    await Promise.all(many.map((name) => bench.client('n1').invoke({ f: 'write', key: name, value: 1 })))
    assert.equal(await keysIn(bench, 'n2', '-', '+', 'LIMIT', '10000'), many)
  }))

test('a partitioner that forgets the order has no ranges, and says so', () =>
  simulate({ preset: 'dynamo' }, async (bench) => {
    assert.match((await says(bench, 'n1', 'RANGE', 'a', 'b'))[0]!, /ERR no range scans/)
  }))

test.run()
