/**
 * The package's functions: what the command line does, for programs. Options have the names that `splitbrain run`
 * gives them, so that whatever can be typed can be called, and every run says which command repeats it.
 */
import { readFile } from 'node:fs/promises'
import { readHistory } from 'knossos-wasm'
import { judge, registerJudgements } from '../checker/index.ts'
import type { History } from '../checker/history/index.ts'
import type { Model, VerdictDocument } from '../checker/verdict.ts'
import type { RunEvent } from '../reports/events.ts'
import { renderReport } from '../reports/html/page.ts'
import { realClock } from './clock.ts'
import { parseArguments } from './command.ts'
import { planFrom, repeatCommand } from './commands/plan-options.ts'
import { runCommand } from './commands/run.ts'
import { refuseImpossible } from './refusals.ts'
import { runInFolder, type FolderRun } from './run-in-folder.ts'

/** What to run: the options of `splitbrain run` (`splitbrain run --help` explains them), and how to follow it. */
export interface RunInput {
  /** Default `kv`, our own store; or a file, `./my-store.ts`. */
  readonly system?: string
  readonly preset?: string
  /** With options, as `register(keys=10)`. */
  readonly workload?: string
  /** As `partition,kill` or `partition(one),every=10s,for=5s`. */
  readonly nemesis?: string
  readonly driver?: 'process' | 'netns' | 'docker' | 'sim'
  /** Container engines; nodes are dealt out to them in turn. */
  readonly 'docker-host'?: string | readonly string[]
  /** Processors of each node's container. */
  readonly cpus?: number
  /** Memory of each node's container, in MB. */
  readonly memory?: number
  readonly nodes?: number
  readonly clients?: number
  /** Operations per second over all clients. */
  readonly rate?: number
  /** As `20s`. */
  readonly time?: string
  readonly seed?: number
  /** Judge against this model instead of what the system promises. */
  readonly expect?: Model
  /** The run goes to `runs/<name>/`. */
  readonly name?: string
  /** Stops the clients; what was recorded until then is judged. */
  readonly signal?: AbortSignal
  readonly onEvent?: (event: RunEvent) => void
}

/**
 * Starts a cluster, drives clients against it while the nemesis strikes, and judges what they saw. Leaves a folder
 * under `runs/` of the working directory. Rejects with a sentence for options that cannot be carried out.
 */
export async function run({ signal, onEvent, ...options }: RunInput = {}): Promise<FolderRun> {
  const words = Object.entries(options).flatMap(([name, value]) => [value ?? []].flat().flatMap((one) => [`--${name}`, String(one)]))
  const plan = await planFrom(parseArguments(runCommand, words), (message) => onEvent?.({ type: 'warning', run: options.name ?? '', message }))
  await refuseImpossible(plan)
  return runInFolder(plan, { repeat: repeatCommand(['run', ...words], plan.seed), emit: onEvent ?? (() => undefined), ...(signal === undefined ? {} : { signal }) })
}

/** How to judge a history. */
export interface CheckInput {
  /** What is expected of it. Default: linearizable. */
  readonly expect?: Model
  /** What a register holds before anyone writes to it. Default: null. */
  readonly initial?: number | string | null
  /** Give up and say unknown after this long. Default: a minute. */
  readonly timeLimitMs?: number
}

/**
 * Judges a history of reads, writes, deletes and compare-and-sets on registers by every rung of the ladder. `source`:
 * a history, or the path of one (JSONL, Jepsen's EDN or etcd logs). Rejects with HistoryError, which names the line.
 */
export async function check(source: History | string, { expect = 'linearizable', initial, timeLimitMs = 60_000 }: CheckInput = {}): Promise<VerdictDocument> {
  const history = typeof source === 'string' ? readHistory(await readFile(source), { tolerateTruncation: true }) : source
  const clock = realClock()
  return judge(history, { run: null, promised: expect, expected: true, judgements: registerJudgements(), timeLimitMs, elapsedMs: () => clock.now() / 1e6, ...(initial === undefined ? {} : { initial }) })
}

/** A judged history under a name, for `report`. */
export interface ReportInput {
  readonly name: string
  readonly document: VerdictDocument
  readonly history: History
}

/** The HTML report of one judged history or of several configurations: one self-contained file. */
export function report(runs: readonly ReportInput[], title = runs[0]?.name ?? ''): string {
  const described = runs.find(({ document }) => document.run !== null)?.document.run
  return renderReport({ title, runs, repeat: described?.repeat ?? '', generated: described?.started ?? '' })
}
