/**
 * Several configurations under the same faults, one after the other, so that none disturbs another's measurements; and
 * one report of all of them. What the tour and `splitbrain cap` do.
 */
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { factsOf } from '../reports/facts.ts'
import type { Reporter } from '../reports/events.ts'
import { mergeVerdicts, models, type VerdictWord } from '../checker/verdict.ts'
import type { Plan } from './plan.ts'
import { writeReport, type JudgedRun } from './report-files.ts'
import { point } from './run-folder.ts'
import { runPlan } from './run.ts'

/** One run to make. */
export interface PlannedRun {
  /** The configuration's name; runs of the same configuration differ in their seeds. */
  readonly name: string
  readonly plan: Plan
}

/** How they are run and told about. */
export interface ConfigurationsOptions {
  /** Their common folder; it exists. */
  readonly dir: string
  readonly title: string
  readonly reporter: Reporter
  readonly signal: AbortSignal
  readonly repeat: string
  /** ISO 8601. */
  readonly started: string
}

interface SeededRun extends JudgedRun {
  readonly seed: number
}

/** What came of all runs. */
export interface ConfigurationsResult {
  /** The path of `report.html`. */
  readonly report: string
  /** Of all runs together: unknown at best where some were not made. */
  readonly verdict: VerdictWord
}

/** Makes every run until it is told to stop, and writes `report.html`. */
export async function runConfigurations(planned: readonly PlannedRun[], { dir, title, reporter, signal, repeat, started }: ConfigurationsOptions): Promise<ConfigurationsResult> {
  const several = new Set(planned.map(({ name }) => name)).size < planned.length
  const runs: SeededRun[] = []
  for (const { name, plan } of planned) {
    if (signal.aborted) break
    const label = several ? `${name}-${plan.seed}` : name
    const inner = path.join(dir, label)
    await mkdir(inner)
    const { document, history } = await runPlan(plan, { dir: inner, label, emit: (event) => reporter.on(event), signal, repeat, started })
    runs.push({ name, seed: plan.seed, dir: inner, document, history })
  }
  const unmade = planned.length - runs.length
  if (unmade > 0) reporter.on({ type: 'warning', run: planned[runs.length]!.name, message: `${unmade} of ${planned.length} runs were not made.` })
  const byName = [...new Set(runs.map(({ name }) => name))].map((name) => runs.filter((run) => run.name === name))
  const report = await writeReport(byName.map(weakest), {
    dir,
    title,
    repeat,
    generated: started,
    seeds: byName.map((ofName) => ({ name: ofName[0]!.name, runs: ofName.map(({ name, seed, document }) => ({ seed, facts: factsOf(name, document) })) })),
  })
  await point('latest', dir)
  return { report, verdict: mergeVerdicts([...runs.map(({ document }) => document.verdict), ...(unmade > 0 ? (['unknown'] as const) : [])]) }
}

/** The run in which the weakest model held: a configuration is as good as that. */
function weakest(runs: readonly SeededRun[]): SeededRun {
  const rank = ({ document: { strongest } }: SeededRun): number => (strongest === null ? models.length : models.indexOf(strongest))
  return runs.reduce((worst, run) => (rank(run) > rank(worst) ? run : worst))
}
