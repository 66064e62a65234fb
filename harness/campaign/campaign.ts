/**
 * Carries out a campaign: one run after the other until every cell has its seeds, the budget is spent or somebody says
 * stop. Each run has a folder of its own and a line in `results.jsonl` the moment it ends, so that a campaign can be
 * killed at any time and goes on where it was.
 */
import { appendFile, mkdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { resultOf, resultSchema, crashResult, type Place, type Result } from '../../reports/campaign/results.ts'
import type { RunEvent } from '../../reports/events.ts'
import { realClock } from '../clock.ts'
import { repeatCommand } from '../commands/plan-options.ts'
import { writeReport } from '../report-files.ts'
import { save } from '../run-folder.ts'
import { refuseImpossible, runPlan } from '../run.ts'
import { chooseCell, type CellState } from './choose.ts'
import { cellsOf, planOf, type Campaign, type Cell } from './definition.ts'

/** How a campaign is carried out. */
export interface CampaignOptions {
  /** Its folder; it exists. */
  readonly dir: string
  /** Milliseconds for all of it; Infinity: until every cell has its seeds. */
  readonly budgetMs: number
  readonly signal: AbortSignal
  /** Called for every run that ended, those of an earlier start excepted. */
  readonly onResult: (result: Result, done: number) => void
  readonly emit: (event: RunEvent) => void
}

/** A cell that this machine cannot run, and why. */
export interface Impossible {
  readonly cell: Cell
  readonly reason: string
}

/** What came of it. */
export interface CampaignOutcome {
  readonly results: readonly Result[]
  readonly impossible: readonly Impossible[]
  /** Why it ended before every cell had its seeds; null when it did not. */
  readonly cut: 'budget' | 'interrupted' | null
}

/** Runs that a cell gets when neither seeds nor a budget was named. */
const SEEDS = 5
/** What starting, stopping and judging a run on real nodes take beside its own time, at most; a simulated run takes that in all. */
const OVERHEAD_MS = 20_000

/** Reads the lines of an earlier start; a line that was cut off by a kill is left out. */
export async function readResults(dir: string): Promise<Result[]> {
  const text = await readFile(path.join(dir, 'results.jsonl'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  return text.split('\n').slice(0, -1).map((line) => resultSchema.parse(JSON.parse(line)))
}

/** Carries out what is left of a campaign. Rejects for options that `splitbrain run` would refuse, before anything runs. */
export async function runCampaign(campaign: Campaign, options: CampaignOptions): Promise<CampaignOutcome> {
  const began = realClock()
  const seeds = campaign.seeds ?? (options.budgetMs === Infinity ? SEEDS : Infinity)
  const results = await readResults(options.dir)
  // A line that a kill cut off must not become a part of the next one.
  await save(options.dir, 'results.jsonl', results.map(lineOf).join(''))
  const { possible, impossible } = await tellApart(campaign)
  let cut: CampaignOutcome['cut'] = null
  for (;;) {
    if (options.signal.aborted) {
      cut = 'interrupted'
      break
    }
    const leftMs = options.budgetMs - began.now() / 1e6
    const states = possible.map((one) => stateOf(one, results))
    const next = chooseCell(states, leftMs, seeds)
    if (next === undefined) {
      if (states.some(({ decided, unknown }) => decided + unknown < seeds)) cut = 'budget'
      break
    }
    const { cell } = possible[next]!
    const done = results.filter((one) => isOf(cell, one)).length
    const result = await runCell(cell, campaign.first_seed + done, options)
    if (result === undefined) continue
    results.push(result)
    await appendFile(path.join(options.dir, 'results.jsonl'), lineOf(result))
    options.onResult(result, results.length)
  }
  return { results, impossible, cut }
}

const lineOf = (result: Result): string => `${JSON.stringify(result)}\n`

interface Possible {
  readonly cell: Cell
  /** Before anything is known: how long one run takes. */
  readonly guessMs: number
}

async function tellApart(campaign: Campaign): Promise<{ possible: Possible[]; impossible: Impossible[] }> {
  const possible: Possible[] = []
  const impossible: Impossible[] = []
  for (const cell of cellsOf(campaign)) {
    const plan = await planOf(cell, campaign.first_seed)
    const reason = await refuseImpossible(plan).then(() => undefined, (error: Error) => error.message)
    if (reason === undefined) possible.push({ cell, guessMs: OVERHEAD_MS + (plan.driver === 'sim' ? 0 : plan.time_ms + plan.converge_timeout_ms) })
    else impossible.push({ cell, reason })
  }
  return { possible, impossible }
}

const isOf = (cell: Cell, result: Result): boolean => result.configuration === cell.configuration && result.nemesis === cell.nemesis

/** A quarter more than the slowest run so far: the budget is a promise. */
function stateOf({ cell, guessMs }: Possible, results: readonly Result[]): CellState {
  const runs = results.filter((one) => isOf(cell, one))
  const unknown = runs.filter(({ verdict }) => verdict === 'unknown').length
  return {
    decided: runs.length - unknown,
    violated: runs.filter(({ verdict }) => verdict === 'violated').length,
    unknown,
    expectedMs: runs.length === 0 ? guessMs : 1.25 * Math.max(...runs.map(({ elapsed_ms }) => elapsed_ms)),
  }
}

/** One run; undefined when it was interrupted, since what was cut short says nothing about its cell. */
async function runCell(cell: Cell, seed: number, { dir, signal, emit }: CampaignOptions): Promise<Result | undefined> {
  const clock = realClock()
  const folder = path.join('cells', cell.folder, String(seed))
  const inner = path.join(dir, folder)
  // What an interrupted start left of this very run is not part of it.
  await rm(inner, { recursive: true, force: true })
  await mkdir(inner, { recursive: true })
  const repeat = repeatCommand(['run', ...cell.words], seed)
  const place = (): Place => ({ configuration: cell.configuration, nemesis: cell.nemesis, seed, dir: folder, repeat, elapsed_ms: Math.round(clock.now() / 1e6) })
  try {
    const started = new Date().toISOString()
    const { document, history } = await runPlan(await planOf(cell, seed), { dir: inner, label: `${cell.configuration} · ${cell.nemesis}`, emit, signal, repeat, started })
    if (signal.aborted) return undefined
    // The report of a run that holds can be made any time; one that fails is what somebody will open.
    if (document.verdict !== 'holds') await writeReport([{ name: cell.configuration, dir: inner, document, history }], { dir: inner, title: `${cell.configuration} under ${cell.nemesis}, seed ${seed}`, repeat, generated: started })
    return resultOf(place(), document, history)
  } catch (error) {
    if (signal.aborted) return undefined
    return crashResult(place(), error instanceof Error ? error.message : String(error))
  }
}
