/**
 * How many operations per second the controller itself can drive: generator, interpreter, columns and file, against
 * clients in memory that answer at once. What remains of a core after this is what a run leaves to the store.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { History, type Completion, type Event } from '../../checker/history/index.ts'
import type { Client } from '../../cluster/system.ts'
import { storeOf, workloadFrom } from '../../workloads/index.ts'
import { realClock, VirtualClock } from '../clock.ts'
import type { Clock } from '../env.ts'
import { any, clients, cycle, limit, nemesis, sleep } from '../generator/index.ts'
import { interpret } from '../interpreter.ts'
import { seededRandom } from '../random.ts'
import { openRecorder } from '../recorder.ts'

const OK: Completion = { type: 'ok' }

/** How the in-memory client answers. */
const answers = {
  microtask: (): Promise<Completion> => Promise.resolve(OK),
  'after(0)': (clock: Clock): Promise<Completion> => new Promise(resolve => clock.after(0, () => resolve(OK))),
} as const

/** Where events go. */
type Sink = 'nowhere' | 'columns' | 'columns and file'

interface Case {
  readonly answer: keyof typeof answers
  readonly threads: number
  readonly sink: Sink
  readonly virtual?: true
}

const cases: readonly Case[] = [
  { answer: 'microtask', threads: 10, sink: 'nowhere' },
  { answer: 'microtask', threads: 10, sink: 'columns' },
  { answer: 'microtask', threads: 10, sink: 'columns and file' },
  { answer: 'microtask', threads: 100, sink: 'columns and file' },
  { answer: 'after(0)', threads: 10, sink: 'columns and file' },
  { answer: 'after(0)', threads: 10, sink: 'columns and file', virtual: true },
]

interface Measured {
  readonly perSecond: number
  /** Processor time per operation, garbage collection included: what a busy machine does not disturb. */
  readonly cpuMicroseconds: number
  /** Growth of heap and typed arrays per operation. */
  readonly bytesPerOperation: number
}

async function measure({ answer, threads, sink, virtual }: Case, operations: number, dir: string): Promise<Measured> {
  const clock = virtual ? new VirtualClock() : realClock()
  const history = new History()
  const recorder = sink === 'columns and file' ? openRecorder(path.join(dir, `${answer}-${threads}-${String(virtual)}.jsonl`), history) : undefined
  const record = recorder?.record ?? (sink === 'columns' ? (event: Event): void => void history.push(event) : (): void => undefined)
  const random = seededRandom(1)
  const client: Client = { invoke: () => answers[answer](clock), close: () => undefined }
  const main = (): Promise<void> =>
    interpret({
      generator: any(clients(limit(operations, workloadFrom('register', storeOf({ functions: ['read', 'write'], expected: 'linearizable' })).generator({ random: random.fork('workload'), clients: threads, nodes: ['n1'] }))), nemesis(limit(1, cycle([sleep(1), { f: 'inject' }])))),
      clock,
      random: random.fork('generator'),
      threads,
      nodes: ['n1', 'n2', 'n3', 'n4', 'n5'],
      openClient: () => client,
      nemesis: () => Promise.resolve(OK),
      opTimeoutMs: 1000,
      record,
    })
  const before = await memory()
  const cpu = process.cpuUsage()
  const started = process.hrtime.bigint()
  await (clock instanceof VirtualClock ? clock.run(main) : main())
  await recorder?.close()
  const seconds = Number(process.hrtime.bigint() - started) / 1e9
  const { user, system } = process.cpuUsage(cpu)
  const bytes = (await memory()) - before
  if (sink !== 'nowhere' && history.length < 2 * operations) throw new Error(`${history.length} events of ${operations} operations`)
  return { perSecond: operations / seconds, cpuMicroseconds: (user + system) / operations, bytesPerOperation: bytes / operations }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes in use by objects and typed arrays, after the garbage of earlier turns is gone. */
async function memory(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await new Promise(resolve => setImmediate(resolve))
    collectGarbage()
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** `npm run bench -- interpreter [operations]` */
export const bench = {
  name: 'interpreter',
  describes: 'operations per second of generator, interpreter and recorder against clients in memory, and memory per operation',
  async run(args: string[], print: (line: string) => void): Promise<void> {
    const operations = Number(args[0] ?? 500_000)
    const dir = mkdtempSync(path.join(tmpdir(), 'splitbrain-bench-'))
    try {
      await measure(cases[1]!, Math.min(operations, 100_000), dir) // warms up
      print(`${operations} operations of the register workload each, 5 nodes, one nemesis operation`)
      print('client answers  clock    threads  events go to      operations/s  CPU us/operation  bytes/operation')
      for (const it of cases) {
        const { perSecond, cpuMicroseconds, bytesPerOperation } = await measure(it, operations, dir)
        print(`${it.answer.padEnd(14)}  ${(it.virtual ? 'virtual' : 'real').padEnd(7)}  ${String(it.threads).padStart(7)}  ${it.sink.padEnd(16)}  ${perSecond.toFixed(0).padStart(12)}  ${cpuMicroseconds.toFixed(2).padStart(16)}  ${bytesPerOperation.toFixed(0).padStart(15)}`)
      }
    } finally {
      rmSync(dir, { recursive: true })
    }
  },
}
