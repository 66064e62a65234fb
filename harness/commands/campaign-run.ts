/** `splitbrain campaign run` and `resume`: carries a campaign through and decides the exit code. */
import os from 'node:os'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { exitCodes } from '../../checker/exit-codes.ts'
import type { VerdictWord } from '../../checker/verdict.ts'
import { compareCampaigns, isWorse, type CampaignComparison } from '../../reports/campaign/compare.ts'
import type { CampaignEvent, CampaignReporter } from '../../reports/campaign/events.ts'
import type { CampaignSummary, CellCounts } from '../../reports/campaign/summary.ts'
import { splitList } from '../../nemesis/notation.ts'
import { parseDuration } from '../../nemesis/schedule.ts'
import { runCampaign } from '../campaign/campaign.ts'
import { parseCampaign, type Campaign, type CampaignDefinition } from '../campaign/definition.ts'
import { cutOf, repeatOf, saveCampaign, writeCampaign } from '../campaign/folder.ts'
import { commitHere, prepareCells } from '../campaign/prepare.ts'
import { realClock } from '../clock.ts'
import type { Arguments, Option } from '../command.ts'
import type { Clock } from '../env.ts'
import { onInterrupt } from '../interrupt.ts'
import { driverNames } from '../plan.ts'
import { point } from '../run-folder.ts'
import { createCampaign, findCampaign, openCampaign, sweepQueues, type CampaignRow } from '../store/campaigns.ts'
import { summarize } from '../store/summary.ts'
import { UsageError } from '../usage-error.ts'
import { importUserModule } from '../user-module.ts'
import { version } from '../version.ts'
import { planOptions } from './plan-options.ts'
import { campaignReporterFrom } from './reporters.ts'
import { withoutDatabase, withStore, type WorkStore } from './store-options.ts'

/** Options of `run` that all cells share when they are given. */
const shared = ['nodes', 'clients', 'rate', 'time', 'op-timeout', 'expect', 'bug'] as const

/** What `campaign run` makes its matrix of. */
export const matrixOptions: Readonly<Record<string, Option>> = {
  presets: { value: 'LIST', describes: 'rows: configurations of the store', default: 'abd,quorum,one' },
  workloads: { value: 'LIST', describes: 'rows: what clients do; separated by semicolons where one has commas of its own', default: 'register' },
  driver: { value: 'LIST', describes: `rows: where the nodes run: ${driverNames.join(', ')}`, default: 'sim' },
  nemesis: { value: 'LIST', describes: 'columns: what run --nemesis takes; separated by semicolons where one has commas of its own', default: 'none,partition,kill,pause' },
  seeds: { value: 'N', describes: 'runs of each cell', default: '5; with --budget or --until, as many as it takes' },
  seed: { value: 'N', describes: 'the first seed', default: '1' },
  budget: { value: 'TIME', describes: 'stop in time: the runs that teach most come first, none is begun that would not end' },
  until: { value: 'SHARE', describes: 'stop a cell when the interval of its violation rate, at this confidence, is narrow enough: 95%, or 95%:4 for no wider than 4 points', default: '10 points' },
  'fail-fast': { describes: 'stop the campaign at the first violation' },
  detach: { describes: 'only write the campaign down: workers of other machines carry it out' },
  baseline: { value: 'CAMPAIGN', describes: 'an earlier campaign: only what it did not find fails' },
  name: { value: 'NAME', describes: "the campaign's name", default: 'campaign' },
  ...Object.fromEntries(shared.map((name) => [name, planOptions[name]!])),
}

/** The width of the interval that is narrow enough when nobody says. */
const WIDTH = 0.1
const NOTE_NS = 2e9

