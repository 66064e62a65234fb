import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Cluster } from '../cluster/cluster.ts'
import { simDriver } from '../cluster/drivers/sim/driver.ts'
import { kvSystem } from '../cluster/systems/kv.ts'
import { VirtualClock } from '../harness/clock.ts'
import { seededRandom } from '../harness/random.ts'
import { Nemesis } from './nemesis.ts'
import { resolveFault, strikeProblem } from './notation.ts'
import { HalfInjected, strikeOrHeal, toSome } from './strike.ts'

const fails = (message: string) => (): Promise<never> => Promise.reject(new Error(message))
const errorOf = (work: Promise<unknown>): Promise<Error> => work.then(() => assert.unreachable('it should have failed') as never, (error: Error) => error)

/** A simulated cluster of `abd` with its nemesis: `done` carries out one operation, and tells its type and evidence. */
async function withNemesis(spares: readonly string[], body: (cluster: Cluster, done: (f: 'inject' | 'heal', id: number, fault: string) => Promise<readonly [type: string, evidence: string]>) => Promise<void>): Promise<void> {
  const clock = new VirtualClock()
  await clock.run(async () => {
    const system = kvSystem({ preset: 'abd' })
    const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
    const cluster = await simDriver({ clock }).start(system, { runId: 'strike', nodes: ['n1', 'n2', 'n3'], spares, dir: '', seed: 1, random: seededRandom(1), log: silent })
    const nemesis = new Nemesis({ cluster, system, zones: {}, random: seededRandom(1) })
    await body(cluster, async (f, id, fault) => {
      const { type, value } = await nemesis.invoke({ f, value: { id, fault } })
      return [type, (value as { evidence: string }).evidence]
    })
    await cluster.stop()
  })
}

test('when one of several fails, nothing is on its way any more; only when all fail, it is a failure', async () => {
  let done = 0
  const some = (failing: number): Promise<void> => toSome([1, 2, 3], async (one) => {
    if (one <= failing) throw new Error(`number ${one}`)
    await new Promise((resolve) => setImmediate(resolve))
    done++
  })
  await some(1)
  assert.is(done, 2)
  assert.is((await errorOf(some(3))).message, 'number 1')
})

test('a strike that fails is taken back; one that cannot be is told from it', async () => {
  let healed = 0
  const undo = { heal: async (): Promise<void> => void healed++, verifyHealed: async () => ({ seen: true, evidence: '' }) }
  assert.is(await strikeOrHeal(() => Promise.resolve(7), undo), 7)
  assert.is(healed, 0)
  const undone = await errorOf(strikeOrHeal(fails('no strike'), undo))
  assert.equal([undone.message, undone instanceof HalfInjected, healed], ['no strike', false, 1])
  const stuck = { ...undo, heal: fails('no heal') }
  const half = await errorOf(strikeOrHeal(fails('no strike'), stuck))
  assert.equal([half.message, (half as HalfInjected).undo], ['no strike; and it could not be taken back: no heal', stuck])
})

test('what was injected in part is healed, and seen to be, when what was in the way is gone', () => withNemesis(['n4'], async (cluster, done) => {
  const [, second, third] = cluster.nodes
  // Without a majority nobody is replaced, and the one that was to go cannot be started again for now.
  await third!.kill()
  const start = second!.start.bind(second)
  second!.start = fails('not yet')
  const [type, evidence] = await done('inject', 0, 'replace(n2)')
  assert.is(type, 'info')
  assert.match(evidence, 'and it could not be taken back: not yet')
  assert.equal(await done('heal', 0, ''), ['info', 'heal failed: not yet'])
  second!.start = start
  await third!.start()
  assert.equal(await done('heal', 0, ''), ['ok', 'n1, n3 say that n2 is a member, and it answers; n1, n2, n3 say that n4 is no member'])
}))

