/**
 * A worker: takes runs from the queue, has them carried out, and records what came of them, until it is told to stop or
 * nothing is left. It may die at any moment: what it had taken is taken again once it was silent for half a minute or
 * the lease has run out, and recorded once.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { crashRecord, type Result, type RunRecord } from '../../reports/campaign/results.ts'
import { sleep } from '../clock.ts'
import { repeatCommand } from '../commands/plan-options.ts'
import type { Clock } from '../env.ts'
import { refuseImpossible } from '../refusals.ts'
import { clusterId } from '../run-folder.ts'
import { allDrivers } from '../registry.ts'
import type { Contents } from '../store/contents.ts'
import type { Database } from '../store/database.ts'
import { fillQueue } from '../store/planner.ts'
import { queueOf, type Queue, type TakenJob } from '../store/queue.ts'
import { dropJob, isWanted, recordRun, type ArtifactRow } from '../store/runs.ts'
import { buryWorkers, machineId, signIn, signOff, sign } from '../store/workers.ts'
import { version } from '../version.ts'
import { planOf, wordsOfRun, type Campaign } from './definition.ts'
import { createRunners, type Runners } from './runners.ts'
import type { Outcome, Task } from './task.ts'
import { claimWorkFolder } from './work-folder.ts'
import { openWork, type OpenClass } from './open-work.ts'

/** How a worker works. */
export interface WorkerOptions {
  readonly database: Database
  readonly queue: Queue
  readonly contents: Contents
  readonly clock: Clock
  /** Runs at once. */
  readonly concurrency: number
  /** The only campaign that it works for; undefined: all of them. */
  readonly campaign?: number
  /** Whether it ends when no campaign has work left, or waits for the next. */
  readonly whenIdle: 'end' | 'wait'
  /** Stops it; what goes on is given back. */
  readonly signal: AbortSignal
  /** Of the checkout in which it runs. */
  readonly commit: string | null
  /** Hears of every run that it was the first to record. */
  readonly onResult: (result: Result) => void
  readonly tell: (line: string) => void
}

/** A run that could not be carried out is tried so often; then it is recorded as unknown. */
const TRIES = 3
const IDLE_MS = 250
const SIGN_MS = 3_000
const BURY_MS = 5_000

/** Works until there is nothing left or it is stopped. */
export async function work(options: WorkerOptions): Promise<void> {
  const worker = new Worker(options)
  await worker.work()
}

