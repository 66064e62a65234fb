/**
 * Swarm runs: short runs whose faults the seed draws, four of five on processes (every other one of these in network
 * namespaces) and one in containers, several at a time. No controller may fail, every run must end with a verdict and
 * with every fault healed, a linearizable store must not be called broken, and of all runs nothing may be left on the
 * machine. Runs share nothing, so going on side by side is part of what is shown.
 */
import { execa, type ResultPromise } from 'execa'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { VerdictDocument } from '../../checker/verdict.ts'
import { dockerDriver } from '../../cluster/drivers/docker/driver.ts'
import { netnsDriver } from '../../cluster/drivers/netns/driver.ts'
import { leftOf, thingsOf } from './leftovers.ts'

type Print = (line: string) => void

const bin = fileURLToPath(new URL('../../../harness/bin/splitbrain.mjs', import.meta.url))
const TIME = '10s'
/** Operations per second of a run: few, so that runs beside each other leave one another processors to work with. */
const RATE = '100'
/** Runs that go on at the same time: many more than there are processors would only wait for each other. */
const AT_ONCE = os.availableParallelism() + 1
/** Every so manieth run is one in containers. */
const DOCKER_EVERY = 5
/** A run that has not ended by then never will. */
const RUN_LIMIT_MS = 240_000
/** How long one that does not end may take to say where it stands. */
const REPORT_MS = 10_000
const POLL_MS = 100

interface Outcome {
  readonly driver: string
  /** What went wrong; undefined when nothing did. */
  readonly problem: string | undefined
  readonly verdict: string
  readonly faults: number
}

/** What every thread of a process is doing (Linux: its state, and where in the kernel it waits), for one that does not end. */
async function threadsOf(pid: number): Promise<string> {
  const read = (file: string): Promise<string> => readFile(`/proc/${pid}/task/${file}`, 'utf8').catch(() => '?')
  const threads = await readdir(`/proc/${pid}/task`).catch(() => [])
  return (await Promise.all(threads.map(async (thread) => `${(await read(`${thread}/stat`)).split(' ').slice(1, 3).join(' ')} ${await read(`${thread}/wchan`)}`))).join('; ')
}

const reportSchema = z.object({
  javascriptStack: z.object({ stack: z.array(z.string()).default([]) }),
  libuv: z.array(z.object({ type: z.string(), is_active: z.boolean().optional(), is_referenced: z.boolean().optional() })),
})

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Where the JavaScript of a controller stands, and what keeps it alive, by Node's own report, which its event loop writes. */
async function reportOf(controller: ResultPromise, folder: string): Promise<string> {
  controller.kill('SIGUSR2')
  for (let wait = 0; wait < REPORT_MS; wait += POLL_MS) {
    await sleep(POLL_MS)
    const file = (await readdir(folder).catch(() => [])).find((name) => name.endsWith('.json'))
    const text = file === undefined ? '' : await readFile(path.join(folder, file), 'utf8')
    // Until it is whole.
    const report = reportSchema.safeParse(parsed(text))
    if (!report.success) continue
    const { javascriptStack, libuv } = report.data
    const alive = libuv.filter((handle) => handle.is_active === true && handle.is_referenced === true).map(({ type }) => type)
    return `${javascriptStack.stack.map((line) => line.trim()).join(', ')}; alive: ${alive.join(', ')}`
  }
  return 'nobody knows where: its event loop does not turn'
}

