/**
 * Runs that show planted bugs: the options of `splitbrain run` that stand in a bug's row (`cluster/kv/bugs.ts`), read as
 * the command line reads them, seed after seed until the judgement of that row finds the bug.
 */
import { bugs, type Bug } from '../../cluster/kv/bugs.ts'
import type { VerdictDocument } from '../../checker/verdict.ts'
import { parseArguments } from '../command.ts'
import { planFrom, repeatCommand } from '../commands/plan-options.ts'
import { runCommand } from '../commands/run.ts'
import type { Plan } from '../plan.ts'
import { refuseImpossible } from '../refusals.ts'
import { verdictOf } from './conformance.soak.ts'

/** Long enough for a fault and what comes after it. */
const TIME = '12s'
/** Operations per second where a row does not say, so that a seed asks the same of any machine. */
const RATE = '300'

/** The words after `splitbrain` with which a bug shows. Without the bug, the same run of a correct store. */
function words(bug: Bug, driver: Plan['driver'], seed: number, planted: boolean): string[] {
  const options = { driver, rate: RATE, time: TIME, ...bugs[bug].shows, seed: String(seed), ...(planted ? { bug } : {}) }
  return ['run', ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])]
}

async function planOf(bug: Bug, driver: Plan['driver'], seed: number, planted = true): Promise<Plan> {
  return planFrom(parseArguments(runCommand, words(bug, driver, seed, planted).slice(1)))
}

/** Whether what a run broke is found by the judgement that the bug's row names: it is violated, and the promise with it. */
function finds({ verdict, judgements }: VerdictDocument, bug: Bug): boolean {
  return verdict === 'violated' && judgements.some((one) => one.judgement === bugs[bug].breaks && one.verdict === 'violated')
}

/** What came of a search. */
export interface Search {
  /** Runs that were made; the last one found the bug when `found`. */
  readonly runs: number
  readonly found: boolean
  /** The command of the last run. */
  readonly command: string
}

/** Runs a bug with one seed after the other, from `seed`, until it is found or `most` runs are over. */
export async function searchBug(bug: Bug, driver: Plan['driver'], seed: number, most: number): Promise<Search> {
  let runs = 0
  let found = false
  while (!found && runs < most) found = finds(await verdictOf(await planOf(bug, driver, seed + runs++)), bug)
  const last = seed + runs - 1
  return { runs, found, command: repeatCommand(words(bug, driver, last, true), last) }
}

/** What the run of a seed says of the store without the bug: undefined when it keeps its promise. */
export async function accusation(bug: Bug, driver: Plan['driver'], seed: number): Promise<string | undefined> {
  const { verdict, sentence } = await verdictOf(await planOf(bug, driver, seed, false))
  return verdict === 'violated' ? sentence : undefined
}

/** Why a driver cannot show a bug here; undefined when it can. */
export async function obstacle(bug: Bug, driver: Plan['driver']): Promise<string | undefined> {
  return refuseImpossible(await planOf(bug, driver, 1)).then(() => undefined, (error: Error) => error.message)
}
