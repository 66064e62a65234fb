/**
 * Measured t-visibility against what PBS predicts from the same run's delays (Bailis et al., VLDB 2012, section 5.3
 * did it for Cassandra): preset `one`, three real processes, no fault; and once more with messages between nodes held
 * up by their links, because on a healthy machine they outrun the disk that an acknowledgement waits for.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { Visibility } from '../../checker/t-visibility.ts'
import { planDefaults, type Plan } from '../plan.ts'
import { runPlan } from '../run.ts'

/** In percentage points. */
const RMS_MAX = 5
const TIME_MS = 15_000

const conditions: readonly (readonly [name: string, schedule: Plan['schedule']])[] = [
  ['healthy', []],
  ['links delayed', [{ fault: 'delay(all)', at_ms: 0, for_ms: TIME_MS }]],
]

/** A run's curve as measured and as predicted. */
async function measure(schedule: Plan['schedule'], seed: number): Promise<{ readonly steps: readonly Visibility[]; readonly rms: number | null }> {
  const plan: Plan = {
    ...planDefaults,
    schema: 'splitbrain-plan/1',
    name: 'pbs',
    driver: 'process',
    preset: 'one',
    nodes: 3,
    clients: 12,
    workload: 'register(keys=20,read-share=0.9)',
    rate: 600,
    time_ms: TIME_MS,
    seed,
    schedule,
  }
  const dir = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-'))
  try {
    const { document } = await runPlan(plan, { dir, label: plan.name, emit: () => undefined, repeat: 'npx splitbrain run', started: new Date(0).toISOString() })
    const { metrics } = document.judgements.find(({ judgement }) => judgement === 'staleness')!
    return { steps: metrics['t_visibility'] as unknown as Visibility[], rms: metrics['pbs_rms_points'] as number | null }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

function line({ t_ms: tMs, reads, consistent, predicted }: Visibility): string {
  const percent = (share: number | null): string => (share === null ? '-' : `${(share * 100).toFixed(1)} %`)
  return `  ${tMs === null ? 'later' : `up to ${tMs} ms`}: ${reads} reads, ${percent(consistent / reads)} consistent, predicted ${percent(predicted)}`
}

export const soak = {
  name: 'pbs',
  describes: 'preset one on three processes: t-visibility as measured and as PBS predicts it, less than 5 points apart, on healthy links and on slow ones',
  full: 6,
  slice: 2,
  async run(cases: number, seed: number, print: (line: string) => void): Promise<boolean> {
    let passed = true
    for (let i = 0; i < cases; i++) {
      const [name, schedule] = conditions[i % conditions.length]!
      const { steps, rms } = await measure(schedule, seed + i)
      print(`${name}, seed ${seed + i}: root mean square difference ${rms === null ? 'unknown' : `${rms.toFixed(2)} points`}`)
      for (const step of steps) print(line(step))
      passed &&= rms !== null && rms < RMS_MAX
    }
    return passed
  },
}
