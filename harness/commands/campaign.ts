/** `splitbrain campaign`: configurations x faults x seeds, one matrix. */
import { existsSync } from 'node:fs'
import { readFile, readdir } from 'node:fs/promises'
import path from 'node:path'
import { exitCodes, mergeVerdicts } from '../../checker/verdict.ts'
import { compareCampaigns, type CampaignComparison } from '../../reports/campaign/compare.ts'
import type { Result } from '../../reports/campaign/results.ts'
import type { CampaignReporter } from '../../reports/campaign/reporters.ts'
import { cellName, summarize } from '../../reports/campaign/summary.ts'
import { renderCampaign, type TrendPoint } from '../../reports/html/campaign.ts'
import { parseDuration } from '../../nemesis/schedule.ts'
import type { Arguments, Command, Option } from '../command.ts'
import { cellsOf, parseCampaign, type Campaign, type CampaignDefinition } from '../campaign/definition.ts'
import { readResults, runCampaign, type CampaignOutcome } from '../campaign/campaign.ts'
import { onInterrupt } from '../interrupt.ts'
import { createRunFolder, point, save, saveJson } from '../run-folder.ts'
import { UsageError } from '../usage-error.ts'
import { importUserModule } from '../user-module.ts'
import { planOptions, repeatCommand } from './plan-options.ts'
import { campaignReporterFrom, reporterOptions } from './reporters.ts'

/** Options of `run` that all cells share when they are given. */
const shared = ['driver', 'nodes', 'clients', 'rate', 'time', 'op-timeout', 'expect'] as const

const options: Readonly<Record<string, Option>> = {
  file: { value: 'FILE', describes: 'the campaign as JSON, or as a module that exports defineCampaign({ name, options, configurations, nemeses, seeds })' },
  presets: { value: 'LIST', describes: 'rows: configurations of the store', default: 'abd,quorum,one' },
  workloads: { value: 'LIST', describes: 'rows: what clients do, separated by semicolons', default: 'register' },
  nemeses: { value: 'LIST', describes: 'columns: what run --nemesis takes, separated by semicolons', default: 'none;partition;kill;pause' },
  seeds: { value: 'N', describes: 'runs of each cell', default: '5; with a budget, as many as fit' },
  seed: { value: 'N', describes: 'the first seed', default: '1' },
  budget: { value: 'TIME', describes: 'stop in time: the runs that teach most come first, none is begun that would not end' },
  resume: { value: 'DIR', describes: 'go on with a campaign that was cut short' },
  baseline: { value: 'DIR', describes: 'an earlier campaign: only what it did not find fails' },
  ...reporterOptions,
  junit: { value: 'FILE', describes: 'write JUnit XML, a test case for each cell' },
  name: { value: 'NAME', describes: 'the campaign goes to runs/NAME/', default: 'campaign' },
  ...Object.fromEntries(shared.map((name) => [name, name === 'driver' ? { ...planOptions[name]!, default: 'sim' } : planOptions[name]!])),
}

export const campaignCommand: Command = {
  name: 'campaign',
  arguments: [],
  describes: 'Runs a matrix of configurations, faults and seeds, and shows where promises break, how often, and by which smallest run. Can be stopped and resumed.',
  options,
  async execute(args) {
    const startedMs = Date.now()
    const budgetMs = args.text('budget') === undefined ? Infinity : parseDuration(args.text('budget')!)
    const baseline = args.text('baseline') === undefined ? undefined : await resultsOf(args.text('baseline')!)
    const { campaign, dir } = await open(args, startedMs)
    const interrupt = onInterrupt(console.error)
    const reporter = campaignReporterFrom(args, campaign.name)
    const total = campaign.seeds === undefined ? null : cellsOf(campaign).length * campaign.seeds
    try {
      const outcome = await runCampaign(campaign, {
        dir,
        budgetMs,
        signal: interrupt.signal,
        emit: (event) => void (event.type === 'warning' && reporter.on({ type: 'warning', message: event.message })),
        onResult: (result, done) => reporter.on({ type: 'result', done, total, result }),
      })
      return await conclude(args, campaign, dir, outcome, { baseline, reporter })
    } finally {
      interrupt.dispose()
    }
  },
}

/** Opens an old campaign's folder or makes a new one. Throws UsageError. */
async function open(args: Arguments, startedMs: number): Promise<{ campaign: Campaign; dir: string }> {
  const resumed = args.text('resume')
  if (resumed !== undefined) {
    const dir = path.resolve(resumed)
    return { campaign: parseCampaign(await readJson(path.join(dir, 'campaign.json')), path.join(resumed, 'campaign.json')), dir }
  }
  const file = args.text('file')
  const campaign = file === undefined ? parseCampaign(fromOptions(args), 'the command line') : parseCampaign(await readDefinition(file), file)
  const dir = await createRunFolder(campaign.name, startedMs)
  await saveJson(dir, 'campaign.json', campaign)
  return { campaign, dir }
}

