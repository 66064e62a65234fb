/** `splitbrain compare`: two runs, tours or campaigns, before and after. */
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { compare, newlyViolated, renderComparison, type ComparedRun } from '../../reports/compare.ts'
import { exitCodes } from '../../checker/exit-codes.ts'
import { compareCampaigns, isWorse, renderCampaignComparison } from '../../reports/campaign/compare.ts'
import { renderCampaignComparisonPage, renderComparisonPage } from '../../reports/html/comparison.ts'
import type { Arguments, Command } from '../command.ts'
import { configurationName } from '../plan.ts'
import { seededRandom } from '../random.ts'
import { findRuns, loadJudged, runsDir } from '../run-folder.ts'
import { UsageError } from '../usage-error.ts'
import { campaignFileIn } from '../campaign/folder.ts'
import { findCampaign } from '../store/campaigns.ts'
import { summarize } from '../store/summary.ts'
import { databaseOption, withDatabase } from './store-options.ts'

/** Loads what a folder holds, each configuration under its preset's name. */
async function comparedRuns(where: string): Promise<ComparedRun[]> {
  const loaded = await Promise.all((await findRuns(where)).map(loadJudged))
  return loaded.map(({ dir, plan, history, document }) => ({ name: loaded.length === 1 ? configurationName(plan) : path.basename(dir), history, document }))
}

export const compareCommand: Command = {
  name: 'compare',
  arguments: ['BEFORE', 'AFTER'],
  describes: 'Compares two runs, tours or campaigns: what is newly violated, resolved or still there, and whether availability and latency moved by more than chance. Exit code 1 when something is newly violated that was promised or expected.',
  options: {
    json: { describes: 'print the comparison as JSON' },
    html: { value: 'FILE', describes: 'write the comparison as a page, too' },
    ...databaseOption,
  },
  async execute(args) {
    const [was, is] = args.positionals as [string, string]
    const references = await Promise.all([was, is].map(campaignReference))
    const [before, after] = references
    if (before === undefined && after === undefined) return runs(was, is, args)
    if (before === undefined) throw notAlike(is, was)
    if (after === undefined) throw notAlike(was, is)
    return campaigns({ was, is, before, after }, args)
  },
}

/** Why something that is no run cannot be compared with one: a campaign, or nothing that is there. */
function notAlike(other: string, run: string): UsageError {
  if (folderOf(other) === undefined) return new UsageError(`${noRunAt(other)} (A campaign of that name could not be compared with the run ${run}.)`)
  return new UsageError(`${other} and ${run} cannot be compared: one is a campaign and the other is not.`)
}

const noRunAt = (where: string): string => `There is no run at ${where}; name a folder under runs/, for example runs/latest.`

const folderOf = (where: string): string | undefined => [path.resolve(where), path.join(runsDir(), where)].find((one) => existsSync(one))

/** What names a campaign in its store: its folder's number, or what is no folder of runs; undefined for runs and tours. Rejects with UsageError for a path to nothing. */
async function campaignReference(where: string): Promise<string | undefined> {
  const dir = folderOf(where)
  if (dir === undefined) {
    if (where.includes(path.sep)) throw new UsageError(noRunAt(where))
    return where
  }
  const file = await campaignFileIn(dir)
  if (file !== undefined) return String(file.id)
  return findRuns(where).then(() => undefined, () => where)
}

function campaigns({ was, is, before, after }: { readonly was: string; readonly is: string; readonly before: string; readonly after: string }, args: Arguments): Promise<number> {
  return withDatabase(args, { migrates: false, connections: 2 }, async (database) => {
    const [old, fresh] = [await findCampaign(database, before), await findCampaign(database, after)]
    const comparison = compareCampaigns(await summarize(database, old.id), await summarize(database, fresh.id))
    process.stdout.write(args.flag('json') ? `${JSON.stringify(comparison, null, 2)}\n` : renderCampaignComparison(comparison))
    await writePage(args, () => renderCampaignComparisonPage({ before: was, after: is }, comparison))
    return isWorse(comparison) ? exitCodes.violated : exitCodes.holds
  })
}

async function runs(was: string, is: string, args: Arguments): Promise<number> {
  const [before, after] = [await comparedRuns(was), await comparedRuns(is)]
  const comparison = compare(before, after, seededRandom(1).fork('bootstrap').float)
  process.stdout.write(args.flag('json') ? `${JSON.stringify(comparison, null, 2)}\n` : renderComparison(comparison))
  await writePage(args, () => renderComparisonPage({ before: was, after: is }, comparison))
  return newlyViolated(comparison).length > 0 ? exitCodes.violated : exitCodes.holds
}

async function writePage(args: Arguments, render: () => string): Promise<void> {
  const file = args.text('html')
  if (file === undefined) return
  await writeFile(file, render()).catch((error: Error) => {
    throw new UsageError(`${file} cannot be written: ${error.message}.`)
  })
}
