/** `splitbrain compare`: two runs, tours or campaigns, before and after. */
import { compare, renderComparison, type ComparedRun } from '../../reports/compare.ts'
import { exitCodes } from '../../checker/verdict.ts'
import type { Command } from '../command.ts'
import { seededRandom } from '../random.ts'
import { findRuns, loadJudged } from '../run-folder.ts'

/** Loads what a folder holds, each configuration under its preset's name. */
async function comparedRuns(where: string): Promise<ComparedRun[]> {
  const runs = await Promise.all((await findRuns(where)).map(loadJudged))
  return runs.map(({ plan, history, document }) => ({ name: plan.preset, history, document }))
}

export const compareCommand: Command = {
  name: 'compare',
  arguments: ['BEFORE', 'AFTER'],
  describes: 'Compares two runs or tours: what is newly violated, resolved or still there, and whether availability and latency moved by more than chance. Exit code 1 when something is new.',
  options: { json: { describes: 'print the comparison as JSON' } },
  async execute(args) {
    const [before, after] = [await comparedRuns(args.positionals[0]!), await comparedRuns(args.positionals[1]!)]
    const comparison = compare(before, after, seededRandom(1).fork('bootstrap').float)
    process.stdout.write(args.flag('json') ? `${JSON.stringify(comparison, null, 2)}\n` : renderComparison(comparison))
    return comparison.configurations.some(({ findings }) => findings.some(({ change }) => change === 'new')) ? exitCodes.violated : exitCodes.holds
  },
}
