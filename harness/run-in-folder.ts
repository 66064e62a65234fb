/**
 * A run with everything that belongs to it: a folder of its own under runs/, the verdict, the report, and the link `runs/latest`. What `splitbrain run` and the package's `run` do.
 */
import { writeReport } from './report-files.ts'
import type { RunEvent } from '../reports/events.ts'
import { configurationName, type Plan } from './plan.ts'
import { createRunFolder, point } from './run-folder.ts'
import { runPlan, type RunResult } from './run.ts'

/** How a run tells of itself, and how it is stopped. */
export interface RunInFolderOptions {
  /** The command that repeats it. */
  readonly repeat: string
  readonly emit: (event: RunEvent) => void
  readonly signal?: AbortSignal
  /** Stop at the first violation. */
  readonly failFast?: boolean
}

/** What a run left behind. */
export interface FolderRun extends RunResult {
  readonly plan: Plan
  readonly dir: string
  /** The path of report.html. */
  readonly report: string
}

/** Runs of the simulator are dated alike, so that equal seeds leave equal folders. */
const SIMULATED_DATE = new Date(Date.UTC(2025, 0, 1)).toISOString()

/** When a run says that it began (ISO 8601). */
export const startedOf = ({ driver }: Pick<Plan, 'driver'>, startedMs: number): string => (driver === 'sim' ? SIMULATED_DATE : new Date(startedMs).toISOString())

/** Carries out a plan that `refuseImpossible` has let pass. */
export async function runInFolder(plan: Plan, { emit, ...options }: RunInFolderOptions): Promise<FolderRun> {
  const configuration = configurationName(plan)
  const startedMs = Date.now()
  const dir = await createRunFolder(plan.name, startedMs)
  const started = startedOf(plan, startedMs)
  emit({ type: 'announce', run: plan.name, describes: `${configuration} on ${plan.nodes} nodes (${plan.driver})` })
  const result = await runPlan(plan, { ...options, dir, label: plan.name, emit, started })
  emit({ type: 'phase', run: plan.name, phase: 'report', left_ms: null })
  const report = await writeReport([{ name: configuration, dir, ...result }], { dir, title: plan.name, repeat: options.repeat, generated: started })
  await point('latest', dir)
  return { ...result, plan, dir, report }
}
