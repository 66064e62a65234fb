/**
 * Correct presets under faults and real workloads, drawn anew for every run: no judgement may call what a preset promises
 * broken (its model, convergence, the durability of what was confirmed, what a workload's object asks of it).
 */
import { presets } from '../../cluster/kv/presets.ts'
import { ScheduleError } from '../../nemesis/notation.ts'
import { parseNemesis, planSchedule } from '../../nemesis/schedule.ts'
import { WorkloadError, workloadKinds } from '../../workloads/index.ts'
import { UsageError } from '../usage-error.ts'
import type { Plan } from '../plan.ts'
import { pick, seededRandom } from '../random.ts'
import { refuseImpossible } from '../refusals.ts'
import { conformancePlan, selectsSomebody, possibleFaults, verdictOf } from './conformance.soak.ts'

/** Short runs: what is asked for is many different ones. */
const TIME_MS = 6_000
const RATE = 100

/** A run of a preset, a workload that it can carry and a fault, all drawn from the seed. */
async function drawPlan(seed: number, faults: Awaited<ReturnType<typeof possibleFaults>>): Promise<Plan> {
  const random = seededRandom(seed)
  for (;;) {
    const preset = pick(random, Object.keys(presets))
    const [name, variants] = pick(random, faults)
    const fault = `${name}(${pick(random, variants.filter((variant) => selectsSomebody(preset, variant)))})`
    const schedule = planSchedule(parseNemesis(fault), TIME_MS, random)
    const plan = { ...conformancePlan(preset, fault, seed), workload: pick(random, workloadKinds).name, rate: RATE, time_ms: TIME_MS, schedule }
    try {
      await refuseImpossible(plan)
      return plan
    } catch (error) {
      // What a preset cannot do is no run of it: another one is drawn.
      if (!(error instanceof UsageError || error instanceof WorkloadError || error instanceof ScheduleError)) throw error
    }
  }
}

export const soak = {
  name: 'no-false-alarms',
  describes: 'correct presets x workloads x faults in the simulator, drawn anew for every run: no promise is called broken',
  full: 1_000,
  slice: 4,
  async run(cases: number, seed: number, print: (line: string) => void): Promise<boolean> {
    const faults = await possibleFaults('sim')
    const counts = { holds: 0, unknown: 0, violated: 0 }
    const workloads = new Set<string>()
    const reasons = new Map<string, number>()
    for (let i = 0; i < cases; i++) {
      const plan = await drawPlan(seed + i, faults)
      workloads.add(plan.workload)
      const document = await verdictOf(plan)
      counts[document.verdict]++
      if (document.reason !== undefined) reasons.set(document.reason, (reasons.get(document.reason) ?? 0) + 1)
      if (document.verdict === 'violated') print(`${plan.preset}, ${plan.workload}, ${plan.schedule.map(({ fault }) => fault).join(', ')}, seed ${plan.seed}: ${document.sentence}`)
      if ((i + 1) % 100 === 0) print(`${i + 1} runs: ${counts.holds} hold, ${counts.unknown} unknown, ${counts.violated} violated`)
    }
    print(`${cases} runs of ${workloads.size} workloads: ${counts.holds} hold, ${counts.unknown} unknown, ${counts.violated} violated`)
    for (const [reason, count] of [...reasons].toSorted(([, a], [, b]) => b - a)) print(`  unknown ${count}: ${reason}`)
    return counts.violated === 0
  },
}
