/**
 * Every planted bug of our store in the simulator: seed after seed until the judgement that its row names finds it, and
 * the same run without the bug, which must find nothing.
 */
import { bugs, bugNames } from '../../cluster/kv/bugs.ts'
import { accusation, searchBug } from './bug-runs.ts'

export const soak = {
  name: 'planted-bugs',
  describes: 'every planted bug in the simulator: found by the judgement that its row names, within how many of N seeds (--cases N); the same run without it finds nothing',
  full: 200,
  slice: 1,
  async run(cases: number, seed: number, print: (line: string) => void): Promise<boolean> {
    // A slice tries one bug; in full, every bug has `cases` seeds until it is found.
    const tried = cases === 1 ? [bugNames[seed % bugNames.length]!] : bugNames
    let wrong = 0
    for (const bug of tried) {
      const { runs, found, command } = await searchBug(bug, 'sim', seed, Math.max(cases, 20))
      const without = await accusation(bug, 'sim', seed + runs - 1)
      if (!found || without !== undefined) wrong++
      print(`${bug.padEnd(24)} ${bugs[bug].breaks.padEnd(14)} ${found ? `seed ${runs}` : `not in ${runs} seeds`}  ${command}`)
      if (without !== undefined) print(`  without the bug: ${without}`)
    }
    print(`${tried.length - wrong} of ${tried.length} bugs found`)
    return wrong === 0
  },
}
