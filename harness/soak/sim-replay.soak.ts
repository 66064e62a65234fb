/**
 * The simulator's promise: the same plan and seed give the same history and the same verdict, byte for byte.
 * Every seed draws its own preset and faults, runs twice, and the two folders are compared.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { simDriver } from '../../cluster/drivers/sim/driver.ts'
import { planSwarm } from '../../nemesis/swarm.ts'
import { faults } from '../../nemesis/index.ts'
import { VirtualClock } from '../clock.ts'
import { nodeIds, planDefaults, type Plan } from '../plan.ts'
import { pick, seededRandom } from '../random.ts'
import { kvPresets } from '../systems.ts'
import { runPlan } from '../run.ts'

const report = await simDriver({ clock: new VirtualClock() }).capabilities()
const simulated = [...faults.values()].filter(({ needs, irreparable }) => irreparable !== true && needs.every((capability) => report[capability].available))

/** A simulated run whose every choice depends on the seed alone. */
export function drawnPlan(seed: number, timeMs: number): Plan {
  const random = seededRandom(seed).fork('plan')
  return {
    ...planDefaults,
    schema: 'splitbrain-plan/1',
    name: 'drawn',
    driver: 'sim',
    preset: pick(random, kvPresets).name,
    rate: 200,
    time_ms: timeMs,
    seed,
    schedule: planSwarm(simulated, timeMs, random, { nodes: nodeIds(planDefaults), system: {}, zones: {} }),
  }
}

/** Runs a plan in a folder of its own and returns what it wrote. */
export async function runFiles(plan: Plan): Promise<{ history: string; verdict: string }> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-'))
  try {
    await runPlan(plan, { dir, label: plan.name, emit: () => undefined, repeat: 'npx splitbrain run', started: new Date(0).toISOString() })
    return { history: await readFile(path.join(dir, 'history.jsonl'), 'utf8'), verdict: await readFile(path.join(dir, 'verdict.json'), 'utf8') }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

export const soak = {
  name: 'sim-replay',
  describes: 'simulated runs repeated with the same seed are byte-identical (histories and verdicts)',
  full: 100,
  slice: 2,
  async run(cases: number, seed: number, print: (line: string) => void): Promise<boolean> {
    let different = 0
    for (let i = 0; i < cases; i++) {
      const plan = drawnPlan(seed + i, 15_000)
      const [one, two] = [await runFiles(plan), await runFiles(plan)]
      if (one.history === two.history && one.verdict === two.verdict) continue
      different++
      print(`seed ${seed + i} (${plan.preset}: ${plan.schedule.map((s) => s.fault).join(', ')}) gave two different ${one.history === two.history ? 'verdicts' : 'histories'}`)
    }
    print(`${cases - different} of ${cases} seeds replayed byte for byte`)
    return different === 0
  },
}
