/**
 * What a run writes down so that nothing of it outlives its controller, and how that is cleaned up.
 *
 * `<dir>/controller.json` names the controller, `<dir>/pids.json` every node it started. A process id is not proof (it
 * may have been given to another process since), so only processes are ended that started when the record says, or
 * whose environment names this run and this folder. Both files go when the run ends in order.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { readFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { sleep } from '../../../harness/clock.ts'
import type { Clock } from '../../../harness/env.ts'
import { ClusterError } from '../../cluster.ts'
import { DIR_VARIABLE, RUN_VARIABLE, environment, isAlive, processesWith, signalGroup, startedSync, look } from './proc.ts'

const CONTROLLER = 'controller.json'
const PIDS = 'pids.json'
/** How far below the runs folder a run may lie: runs/<name>/<time>/<configuration>. */
const DEPTH_MAX = 4
const GONE_DEADLINE_MS = 5_000

const processSchema = z.object({ pid: z.int().positive(), started: z.string() })
const controllerSchema = processSchema.extend({ runId: z.string() })
const pidsSchema = z.array(processSchema.extend({ node: z.string() }))

/** The record of one run's processes. Written synchronously: the controller may be killed at any moment. */
export class RunRecord {
  readonly #dir: string
  readonly #nodes: { node: string; pid: number; started: string }[] = []

  constructor(dir: string, runId: string) {
    this.#dir = dir
    this.#write(CONTROLLER, { runId, pid: process.pid, started: startedSync(process.pid) })
  }

  add(node: string, pid: number): void {
    this.#nodes.push({ node, pid, started: startedSync(pid) })
    this.#write(PIDS, this.#nodes)
  }

  /** The run ended in order: nothing is left to clean. */
  remove(): void {
    for (const file of [PIDS, CONTROLLER]) rmSync(join(this.#dir, file), { force: true })
  }

  #write(file: string, value: unknown): void {
    const target = join(this.#dir, file)
    writeFileSync(`${target}.part`, `${JSON.stringify(value, null, 2)}\n`)
    renameSync(`${target}.part`, target)
  }
}

/** Ends what killed controllers left below `runsDir`: of one run, or of every run whose controller is gone. */
export async function cleanRuns(runsDir: string, runId: string | undefined, clock: Clock): Promise<string[]> {
  const removed: string[] = []
  for (const dir of await recordedRuns(runsDir, DEPTH_MAX)) {
    const controller = await readRecord(join(dir, CONTROLLER), controllerSchema)
    if (controller === undefined || (runId !== undefined && controller.runId !== runId)) continue
    if (await isAlive(controller.pid, controller.started)) {
      if (runId !== undefined) throw new ClusterError('run-alive', `run ${runId} is still going on under process ${controller.pid}; stop that first`)
      continue
    }
    removed.push(...(await endRun(dir, controller.runId, clock)))
  }
  return removed
}

async function endRun(dir: string, runId: string, clock: Clock): Promise<string[]> {
  const marks = [`${RUN_VARIABLE}=${runId}`, `${DIR_VARIABLE}=${dir}`]
  const removed: string[] = []
  for (const { pid, started, node } of (await readRecord(join(dir, PIDS), pidsSchema)) ?? []) {
    const set = await environment(pid)
    if (!(await isAlive(pid, started)) || !marks.every((mark) => set.includes(mark))) continue
    await end(pid, started, clock)
    removed.push(`process ${pid} (${node} of run ${runId})`)
  }
  // A node that was started in the very moment the controller died is in no record yet; and nodes have children.
  for (const pid of await processesWith(marks)) {
    await end(pid, (await look(pid))?.started ?? '', clock)
    removed.push(`process ${pid} (of run ${runId})`)
  }
  for (const entry of await readdir(join(dir, 'nodes'), { withFileTypes: true }).catch(() => [])) {
    if (!entry.isDirectory()) continue
    await rm(join(dir, 'nodes', entry.name), { recursive: true, force: true })
    removed.push(`data of ${entry.name} (of run ${runId})`)
  }
  await rm(join(dir, PIDS), { force: true })
  await rm(join(dir, CONTROLLER), { force: true })
  return removed
}

/** SIGKILL ends stopped processes too. */
async function end(pid: number, started: string, clock: Clock): Promise<void> {
  if (!signalGroup(pid, 'SIGKILL')) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      return
    }
  }
  for (const since = clock.now(); await isAlive(pid, started); await sleep(clock, 5)) {
    if (clock.now() - since > GONE_DEADLINE_MS * 1e6) throw new ClusterError('not-gone', `process ${pid} is still there ${GONE_DEADLINE_MS} ms after SIGKILL`)
  }
}

/** Folders below `dir` that hold the record of a controller. Links are not followed. */
async function recordedRuns(dir: string, depth: number): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => [])
  const below = depth === 0 ? [] : await Promise.all(entries.filter((entry) => entry.isDirectory()).map((entry) => recordedRuns(join(dir, entry.name), depth - 1)))
  const here = entries.some((entry) => entry.name === CONTROLLER) ? [dir] : []
  return [...here, ...below.flat()]
}

/** What a record says; undefined when there is none or it cannot be read. */
async function readRecord<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return undefined
  }
}
