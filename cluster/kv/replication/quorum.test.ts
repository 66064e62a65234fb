import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { simulate } from '../testing/simulate.ts'

const quiet = { anti_entropy_interval_ms: 0 }

test('quorum: a write that missed its quorum is indeterminate, and may be seen and then not seen', () =>
  simulate({ preset: 'quorum', overrides: quiet }, async (bench) => {
    await bench.write('n1', 'k', 1)
    await bench.partition(['n1', 'n2'], ['n3', 'n4', 'n5'])
    assert.equal(await bench.write('n1', 'k', 2), { type: 'info', error: 'INDETERMINATE' })
    assert.equal(await bench.read('n1', 'k'), { type: 'fail', error: 'UNAVAILABLE' })
    assert.equal(await bench.held('k'), [2, 2, 1, 1, 1])
    await bench.cluster.links.heal()
    await bench.partition(['n1', 'n2', 'n3'], ['n4', 'n5'])
    assert.equal(await bench.read('n3', 'k'), { type: 'ok', value: 2 })
    await bench.cluster.links.heal()
    await bench.partition(['n1', 'n2'], ['n3', 'n4', 'n5'])
    assert.equal(await bench.read('n3', 'k'), { type: 'ok', value: 1 })
  }))

test('quorum: of two writes the one with the faster clock wins, also when it came first', () =>
  simulate({ preset: 'quorum', overrides: quiet }, async (bench) => {
    bench.node('n1').skewWall(60_000)
    assert.equal(await bench.write('n1', 'k', 'first'), { type: 'ok' })
    assert.equal(await bench.write('n2', 'k', 'second'), { type: 'ok' })
    assert.equal(await bench.read('n3', 'k'), { type: 'ok', value: 'first' })
  }))

test('one: both sides of a partition go on, apart from each other', () =>
  simulate({ preset: 'one', overrides: quiet }, async (bench) => {
    await bench.partition(['n1', 'n2'], ['n3', 'n4', 'n5'])
    assert.equal(await bench.write('n1', 'k', 'left'), { type: 'ok' })
    assert.equal(await bench.write('n3', 'k', 'right'), { type: 'ok' })
    await bench.sleep(50)
    assert.equal(await bench.held('k'), ['left', 'left', 'right', 'right', 'right'])
  }))

test('one: a node that is alone in the world still answers', () =>
  simulate({ preset: 'one', overrides: quiet }, async (bench) => {
    for (const id of ['n2', 'n3', 'n4', 'n5']) await bench.node(id).kill()
    assert.equal(await bench.write('n1', 'k', 1), { type: 'ok' })
    assert.equal(await bench.read('n1', 'k'), { type: 'ok', value: 1 })
  }))

test('a node that is no replica of a key coordinates for it all the same', () =>
  simulate({ preset: 'one', overrides: { ...quiet, replicas: 2 } }, async (bench) => {
    for (let i = 0; i < 20; i++) {
      assert.equal(await bench.write('n1', `k${i}`, i), { type: 'ok' })
      await bench.sleep(50)
      assert.equal(await bench.read('n2', `k${i}`), { type: 'ok', value: i })
      assert.is((await bench.held(`k${i}`)).filter((value) => value === i).length, 2)
    }
  }))

test.run()
