/** Simulated runs for tests: what `splitbrain run --driver sim` does, in a folder of its own. */
import { mkdtemp } from 'node:fs/promises'
import path from 'node:path'
import * as assert from 'uvu/assert'
import { contradictionIn } from '../../checker/testing/monotone.ts'
import { parseNemesis, planSchedule } from '../../nemesis/schedule.ts'
import { planDefaults, type Plan } from '../plan.ts'
import { runPlan, type RunResult } from '../run.ts'

/** A plan of 300 operations per second in the simulator. */
export function simulatedPlan(preset: string, nemesis: string, seed: number, timeMs = 12_000): Plan {
  return { ...planDefaults, schema: 'splitbrain-plan/1', name: 'test', driver: 'sim', preset, rate: 300, time_ms: timeMs, seed, schedule: planSchedule(parseNemesis(nemesis), timeMs) }
}

/** A run and the folder in which it left its files. */
export type Run = RunResult & { readonly dir: string }

/** Carries the plan out in a new folder below `folder`. Asserts that its judgements do not contradict each other. */
export async function simulate(folder: string, plan: Plan, failFast = false): Promise<Run> {
  const dir = await mkdtemp(path.join(folder, 'run-'))
  const result = await runPlan(plan, { dir, label: 'test', emit: () => undefined, failFast, repeat: 'npx splitbrain run', started: new Date(0).toISOString() })
  assert.is(contradictionIn(result.document.judgements), undefined)
  return { ...result, dir }
}
