/**
 * The controller dies by SIGKILL at any moment, from its first instruction to the middle of a partition, every other time
 * in a run in containers: the history that it leaves must check, cuts must end by themselves within their lease, and
 * `splitbrain clean --run` must remove everything of that run and nothing of those that go on beside it.
 */
import { execa } from 'execa'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { dockerDriver } from '../../cluster/drivers/docker/driver.ts'
import { LEASE_MS } from '../../cluster/drivers/docker/links.ts'
import { netnsDriver } from '../../cluster/drivers/netns/driver.ts'
import { realClock, sleep } from '../clock.ts'
import type { Random } from '../env.ts'
import { seededRandom } from '../random.ts'
import { clusterId } from '../run-folder.ts'
import { leftOf } from './leftovers.ts'
import { orphanedLinks } from './orphaned-links.ts'

type Print = (line: string) => void

const bin = fileURLToPath(new URL('../../../harness/bin/splitbrain.mjs', import.meta.url))
const clock = realClock()

const PRESET = 'abd'
/** Controllers that are killed at the same time, beside one run that is not. */
const AT_ONCE = 3
/** A controller that dies while it starts does so within this time; others when their history has grown so long. */
const STARTING_MS = 4_000
const HISTORY_BYTES = 120_000
/** The lease ends in whole seconds, and the engine's clock is not ours. */
const LEASE_SLACK_MS = 5_000

const splitbrain = (cwd: string, ...words: string[]) => execa(process.execPath, [bin, ...words], { cwd, reject: false, env: { PWD: cwd, TMPDIR: path.join(cwd, 'tmp') } })

/** Where the run of that name lies; undefined before it has a folder. */
function folderOf(cwd: string, name: string): string | undefined {
  const parent = path.join(cwd, 'runs', name)
  const [folder] = existsSync(parent) ? readdirSync(parent) : []
  return folder === undefined ? undefined : path.join(parent, folder)
}

/** Whether the history ends inside a partition. */
async function isCut(history: string): Promise<boolean> {
  const lines = (await readFile(history, 'utf8').catch(() => '')).split('\n').filter((line) => line.includes('"process":"nemesis"') && line.includes('"type":"ok"'))
  return lines.at(-1)?.includes('"f":"inject"') === true
}

/** Cleans twice: an engine may still have been busy with what the dead controller asked for. */
async function clean(cwd: string, id: string): Promise<string | undefined> {
  for (let time = 0; time < 2; time++) {
    const { exitCode, stderr } = await splitbrain(cwd, 'clean', '--run', id)
    if (exitCode !== 0) return `clean ended with ${exitCode}: ${stderr}`
  }
  return undefined
}

interface Case {
  /** Of letters and digits only, and no other's beginning: everything of the run carries it. */
  readonly name: string
  readonly driver: string
  readonly seed: number
  readonly moment: Moment
}

/** When a controller dies: so long after its start, with so much history, or as soon as its first partition has been seen to bite. */
type Moment = { readonly type: 'start'; readonly ms: number } | { readonly type: 'history'; readonly bytes: number } | { readonly type: 'cut' }

function inWords(moment: Moment): string {
  switch (moment.type) {
    case 'start':
      return `${moment.ms} ms after its start`
    case 'history':
      return `at ${moment.bytes} bytes of history`
    case 'cut':
      return 'inside a partition'
  }
}

/** Every fourth case dies while it starts; of those in containers, every fourth inside a partition. */
function momentOf(i: number, random: Random): Moment {
  if (i % 8 === 4) return { type: 'cut' }
  return i % 8 === 3 || i % 8 === 6 ? { type: 'start', ms: random.int(STARTING_MS) } : { type: 'history', bytes: random.int(HISTORY_BYTES) }
}

/** Starts one run and kills its controller at its moment. Says what happened otherwise. */
async function killController(cwd: string, { name, driver, seed, moment }: Case): Promise<string | undefined> {
  const nemesis = driver === 'docker' ? 'partition,every=2s,for=1500ms' : 'partition,kill,pause'
  const controller = splitbrain(cwd, 'run', '--driver', driver, '--preset', PRESET, '--nodes', '3', '--time', '10s', '--nemesis', nemesis, '--rate', '200', '--seed', String(seed), '--name', name)
  const isDue = async (): Promise<boolean> => {
    const file = path.join(folderOf(cwd, name) ?? '', 'history.jsonl')
    if (moment.type === 'cut') return isCut(file)
    return moment.type === 'start' || (existsSync(file) && (await stat(file)).size >= moment.bytes)
  }
  if (moment.type === 'start') await sleep(clock, moment.ms)
  while (!(await isDue())) {
    if (controller.exitCode !== null) return `the controller ended by itself: ${(await controller).stderr}`
    await sleep(clock, 5)
  }
  controller.kill('SIGKILL')
  await controller
  return undefined
}

