/**
 * Names to things: what `--driver`, `--preset` and `--workload` may say.
 */
import type { Driver } from '../cluster/cluster.ts'
import type { System } from '../cluster/system.ts'
import { dockerDriver } from '../cluster/drivers/docker/driver.ts'
import { netnsDriver } from '../cluster/drivers/netns/driver.ts'
import { processDriver } from '../cluster/drivers/process/driver.ts'
import { simDriver } from '../cluster/drivers/sim/driver.ts'
import { presets } from '../cluster/kv/presets.ts'
import { kvSystem } from '../cluster/systems/kv.ts'
import { refuseWithoutNeeds, workloadFrom } from '../workloads/index.ts'
import type { Workload } from '../workloads/workload.ts'
import { realClock, VirtualClock } from './clock.ts'
import { choose } from './command.ts'
import type { Clock } from './env.ts'
import { driverNames, type Plan } from './plan.ts'
import { runsDir } from './run-folder.ts'

/** What `--preset` may say, with what each promises. */
export const presetPromises = (): { name: string; promise: string }[] => Object.entries(presets).map(([name, { promise }]) => ({ name, promise }))

/** The workload that a plan's text names, on its system. Throws WorkloadError, also when the system cannot do what it needs. */
export function makeWorkload(text: string, system: System): Workload {
  refuseWithoutNeeds(text, system)
  return workloadFrom(text, new Set(system.functions))
}

/** The system that a plan tests. Throws UsageError for an unknown preset. */
export function makeSystem({ preset }: Pick<Plan, 'preset'>): System {
  return kvSystem({ preset: choose('preset', preset, Object.keys(presets)) })
}

/** The driver that a plan runs on. `clock` is the simulator's when it is virtual. */
export function makeDriver({ driver }: Pick<Plan, 'driver'>, clock: Clock): Driver {
  switch (driver) {
    case 'process':
      return processDriver({ runsDir: runsDir() })
    case 'netns':
      return netnsDriver({ runsDir: runsDir() })
    case 'docker':
      return dockerDriver()
    case 'sim':
      return simDriver({ clock: clock instanceof VirtualClock ? clock : new VirtualClock() })
  }
}

/** Every driver, for the doctor and for cleaning. */
export function allDrivers(): Driver[] {
  return driverNames.map((driver) => makeDriver({ driver }, realClock()))
}
