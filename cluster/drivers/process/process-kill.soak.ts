/**
 * `kill -9` of a controller at any moment, from its first instruction to a cluster with a stopped and a starved node:
 * `clean` must leave no process of that run, and must not touch the run beside it.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realClock, sleep } from '../../../harness/clock.ts'
import { seededRandom } from '../../../harness/random.ts'
import { startController } from '../testing/controllers.ts'
import { toySystem } from '../testing/toy.ts'
import { processDriver } from './driver.ts'
import { DIR_VARIABLE, processesWith } from './proc.ts'

/** Most controllers are up by then. */
const KILL_AFTER_MS_MAX = 2_500
const PATIENCE_MS = 10_000

/** Kills one controller after `ms`, cleans, and says how many processes are left of its run. */
async function killAndClean(runsDir: string, runId: string, ms: number): Promise<{ ended: number; left: number }> {
  const dir = join(runsDir, runId)
  const controller = startController('process', dir, runId)
  await Promise.race([sleep(realClock(), ms), controller.up])
  await controller.kill()
  const ended = (await processDriver({ runsDir }).clean()).length
  // Nodes that saw their controller go are on their way out by themselves.
  const left = async (): Promise<number> => (await processesWith([`${DIR_VARIABLE}=${dir}`])).length
  for (let waited = 0; waited < 100 && (await left()) > 0; waited++) await sleep(realClock(), 10)
  return { ended, left: await left() }
}

export const soak = {
  name: 'process-kill',
  describes: 'kill -9 of a controller of processes at random moments: clean leaves none of its run and does not touch another',
  full: 50,
  slice: 3,
  async run(cases: number, seed: number, print: (line: string) => void): Promise<boolean> {
    const runsDir = await mkdtemp(join(tmpdir(), 'splitbrain-kill-'))
    const random = seededRandom(seed)
    const log = { info: () => undefined, warn: print, error: print }
    const neighbour = await processDriver().start(toySystem(), { runId: 'neighbour', nodes: ['n1', 'n2'], dir: join(runsDir, 'neighbour'), seed, random, log })
    let passed = true
    for (let i = 0; i < cases; i++) {
      const ms = random.int(KILL_AFTER_MS_MAX)
      const { ended, left } = await killAndClean(runsDir, `killed-${i}`, ms)
      const undisturbed = (await Promise.all(neighbour.nodes.map((node) => node.answers(PATIENCE_MS)))).every(Boolean)
      print(`killed after ${ms} ms: clean removed ${ended} things, ${left} processes are left, the neighbour ${undisturbed ? 'is undisturbed' : 'IS GONE'}`)
      passed &&= left === 0 && undisturbed
    }
    await neighbour.stop()
    await rm(runsDir, { recursive: true, force: true })
    return passed
  },
}
