import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { kvSystem } from '../cluster/systems/kv.ts'
import { planDefaults, type Plan } from './plan.ts'
import { judgementsIn, losesWrites, promisedIn } from './promise.ts'
import { makeWorkload } from './registry.ts'

const promised = async (preset: string, workload: string, expect?: 'linearizable'): Promise<string> => {
  const system = kvSystem({ preset })
  return promisedIn(expect === undefined ? {} : { expect }, system, await makeWorkload(workload, system))
}

const planOf = (preset: string, workload: string, faults: readonly string[]): Plan => ({ ...planDefaults, schema: 'splitbrain-plan/1', name: 'x', driver: 'sim', preset, workload, seed: 1, schedule: faults.map((fault) => ({ fault, at_ms: 0, for_ms: 1 })) })

test('a cached store promises session guarantees to clients that stay with their node only', async () => {
  for (const preset of ['cached-afs', 'cached-nfs']) {
    for (const workload of ['sessions(sticky=true)', 'register']) assert.is(await promised(preset, workload), 'monotonic-reads')
    assert.is(await promised(preset, 'sessions'), 'eventual')
  }
})

test('elsewhere it is the same whether clients move or not, and a plan can ask for something else', async () => {
  assert.is(await promised('abd', 'sessions'), 'linearizable')
  assert.is(await promised('cached-afs', 'sessions', 'linearizable'), 'linearizable')
})

test('where acknowledged writes may be lost, what an object suffers by it is shown and not counted', async () => {
  const binds = async (preset: string, workload: string, ...faults: string[]): Promise<boolean> => {
    const system = kvSystem({ preset })
    return judgementsIn(planOf(preset, workload, faults), system, await makeWorkload(workload, system)).some(({ binding }) => binding === true)
  }
  assert.is(await binds('primary-async', 'counter'), false)
  assert.is(await binds('primary-sync', 'counter'), true)
  assert.is(await binds('quorum', 'set-delete', 'kill(one)'), true)
  assert.is(await binds('quorum', 'set-delete', 'clock-skew(one)'), false)
})

test('a plan that asks for a model counts lost writes, and what an object suffers by them, whatever the system says of losing them', async () => {
  const system = kvSystem({ preset: 'quorum' })
  const own = planOf('quorum', 'set-delete', ['clock-skew(one)'])
  const asked: Plan = { ...own, expect: 'linearizable' }
  const bound = async (plan: Plan): Promise<boolean> => judgementsIn(plan, system, await makeWorkload(plan.workload, system)).some(({ binding }) => binding === true)
  assert.equal([losesWrites(system, own), await bound(own)], [true, false])
  assert.equal([losesWrites(system, asked), await bound(asked)], [false, true])
})

test.run()
