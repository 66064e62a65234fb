/**
 * The controller dies by SIGKILL at any moment: the history it leaves must check, and `splitbrain clean` must
 * leave no process of the run.
 */
import { execa } from 'execa'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { realClock, sleep } from '../clock.ts'
import { seededRandom } from '../random.ts'
import { processesOf } from './processes-of.ts'

const bin = fileURLToPath(new URL('../../../harness/bin/splitbrain.mjs', import.meta.url))
const clock = realClock()

/** One run, killed when its history has reached `bytes` (0: while the cluster starts). Returns what went wrong, if anything. */
async function killOnce(bytes: number, seed: number): Promise<string | undefined> {
  const cwd = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-kill-'))
  const splitbrain = (...args: string[]) => execa(process.execPath, [bin, ...args], { cwd, reject: false, env: { PWD: cwd } })
  try {
    const controller = splitbrain('run', '--preset', 'abd', '--time', '8s', '--nemesis', 'partition,kill,pause', '--rate', '500', '--seed', String(seed))
    const history = path.join(cwd, 'runs/current/history.jsonl')
    while (!existsSync(history) || (await stat(history)).size < bytes) {
      if (controller.exitCode !== null) return `the controller ended by itself: ${(await controller).stderr}`
      await sleep(clock, 5)
    }
    controller.kill('SIGKILL')
    await controller
    const cleaned = await splitbrain('clean')
    if (cleaned.exitCode !== 0) return `clean ended with ${cleaned.exitCode}: ${cleaned.stderr}`
    const left = await processesOf(cwd)
    if (left.length > 0) return `${left.length} processes are left: ${left.join(', ')}`
    const checked = await splitbrain('check', history, '--model', 'register')
    if (![0, 1, 2].includes(checked.exitCode ?? -1)) return `check ended with ${checked.exitCode}: ${checked.stderr}`
    const wrong = bytes > 0 && checked.exitCode !== 0
    return wrong ? `the history of a linearizable store was judged ${checked.exitCode}: ${checked.stdout}` : undefined
  } finally {
    await rm(cwd, { recursive: true, force: true })
  }
}

export const soak = {
  name: 'controller-kill',
  describes: 'kill -9 of the controller at random moments: the history checks, clean leaves no process',
  full: 20,
  slice: 2,
  async run(cases: number, seed: number, print: (line: string) => void): Promise<boolean> {
    const random = seededRandom(seed)
    let failed = 0
    for (let i = 0; i < cases; i++) {
      const bytes = i === 0 ? 0 : random.int(500_000)
      const problem = await killOnce(bytes, seed + i)
      print(`killed at ${bytes} bytes of history: ${problem ?? 'checks, and nothing is left'}`)
      if (problem !== undefined) failed++
    }
    return failed === 0
  },
}
