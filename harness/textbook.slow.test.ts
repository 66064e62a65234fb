/**
 * Textbook pairs, shown by our own store in the simulator: a mistake as clients see it and judgements name it, and beside
 * it the same steps, or the same run, where nothing goes wrong. (`checker/textbook.test.ts` has them as histories.)
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { judge } from '../checker/judge.ts'
import { History, type Completion, type Json } from '../checker/history/index.ts'
import { monotoneVerdicts } from '../checker/testing/monotone.ts'
import { isolationOf } from '../checker/transactions/isolation.ts'
import { longFork } from '../checker/long-fork.ts'
import { context } from '../checker/testing/context.ts'
import type { JudgementVerdict, Model, VerdictDocument } from '../checker/verdict.ts'
import { simulate, type Bench } from '../cluster/kv/testing/simulate.ts'
import { parseArguments } from './command.ts'
import { planFrom } from './commands/plan-options.ts'
import { runCommand } from './commands/run.ts'
import { verdictOf } from './soak/conformance.soak.ts'

type Micro = readonly [f: 'r' | 'w', key: string, value: Json]

/** Clients whose operations are recorded: `on('n1', 0)` is session 0 at node n1. */
class Recorded {
  readonly history = new History()
  readonly #bench: Bench
  #last = -1

  constructor(bench: Bench) {
    this.#bench = bench
  }

  async write(process: number, node: string, key: string, value: Json): Promise<string> {
    return (await this.#invoke(process, node, { f: 'write', key, value })).type
  }

  async read(process: number, node: string, key: string): Promise<Json> {
    return (await this.#invoke(process, node, { f: 'read', key, value: null })).value ?? null
  }

  /** `['r', 'x', null]`, `['w', 'x', 1]`: as one transaction, or one after the other where the store has none. */
  async transact(process: number, node: string, ...micros: readonly Micro[]): Promise<string> {
    return (await this.#invoke(process, node, { f: 'txn', value: micros }, this.#bench.system.functions.includes('txn') ? undefined : () => this.#oneByOne(node, micros))).type
  }

  async #oneByOne(node: string, micros: readonly Micro[]): Promise<Completion> {
    const done: Json[] = []
    for (const [f, key, value] of micros) {
      const { type, value: found } = await this.#bench.on(node).invoke({ f: f === 'r' ? 'read' : 'write', key, value })
      if (type !== 'ok') return { type }
      done.push([f, key, f === 'r' ? (found ?? null) : value])
    }
    return { type: 'ok', value: done }
  }

  async #invoke(process: number, node: string, operation: { readonly f: string; readonly key?: string; readonly value: Json }, carryOut = () => this.#bench.on(node).invoke(operation)) {
    this.#push({ process, node, type: 'invoke', ...operation })
    const completion = await carryOut()
    this.#push({ process, node, ...operation, ...completion })
    return completion
  }

  #push(event: Omit<Parameters<History['push']>[0], 'time'>): void {
    this.#last = Math.max(this.#last + 1, this.#bench.clock.now())
    this.history.push({ ...event, time: this.#last })
  }
}

/** Runs the steps on a preset and judges what clients saw. */
function shown(preset: string, promised: Model, steps: (clients: Recorded, bench: Bench) => Promise<void>): Promise<VerdictDocument> {
  return simulate({ preset, overrides: { anti_entropy_interval_ms: 0 } }, async (bench) => {
    const clients = new Recorded(bench)
    await steps(clients, bench)
    await monotoneVerdicts(clients.history)
    return judge(clients.history, { run: null, promised })
  })
}

/** The verdict on a run, given as `splitbrain run` takes it. */
async function ran(options: Readonly<Record<string, string | undefined>>): Promise<VerdictDocument> {
  const words = Object.entries({ driver: 'sim', ...options }).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]))
  return verdictOf(await planFrom(parseArguments(runCommand, words)))
}

