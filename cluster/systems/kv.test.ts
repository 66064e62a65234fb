import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { simulate } from '../kv/testing/simulate.ts'

test('what is written is read: any JSON value, nothing when there is none', () =>
  simulate({ preset: 'abd', nodes: 3 }, async (bench) => {
    assert.equal(await bench.read('n1', 'k'), { type: 'ok', value: null })
    for (const value of [0, -1.5, 'text', 'é', true, null, [1, [2]], { a: { b: 'c' } }]) {
      assert.equal(await bench.write('n1', 'k', value), { type: 'ok' })
      assert.equal(await bench.read('n2', 'k'), { type: 'ok', value })
    }
    assert.equal(await bench.on('n3').invoke({ f: 'delete', key: 'k' }), { type: 'ok' })
    assert.equal(await bench.read('n1', 'k'), { type: 'ok', value: null })
  }))

test('keys need not be texts', () =>
  simulate({ preset: 'abd', nodes: 3 }, async (bench) => {
    await bench.on('n1').invoke({ f: 'write', key: 7, value: 'seven' })
    await bench.sleep(50)
    assert.equal(await bench.system.peek!(bench.cluster, 'n2', [7, 'é'], 1000), [{ key: 7, value: 'seven' }, { key: 'é', value: null }])
  }))

test('a dead node refuses: nothing happened', () =>
  simulate({ preset: 'one', nodes: 3 }, async (bench) => {
    await bench.node('n1').kill()
    assert.equal(await bench.write('n1', 'k', 1), { type: 'fail', error: 'REFUSED' })
    assert.equal(await bench.read('n1', 'k'), { type: 'fail', error: 'REFUSED' })
  }))

test('a node that dies before it answers leaves a write in doubt, a read undone; a restart serves the same client again', () =>
  simulate({ preset: 'abd', nodes: 3 }, async (bench) => {
    await bench.write('n1', 'k', 1)
    await bench.partition(['n1'], ['n2', 'n3'])
    const writing = bench.client('n1').invoke({ f: 'write', key: 'k', value: 2 })
    const reading = bench.client('n1').invoke({ f: 'read', key: 'k' })
    await bench.sleep(50)
    await bench.node('n1').kill()
    assert.equal(await writing, { type: 'info', error: 'BROKEN' })
    assert.equal(await reading, { type: 'fail', error: 'BROKEN' })
    await bench.cluster.links.heal()
    await bench.node('n1').start()
    assert.is((await bench.write('n1', 'k', 3)).type, 'ok')
  }))

test('a node that does not answer in time leaves a write in doubt, a read undone', () =>
  simulate({ preset: 'one', nodes: 3, clientDeadlineMs: 300 }, async (bench) => {
    await bench.write('n1', 'k', 1)
    await bench.node('n1').pause!()
    const began = bench.clock.now()
    assert.equal(await bench.write('n1', 'k', 2), { type: 'info', error: 'DEADLINE' })
    assert.is((bench.clock.now() - began) / 1e6, 300)
    assert.equal(await bench.read('n1', 'k'), { type: 'fail', error: 'DEADLINE' })
    await bench.node('n1').resume!()
    assert.is((await bench.write('n1', 'k', 3)).type, 'ok')
  }))

test('clients that are cut off have sent nothing when they cannot connect', () =>
  simulate({ preset: 'one', nodes: 3, clientDeadlineMs: 300 }, async (bench) => {
    await bench.cluster.links.cut([{ from: 'clients', to: 'n1' }])
    assert.equal(await bench.write('n1', 'k', 2), { type: 'fail', error: 'REFUSED' })
  }))

test('a probe sees each direction of a link by itself', () =>
  simulate({ preset: 'one', nodes: 3 }, async (bench) => {
    const probe = (from: string, to: string): Promise<boolean> => bench.system.probe!(bench.cluster, from, to, 300)
    assert.ok(await probe('n1', 'n2'))
    await bench.cluster.links.cut([{ from: 'n1', to: 'n2' }])
    assert.not.ok(await probe('n1', 'n2'))
    assert.ok(await probe('n2', 'n1'))
    await bench.cluster.links.heal()
    assert.ok(await probe('n1', 'n2'))
  }))

test('a probe of a lossy link sees a link; of a dead node it sees nothing and says so', () =>
  simulate({ preset: 'one', nodes: 3 }, async (bench) => {
    await bench.cluster.links.lose!([{ from: 'n1', to: 'n2' }], 0.5)
    assert.ok(await bench.system.probe!(bench.cluster, 'n1', 'n2', 1000))
    await bench.node('n3').kill()
    const refusal = await bench.system.probe!(bench.cluster, 'n1', 'n3', 300).then(String, (error: Error) => error.message)
    assert.match(refusal, /no connection to the admin port of n3/)
  }))

test('an unknown preset is named, with those that there are', () => {
  assert.throws(() => simulate({ preset: 'two' }, async () => undefined), /there is no preset "two"; the presets are abd, paxos, .*one/)
})

test.run()