class Worker {
  readonly #options: WorkerOptions
  readonly #id = randomUUID()
  readonly #running = new Map<string, { readonly name: string; readonly done: Promise<void> }>()
  /** Classes of machines: undefined when this one is of that class, otherwise why not. */
  readonly #refused = new Map<number, string | undefined>()
  readonly #runners: Runners
  #environmentId = 0
  #turn = 0
  #folder = ''
  #failure: Error | undefined

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#runners = createRunners(options.clock, process.cwd())
  }

  async work(): Promise<void> {
    const { database, signal, clock, concurrency } = this.#options
    this.#environmentId = await machineId(database)
    await signIn(database, { id: this.#id, environmentId: this.#environmentId, pid: process.pid, concurrency })
    const folder = await claimWorkFolder(this.#id)
    this.#folder = folder.dir
    const resting = new AbortController()
    const beats = [this.#every(SIGN_MS, resting.signal, () => this.#sign()), this.#every(BURY_MS, resting.signal, () => buryWorkers(database, this.#options.queue))]
    const stop = (): void => this.#runners.stop()
    signal.addEventListener('abort', stop)
    try {
      while (!signal.aborted && this.#failure === undefined) {
        const left = await this.#takeSome()
        if (left === 'nothing' && this.#running.size === 0 && this.#options.whenIdle === 'end') break
        if (left === 'taken' && this.#running.size < concurrency) continue
        // A run that ends makes room; without one it looks again after a while.
        await Promise.race([...[...this.#running.values()].map(({ done }) => done), sleep(clock, IDLE_MS, signal)].map((one) => one.catch(() => undefined)))
      }
      // What nobody can record any more need not go on.
      if (this.#failure !== undefined) stop()
      await Promise.all([...this.#running.values()].map(({ done }) => done))
      if (this.#failure !== undefined) throw this.#failure
    } finally {
      signal.removeEventListener('abort', stop)
      resting.abort()
      await this.#runners.close()
      await Promise.all(beats)
      await folder.release()
      if (this.#failure === undefined) await signOff(database, this.#id)
    }
  }

  /** A sign of life. */
  #sign(): Promise<void> {
    return sign(this.#options.database, this.#id, [...this.#running.values()].map(({ name }) => name))
  }

  /** Does something again and again until it is told to rest. A failure ends the worker. */
  async #every(ms: number, signal: AbortSignal, action: () => Promise<unknown>): Promise<void> {
    while (!signal.aborted) {
      await action().catch((error: Error) => (this.#failure ??= error))
      await sleep(this.#options.clock, ms, signal).catch(() => undefined)
    }
  }

  /** Fills the queue, and its own free places from it. "nothing": no campaign has work that this machine can do. */
  async #takeSome(): Promise<'taken' | 'none' | 'nothing'> {
    const { database, queue, campaign, concurrency } = this.#options
    const classes = await openWork(database, campaign)
    const able: OpenClass[] = []
    for (const one of classes) if (await this.#can(one)) able.push(one)
    for (const id of new Set(classes.map((one) => one.campaign))) await fillQueue(database, queue, id)
    let taken = 0
    // Classes take turns at being first, so that none waits for the end of another.
    const turn = able.length === 0 ? 0 : this.#turn++ % able.length
    for (const one of [...able.slice(turn), ...able.slice(0, turn)]) {
      const free = concurrency - this.#running.size
      if (free <= 0) break
      for (const job of await queue.take(queueOf(one.id), free)) {
        taken++
        this.#begin(job)
      }
    }
    // Whoever finds this worker dead knows what it had taken.
    if (taken > 0) await this.#sign()
    return taken > 0 ? 'taken' : able.length > 0 ? 'none' : 'nothing'
  }

  async #can({ id, sample, firstSeed, draw, what }: OpenClass): Promise<boolean> {
    if (!this.#refused.has(id)) {
      const reason = await planOf(wordsOfRun({ words: sample }, draw, firstSeed)).then(refuseImpossible).then(() => undefined, (error: Error) => error.message)
      this.#refused.set(id, reason)
      if (reason !== undefined) this.#options.tell(`This machine leaves ${what} to others: ${reason}`)
    }
    return this.#refused.get(id) === undefined
  }

  #begin(job: TakenJob): void {
    const name = `${job.campaign}/${job.cell}/${job.seed}`
    const done = this.#carryOut(job).catch(async (error: Error) => {
      this.#failure ??= error
      // Where even that fails, the others find out that this worker is gone.
      await this.#options.queue.release(job, error.message).catch(() => undefined)
    }).finally(() => this.#running.delete(job.id))
    this.#running.set(job.id, { name, done })
  }

  async #carryOut(job: TakenJob): Promise<void> {
    const { database, queue, clock, signal } = this.#options
    if (!(await isWanted(database, job))) return dropJob(database, queue, job)
    const cell = await cellOf(database, job)
    const words = wordsOfRun(cell, cell.draw, job.seed)
    // What a run makes on the machine is called by its folder's name, which no other run may share, not one of another store.
    const dir = path.join(this.#folder, `${job.cell}-${job.seed}-${randomUUID().slice(0, 13)}`)
    const task: Task = { configuration: cell.configuration, nemesis: cell.nemesis, seed: job.seed, words, repeat: repeatCommand(['run', ...words], job.seed), dir }
    await mkdir(task.dir, { recursive: true })
    const startedAt = new Date(clock.wall())
    try {
      const outcome = await this.#runners.run(task, cell.limitMs)
      if (outcome.type === 'failed') await removeRemains(task)
      if (outcome.type === 'stopped' || (outcome.type === 'failed' && signal.aborted)) return await queue.release(job, 'the worker was stopped')
      if (outcome.type === 'failed' && job.retries + 1 < TRIES) {
        this.#options.tell(`${task.configuration} · ${task.nemesis}, seed ${task.seed} failed and is tried again: ${outcome.message}`)
        return await queue.release(job, outcome.message)
      }
      await this.#record(job, task, outcome, startedAt)
    } finally {
      await rm(task.dir, { recursive: true, force: true })
    }
  }

  async #record(job: TakenJob, task: Task, outcome: Exclude<Outcome, { readonly type: 'stopped' }>, startedAt: Date): Promise<void> {
    const { database, queue, contents, commit, onResult } = this.#options
    const record: RunRecord = outcome.type === 'done' ? outcome.record : crashRecord({ configuration: task.configuration, nemesis: task.nemesis, seed: task.seed, repeat: task.repeat, elapsed_ms: outcome.elapsedMs }, outcome.message)
    const artifacts: ArtifactRow[] = []
    for (const { name, sha256, bytes, compressed, stored_bytes } of outcome.type === 'done' ? outcome.files : []) {
      await contents.put({ sha256, bytes, compressed: await readFile(compressed) })
      artifacts.push({ name, sha256, bytes, stored_bytes, place: contents.place })
    }
    const first = await recordRun(database, queue, { job, record, plan: outcome.plan, artifacts, workerId: this.#id, environmentId: this.#environmentId, version, commit, startedAt })
    if (first) onResult({ ...record, dir: null })
  }
}

interface CellOfJob {
  readonly configuration: string
  readonly nemesis: string
  readonly words: readonly string[]
  readonly draw: Campaign['draw']
  readonly limitMs: number
}

async function cellOf(database: Database, { campaign, cell }: TakenJob): Promise<CellOfJob> {
  const [row] = await database.run((sql) => sql<{ configuration: string; nemesis: string; words: string[]; draw: Campaign['draw']; limit_ms: number }[]>`
    select l.configuration, l.nemesis, l.words, c.definition -> 'draw' as draw, l.limit_ms from splitbrain.cells l join splitbrain.campaigns c on c.id = l.campaign_id where l.id = ${cell} and c.id = ${campaign}`)
  const { limit_ms: limitMs, ...rest } = row!
  return { ...rest, limitMs }
}

/** What a run whose process died left: its nodes and faults carry its id. */
async function removeRemains({ words, dir }: Task): Promise<void> {
  const plan = await planOf(words).catch(() => undefined)
  if (plan === undefined || plan.driver === 'sim') return
  const driver = (await allDrivers()).find(({ name }) => name === plan.driver)
  await driver?.clean(clusterId(dir, plan)).catch(() => undefined)
}
