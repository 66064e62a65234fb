/** Processes that runs have started, found by the marks in their environments. */
import { readdir, readFile } from 'node:fs/promises'

/** Live processes that carry one of our runs' marks and were started below `dir`. */
export async function processesOf(dir: string): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => Number.isInteger(pid))
  const marked = await Promise.all(pids.map(async (pid) => {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
    return environment.includes('SPLITBRAIN_RUN=') && environment.includes(dir) ? pid : undefined
  }))
  return marked.filter((pid) => pid !== undefined)
}