/** One run as a user starts it. */
async function runOne(cwd: string, name: string, driver: string, seed: number): Promise<Outcome> {
  const args = ['run', '--driver', driver, '--preset', 'abd', '--nemesis', 'swarm', '--time', TIME, '--rate', RATE, '--seed', String(seed), '--name', name]
  const reports = path.join(cwd, 'reports', name)
  await mkdir(reports, { recursive: true })
  const controller = execa(process.execPath, ['--report-on-signal', `--report-directory=${reports}`, bin, ...args], { cwd, reject: false, env: { PWD: cwd, TMPDIR: path.join(cwd, 'tmp') } })
  let standing = ''
  const giveUp = async (): Promise<void> => {
    const threads = await threadsOf(controller.pid ?? 0)
    standing = ` after ${RUN_LIMIT_MS / 1000} s; its threads: ${threads}; it stood at: ${await reportOf(controller, reports)}`
    controller.kill('SIGKILL')
  }
  const limit = setTimeout(() => void giveUp(), RUN_LIMIT_MS)
  const { exitCode, stderr, stdout } = await controller
  clearTimeout(limit)
  const failed = (problem: string): Outcome => ({ driver, problem, verdict: 'none', faults: 0 })
  const ended = `the controller ended with ${exitCode ?? `a signal${standing}`}: ${`${stdout}\n${stderr}`.trim().split('\n').slice(-5).join(' | ')}`
  if (exitCode === undefined || exitCode > 2) return failed(ended)
  const [folder] = await readdir(path.join(cwd, 'runs', name))
  const text = await readFile(path.join(cwd, 'runs', name, folder ?? '', 'verdict.json'), 'utf8').catch(() => undefined)
  if (text === undefined) return failed(`it left no verdict; ${ended}`)
  const { verdict, reason, faults } = JSON.parse(text) as VerdictDocument
  const problems = [
    ...(verdict === 'violated' ? ['a linearizable store was called violated'] : []),
    ...faults.filter((window) => window.healed_ns === null).map((window) => `${window.fault} was not seen healed`),
  ]
  return { driver, verdict: verdict === 'unknown' ? `unknown (${reason ?? ''})` : verdict, faults: faults.length, problem: problems.length === 0 ? undefined : problems.join('; ') }
}

function summary(outcomes: readonly Outcome[], left: readonly string[]): string {
  const count = (driver: string): number => outcomes.filter((one) => one.driver === driver).length
  const failed = outcomes.filter(({ problem }) => problem !== undefined).length
  const held = outcomes.filter(({ verdict, problem }) => verdict === 'holds' && problem === undefined).length
  const faults = outcomes.reduce((sum, one) => sum + one.faults, 0)
  return `${count('process')} runs on processes, ${count('netns')} in network namespaces, ${count('docker')} in containers, ${AT_ONCE} at a time: ${held} hold, ${outcomes.length - held - failed} unknown, ${failed} failed; ${faults} faults; ${left.length} things left behind`
}

async function run(cases: number, seed: number, print: Print): Promise<boolean> {
  const mark = `swarm${process.pid}`
  const cwd = await mkdtemp(path.join(os.tmpdir(), `splitbrain-${mark}-`))
  await mkdir(path.join(cwd, 'tmp'))
  const hasDocker = (await dockerDriver().capabilities()).kill.available
  const hasNamespaces = (await netnsDriver().capabilities()).cut.available
  const driverOf = (index: number): string => {
    if (hasDocker && index % DOCKER_EVERY === DOCKER_EVERY - 1) return 'docker'
    return hasNamespaces && index % 2 === 1 ? 'netns' : 'process'
  }
  const outcomes: Outcome[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < cases) {
      const index = next++
      const outcome = await runOne(cwd, `${mark}-${index}`, driverOf(index), seed * 1_000 + index)
      outcomes.push(outcome)
      print(`${outcomes.length}/${cases} ${outcome.driver} seed ${seed * 1_000 + index}: ${outcome.problem === undefined ? outcome.verdict : `FAILED: ${outcome.problem}`}, ${outcome.faults} faults`)
    }
  }
  let passed = false
  try {
    const before = await thingsOf(cwd, mark)
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    const left = await leftOf(cwd, mark, before)
    for (const line of left) print(`left behind: ${line}`)
    print(summary(outcomes, left))
    passed = left.length === 0 && outcomes.every(({ problem }) => problem === undefined)
    if (!passed) print(`the runs are kept in ${cwd}`)
  } finally {
    if (passed) await rm(cwd, { recursive: true, force: true })
  }
  return passed
}

export const soak = { name: 'swarm', describes: 'runs of 10 s whose faults the seed draws: no controller fails, every run ends with a verdict and healed, nothing is left behind', full: 250, slice: 3, run }