/** `campaign run`. */
export async function runNewCampaign(args: Arguments, file: string | undefined): Promise<number> {
  const definition = file === undefined ? parseCampaign(fromOptions(args), 'the command line') : parseCampaign({ ...await readDefinition(file), ...overridesOf(args) }, file)
  return carryThrough(args, definition.name, async ({ database, queue }) => {
    await sweepQueues(database, queue)
    const cells = await prepareCells(definition, database.embedded)
    if (cells.every(({ impossible }) => impossible !== null)) throw new UsageError(`This machine can run no cell of the campaign: ${cells[0]!.impossible}`)
    return createCampaign(database, queue, { definition, words: withoutDatabase(args.words), version, commit: await commitHere(), budgetMs: budgetOf(args), cells })
  })
}

/** `campaign resume`: what is left of a campaign that was cut short. */
export function resumeCampaign(args: Arguments, reference: string | undefined): Promise<number> {
  return carryThrough(args, reference ?? 'campaign', async ({ database, queue }) => {
    const { id, name, state, cut, seeds, definition } = await findCampaign(database, reference)
    if (state === 'cancelled') throw new UsageError(`The campaign ${name} was cancelled; run it anew with splitbrain campaign run.`)
    if (state === 'finished' && cut === null) throw new UsageError(`The campaign ${name} has ended: every cell has its seeds. splitbrain campaign report ${id} shows it.`)
    if (seeds === null && definition.until === undefined && budgetOf(args) === null) throw new UsageError(`The campaign ${name} has neither seeds nor an aim, and would never end: give it another budget, as in --budget 10m.`)
    await openCampaign(database, queue, id, budgetOf(args))
    return id
  })
}

/** Opens the store, has a campaign made or found, and carries it through. */
async function carryThrough(args: Arguments, title: string, begin: (store: WorkStore) => Promise<number>): Promise<number> {
  const reporter = campaignReporterFrom(args, title)
  const concurrency = args.flag('detach') ? 0 : (args.integer('concurrency', { min: 0, max: 1_000 }) ?? os.availableParallelism())
  const interrupt = onInterrupt(() => reporter.on({ type: 'warning', message: 'Interrupted: runs that go on are stopped and will be made again, everything that ended is kept. Once more to leave at once.' }))
  try {
    return await withStore(args, { migrates: true, connections: concurrency + 4, tell: (message) => reporter.on({ type: 'warning', message }) }, async (store) => {
      const baseline = args.text('baseline') === undefined ? undefined : await summarize(store.database, (await findCampaign(store.database, args.text('baseline'))).id)
      const id = await begin(store)
      if (args.flag('detach')) {
        console.log(`Campaign ${id} waits for workers: splitbrain worker --database ... carries it out, splitbrain campaign status ${id} shows how far it is.`)
        return exitCodes.holds
      }
      const campaign = await findCampaign(store.database, String(id))
      const clock = realClock()
      const note = noteProgress(store, campaign, clock)
      await runCampaign(id, { ...store, clock, concurrency, commit: await commitHere(), signal: interrupt.signal, emit: (event) => (note(event), reporter.on(event)) })
      return await conclude(store, await findCampaign(store.database, String(id)), baseline, reporter)
    })
  } finally {
    interrupt.dispose()
  }
}

/** Notes in the campaign's folder how far it is, now and then, for `splitbrain serve`. */
function noteProgress({ database }: WorkStore, campaign: CampaignRow, clock: Clock): (event: CampaignEvent) => void {
  let next = 0
  return (event) => {
    if (event.type !== 'progress' || clock.now() < next) return
    next = clock.now() + NOTE_NS
    const { cells, done } = event
    const sum = (pick: (cell: CellCounts) => number): number => cells.reduce((total, cell) => total + pick(cell), 0)
    const counts = { configurations: [...new Set(cells.map(({ configuration }) => configuration))], nemeses: [...new Set(cells.map(({ nemesis }) => nemesis))], runs: done, violated: sum(({ violated }) => violated), unknown: sum(({ unknown }) => unknown) }
    // What cannot be noted is seen in the end.
    void saveCampaign(database, campaign, counts).catch(() => undefined)
  }
}

