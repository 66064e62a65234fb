/**
 * What a bisection says: a line for each commit that was tried, what came of it, and the same as JSON.
 */
import path from 'node:path'
import { formatMs, formatNoun, formatShare, shortened, visible } from '../../reports/format.ts'
import { chanceOfMiss, type Outcome, type Tried } from './bisect.ts'
import type { Cell, KeptRun } from './cell.ts'
import type { Commit } from './checkout.ts'

/** Longer subjects and reasons are cut, so that a commit is a line. */
const SUBJECT_MAX = 60
const REASON_MAX = 120

/** `9f3c2ab  bad      2 runs    8.31 s  Answer reads from the cache` */
export function triedLine({ commit, trial, elapsedMs }: Tried): string {
  const reason = trial.verdict === 'skipped' ? ` (${shortened(visible(trial.reason), REASON_MAX)})` : ''
  return `${commit.short}  ${trial.verdict.padEnd(7)}  ${formatNoun(trial.runs, 'run').padStart(7)}  ${formatMs(elapsedMs).padStart(9)}  ${shortened(commit.subject, SUBJECT_MAX)}${reason}`
}

/** What was asked. */
export interface Asked {
  /** The user's checkout. */
  readonly checkout: string
  readonly cell: Cell
  readonly good: Commit
  readonly bad: Commit
}

/** What is repeated, and between which commits. */
export function opening({ cell, good, bad }: Asked, run: string, between: number): string {
  return `Looking for the commit that broke a promise: ${[...cell.wanted].join('; ')} (${path.relative(process.cwd(), run)}).\n${formatNoun(between, 'commit')} after ${good.short}, up to ${bad.short}.\n`
}

/** The outcome as people read it. `kept`: the run that showed the finding at the first bad commit, where one was found. */
export function conclusion(asked: Asked, outcome: Outcome, all: readonly Tried[], kept: KeptRun | null): string {
  switch (outcome.type) {
    case 'found':
      return found(asked, outcome, all, kept!)
    case 'undecided':
      return [`unknown: the first bad commit is one of these ${outcome.commits.length}, because nothing could be known of those that were skipped:`, ...outcome.commits.map(({ short, subject }) => `  ${short}  ${shortened(subject, SUBJECT_MAX)}`)].join('\n')
    case 'refused':
      return refusal(asked, outcome)
  }
}

function found({ checkout, cell }: Asked, { commit, trial }: Extract<Outcome, { type: 'found' }>, all: readonly Tried[], kept: KeptRun): string {
  const miss = chanceOfMiss(all.map((one) => one.trial), cell.seeds)
  return [
    `${commit.short} is the first bad commit.`,
    '',
    `commit   ${commit.hash}`,
    `author   ${commit.author}`,
    `date     ${commit.date}`,
    `subject  ${commit.subject}`,
    `finding  ${trial.finding.fingerprint}`,
    `         ${visible(trial.finding.explanation)}`,
    `report   ${path.relative(process.cwd(), path.join(kept.dir, 'report.html'))}`,
    `repeat   ${repeatCommand(checkout, cell, commit, kept.plan)}`,
    ...(miss === null ? [] : ['', `Not every run at a bad commit fails: about ${formatShare(miss)} of them would pass for good with ${formatNoun(cell.seeds, 'seed')}. More --seeds make that rarer.`]),
  ].join('\n')
}

/** Why there was no bisection. */
function refusal({ cell }: Asked, { end, tried: { commit, trial } }: Extract<Outcome, { type: 'refused' }>): string {
  const place = `--${end} ${commit.short}`
  switch (trial.verdict) {
    case 'bad':
      return `unknown: ${place} is not good: with seed ${trial.seed} it fails as the run does (${trial.finding.fingerprint}); name an older commit.`
    case 'good':
      return `unknown: ${place} is not bad: the run holds there with ${formatNoun(cell.seeds, 'seed')}; name the commit at which it failed, or try more --seeds. What is not committed is not tested.`
    case 'skipped':
      return `unknown: ${place} cannot be tested: ${visible(trial.reason)}.`
  }
}

/** Makes the failing run again in the user's checkout: what the bisection did in its tree. */
function repeatCommand(checkout: string, { place, build }: Pick<Cell, 'place' | 'build'>, commit: Commit, plan: string): string {
  const start = path.join(checkout, place)
  return [
    ...(process.cwd() === checkout ? [] : [`cd ${quoted(checkout)}`]),
    `git checkout ${commit.short}`,
    // What has lists or pipes of its own needs brackets among ours.
    ...(build === undefined ? [] : [/[;|&\n]/.test(build) ? `(${build})` : build]),
    ...(place === '' ? [] : [`cd ${quoted(place)}`]),
    `npx splitbrain run --plan ${quoted(path.relative(start, plan))}`,
  ].join(' && ')
}

const quoted = (word: string): string => (/^[\w./:=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)

/** What `--json` prints: one object, whatever came of it. */
export function outcomeDocument({ checkout, cell, good, bad }: Asked, outcome: Outcome, all: readonly Tried[], kept: KeptRun | null) {
  return {
    schema: 'splitbrain-bisect/1',
    outcome: outcome.type,
    good: good.hash,
    bad: bad.hash,
    findings: [...cell.wanted],
    tried: all.map(({ commit, trial, elapsedMs }) => ({ ...commit, ...trial, elapsed_ms: Math.round(elapsedMs) })),
    first_bad: outcome.type === 'found' ? { ...outcome.commit, seed: outcome.trial.seed, finding: outcome.trial.finding, run: kept!.dir, repeat: repeatCommand(checkout, cell, outcome.commit, kept!.plan) } : null,
    candidates: outcome.type === 'undecided' ? outcome.commits : null,
    chance_of_miss: chanceOfMiss(all.map(({ trial }) => trial), cell.seeds),
  }
}
