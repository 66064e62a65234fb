/** `splitbrain compare`: two runs, tours or campaigns, before and after. */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { compare, renderComparison, type ComparedRun } from '../../reports/compare.ts'
import { exitCodes } from '../../checker/verdict.ts'
import { compareCampaigns, renderCampaignComparison } from '../../reports/campaign/compare.ts'
import { renderCampaignComparisonPage, renderComparisonPage } from '../../reports/html/comparison.ts'
import type { Arguments, Command } from '../command.ts'
import { configurationName } from '../plan.ts'
import { seededRandom } from '../random.ts'
import { findRuns, loadJudged } from '../run-folder.ts'
import { UsageError } from '../usage-error.ts'
import { isCampaign, resultsOf } from './campaign.ts'

/** Loads what a folder holds, each configuration under its preset's name. */
async function comparedRuns(where: string): Promise<ComparedRun[]> {
  const loaded = await Promise.all((await findRuns(where)).map(loadJudged))
  return loaded.map(({ dir, plan, history, document }) => ({ name: loaded.length === 1 ? configurationName(plan) : path.basename(dir), history, document }))
}

export const compareCommand: Command = {
  name: 'compare',
  arguments: ['BEFORE', 'AFTER'],
  describes: 'Compares two runs, tours or campaigns: what is newly violated, resolved or still there, and whether availability and latency moved by more than chance. Exit code 1 when a promise is newly broken.',
  options: {
    json: { describes: 'print the comparison as JSON' },
    html: { value: 'FILE', describes: 'write the comparison as a page, too' },
  },
  async execute(args) {
    const [was, is] = args.positionals as [string, string]
    if (isCampaign(was) !== isCampaign(is)) throw new UsageError(`${was} and ${is} cannot be compared: one is a campaign and the other is not.`)
    return isCampaign(was) ? campaigns(was, is, args) : runs(was, is, args)
  },
}

async function campaigns(was: string, is: string, args: Arguments): Promise<number> {
  const comparison = compareCampaigns(await resultsOf(was), await resultsOf(is))
  process.stdout.write(args.flag('json') ? `${JSON.stringify(comparison, null, 2)}\n` : renderCampaignComparison(comparison))
  await writePage(args, () => renderCampaignComparisonPage({ before: was, after: is }, comparison))
  return comparison.findings.some(({ change }) => change === 'new') ? exitCodes.violated : exitCodes.holds
}

async function runs(was: string, is: string, args: Arguments): Promise<number> {
  const [before, after] = [await comparedRuns(was), await comparedRuns(is)]
  const comparison = compare(before, after, seededRandom(1).fork('bootstrap').float)
  process.stdout.write(args.flag('json') ? `${JSON.stringify(comparison, null, 2)}\n` : renderComparison(comparison))
  await writePage(args, () => renderComparisonPage({ before: was, after: is }, comparison))
  return comparison.configurations.some(({ findings }) => findings.some(({ change, promised }) => change === 'new' && promised)) ? exitCodes.violated : exitCodes.holds
}

async function writePage(args: Arguments, render: () => string): Promise<void> {
  const file = args.text('html')
  if (file === undefined) return
  await writeFile(file, render()).catch((error: Error) => {
    throw new UsageError(`${file} cannot be written: ${error.message}.`)
  })
}
