/**
 * A controller is killed with SIGKILL at a random moment, from before its first container to well into its run;
 * `clean` must then remove everything of its run, and nothing of a run that goes on beside it.
 */
import { spawn } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { seededRandom } from '../../../harness/random.ts'
import type { Random } from '../../../harness/env.ts'
import type { Cluster } from '../../cluster.ts'
import { dockerDriver } from './driver.ts'
import { connectEngines } from './engine.ts'
import { labels } from './labels.ts'
import { noteSystem } from './testing/note-system.ts'

type Print = (line: string) => void

/** A controller is up in about this time, and lives on until it is killed. */
const KILL_WITHIN_MS = 6000

/** An engine may still be busy with what the dead controller asked for. */
const CLEAN_WITHIN_MS = 15_000

async function countLeft(runId: string): Promise<number> {
  const filters = { label: [`${labels.run}=${runId}`] }
  const [engine] = await connectEngines()
  const { docker } = engine!
  const [containers, networks, volumes] = await Promise.all([docker.listContainers({ all: true, filters }), docker.listNetworks({ filters }), docker.listVolumes({ filters })])
  return containers.length + networks.length + volumes.Volumes.length
}

async function killOne(runId: string, afterMs: number): Promise<void> {
  const program = fileURLToPath(new URL(`./testing/doomed-controller${extname(import.meta.url)}`, import.meta.url))
  const child = spawn(process.execPath, [...process.execArgv, program, runId, '5000'], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await new Promise((resolve) => setTimeout(resolve, afterMs))
  child.kill('SIGKILL')
  await ended
}

/** Cleans until nothing is left; hands back how many things there were, or undefined when some stay. */
async function cleaned(runId: string): Promise<number | undefined> {
  const deadline = performance.now() + CLEAN_WITHIN_MS
  let removed = 0
  let quiet = 0
  // Twice in a row nothing: what the engine was still making has come and gone.
  while (performance.now() < deadline) {
    removed += (await dockerDriver().clean()).filter((line) => line.includes(runId)).length
    quiet = (await countLeft(runId)) === 0 ? quiet + 1 : 0
    if (quiet === 2) return removed
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  return undefined
}

async function killMany(beside: Cluster, cases: number, random: Random, print: Print): Promise<boolean> {
  let sum = 0
  for (let index = 1; index <= cases; index++) {
    const runId = `soak-${process.pid}-${index}`
    // Spread over the whole time, so that few cases cover it too.
    const afterMs = Math.floor((KILL_WITHIN_MS * (cases - index + random.float())) / cases)
    await killOne(runId, afterMs)
    const removed = await cleaned(runId)
    const bystander = await beside.nodes[0]!.answers(5000)
    print(`${index}/${cases}: killed after ${afterMs} ms, ${removed ?? 'not all'} things removed, the run beside it ${bystander ? 'goes on' : 'is gone'}`)
    if (removed === undefined || !bystander) return false
    sum += removed
  }
  if (sum === 0) print('no controller was killed while it had containers: nothing was shown')
  return sum > 0
}

async function run(cases: number, seed: number, print: Print): Promise<boolean> {
  const engines = await connectEngines().catch((error: Error) => error.message)
  if (typeof engines === 'string') {
    print(`skip: ${engines}`)
    return process.env['SPLITBRAIN_REQUIRE_DOCKER'] !== '1'
  }
  const random = seededRandom(seed)
  const log = { info: () => undefined, warn: print, error: print }
  const beside = await dockerDriver().start(noteSystem(), { runId: `soak-${process.pid}-beside`, nodes: ['n1'], dir: '', seed, random: random.fork('beside'), log })
  try {
    return await killMany(beside, cases, random.fork('moments'), print)
  } finally {
    await beside.stop()
  }
}

/** `npm run soak -- docker-kill` */
export const soak = { name: 'docker-kill', describes: 'controllers of containers killed at random moments: clean removes their runs and no other', full: 50, slice: 2, run }
