/** PBS by Monte Carlo against what pen and paper say. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { judge } from './judge.ts'
import { consistentAt, wars } from './pbs.ts'
import { RunBuilder } from './testing/run.ts'
import type { Delay, Wars } from './pbs.ts'

const test = suite('PBS')

const exponential = (meanMs: number): Delay => (chance) => -Math.log(1 - chance()) * meanMs
const never: Delay = () => 0
/** Every node is a replica and answers alone. */
const one: Wars = { nodes: 3, replicas: 3, readQuorum: 1, writeQuorum: 1, there: exponential(10), back: exponential(10), acknowledge: never, request: never }

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 0.01, `${actual} is not ${expected}`)
}

test('of three replicas that answer alone, a third reads its own write, the others wait for W', () => {
  const from = wars(one)
  for (const t of [0, 1, 5, 10, 30]) near(consistentAt(from, t), 1 / 3 + (2 / 3) * (1 - Math.exp(-t / 10)))
})

test('an acknowledgement with exponential delay beats the message with the odds of their rates', () => {
  // P(W > A + t) = e^(-t/10) * (1/5) / (1/5 + 1/10)
  const from = wars({ ...one, acknowledge: exponential(5) })
  for (const t of [0, 5, 20]) near(consistentAt(from, t), 1 - (2 / 3) * Math.exp(-t / 10) * (2 / 3))
})

test('a coordinator that is no replica is answered by the fastest of the others', () => {
  // One replica among very many nodes, R = W = 1: W + A has passed when the read begins, so no read is stale.
  assert.is(consistentAt(wars({ ...one, nodes: 1_000_000, replicas: 1 }), 0), 1)
  // Two replicas, delays of nothing on the read's side: the read asks either, half of them the one that confirmed first.
  const from = wars({ ...one, nodes: 1_000_000, replicas: 2, back: never })
  // The second copy comes |W1 - W2| ~ Exp(10) after the first; the read takes the replica with the lesser R, and comes there after min(R1, R2) ~ Exp(5).
  for (const t of [0, 10]) near(consistentAt(from, t), 1 - 0.5 * Math.exp(-t / 10) * (2 / 3))
})

test('quorums that meet are never stale', () => {
  for (const [readQuorum, writeQuorum] of [[2, 2], [1, 3], [3, 1]] as const) assert.is(consistentAt(wars({ ...one, readQuorum, writeQuorum }), 0), 1)
})

test('the same seed gives the same curve', () => {
  assert.equal(wars(one, 1_000), wars(one, 1_000))
})

const steps = async (builder: RunBuilder): Promise<Record<string, unknown>> => (await judge(builder.history(), { run: null, promised: 'eventual' })).judgements.find(({ judgement }) => judgement === 'staleness')!.metrics

test('a history without recorded delays has no prediction; with them it stands at every step', async () => {
  const run = (): RunBuilder => new RunBuilder().write('x', 1, 0, 1).read('x', null, 1.5, 2).read('x', 1, 40, 41)
  const without = await steps(run())
  assert.is(without['pbs_rms_points'], null)
  assert.equal((without['t_visibility'] as { predicted: number | null }[]).map(({ predicted }) => predicted), [null, null])
  const predicted = (await steps(run().delays(60, { nodes: 3, replicas: 3, read_quorum: 1, write_quorum: 1, there_ms: [20], back_ms: [20] })))['t_visibility'] as { predicted: number }[]
  near(predicted[0]!.predicted, 1 / 3)
  assert.is(predicted[1]!.predicted, 1)
})

test.run()
