/**
 * Every planted bug of our store on real processes: at least three quarters of them are found within ten runs by the
 * judgement that their row names. Those that a plain process cannot show (by a power loss) are looked for in network namespaces,
 * where nodes have disks of their own; what neither can do shows no bug, and counts.
 */
import { bugs, bugNames, type Bug } from '../../cluster/kv/bugs.ts'
import type { Plan } from '../plan.ts'
import { obstacle, searchBug } from './bug-runs.ts'

const RUNS_MAX = 10
const SHARE_MIN = 0.75
const DRIVERS = ['process', 'netns'] as const satisfies readonly Plan['driver'][]

/** The first driver that can show a bug; where none can, why not. */
async function driverFor(bug: Bug): Promise<{ readonly driver?: Plan['driver']; readonly reason: string }> {
  const reasons: string[] = []
  for (const driver of DRIVERS) {
    const reason = await obstacle(bug, driver)
    if (reason === undefined) return { driver, reason: '' }
    reasons.push(reason)
  }
  return { reason: reasons.join(' ') }
}

export const soak = {
  name: 'planted-bugs-processes',
  describes: `every planted bug on real processes, ${RUNS_MAX} runs of 12 s at most each: three quarters of N bugs (--cases N) are found`,
  full: bugNames.length,
  slice: 1,
  async run(cases: number, seed: number, print: (line: string) => void): Promise<boolean> {
    const tried = Array.from({ length: Math.min(cases, bugNames.length) }, (_, i) => bugNames[(seed + i) % bugNames.length]!)
    let count = 0
    for (const bug of tried) {
      const { driver, reason } = await driverFor(bug)
      const search = driver === undefined ? undefined : await searchBug(bug, driver, seed, RUNS_MAX)
      if (search?.found) count++
      const outcome = search === undefined ? `not tried: ${reason}` : `${search.found ? `run ${search.runs}` : `not in ${search.runs} runs`}  ${search.command}`
      print(`${bug.padEnd(24)} ${bugs[bug].breaks.padEnd(14)} ${outcome}`)
    }
    print(`${count} of ${tried.length} bugs found`)
    return count >= SHARE_MIN * tried.length
  },
}
