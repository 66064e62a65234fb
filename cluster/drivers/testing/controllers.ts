/** Controllers as processes of their own, for tests that kill them. */
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readFile } from 'node:fs/promises'
import { execa } from 'execa'
import { look, isDead } from '../process/proc.ts'

const extension = extname(fileURLToPath(import.meta.url))
const program = fileURLToPath(new URL(`./controller-main${extension}`, import.meta.url))

/** Starts a controller of three toys in `dir` on a driver. `up` resolves when its nodes run; `kill` ends it as kill -9 does. */
export function startController(driver: 'process' | 'netns', dir: string, runId: string): { up: Promise<void>; kill(): Promise<void> } {
  const child = execa(process.execPath, [...(extension === '.ts' ? ['--import', import.meta.resolve('tsx')] : []), program, driver, dir, runId], { reject: false, buffer: false })
  const up = new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve())
    void child.then((ended) => reject(new Error(`the controller ended before it was up: ${ended.shortMessage ?? 'exit 0'}`)))
  })
  up.catch(() => undefined)
  return {
    up,
    kill: async () => {
      child.kill('SIGKILL')
      await child
    },
  }
}

/** The nodes that a run has written down and that are still there, by their process ids. */
export async function survivors(dir: string): Promise<number[]> {
  const recorded = JSON.parse(await readFile(join(dir, 'pids.json'), 'utf8').catch(() => '[]')) as { pid: number }[]
  const seen = await Promise.all(recorded.map(async ({ pid }) => ({ pid, seen: await look(pid) })))
  return seen.filter((one) => one.seen !== undefined && !isDead(one.seen)).map((one) => one.pid)
}
