/** `splitbrain compare`: two runs, tours or campaigns, before and after. */
import { compare, renderComparison, type ComparedRun } from '../../reports/compare.ts'
import { exitCodes } from '../../checker/verdict.ts'
import { compareCampaigns, renderCampaignComparison } from '../../reports/campaign/compare.ts'
import type { Arguments, Command } from '../command.ts'
import { seededRandom } from '../random.ts'
import { findRuns, loadJudged } from '../run-folder.ts'
import { UsageError } from '../usage-error.ts'
import { isCampaign, resultsOf } from './campaign.ts'

/** Loads what a folder holds, each configuration under its preset's name. */
async function comparedRuns(where: string): Promise<ComparedRun[]> {
  const loaded = await Promise.all((await findRuns(where)).map(loadJudged))
  return loaded.map(({ plan, history, document }) => ({ name: plan.preset, history, document }))
}

export const compareCommand: Command = {
  name: 'compare',
  arguments: ['BEFORE', 'AFTER'],
  describes: 'Compares two runs, tours or campaigns: what is newly violated, resolved or still there, and whether availability and latency moved by more than chance. Exit code 1 when something is new.',
  options: { json: { describes: 'print the comparison as JSON' } },
  async execute(args) {
    const [was, is] = args.positionals as [string, string]
    if (isCampaign(was) !== isCampaign(is)) throw new UsageError(`${was} and ${is} cannot be compared: one is a campaign and the other is not.`)
    return isCampaign(was) ? campaigns(was, is, args) : runs(was, is, args)
  },
}

async function campaigns(was: string, is: string, args: Arguments): Promise<number> {
  const comparison = compareCampaigns(await resultsOf(was), await resultsOf(is))
  process.stdout.write(args.flag('json') ? `${JSON.stringify(comparison, null, 2)}\n` : renderCampaignComparison(comparison))
  return comparison.findings.some(({ change }) => change === 'new') ? exitCodes.violated : exitCodes.holds
}

async function runs(was: string, is: string, args: Arguments): Promise<number> {
  const [before, after] = [await comparedRuns(was), await comparedRuns(is)]
  const comparison = compare(before, after, seededRandom(1).fork('bootstrap').float)
  process.stdout.write(args.flag('json') ? `${JSON.stringify(comparison, null, 2)}\n` : renderComparison(comparison))
  return comparison.configurations.some(({ findings }) => findings.some(({ change }) => change === 'new')) ? exitCodes.violated : exitCodes.holds
}