/** What went wrong with one case; undefined when nothing did. `leases` counts the cuts that were seen to end by themselves. */
async function killOnce(cwd: string, one: Case, leases: { seen: number }): Promise<string | undefined> {
  const early = await killController(cwd, one)
  if (early !== undefined) return early
  const dir = folderOf(cwd, one.name)
  const history = path.join(dir ?? '', 'history.jsonl')
  if (dir !== undefined) {
    const id = clusterId(dir, { name: one.name, preset: PRESET })
    if (one.driver === 'docker' && (await isCut(history))) {
      const cut = await orphanedLinks(id, LEASE_MS + LEASE_SLACK_MS)
      if (cut.length > 0) return `cut ${LEASE_MS + LEASE_SLACK_MS} ms after the controller's end: ${cut.join(', ')}`
      leases.seen++
    }
    const problem = await clean(cwd, id)
    if (problem !== undefined) return problem
  }
  const left = await leftOf(cwd, one.name)
  if (left.length > 0) return `left behind: ${left.join('; ')}`
  if (one.moment.type === 'start') return undefined
  const checked = await splitbrain(cwd, 'check', history, '--model', 'register')
  return checked.exitCode === 0 ? undefined : `the history of a linearizable store was judged ${checked.exitCode}: ${checked.stdout}${checked.stderr}`
}

/** Runs that nobody kills, one after another until `done`: each must hold. Resolves to how many there were. */
async function runBeside(cwd: string, drivers: readonly string[], done: () => boolean): Promise<number> {
  for (let count = 0; ; count++) {
    if (done() && count > 0) return count
    const driver = drivers[count % drivers.length]!
    const { exitCode, stderr } = await splitbrain(cwd, 'run', '--driver', driver, '--preset', PRESET, '--nodes', '3', '--time', '10s', '--nemesis', 'none', '--rate', '50', '--name', `beside-${count}`)
    if (exitCode !== 0) throw new Error(`the run beside, on ${driver}, ended with ${exitCode}: ${stderr}`)
  }
}

async function run(cases: number, seed: number, print: Print): Promise<boolean> {
  const mark = `kill${process.pid}`
  const random = seededRandom(seed)
  const hasDocker = (await dockerDriver().capabilities()).kill.available
  const hasNamespaces = (await netnsDriver().capabilities()).cut.available
  const processes = hasNamespaces ? ['process', 'netns'] : ['process']
  const queue = Array.from({ length: cases }, (_, i): Case => ({
    name: `${mark}c${i}x`,
    driver: hasDocker && i % 2 === 0 ? 'docker' : processes[(i >> 1) % processes.length]!,
    seed: seed * 1_000 + i,
    moment: momentOf(i, random),
  }))
  const leases = { seen: 0 }
  let failed = 0
  let done = 0
  const worker = async (): Promise<void> => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      // A folder of its own: what lies there is its own.
      const cwd = await mkdtemp(path.join(os.tmpdir(), `splitbrain-${mark}-`))
      await mkdir(path.join(cwd, 'tmp'))
      const problem = await killOnce(cwd, one, leases)
      print(`${++done}/${cases} ${one.driver} killed ${inWords(one.moment)}: ${problem ?? 'checks, and nothing is left'}`)
      if (problem === undefined) await rm(cwd, { recursive: true, force: true })
      else failed++
    }
  }
  const besideCwd = await mkdtemp(path.join(os.tmpdir(), `splitbrain-${mark}-beside-`))
  await mkdir(path.join(besideCwd, 'tmp'))
  const beside = runBeside(besideCwd, hasDocker ? ['docker', 'process'] : processes, () => done === cases)
  // Looked at below; the workers go on when it fails.
  beside.catch(() => undefined)
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  const undisturbed = await beside.catch((error: Error) => error.message)
  print(typeof undisturbed === 'number' ? `${undisturbed} runs beside them held; ${leases.seen} cuts ended by themselves` : `DISTURBED: ${undisturbed}`)
  const passed = failed === 0 && typeof undisturbed === 'number'
  if (passed) await rm(besideCwd, { recursive: true, force: true })
  return passed
}

export const soak = {
  name: 'controller-kill',
  describes: 'kill -9 of the controller at random moments, every other time in containers: the history checks, cuts end, clean removes that run and no other',
  full: 100,
  slice: 3,
  run,
}
