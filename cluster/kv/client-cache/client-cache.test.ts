import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { VirtualClock } from '../../../harness/clock.ts'
import { Conversation } from '../testing/conversation.ts'
import { simulate } from '../testing/simulate.ts'
import type { Bench } from '../testing/simulate.ts'
import type { Cell } from '../versions.ts'
import { KeyCache } from './key-cache.ts'

const cellOf = (text: string): Cell => ({ counter: 1, writer: 'w', value: Buffer.from(text) })
const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)

/** A key that n1 does not hold itself, and its holder. */
async function distant(bench: Bench): Promise<{ key: string; server: string; other: string }> {
  for (const key of keys) {
    const [server] = await bench.system.replicasOf!(bench.cluster, key)
    if (server !== 'n1') return { key, server: server!, other: bench.ids.find((id) => id !== 'n1' && id !== server)! }
  }
  throw new Error('n1 holds all keys')
}

const read = async (bench: Bench, id: string, key: string): Promise<unknown> => (await bench.read(id, key)).value
const write = async (bench: Bench, id: string, key: string, value: number): Promise<void> => assert.equal(await bench.write(id, key, value), { type: 'ok' })

test('an answer that was overtaken by an invalidation is not remembered', async () => {
  const cache = new KeyCache(new VirtualClock({}), 2)
  let answer: (cell: Cell) => void = () => undefined
  const asked = cache.ask('k', () => new Promise<Cell>((resolve) => (answer = resolve)))
  cache.forget('k')
  answer(cellOf('old'))
  assert.equal(await asked, cellOf('old'))
  assert.is(cache.get('k'), undefined)
  for (const key of ['a', 'b', 'c']) await cache.ask(key, () => cellOf(key))
  assert.equal([...cache.keys()], ['b', 'c'])
})

test('whoever gets an answer that was overtaken does not find an older one remembered afterwards', async () => {
  const cache = new KeyCache(new VirtualClock({}), 2)
  let answer: (cell: Cell) => void = () => undefined
  const overtaken = cache.ask('k', () => new Promise<Cell>((resolve) => (answer = resolve)))
  cache.forget('k')
  await cache.ask('k', () => cellOf('older'))
  assert.equal(cache.get('k'), cellOf('older'))
  answer(cellOf('newer'))
  assert.equal(await overtaken, cellOf('newer'))
  assert.is(cache.get('k'), undefined)
})

test('cached-nfs: what another node wrote is seen when the entry is old enough, the own write at once', () =>
  simulate({ preset: 'cached-nfs', nodes: 3 }, async (bench) => {
    const { key, other } = await distant(bench)
    await write(bench, other, key, 1)
    assert.is(await read(bench, 'n1', key), 1)
    await write(bench, other, key, 2)
    assert.is(await read(bench, 'n1', key), 1)
    await bench.sleep(3_100)
    assert.is(await read(bench, 'n1', key), 2)
    await write(bench, 'n1', key, 3)
    assert.is(await read(bench, 'n1', key), 3)
  }))

test('cached-nfs: a node that is cut off answers from its cache as long as that is fresh, then not at all', () =>
  simulate({ preset: 'cached-nfs', nodes: 3 }, async (bench) => {
    const { key } = await distant(bench)
    await write(bench, 'n1', key, 1)
    await read(bench, 'n1', key)
    await bench.partition(['n1'], ['n2', 'n3'])
    assert.is(await read(bench, 'n1', key), 1)
    await bench.sleep(3_100)
    assert.equal(await bench.read('n1', key), { type: 'fail', error: 'UNAVAILABLE' })
  }))

test('cached-afs: a write is confirmed when whoever caches the key was told; reads in between ask nobody', () =>
  simulate({ preset: 'cached-afs', nodes: 3 }, async (bench) => {
    const { key, other } = await distant(bench)
    await write(bench, other, key, 1)
    for (let i = 0; i < 10; i++) assert.is(await read(bench, 'n1', key), 1)
    assert.is((await bench.stats('n1'))['cache_hits'], 9)
    for (let value = 2; value < 10; value++) {
      await write(bench, other, key, value)
      assert.is(await read(bench, 'n1', key), value)
    }
  }))

test('cached-afs: a server that was killed forgets its promises; its clients notice within the interval and fetch anew', () =>
  simulate({ preset: 'cached-afs', nodes: 3 }, async (bench) => {
    const { key, server, other } = await distant(bench)
    await write(bench, other, key, 1)
    await read(bench, 'n1', key)
    await bench.node(server).kill()
    await bench.node(server).start()
    await write(bench, other, key, 2)
    await bench.until(async () => (await read(bench, 'n1', key)) === 2, 4_000)
    // The promise was made anew.
    await write(bench, other, key, 3)
    assert.is(await read(bench, 'n1', key), 3)
  }))

test('cached-afs: a client that cannot be told is given up, and believes the promise for cache_ms and no longer', () =>
  simulate({ preset: 'cached-afs', nodes: 3 }, async (bench) => {
    const { key, other } = await distant(bench)
    await write(bench, other, key, 1)
    await read(bench, 'n1', key)
    await bench.partition(['n1'], ['n2', 'n3'])
    await write(bench, other, key, 2)
    assert.is(await read(bench, 'n1', key), 1)
    await bench.sleep(3_000)
    assert.equal(await bench.read('n1', key), { type: 'fail', error: 'UNAVAILABLE' })
    await bench.cluster.links.heal()
    await bench.until(async () => (await read(bench, 'n1', key)) === 2, 2_000)
  }))

test('what a session sets between OPEN and CLOSE is written through by CLOSE, and is gone with the connection otherwise', () =>
  simulate({ preset: 'cached-afs', nodes: 3 }, async (bench) => {
    const says = async (text: string): Promise<string[]> => {
      const conversation = await Conversation.open(bench, 'n1')
      conversation.say(text)
      await bench.sleep(500)
      conversation.close()
      return conversation.heard.split('\r\n').slice(0, -1)
    }
    assert.equal(await says('SET k 1\r\nOPEN k\r\nSET k 2\r\nGET k\r\nDEL k\r\n'), ['+OK', '+OK', '+OK', '$1', '2', '-ERR the connection has this key open: only GET, SET and CLOSE go with that'])
    assert.is(await read(bench, 'n2', 'k'), 1)
    assert.equal(await says('OPEN k\r\nSET k 3\r\nCLOSE k\r\nCLOSE k\r\n'), ['+OK', '+OK', '+OK', '-ERR this connection has not opened the key'])
    assert.is(await read(bench, 'n2', 'k'), 3)
  }))

test.run()