function fromOptions(args: Arguments): CampaignDefinition {
  const list = (text: string, separator: string): string[] => text.split(separator).map((one) => one.trim()).filter((one) => one !== '')
  const workloads = list(args.text('workloads') ?? 'register', ';')
  const presets = list(args.text('presets') ?? 'abd,quorum,one', ',')
  const seeds = args.integer('seeds', { min: 1, max: 1_000_000 }) ?? (args.text('budget') === undefined ? 5 : undefined)
  return {
    name: args.text('name') ?? 'campaign',
    options: Object.fromEntries([['driver', 'sim'], ...shared.flatMap((name) => (args.text(name) === undefined ? [] : [[name, args.text(name)!]]))]) as Record<string, string>,
    configurations: presets.flatMap((preset) => workloads.map((workload) => ({ preset, workload }))),
    nemeses: list(args.text('nemeses') ?? 'none;partition;kill;pause', ';'),
    ...(seeds === undefined ? {} : { seeds }),
    first_seed: args.integer('seed', { min: 0, max: 0x7fffffff }) ?? 1,
  }
}

/** JSON, or a module whose default export is `defineCampaign({ ... })`. */
async function readDefinition(file: string): Promise<unknown> {
  if (path.extname(file) === '.json') return readJson(file)
  const { default: definition } = await importUserModule(file)
  if (definition === undefined) throw new UsageError(`${file} exports no campaign: write "export default defineCampaign({ ... })".`)
  return definition
}

async function readJson(file: string): Promise<unknown> {
  if (!existsSync(file)) throw new UsageError(`There is no file ${file}.`)
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${(error as Error).message}.`)
  }
}

/** The results of a campaign's folder. Throws UsageError when it holds none. */
export async function resultsOf(where: string): Promise<Result[]> {
  if (!isCampaign(where)) throw new UsageError(`${where} is no campaign: no campaign.json in it.`)
  return readResults(path.resolve(where))
}

/** Whether a folder is a campaign's. */
export const isCampaign = (where: string): boolean => existsSync(path.join(path.resolve(where), 'campaign.json'))

/** Writes everything that is shown, and decides the exit code. */
async function conclude(args: Arguments, campaign: Campaign, dir: string, outcome: CampaignOutcome, { baseline, reporter }: { readonly baseline: readonly Result[] | undefined; readonly reporter: CampaignReporter }): Promise<number> {
  const shown = path.relative(process.cwd(), dir)
  const cut = outcome.cut === 'budget' ? 'the budget ended it' : outcome.cut === 'interrupted' ? 'it was interrupted' : null
  const common = { started: startOf(dir), repeat: repeatCommand(args.words, campaign.first_seed), summary: summarize(outcome.results), impossible: outcome.impossible.map(({ cell, reason }) => ({ cell: cellName(cell), reason })) }
  await save(dir, 'report.html', renderCampaign({ ...common, title: campaign.name, cut, trend: await trendOf(dir) }))
  await point('latest', dir)
  const comparison = baseline === undefined ? null : compareCampaigns(baseline, outcome.results)
  reporter.on({ type: 'end', name: campaign.name, ...common, comparison, cut: cut === null ? null : `${cut}; npx splitbrain campaign --resume ${shown} goes on`, report: path.join(shown, 'report.html') })
  return exitCode(outcome, comparison)
}

/** Violated when a promise broke (with a baseline: in a way that it does not know); unknown when something is not known; otherwise holds. */
function exitCode({ results, cut }: CampaignOutcome, comparison: CampaignComparison | null): number {
  if (comparison?.findings.some(({ before, after }) => before.runs === 0 && after.runs > 0)) return exitCodes.violated
  const verdict = mergeVerdicts(results.map((one) => (comparison !== null && one.verdict === 'violated' ? 'holds' : one.verdict)))
  return verdict === 'holds' && cut === 'interrupted' ? exitCodes.unknown : exitCodes[verdict]
}

/** When a campaign's folder was made, from its name. */
function startOf(dir: string): string {
  const [, date, time] = /^(\d{8})T(\d{6})/.exec(path.basename(dir)) ?? []
  if (date === undefined || time === undefined) return ''
  return `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}Z`
}

/** This campaign and those of the same name before it. */
async function trendOf(dir: string): Promise<TrendPoint[]> {
  const siblings = (await readdir(path.dirname(dir))).sort().filter((name) => name <= path.basename(dir))
  const points: TrendPoint[] = []
  for (const name of siblings) {
    const sibling = path.join(path.dirname(dir), name)
    if (!isCampaign(sibling)) continue
    const { runs, violated, unknown } = summarize(await readResults(sibling))
    points.push({ started: startOf(sibling), runs, violated, unknown })
  }
  return points
}
