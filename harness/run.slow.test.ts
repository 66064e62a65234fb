import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { RunEvent } from '../reports/events.ts'
import { runPlan } from './run.ts'
import { simulate, simulatedPlan as plan } from './testing/simulated.ts'

const folder = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-'))
test.after(() => rm(folder, { recursive: true, force: true }))

test('dynamo keeps hints during a partition and hands them over after it, and the document says how many', async () => {
  const { document, history } = await simulate(folder, plan('dynamo', 'partition', 3))
  const counted = Object.values(document.counters!)
  const sum = (name: string) => counted.reduce((total, counts) => total + counts[name]!, 0)
  assert.equal(Object.keys(document.counters!), document.run!.nodes)
  assert.ok(sum('hints_kept') > 0)
  assert.is(sum('hints_handed') + sum('hints_pending'), sum('hints_kept'))
  assert.ok(sum('cells_repaired') > 0)
  assert.is(history.event(history.length - 1).f, 'counters')
})

test('a fault that takes longer than anybody waits for is told as such, and is healed all the same', async () => {
  const p = plan('abd', 'delay(one,ms=60000),every=8s,for=2s', 1, 6_000)
  const told: RunEvent[] = []
  const dir = await mkdtemp(path.join(folder, 'run-'))
  const { document } = await runPlan(p, { dir, label: 'test', emit: (event) => void told.push(event), repeat: '', started: '' })
  const faults = told.filter((event) => event.type === 'fault')
  assert.match(faults[0]!.evidence, /nobody knows what came of it [(]timeout[)]/)
  assert.is(document.faults.length, 1)
  assert.is(document.faults[0]!.bit, false)
  assert.type(document.faults[0]!.healed_ns, 'number')
  assert.is(document.verdict, 'unknown')
})

test('a node whose disk refuses what was decided tells it again after a while, not all the time: the run ends', async () => {
  const { document } = await simulate(folder, { ...plan('paxos-commit', 'none', 385, 6_000), rate: 100, workload: 'multi-register', schedule: [{ fault: 'read-only-disk(all)', at_ms: 1_500, for_ms: 3_000 }] })
  assert.is(document.verdict, 'holds')
})

test.run()