const judgement = ({ judgements }: VerdictDocument, name: string): JudgementVerdict => judgements.find((one) => one.judgement === name)!
const links = (from: readonly string[], to: readonly string[]): { readonly from: string; readonly to: string }[] => from.flatMap((one) => to.map((other) => ({ from: one, to: other })))
const rung = ({ ladder }: VerdictDocument, model: Model): string => ladder.find((one) => one.model === model)!.verdict

for (const [preset, verdict] of [['quorum', 'violated'], ['abd', 'holds']] as const) {
  test(`${preset}: R + W > N ${verdict === 'violated' ? 'is regular, but not linearizable: a read may find less than the one before it' : 'and write-back is linearizable'}`, async () => {
    const document = await shown(preset, 'linearizable', async (clients, bench) => {
      assert.is(await clients.write(0, 'n1', 'x', 1), 'ok')
      await bench.sleep(200)
      // Of five replicas two have the new value; the second reader hears of the other three.
      await bench.cluster.links.delay!(links(['n1'], ['n3', 'n4', 'n5']), 300, 0)
      const writing = clients.write(0, 'n1', 'x', 2)
      await bench.until(async () => (await bench.held('x'))[1] === 2, 1_000)
      assert.is(await clients.read(1, 'n2', 'x'), 2)
      await bench.cluster.links.cut(links(['n1', 'n2'], ['n4']))
      assert.is(await clients.read(2, 'n4', 'x'), verdict === 'violated' ? 1 : 2)
      await bench.cluster.links.heal()
      await writing
    })
    assert.is(rung(document, 'linearizable'), verdict)
    assert.is(rung(document, 'regular'), 'holds')
    assert.is(rung(document, 'sequential'), 'holds')
    if (verdict === 'violated') assert.match(judgement(document, 'linearizable').witnesses[0]!.explanation, /^Read of 1 by process 2 began after process 1 had read 2/)
  })
}

for (const [apart, verdict] of [[true, 'violated'], [false, 'holds']] as const) {
  test(`one: readers ${apart ? 'on the two sides of a partition see two writes in opposite orders, a long fork' : 'that no partition parts see no long fork'}`, async () => {
    const history = await simulate({ preset: 'one' }, async (bench) => {
      const clients = new Recorded(bench)
      if (apart) await bench.partition(['n1', 'n2'], ['n3', 'n4', 'n5'])
      assert.is(await clients.transact(0, 'n1', ['w', 'x', 1]), 'ok')
      assert.is(await clients.transact(1, 'n3', ['w', 'y', 1]), 'ok')
      await bench.sleep(200)
      await clients.transact(2, 'n2', ['r', 'x', null], ['r', 'y', null])
      await clients.transact(3, 'n4', ['r', 'x', null], ['r', 'y', null])
      return clients.history
    })
    assert.is((await longFork().judge(history, context)).verdict, verdict)
    // Parallel snapshot isolation is snapshot isolation with long forks (Sovran et al. 2011).
    const { levels } = isolationOf(history)
    assert.is(levels['parallel-snapshot-isolation'], 'holds')
    assert.is(levels['snapshot-isolation'], verdict)
    assert.is(levels.serializable, verdict)
  })
}

for (const [bugs, verdict] of [[['no-read-locks'], 'violated'], [[], 'holds']] as const) {
  test(`2pc, ${bugs.length > 0 ? 'write skew: both doctors see the other on call and leave' : 'of two doctors on call only one leaves'}`, async () => {
    // Different nodes hold the two keys: a transaction at one node needs no commit.
    const history = await simulate({ preset: '2pc', overrides: { bugs: [...bugs] } }, async (bench) => {
      const clients = new Recorded(bench)
      assert.is(await clients.transact(0, 'n1', ['w', 'carol', 'on call'], ['w', 'dave', 'on call']), 'ok')
      const both: readonly Micro[] = [['r', 'carol', null], ['r', 'dave', null]]
      const left = await Promise.all([clients.transact(1, 'n1', ...both, ['w', 'carol', 'at home']), clients.transact(2, 'n2', ...both, ['w', 'dave', 'at home'])])
      assert.is(left.every((outcome) => outcome === 'ok'), verdict === 'violated')
      await clients.transact(3, 'n3', ...both)
      return clients.history
    })
    // Berenson et al. 1995: snapshot isolation admits it, serializability does not.
    const { levels: found, anomalies } = isolationOf(history)
    assert.is(found['snapshot-isolation'], 'holds')
    assert.is(found.serializable, verdict)
    assert.is(anomalies.some(({ explanation }) => explanation.startsWith('write skew')), verdict === 'violated')
  })
}

