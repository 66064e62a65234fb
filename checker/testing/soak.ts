/**
 * Soaks over random cases that have nothing to do with each other. They are drawn in blocks, each from a stream of
 * chance of its own, so that several threads can take blocks in any order and the same seed gives the same cases.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { chance } from './chance.ts'
import { mutatedOperations } from './mutated.ts'
import { randomOperations } from './operations.ts'
import { replicatedOperations } from './replicated.ts'
import type { Chance } from './chance.ts'
import type { Operation } from './operations.ts'

/** What to draw, and how to check it. */
export interface Trials<Case> {
  readonly name: string
  readonly describes: string
  /** Cases of a full run, and of the slice in CI. */
  readonly full: number
  readonly slice: number
  draw(random: Chance): Case
  /** What is wrong, in words; undefined when nothing is. */
  check(one: Case, count: Count): string | undefined | Promise<string | undefined>
  /** The line that sums up what was counted. */
  says(cases: number, counted: (what: string) => number): string
}

/** Counts something once, or so many times. */
export type Count = (what: string, times?: number) => void

/** Some of the cases. */
export interface Block {
  readonly seed: number
  readonly cases: number
}

/** What came of a block. */
export interface BlockResult {
  readonly counts: ReadonlyMap<string, number>
  /** The first case that failed: its place in the block, and what is wrong with it. */
  readonly failed: { readonly at: number; readonly wrong: string; readonly drawn: string } | undefined
}

/** A soak whose cases are independent. */
export interface TrialsSoak extends Pick<Trials<unknown>, 'name' | 'describes' | 'full' | 'slice'> {
  /** Runs the cases, on all processors when they are many. Resolves to whether all passed. */
  run(cases: number, seed: number, print: (line: string) => void): Promise<boolean>
  /** Runs some of them, until one fails. */
  block(block: Block): Promise<BlockResult>
}

const BLOCK = 1_000
/** Below this, threads take longer to start than they save. */
const THREADED_MIN = 20 * BLOCK

/** The soak over these trials. `module`: the URL of the module that exports it as `soak`, where threads find it. */
export function soakOf<Case>(module: string, trials: Trials<Case>): TrialsSoak {
  const { name, describes, full, slice } = trials
  const block = ({ seed, cases }: Block): Promise<BlockResult> => runBlock(trials, seed, cases)
  const run = async (cases: number, seed: number, print: (line: string) => void): Promise<boolean> => {
    const blocks = Array.from({ length: Math.ceil(cases / BLOCK) }, (_, at): Block => ({ seed: seedOf(seed, at), cases: Math.min(BLOCK, cases - at * BLOCK) }))
    const counts = new Map<string, number>()
    const failures: BlockResult['failed'][] = []
    const finished = ({ seed: own }: Block, result: BlockResult): void => {
      for (const [what, times] of result.counts) counts.set(what, (counts.get(what) ?? 0) + times)
      if (result.failed === undefined || failures.push(result.failed) > 1) return
      const { at, wrong, drawn } = result.failed
      print(`case ${at} of seed ${own}: ${wrong}`)
      print(drawn)
      print(`This case alone: npm run soak -- ${name} --cases ${at + 1} --seed ${own}`)
    }
    const workers = cases < THREADED_MIN ? [block] : Array.from({ length: availableParallelism() }, () => threadOf(module))
    await Promise.all(workers.map(async (worker) => {
      for (let next = blocks.shift(); next !== undefined && failures.length === 0; next = blocks.shift()) finished(next, await worker(next))
    }))
    if (failures.length > 0) return false
    print(trials.says(cases, (what) => counts.get(what) ?? 0))
    return true
  }
  return { name, describes, full, slice, run, block }
}

/** The first block has the soak's own seed, so that a block's seed repeats it. */
function seedOf(seed: number, block: number): number {
  return block === 0 ? seed : (seed ^ Math.imul(block, 0x9e3779b1)) >>> 0
}

async function runBlock<Case>({ draw, check }: Trials<Case>, seed: number, cases: number): Promise<BlockResult> {
  const random = chance(seed)
  const counts = new Map<string, number>()
  const count: Count = (what, times = 1) => counts.set(what, (counts.get(what) ?? 0) + times)
  for (let at = 0; at < cases; at++) {
    const one = draw(random)
    const wrong = await check(one, count)
    if (wrong !== undefined) return { counts, failed: { at, wrong, drawn: JSON.stringify(one, undefined, 1) } }
  }
  return { counts, failed: undefined }
}

/** A thread that runs one block after the other. It does not keep the process alive between them. */
function threadOf(module: string): (block: Block) => Promise<BlockResult> {
  const thread = new Worker(new URL('./soak-thread.js', import.meta.url), { workerData: module })
  return (block) => new Promise((resolve, reject) => {
    thread.ref()
    thread.once('error', reject).once('message', (result: BlockResult) => {
      thread.off('error', reject).unref()
      resolve(result)
    }).postMessage(block)
  })
}

/** A small history of a real register with mistakes, of a replicated store, or near the borders between models. */
export function drawHistory(random: Chance): Operation[] {
  const keys = 1 + random(2)
  const kind = random(3)
  if (kind === 0) return mutatedOperations(random)
  if (kind === 1) return replicatedOperations(random, { operations: 5 + random(5), keys, writesMax: 5 })
  return randomOperations(random, { processes: 2 + random(2), operations: 3 + random(7), keys, noise: [0, 20, 50, 100][random(4)]! })
}
