/**
 * Textbook pairs, shown by our own store in the simulator: a mistake as clients see it and judgements name it, and beside
 * it the same steps where nothing goes wrong. (`checker/textbook.test.ts` has them as histories.)
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { judge } from '../checker/judge.ts'
import { History, type Json } from '../checker/history/index.ts'
import type { Model, VerdictDocument } from '../checker/verdict.ts'
import { simulate, type Bench } from '../cluster/kv/testing/simulate.ts'

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

  async #invoke(process: number, node: string, operation: { readonly f: string; readonly key: string; readonly value: Json }) {
    this.#push({ process, node, type: 'invoke', ...operation })
    const completion = await this.#bench.on(node).invoke(operation)
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
    return judge(clients.history, { run: null, promised })
  })
}

const rung = ({ ladder }: VerdictDocument, model: Model): string => ladder.find((one) => one.model === model)!.verdict

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