for (const [graceMs, verdict] of [[300, 'violated'], [60_000, 'holds']] as const) {
  test(`a tombstone that ${verdict === 'violated' ? 'goes before a replica that was cut off has heard of it lets deleted elements rise' : 'outlives the partition keeps deleted elements deleted'}`, async () => {
    const document = await ran({ preset: 'one', set: `tombstone_grace_ms=${graceMs}`, workload: 'set-delete', nemesis: 'partition(one)', rate: '200', time: '5s', seed: '1' })
    const { metrics, verdict: found } = judgement(document, 'set-full')
    assert.is(found, verdict)
    assert.is(Number(metrics['resurrected']) > 0, verdict === 'violated')
    assert.is(metrics['lost'], 0)
    assert.is(document.convergence.agreed, true)
  })
}

for (const [aheadMs, verdict] of [[60_000, 'violated'], [0, 'holds']] as const) {
  test(`last write wins, a clock ${aheadMs} ms ahead: the later of two updates is ${verdict === 'violated' ? 'confirmed and lost' : 'kept'}`, async () => {
    const document = await shown('quorum', 'linearizable', async (clients, bench) => {
      bench.node('n1').skewWall(aheadMs)
      assert.is(await clients.write(0, 'n1', 'x', 1), 'ok')
      await bench.sleep(1_000)
      assert.is(await clients.write(1, 'n2', 'x', 2), 'ok')
      assert.is(await clients.read(2, 'n3', 'x'), aheadMs > 0 ? 1 : 2)
    })
    assert.is(document.verdict, verdict)
    assert.is(rung(document, 'regular'), verdict)
  })
}

for (const [second, verdict] of [['n2', 'violated'], ['n1', 'holds']] as const) {
  test(`a client that ${second === 'n1' ? 'stays where it wrote reads its write' : 'moves to a replica that was cut off does not read its own write'}`, async () => {
    const document = await shown('one', 'read-your-writes', async (clients, bench) => {
      await bench.partition(['n2'], ['n1', 'n3', 'n4', 'n5'])
      assert.is(await clients.write(0, 'n1', 'x', 1), 'ok')
      assert.is(await clients.read(0, second, 'x'), second === 'n1' ? 1 : null)
    })
    assert.is(document.verdict, verdict)
  })
}

for (const [preset, verdict] of [['primary-async', 'violated'], ['primary-sync', 'holds']] as const) {
  test(`${preset}: a primary that is cut off ${verdict === 'violated' ? 'goes on beside its successor' : 'confirms nothing any more'}`, async () => {
    const document = await shown(preset, 'linearizable', async (clients, bench) => {
      await bench.until(async () => (await bench.system.primaries!(bench.cluster)).length === 1, 5_000)
      const [old] = await bench.system.primaries!(bench.cluster)
      const others = bench.ids.filter((id) => id !== old)
      assert.is(await clients.write(0, old!, 'x', 1), 'ok')
      await bench.sleep(200)
      await bench.partition([old!], others)
      await bench.until(async () => (await bench.system.primaries!(bench.cluster)).some((id) => id !== old), 10_000)
      assert.is(await clients.write(1, others[0]!, 'x', 2), 'ok')
      await clients.write(2, old!, 'x', 3)
      await clients.read(3, others[1]!, 'x')
      await clients.read(4, old!, 'x')
      await clients.read(5, others[1]!, 'x')
    })
    assert.is(rung(document, 'linearizable'), verdict)
  })
}

test.run()
