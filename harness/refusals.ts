/** What a plan asks for that cannot be, found before a run leaves its first trace. */
import { bugNames, bugProblem } from '../cluster/kv/bugs.ts'
import { findPreset } from '../cluster/kv/presets.ts'
import type { System } from '../cluster/system.ts'
import { impossibility, resolveFault } from '../nemesis/notation.ts'
import { refuseStrangers } from '../nemesis/schedule-file.ts'
import { realClock } from './clock.ts'
import { choose } from './command.ts'
import { canFailFast } from './fail-fast.ts'
import { nodeIds, zonesOf, type Plan } from './plan.ts'
import { promisedIn } from './promise.ts'
import { makeDriver, makeWorkload } from './registry.ts'
import { makeSystem } from './systems.ts'
import { UsageError } from './usage-error.ts'

/** Refuses a workload that the system cannot do, and a schedule that the driver cannot carry out on this machine: call it before a run leaves its first trace. Throws UsageError or WorkloadError. */
export async function refuseImpossible(plan: Plan): Promise<void> {
  const system = await makeSystem(plan)
  await makeWorkload(plan.workload, system)
  refuseDriver(plan, system)
  const scene = { nodes: nodeIds(plan), system, zones: zonesOf(plan) }
  refuseStrangers(plan.schedule, scene)
  const driver = await makeDriver(plan, realClock())
  const report = await driver.capabilities()
  if (Object.values(report).every(({ available }) => !available)) throw new UsageError(report.kill.reason)
  for (const { fault } of plan.schedule) {
    const problem = impossibility(resolveFault(fault), report, scene)
    if (problem !== undefined) throw new UsageError(`The ${driver.name} driver cannot carry out ${fault} here: ${problem}. splitbrain doctor shows what each driver can do.`)
  }
}

/**
 * Refuses a planted bug of a part of our own store that this preset does not have: a run by itself would say nothing of the
 * bug. In a campaign such cells are what the others are compared with. Throws UsageError.
 */
export function refuseIdleBugs({ system, preset, nodes, bugs = [], options }: Plan): void {
  if (system !== 'kv') return
  const chosen = { ...findPreset(preset).options(nodes), ...options }
  for (const bug of bugs) {
    const problem = bugProblem(choose('bug', bug, bugNames), chosen)
    if (problem !== undefined) throw new UsageError(`Preset ${preset}: ${problem}.`)
  }
}

/** Refuses to watch a run whose promise can only be judged at its end. Throws UsageError. */
export async function refuseToWatch(plan: Plan): Promise<void> {
  const system = await makeSystem(plan)
  const workload = await makeWorkload(plan.workload, system)
  const promised = promisedIn(plan, system, workload)
  if (canFailFast(workload.judgements, promised)) return
  throw new UsageError(`--fail-fast cannot watch for what this run is judged against (${promised}, workload ${plan.workload}): that can be judged at the end only; leave it out, or choose what can be watched with --expect linearizable.`)
}

/** Refuses a driver that has no way to run the system's nodes. Throws UsageError. */
function refuseDriver({ driver }: Plan, system: System): void {
  const [spec] = system.nodes(['n1'])
  if (driver === 'sim' && spec?.start === undefined) throw new UsageError(`${system.name} cannot run in the simulator, which needs nodes that take their clock, network and disk from the harness; choose --driver netns, process or docker.`)
  if (driver === 'docker' && spec?.image === undefined) throw new UsageError(`${system.name} does not say how its nodes run in a container; give its nodes an \`image\`, or choose --driver netns or process.`)
  if (driver === 'process' && system.sharedAddresses === true && process.platform !== 'linux') throw new UsageError(`The nodes of ${system.name} must know each other by addresses that are the same for all; between processes that takes Linux, whose /proc tells who opened a connection. Choose --driver docker.`)
}
