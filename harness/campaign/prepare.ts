/** From a definition to cells that workers can take: what each needs of a machine, how long it may take, and why it may be impossible. */
import { execa } from 'execa'
import { resolveFault } from '../../nemesis/notation.ts'
import { refuseImpossible } from '../refusals.ts'
import type { NewCell } from '../store/campaigns.ts'
import { cellsOf, planOf, wordsOfRun, type Campaign } from './definition.ts'

/** What starting, stopping and judging a run on real nodes take beside its own time, usually; a simulated run takes that in all, at most. */
const OVERHEAD_MS = 20_000
/** What they take at most, on a machine that is far too busy. */
const OVERHEAD_MAX_MS = 150_000
const SIMULATED_MAX_MS = 30_000

/** The cells of a campaign. Rejects for options that `splitbrain run` would refuse. `here`: cells that this machine cannot run are impossible, because no other will be asked. */
export async function prepareCells(campaign: Campaign, here: boolean): Promise<NewCell[]> {
  const cells: NewCell[] = []
  for (const cell of cellsOf(campaign)) {
    const plan = await planOf(wordsOfRun(cell, campaign.draw, campaign.first_seed))
    const reason = here ? await refuseImpossible(plan).then(() => null, (error: Error) => error.message) : null
    const simulated = plan.driver === 'sim'
    const runMs = simulated ? 0 : plan.time_ms + plan.converge_timeout_ms
    const needs = [...new Set(plan.schedule.flatMap(({ fault }) => resolveFault(fault).fault.needs))].sort()
    cells.push({ ...cell, class: { driver: plan.driver, system: plan.system, needs }, impossible: reason, limitMs: simulated ? SIMULATED_MAX_MS + plan.time_ms : runMs + OVERHEAD_MAX_MS, guessMs: OVERHEAD_MS + runMs })
  }
  return cells
}

/** The commit of the working directory's checkout, marked when it was changed since; null where there is none. */
export async function commitHere(): Promise<string | null> {
  const { failed, stdout } = await execa('git', ['rev-parse', 'HEAD'], { reject: false })
  if (failed) return null
  const { stdout: changed } = await execa('git', ['status', '--porcelain', '--untracked-files=no'], { reject: false })
  return `${stdout.trim()}${changed.trim() === '' ? '' : '+changes'}`
}
