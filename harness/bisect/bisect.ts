/**
 * Finds the commit that broke a promise: git bisects (`git bisect` in a tree of its own), and a run that failed is
 * repeated at each commit that git wants to know about. Before that both ends are tried, because a bisection between
 * ends that are not what they are said to be finds a commit that has nothing to do with it.
 */
import type { Commit } from './checkout.ts'
import type { Mark, Tree } from './tree.ts'
import type { Trial } from './trial.ts'

/** A commit that was tried. */
export interface Tried {
  readonly commit: Commit
  readonly trial: Trial
  readonly elapsedMs: number
}

/** What came of a bisection. */
export type Outcome =
  | { readonly type: 'found'; readonly commit: Commit; readonly trial: Extract<Trial, { verdict: 'bad' }> }
  /** The first bad commit is one of these: nothing is known of those between. */
  | { readonly type: 'undecided'; readonly commits: readonly Commit[] }
  /** An end is not what it was said to be, or nothing is known of it. */
  | { readonly type: 'refused'; readonly end: 'good' | 'bad'; readonly tried: Tried }

/** What a bisection needs. */
export interface Search {
  readonly tree: Tree
  readonly good: Commit
  readonly bad: Commit
  /** Tries a commit; `onTried` hears what came of it. */
  readonly attempt: (commit: Commit) => Promise<Trial>
  readonly onTried: (tried: Tried) => void
  readonly nowMs: () => number
}

const marks: Readonly<Record<Trial['verdict'], Mark>> = { good: 'good', bad: 'bad', skipped: 'skip' }

/** Tries both ends, and then whatever git asks for. */
export async function bisect({ tree, good, bad, attempt, onTried, nowMs }: Search): Promise<Outcome> {
  const trials = new Map<string, Trial>()
  const tryOut = async (commit: Commit): Promise<Tried> => {
    const began = nowMs()
    const trial = await attempt(commit)
    const tried: Tried = { commit, trial, elapsedMs: nowMs() - began }
    trials.set(commit.hash, trial)
    onTried(tried)
    return tried
  }
  for (const [end, commit] of [['bad', bad], ['good', good]] as const) {
    const tried = await tryOut(commit)
    if (tried.trial.verdict !== end) return { type: 'refused', end, tried }
  }
  let step = await tree.bisect(good, bad)
  while (step.type === 'test') {
    const { commit, trial } = await tryOut(step.commit)
    step = await tree.mark(commit, marks[trial.verdict])
  }
  if (step.type === 'undecided') return step
  return { ...step, trial: trials.get(step.commit.hash) as Extract<Trial, { verdict: 'bad' }> }
}

/**
 * How likely a bad commit passes for a good one, as far as this bisection can tell: by the share of runs at bad commits
 * that showed the finding, `seeds` of which must miss it in a row. Null where every one showed it.
 */
export function chanceOfMiss(trials: readonly Trial[], seeds: number): number | null {
  const bad = trials.filter(({ verdict }) => verdict === 'bad')
  const runs = bad.reduce((sum, trial) => sum + trial.runs, 0)
  return runs === bad.length ? null : (1 - bad.length / runs) ** seeds
}
