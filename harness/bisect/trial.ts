/**
 * Is a commit good or bad? A run is a sample: a bug that strikes in one run of five makes good runs at bad commits. So a
 * commit is bad at the first run that shows the finding, and good only when so many seeds have held. A run that shows
 * nothing of the finding either way (it came to unknown, or something else broke, which may hide it) does not count.
 */
import type { ResultFinding } from '../../reports/campaign/results.ts'
import { SEED_MAX } from '../commands/plan-options.ts'

/** What the run with one seed was worth. */
export type Sample =
  | { readonly type: 'shown'; readonly finding: ResultFinding }
  | { readonly type: 'held' }
  | { readonly type: 'unclear'; readonly reason: string }
  /** It could not be carried out, and with other seeds it will not be either. */
  | { readonly type: 'impossible'; readonly reason: string }

/** What a commit was found to be. `skipped`: nobody knows, for this reason. `runs`: how many there were. */
export type Trial =
  | { readonly verdict: 'bad'; readonly runs: number; readonly seed: number; readonly finding: ResultFinding }
  | { readonly verdict: 'good'; readonly runs: number }
  | { readonly verdict: 'skipped'; readonly runs: number; readonly reason: string }

/** Takes samples until a commit is known to be bad, `seeds` of them have held, or as many did not count. */
export async function tryCommit(seeds: number, firstSeed: number, sample: (seed: number) => Promise<Sample>): Promise<Trial> {
  let held = 0
  for (let runs = 1; ; runs++) {
    const seed = (firstSeed + runs - 1) % (SEED_MAX + 1)
    const got = await sample(seed)
    if (got.type === 'shown') return { verdict: 'bad', runs, seed, finding: got.finding }
    if (got.type === 'impossible') return { verdict: 'skipped', runs, reason: got.reason }
    if (got.type === 'held') held++
    if (held === seeds) return { verdict: 'good', runs }
    if (got.type === 'unclear' && runs - held === seeds) return { verdict: 'skipped', runs, reason: `${runs - held} of ${runs} runs do not count; the last: ${got.reason}` }
  }
}
