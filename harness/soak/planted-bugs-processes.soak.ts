/**
 * Every planted bug of our store on real processes: at least three quarters of them are found within ten runs by the
 * judgement that their row names. What only the simulator can do (a power loss) shows no bug here, and counts.
 */
import { bugs, bugNames } from '../../cluster/kv/bugs.ts'
import { obstacle, searchBug } from './bug-runs.ts'

const RUNS_MAX = 10
const SHARE_MIN = 0.75

export const soak = {
  name: 'planted-bugs-processes',
  describes: `every planted bug on real processes, ${RUNS_MAX} runs of 12 s at most each: three quarters of N bugs (--cases N) are found`,
  full: bugNames.length,
  slice: 1,
  async run(cases: number, seed: number, print: (line: string) => void): Promise<boolean> {
    const tried = Array.from({ length: Math.min(cases, bugNames.length) }, (_, i) => bugNames[(seed + i) % bugNames.length]!)
    let count = 0
    for (const bug of tried) {
      const impossible = await obstacle(bug, 'process')
      const search = impossible === undefined ? await searchBug(bug, 'process', seed, RUNS_MAX) : undefined
      if (search?.found) count++
      const outcome = search === undefined ? `not tried: ${impossible}` : `${search.found ? `run ${search.runs}` : `not in ${search.runs} runs`}  ${search.command}`
      print(`${bug.padEnd(24)} ${bugs[bug].breaks.padEnd(14)} ${outcome}`)
    }
    print(`${count} of ${tried.length} bugs found`)
    return count >= SHARE_MIN * tried.length
  },
}
