/**
 * Workloads against a store in memory, on a virtual clock: clients take their time, so that operations overlap as they
 * would over a network, and the store can be told to misbehave.
 */
import { History, type Completion, type Invocation, type Json } from '../../checker/history/index.ts'
import type { JudgementVerdict, Model } from '../../checker/verdict.ts'
import type { Client } from '../../cluster/system.ts'
import { sleep, VirtualClock } from '../../harness/clock.ts'
import type { Random } from '../../harness/env.ts'
import { clients, limit } from '../../harness/generator/index.ts'
import { interpret } from '../../harness/interpreter.ts'
import { seededRandom } from '../../harness/random.ts'
import { storeOf, workloadFrom } from '../index.ts'
import type { MicroOperation } from '../objects.ts'

/** How a store in memory behaves. */
export interface InMemoryOptions {
  /** What its clients can do. Default: read, write, delete, cas. */
  readonly functions?: readonly string[]
  readonly expected?: Model
  readonly operations?: number
  readonly seed?: number
  /** The share of operations whose outcome stays unknown, whether they happened or not. */
  readonly unknownShare?: number
  /** Changes an answer on its way, or the state before it is looked at. */
  readonly mischief?: (operation: Invocation, answer: Completion, held: Map<Json, Json>, random: Random) => Completion
}

/** What came of it. */
export interface InMemoryRun {
  readonly history: History
  readonly verdicts: ReadonlyMap<string, JudgementVerdict>
}

const THREADS = 8

/** Runs a workload, its last phase included, and judges it. */
export async function runInMemory(text: string, options: InMemoryOptions = {}): Promise<InMemoryRun> {
  const { functions = ['read', 'write', 'delete', 'cas'], expected = 'linearizable', operations = 600, seed = 1 } = options
  const workload = workloadFrom(text, storeOf({ functions, expected }))
  const clock = new VirtualClock()
  const history = new History()
  const random = seededRandom(seed)
  const held = new Map<Json, Json>()
  const workloadOptions = { random: random.fork('workload'), clients: THREADS, nodes: ['n1', 'n2', 'n3'] }
  let last = -1
  const settings = {
    clock,
    threads: THREADS,
    nodes: ['n1', 'n2', 'n3'],
    opTimeoutMs: 1_000,
    record: (event: Parameters<History['push']>[0]): void => {
      last = Math.max(event.time, last + 1)
      history.push({ ...event, time: last })
    },
    openClient: (thread: number): Client => {
      const client = new MemoryClient(clock, held, random.fork(`client ${thread}`), options)
      return workload.invoke === undefined ? client : { invoke: (operation) => workload.invoke!(client, operation), close: () => undefined }
    },
  }
  await clock.run(async () => {
    await interpret({ ...settings, generator: clients(limit(operations, workload.generator(workloadOptions))), random: random.fork('generator') })
    if (workload.final) await interpret({ ...settings, generator: clients(workload.final(workloadOptions)), random: random.fork('final'), firstProcess: 1_000_000 })
  })
  const context = { faults: [], timeLimitMs: 20_000, memoryLimitMb: 512, elapsedMs: () => 0 }
  const verdicts = new Map<string, JudgementVerdict>()
  for (const judgement of workload.judgements) verdicts.set(judgement.name, await judgement.judge(history, context))
  return { history, verdicts }
}

/** One connection to the store: every operation takes effect at one moment between its request and its answer. */
class MemoryClient implements Client {
  readonly #clock: VirtualClock
  readonly #held: Map<Json, Json>
  readonly #random: Random
  readonly #options: InMemoryOptions

  constructor(clock: VirtualClock, held: Map<Json, Json>, random: Random, options: InMemoryOptions) {
    this.#clock = clock
    this.#held = held
    this.#random = random
    this.#options = options
  }

  async invoke(operation: Invocation): Promise<Completion> {
    await sleep(this.#clock, this.#random.float() * 5)
    const unknown = this.#random.float() < (this.#options.unknownShare ?? 0)
    if (unknown && this.#random.float() < 0.5) return { type: 'info', error: 'DEADLINE' }
    const truth = answer(this.#held, operation)
    const told = this.#options.mischief?.(operation, truth, this.#held, this.#random) ?? truth
    await sleep(this.#clock, this.#random.float() * 5)
    return unknown && operation.f !== 'read' ? { type: 'info', error: 'DEADLINE' } : told
  }

  close(): void {
    // There is nothing to close.
  }
}

/** What one copy of everything answers. */
function answer(held: Map<Json, Json>, { f, key = null, value = null }: Invocation): Completion {
  const current = held.get(key) ?? null
  switch (f) {
    case 'read':
      return { type: 'ok', value: current }
    case 'write':
      held.set(key, value)
      return { type: 'ok' }
    case 'delete':
      held.delete(key)
      return { type: 'ok' }
    case 'cas': {
      const [expected, next] = value as readonly [Json, Json]
      if (JSON.stringify(expected) !== JSON.stringify(current)) return { type: 'fail', error: 'MISMATCH' }
      held.set(key, next)
      return { type: 'ok' }
    }
    default:
      return { type: 'ok', value: (value as unknown as readonly MicroOperation[]).map((micro) => transacted(held, micro)) }
  }
}

function transacted(held: Map<Json, Json>, [f, key, value]: MicroOperation): Json {
  if (f === 'r') return [f, key, held.get(key) ?? null]
  held.set(key, f === 'w' ? value : [...((held.get(key) ?? []) as readonly Json[]), value])
  return [f, key, value]
}