/** Writes everything that is shown, and decides the exit code. */
async function conclude({ database }: WorkStore, campaign: CampaignRow, baseline: CampaignSummary | undefined, reporter: CampaignReporter): Promise<number> {
  const { report, summary } = await writeCampaign(database, campaign)
  await point('latest', path.dirname(report))
  const comparison = baseline === undefined ? null : compareCampaigns(baseline, summary)
  reporter.on({ type: 'end', name: campaign.name, started: campaign.createdAt.toISOString(), repeat: repeatOf(campaign), summary, comparison, cut: cutOf(campaign), report: path.relative(process.cwd(), report) })
  return exitCode(campaign, summary, comparison)
}

/** Violated when a promise broke (with a baseline: in a way that it does not know); unknown when something is not known, or a cell had no run; otherwise holds. */
function exitCode({ cut }: CampaignRow, { cells, violated, unknown }: CampaignSummary, comparison: CampaignComparison | null): number {
  const fresh = comparison === null ? violated > 0 : isWorse(comparison)
  const untried = cells.some((cell) => cell.impossible === null && cell.decided + cell.unknown === 0)
  const verdict: VerdictWord = fresh ? 'violated' : unknown > 0 || untried || cut === 'interrupted' || cut === 'cancelled' ? 'unknown' : 'holds'
  return exitCodes[verdict]
}

const budgetOf = (args: Arguments): number | null => (args.text('budget') === undefined ? null : parseDuration(args.text('budget')!))

/** Separated by semicolons if there is one, otherwise by commas outside of parentheses. */
function list(text: string): string[] {
  return text.includes(';') ? text.split(';').map((one) => one.trim()).filter((one) => one !== '') : splitList(text)
}

function fromOptions(args: Arguments): CampaignDefinition {
  const drivers = list(args.text('driver') ?? 'sim')
  const rows = list(args.text('presets') ?? 'abd,quorum,one').flatMap((preset) => list(args.text('workloads') ?? 'register').map((workload) => ({ preset, workload })))
  return {
    name: 'campaign',
    options: Object.fromEntries([...(drivers.length === 1 ? [['driver', drivers[0]!]] : []), ...shared.flatMap((name) => (args.text(name) === undefined ? [] : [[name, args.text(name)!]]))]) as Record<string, string>,
    configurations: drivers.length === 1 ? rows : rows.flatMap((row) => drivers.map((driver) => ({ ...row, driver }))),
    nemeses: list(args.text('nemesis') ?? 'none,partition,kill,pause'),
    ...overridesOf(args),
  }
}

/** What the command line says of any campaign, one in a file too. */
function overridesOf(args: Arguments): Partial<CampaignDefinition> {
  const seeds = args.integer('seeds', { min: 1, max: 1_000_000 })
  const firstSeed = args.integer('seed', { min: 0, max: 0x7fffffff })
  const name = args.text('name')
  return {
    ...(name === undefined ? {} : { name }),
    ...(seeds === undefined ? {} : { seeds }),
    ...(firstSeed === undefined ? {} : { first_seed: firstSeed }),
    ...(args.text('until') === undefined ? {} : { until: untilOf(args.text('until')!) }),
    ...(args.flag('fail-fast') ? { fail_fast: true } : {}),
  }
}

function untilOf(text: string): { readonly confidence: number; readonly width: number } {
  const [, share, points] = /^(\d+(?:\.\d+)?)%(?::(\d+(?:\.\d+)?))?$/.exec(text) ?? []
  const confidence = Number(share) / 100
  const width = points === undefined ? WIDTH : Number(points) / 100
  if (!(confidence > 0.5 && confidence < 1 && width > 0 && width < 1)) throw new UsageError(`--until takes a confidence as in 95%, or with the width of the interval in points as in 95%:4, not "${text}".`)
  return { confidence, width }
}

/** JSON, or a module whose default export is `defineCampaign({ ... })`. */
async function readDefinition(file: string): Promise<Partial<Campaign>> {
  const definition = path.extname(file) === '.json' ? await readJson(file) : (await importUserModule(file))['default']
  if (typeof definition !== 'object' || definition === null) throw new UsageError(`${file} exports no campaign: write "export default defineCampaign({ ... })".`)
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
