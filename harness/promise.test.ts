import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { kvSystem } from '../cluster/systems/kv.ts'
import { promisedIn } from './promise.ts'
import { makeWorkload } from './registry.ts'

const promised = async (preset: string, workload: string, expect?: 'linearizable'): Promise<string> => {
  const system = kvSystem({ preset })
  return promisedIn(expect === undefined ? {} : { expect }, system, await makeWorkload(workload, system))
}

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

test.run()
