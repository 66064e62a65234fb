import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { simDriver } from '../cluster/drivers/sim/driver.ts'
import { kvSystem } from '../cluster/systems/kv.ts'
import { VirtualClock } from '../harness/clock.ts'
import { seededRandom } from '../harness/random.ts'
import { Nemesis } from './nemesis.ts'
import { HalfInjected, strikeOrHeal, toEach } from './strike.ts'

const fails = (message: string) => (): Promise<never> => Promise.reject(new Error(message))
const errorOf = (work: Promise<unknown>): Promise<Error> => work.then(() => assert.unreachable('it should have failed') as never, (error: Error) => error)

test('when one of several fails, nothing is on its way any more', async () => {
  let done = 0
  const error = await errorOf(toEach([1, 2, 3], async (one) => {
    if (one === 1) throw new Error('the first')
    await new Promise((resolve) => setImmediate(resolve))
    done++
  }))
  assert.equal([error.message, done], ['the first', 2])
})

test('a strike that fails is taken back; one that cannot be is told from it', async () => {
  let healed = 0
  const heal = async (): Promise<void> => void healed++
  assert.is(await strikeOrHeal(() => Promise.resolve(7), heal), 7)
  assert.is(healed, 0)
  const undone = await errorOf(strikeOrHeal(fails('no strike'), heal))
  assert.equal([undone.message, undone instanceof HalfInjected, healed], ['no strike', false, 1])
  let tries = 0
  const half = await errorOf(strikeOrHeal(fails('no strike'), () => (tries++ === 0 ? fails('no heal')() : Promise.resolve())))
  await (half as HalfInjected).heal()
  assert.is(tries, 2)
  assert.equal([half.message, half instanceof HalfInjected], ['no strike; and it could not be taken back: no heal', true])
})

test('what was never injected needs no heal: no later look is owed', async () => {
  const clock = new VirtualClock()
  await clock.run(async () => {
    const system = kvSystem({ preset: 'abd' })
    const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
    const cluster = await simDriver({ clock }).start(system, { runId: 'strike', nodes: ['n1', 'n2', 'n3'], spares: [], dir: '', seed: 1, random: seededRandom(1), log: silent })
    const nemesis = new Nemesis({ cluster, system, zones: {}, random: seededRandom(1) })
    const value = { id: 0, fault: 'join(spare)' }
    const injected = await nemesis.invoke({ f: 'inject', value })
    assert.is(injected.type, 'info')
    assert.match(JSON.stringify(injected.value), 'inject failed: there is no spare machine')
    assert.equal(await nemesis.invoke({ f: 'heal', value }), { type: 'ok', value: { id: 0, fault: '', evidence: 'it was never injected' } })
    await cluster.stop()
  })
})

test('a node that left the cluster while it was struck is not waited for', async () => {
  const clock = new VirtualClock()
  await clock.run(async () => {
    const system = kvSystem({ preset: 'abd' })
    const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
    const cluster = await simDriver({ clock }).start(system, { runId: 'left', nodes: ['n1', 'n2', 'n3'], spares: ['n4'], dir: '', seed: 1, random: seededRandom(1), log: silent })
    const nemesis = new Nemesis({ cluster, system, zones: {}, random: seededRandom(1) })
    const done = async (f: string, id: number, fault: string): Promise<string> => (await nemesis.invoke({ f, value: { id, fault } })).type
    assert.is(await done('inject', 0, 'join(spare)'), 'ok')
    assert.is(await done('inject', 1, 'pause(n4)'), 'ok')
    await cluster.nodes.find(({ id }) => id === 'n4')!.resume!()
    assert.is(await done('heal', 0, 'join(spare)'), 'ok')
    assert.is(await done('heal', 1, 'pause(n4)'), 'ok')
    await cluster.stop()
  })
})

test('the clocks of those that are up are struck; what shows none is no strike', async () => {
  const clock = new VirtualClock()
  await clock.run(async () => {
    const system = kvSystem({ preset: 'abd' })
    const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
    const cluster = await simDriver({ clock }).start(system, { runId: 'clocks', nodes: ['n1', 'n2', 'n3'], spares: [], dir: '', seed: 1, random: seededRandom(1), log: silent })
    const nemesis = new Nemesis({ cluster, system, zones: {}, random: seededRandom(1) })
    const [first, second] = cluster.nodes
    await second!.kill()
    const struck = await nemesis.invoke({ f: 'inject', value: { id: 0, fault: 'clock-bump(n1+n2)' } })
    assert.is(struck.type, 'ok')
    assert.match((struck.value as { evidence: string }).evidence, /^the clock of n1 is off by [+]\d+ ms, then by [+]\d+ ms$/)
    assert.is((await nemesis.invoke({ f: 'heal', value: { id: 0, fault: '' } })).type, 'ok')
    await first!.kill()
    assert.is((await nemesis.invoke({ f: 'inject', value: { id: 1, fault: 'clock-bump(n1+n2)' } })).type, 'info')
    await cluster.stop()
  })
})

test.run()