test('a change of members that comes about long after it was given up is taken back by the heal, once all can be asked', () => withNemesis(['n4'], async (cluster, done) => {
  const [first, second, third] = cluster.nodes
  await Promise.all([second!.pause!(), third!.pause!()])
  const [type, evidence] = await done('inject', 0, 'join(spare)')
  assert.is(type, 'info')
  assert.match(evidence, 'inject failed: no answer')
  assert.match((await done('heal', 0, '')).join(': '), /^info: heal failed: no answer/)
  await Promise.all([second!.resume!(), third!.resume!()])
  // As if the request had been on its way until now: they wait for n4, whose program nobody starts.
  await kvSystem({ preset: 'abd' }).membership!.admit(cluster, 'n4', 10_000)
  assert.equal(await done('heal', 0, ''), ['ok', 'n1, n2, n3 say that n4 is no member'])
  assert.equal(await cluster.membership!.members(first!.id, 1_000), ['n1', 'n2', 'n3'])
}))

test('the heal of another change lets a spare machine go that was admitted without anybody waiting', () => withNemesis(['n4', 'n5'], async (cluster, done) => {
  assert.is((await done('inject', 0, 'join(spare)'))[0], 'ok')
  await kvSystem({ preset: 'abd' }).membership!.admit(cluster, 'n5', 10_000)
  assert.equal(await done('heal', 0, ''), ['ok', 'n1, n2, n3 say that n4 is no member'])
  assert.equal(await cluster.membership!.members('n1', 1_000), ['n1', 'n2', 'n3'])
}))

test('nobody is replaced where each key has one replica, whose data nobody else has', () => {
  const problem = (preset: string, overrides = {}): string | undefined => strikeProblem(resolveFault('replace(n2)'), { nodes: ['n1', 'n2', 'n3'], system: kvSystem({ preset, overrides }), zones: {} })
  assert.match(problem('cached-nfs') ?? '', 'each key has one replica')
  assert.match(problem('abd', { replicas: 1 }) ?? '', 'each key has one replica')
  assert.is(problem('abd'), undefined)
})

test('a partition of a majority may stand between nodes that run, also where one does not', () => withNemesis([], async (_, done) => {
  assert.is((await done('inject', 0, 'kill(n1)'))[0], 'ok')
  let seen = 0
  for (let id = 1; id <= 12; id++) {
    if ((await done('inject', id, 'partition(majority)'))[0] === 'ok') seen++
    assert.is((await done('heal', id, ''))[0], 'ok')
  }
  assert.ok(seen >= 4, `${seen} of 12`)
}))

test('what was never injected needs no heal: no later look is owed', () => withNemesis([], async (_, done) => {
  const [type, evidence] = await done('inject', 0, 'join(spare)')
  assert.is(type, 'info')
  assert.match(evidence, 'inject failed: there is no spare machine')
  assert.equal(await done('heal', 0, 'join(spare)'), ['ok', 'it was never injected'])
}))

test('a node that left the cluster while it was struck is not waited for', () => withNemesis(['n4'], async (cluster, done) => {
  assert.is((await done('inject', 0, 'join(spare)'))[0], 'ok')
  assert.is((await done('inject', 1, 'pause(n4)'))[0], 'ok')
  await cluster.nodes.find(({ id }) => id === 'n4')!.resume!()
  assert.is((await done('heal', 0, 'join(spare)'))[0], 'ok')
  assert.is((await done('heal', 1, 'pause(n4)'))[0], 'ok')
}))

test('the clocks of those that are up are struck; what shows none is no strike', () => withNemesis([], async (cluster, done) => {
  const [first, second] = cluster.nodes
  await second!.kill()
  const [type, evidence] = await done('inject', 0, 'clock-bump(n1+n2)')
  assert.is(type, 'ok')
  assert.match(evidence, /^the clock of n1 is off by [+]\d+ ms, then by [+]\d+ ms$/)
  assert.is((await done('heal', 0, ''))[0], 'ok')
  await first!.kill()
  assert.is((await done('inject', 1, 'clock-bump(n1+n2)'))[0], 'info')
}))

test('who is drawn by chance runs, as long as anybody does', () => withNemesis([], async (_, done) => {
  assert.is((await done('inject', 0, 'kill(n2)'))[0], 'ok')
  for (let id = 1; id <= 10; id++) {
    assert.equal((await done('inject', id, 'duplicate(one)'))[0], 'ok')
    assert.equal((await done('heal', id, 'duplicate(one)'))[0], 'ok')
  }
  const [type, evidence] = await done('inject', 11, 'duplicate(n2)')
  assert.equal([type, evidence], ['info', 'no link has nodes that answer at both ends'])
}))

test.run()
