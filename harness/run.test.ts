import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { contradictionIn } from '../checker/testing/monotone.ts'
import { parseNemesis, planSchedule } from '../nemesis/schedule.ts'
import { planDefaults, type Plan } from './plan.ts'
import { judgeRun, runPlan, type RunResult } from './run.ts'
import { loadRun } from './run-folder.ts'
import { drawnPlan, runFiles } from './soak/sim-replay.soak.ts'

function plan(preset: string, nemesis: string, seed: number, timeMs = 12_000): Plan {
  return { ...planDefaults, schema: 'splitbrain-plan/1', name: 'test', driver: 'sim', preset, rate: 300, time_ms: timeMs, seed, schedule: planSchedule(parseNemesis(nemesis), timeMs) }
}

async function simulated(p: Plan, look: (result: RunResult, dir: string) => Promise<void> | void, failFast = false): Promise<void> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-'))
  try {
    const result = await runPlan(p, { dir, label: 'test', emit: () => undefined, failFast, repeat: 'npx splitbrain run', started: new Date(0).toISOString() })
    assert.is(contradictionIn(result.document.judgements), undefined)
    await look(result, dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

const share = (result: RunResult, group: string): number =>
  result.document.availability.find((a) => a.period.includes('partition') && a.group === group)?.share ?? Number.NaN

test('abd stays linearizable through a partition, a kill and a pause, and its minority side does not answer', async () => {
  await simulated(plan('abd', 'partition,kill,pause', 3), (result) => {
    assert.is(result.document.verdict, 'holds', result.document.sentence)
    assert.is(result.document.strongest, 'linearizable')
    assert.ok(share(result, 'majority') > 0.9)
    assert.ok(share(result, 'minority') < 0.05)
  })
})

test('one answers on both sides of a partition, is not linearizable, and converges', async () => {
  await simulated(plan('one', 'partition', 3), (result) => {
    assert.is(result.document.verdict, 'holds', result.document.sentence)
    assert.is(result.document.ladder.find((r) => r.model === 'linearizable')?.verdict, 'violated')
    const witness = result.document.judgements.find((j) => j.judgement === 'linearizable')?.witnesses[0]
    assert.ok(witness && witness.operations.length <= 4)
    assert.ok(share(result, 'minority') > 0.95)
    assert.is(result.document.convergence.agreed, true)
  })
})

test('dynamo keeps hints during a partition and hands them over after it, and the document says how many', async () => {
  await simulated(plan('dynamo', 'partition', 3), ({ document, history }) => {
    const counted = Object.values(document.counters!)
    const sum = (name: string) => counted.reduce((total, counts) => total + counts[name]!, 0)
    assert.equal(Object.keys(document.counters!), document.run!.nodes)
    assert.ok(sum('hints_kept') > 0)
    assert.is(sum('hints_handed') + sum('hints_pending'), sum('hints_kept'))
    assert.ok(sum('cells_repaired') > 0)
    assert.is(history.event(history.length - 1).f, 'counters')
  })
})

test('a simulated run is judged in the time of the machine: what takes longer than its limit is unknown', async () => {
  const p = plan('one', 'partition', 3, 3_000)
  await simulated(p, async (_, dir) => {
    const sequential = async (stepNs: number): Promise<string | undefined> => {
      let now = 0
      const clock = { now: () => (now += stepNs), wall: () => 0, after: () => ({ cancel: () => undefined }) }
      const { history } = await loadRun(dir)
      const { judgements } = await judgeRun(p, history, { dir, label: 'again', emit: () => undefined, repeat: '', started: '' }, clock)
      return judgements.find(({ judgement }) => judgement === 'sequential')!.reason
    }
    assert.match(String(await sequential(0)), /grew too large/)
    assert.is(await sequential(1e12), 'time limit of 60 s')
  })
})

test('a run that fails fast ends at the very response that broke the promise, and is judged', async () => {
  const broken: Plan = { ...plan('one', 'partition', 3), expect: 'linearizable' }
  let whole = 0
  await simulated(broken, ({ history }) => void (whole = history.length))
  await simulated(broken, async ({ document, history }) => {
    assert.is(document.verdict, 'violated')
    assert.ok(history.length < whole / 2, `${history.length} of ${whole} events`)
    const { operations } = document.judgements.find((j) => j.judgement === 'linearizable')!.witnesses[0]!
    const broke = Math.max(...operations.map((row) => history.pair[row]!))
    const invokedLater = Array.from({ length: history.length - broke }, (_, i) => history.event(broke + i)).filter(({ process, type }) => typeof process === 'number' && type === 'invoke')
    assert.equal(invokedLater, [])
  }, true)
})

test('a run that breaks nothing does not notice that it is watched', async () => {
  const kept = plan('abd', 'partition', 3)
  let whole = 0
  await simulated(kept, ({ history }) => void (whole = history.length))
  await simulated(kept, ({ document, history }) => {
    assert.is(document.verdict, 'holds')
    assert.is(history.length, whole)
  }, true)
})

test('a run leaves its plan, history and verdict, and they can be read back', async () => {
  await simulated(plan('quorum', 'partition', 5), async (result, dir) => {
    const saved = await loadRun(dir)
    assert.equal(saved.document, result.document)
    assert.is(saved.history.length, result.history.length)
    assert.is(saved.plan.preset, 'quorum')
    assert.ok((await readFile(path.join(dir, 'history.jsonl'), 'utf8')).endsWith('\n'))
  })
})

test('the same seed gives the same history and verdict, byte for byte', async () => {
  const drawn = drawnPlan(11, 10_000)
  assert.equal(await runFiles(drawn), await runFiles(drawn))
})

test.run()
