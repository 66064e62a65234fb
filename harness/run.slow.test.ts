import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { contradictionIn } from '../checker/testing/monotone.ts'
import type { VerdictDocument } from '../checker/verdict.ts'
import { parseNemesis, planSchedule } from '../nemesis/schedule.ts'
import type { RunEvent } from '../reports/events.ts'
import { planDefaults, type Plan } from './plan.ts'
import { judgeRun, runPlan, type RunResult } from './run.ts'
import { loadRun } from './run-folder.ts'
import { drawnPlan, runFiles } from './soak/sim-replay.soak.ts'

function plan(preset: string, nemesis: string, seed: number, timeMs = 12_000): Plan {
  return { ...planDefaults, schema: 'splitbrain-plan/1', name: 'test', driver: 'sim', preset, rate: 300, time_ms: timeMs, seed, schedule: planSchedule(parseNemesis(nemesis), timeMs) }
}

const folder = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-'))
test.after(() => rm(folder, { recursive: true, force: true }))

type Run = RunResult & { readonly dir: string }

async function simulated(p: Plan, failFast = false): Promise<Run> {
  const dir = await mkdtemp(path.join(folder, 'run-'))
  const result = await runPlan(p, { dir, label: 'test', emit: () => undefined, failFast, repeat: 'npx splitbrain run', started: new Date(0).toISOString() })
  assert.is(contradictionIn(result.document.judgements), undefined)
  return { ...result, dir }
}

/** Two runs that several tests look at. */
const abdPlan = plan('abd', 'partition,kill,pause', 3)
const onePlan = plan('one', 'partition', 3)
const [abdRun, oneRun] = [once(() => simulated(abdPlan)), once(() => simulated(onePlan))]

function once(run: () => Promise<Run>): () => Promise<Run> {
  let known: Promise<Run> | undefined
  return () => (known ??= run())
}

const share = (result: RunResult, group: string): number =>
  result.document.availability.find((a) => a.period.includes('partition') && a.group === group)?.share ?? Number.NaN

test('abd stays linearizable through a partition, a kill and a pause, and its minority side does not answer', async () => {
  const result = await abdRun()
  assert.is(result.document.verdict, 'holds', result.document.sentence)
  assert.is(result.document.strongest, 'linearizable')
  assert.ok(share(result, 'majority') > 0.9)
  assert.ok(share(result, 'minority') < 0.05)
})

test('one answers on both sides of a partition, is not linearizable, and converges', async () => {
  const result = await oneRun()
  assert.is(result.document.verdict, 'holds', result.document.sentence)
  assert.is(result.document.ladder.find((r) => r.model === 'linearizable')?.verdict, 'violated')
  const witness = result.document.judgements.find((j) => j.judgement === 'linearizable')?.witnesses[0]
  assert.ok(witness && witness.operations.length <= 4)
  assert.ok(share(result, 'minority') > 0.95)
  assert.is(result.document.convergence.agreed, true)
})

test('dynamo keeps hints during a partition and hands them over after it, and the document says how many', async () => {
  const { document, history } = await simulated(plan('dynamo', 'partition', 3))
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

test('a simulated run is judged in the time of the machine: what takes longer than its limit is unknown', async () => {
  const p = plan('one', 'partition', 3, 3_000)
  const { document, dir } = await simulated(p)
  const reasonOf = ({ judgements }: VerdictDocument): string | undefined => judgements.find(({ judgement }) => judgement === 'sequential')!.reason
  assert.match(String(reasonOf(document)), /grew too large/)
  let now = 0
  const clock = { now: () => (now += 1e12), wall: () => 0, after: () => ({ cancel: () => undefined }) }
  const { history } = await loadRun(dir)
  assert.is(reasonOf(await judgeRun(p, history, { dir, label: 'again', emit: () => undefined, repeat: '', started: '' }, clock)), 'time limit of 60 s')
})

test('a run that fails fast ends at the very response that broke the promise, and is judged', async () => {
  const whole = (await oneRun()).history.length
  const { document, history } = await simulated({ ...onePlan, expect: 'linearizable' }, true)
  assert.is(document.verdict, 'violated')
  assert.ok(history.length < whole / 2, `${history.length} of ${whole} events`)
  const { operations } = document.judgements.find((j) => j.judgement === 'linearizable')!.witnesses[0]!
  const broke = Math.max(...operations.map((row) => history.pair[row]!))
  const invokedLater = Array.from({ length: history.length - broke }, (_, i) => history.event(broke + i)).filter(({ process, type }) => typeof process === 'number' && type === 'invoke')
  assert.equal(invokedLater, [])
})

test('a run that breaks nothing does not notice that it is watched', async () => {
  const watched = await simulated(abdPlan, true)
  assert.is(watched.document.verdict, 'holds')
  const lines = ({ dir }: Run): Promise<string> => readFile(path.join(dir, 'history.jsonl'), 'utf8')
  assert.ok((await lines(watched)) === (await lines(await abdRun())))
})

test('a node whose disk refuses what was decided tells it again after a while, not all the time: the run ends', async () => {
  const { document } = await simulated({ ...plan('paxos-commit', 'none', 385, 6_000), rate: 100, workload: 'multi-register', schedule: [{ fault: 'read-only-disk(all)', at_ms: 1_500, for_ms: 3_000 }] })
  assert.is(document.verdict, 'holds')
})

test('an interrupted run ends in order, and is unknown however well it went, also when its history is judged again', async () => {
  const working = new AbortController()
  const dir = await mkdtemp(path.join(folder, 'run-'))
  const cut = plan('abd', 'partition', 3)
  const { document, history } = await runPlan(cut, { dir, label: 'test', emit: (event) => event.type === 'progress' && event.operations > 1_000 && working.abort(), signal: working.signal, repeat: 'npx splitbrain run', started: new Date(0).toISOString() })
  assert.is(document.verdict, 'unknown')
  assert.match(document.reason!, 'the run was interrupted')
  assert.ok(document.operations.ok > 500)
  assert.is((await judgeRun(cut, history, { dir, label: 'test', emit: () => undefined, repeat: 'x', started: '' })).verdict, 'unknown')
})

test('a run leaves its plan, history and verdict, and they can be read back', async () => {
  const { document, history, dir } = await oneRun()
  const saved = await loadRun(dir)
  assert.equal(saved.document, document)
  assert.is(saved.history.length, history.length)
  assert.equal(saved.plan, onePlan)
  assert.ok((await readFile(path.join(dir, 'history.jsonl'), 'utf8')).endsWith('\n'))
})

test('the same seed gives the same history and verdict, byte for byte', async () => {
  const drawn = drawnPlan(11, 10_000)
  assert.equal(await runFiles(drawn), await runFiles(drawn))
})

test.run()
