/**
 * Names to things: what `--driver` and `--workload` may say. (`--system` and `--preset`: systems.ts.)
 */
import type { Driver } from '../cluster/cluster.ts'
import type { System } from '../cluster/system.ts'
import { dockerDriver, type DockerDriverOptions } from '../cluster/drivers/docker/driver.ts'
import { netnsDriver } from '../cluster/drivers/netns/driver.ts'
import { processDriver } from '../cluster/drivers/process/driver.ts'
import { simDriver } from '../cluster/drivers/sim/driver.ts'
import { refuseWithoutNeeds, storeOf, workloadFrom } from '../workloads/index.ts'
import type { Workload } from '../workloads/workload.ts'
import { realClock, VirtualClock } from './clock.ts'
import type { Clock } from './env.ts'
import { driverNames, type Containers, type Plan } from './plan.ts'
import { runsDir } from './run-folder.ts'
import { loadWorkloadFile } from './workload-file.ts'

/** The workload that a plan's text names, on its system. Throws WorkloadError, also when the system cannot do what it needs; UsageError for a file that is no workload. */
export async function makeWorkload(text: string, system: System): Promise<Workload> {
  await loadWorkloadFile(text)
  refuseWithoutNeeds(text, system)
  return workloadFrom(text, storeOf(system))
}

/** The driver that a plan runs on. `clock` is the simulator's when it is virtual. */
export function makeDriver({ driver, containers }: Pick<Plan, 'driver' | 'containers'>, clock: Clock): Driver {
  switch (driver) {
    case 'process':
      return processDriver({ runsDir: runsDir() })
    case 'netns':
      return netnsDriver({ runsDir: runsDir() })
    case 'docker':
      return dockerDriver(dockerOptions(containers))
    case 'sim':
      return simDriver({ clock: clock instanceof VirtualClock ? clock : new VirtualClock() })
  }
}

/** A plan's containers in the driver's words. */
export function dockerOptions({ hosts, base_image: baseImage, cpus, memory_mb: memoryMb, pids }: Containers = {}): DockerDriverOptions {
  return {
    ...(hosts === undefined ? {} : { hosts }),
    ...(baseImage === undefined ? {} : { baseImage }),
    limits: { ...(cpus === undefined ? {} : { cpus }), ...(memoryMb === undefined ? {} : { memoryMb }), ...(pids === undefined ? {} : { pids }) },
  }
}

/** Where nodes run when nobody says where. */
export interface DefaultDriver {
  readonly driver: Plan['driver']
  /** Why it is not network namespaces, in a sentence; undefined when it is. */
  readonly instead: string | undefined
}

/** Network namespaces, whose packets are real and which leave nothing behind; plain processes where this machine has none. */
export async function defaultDriver(): Promise<DefaultDriver> {
  const { available, reason } = (await netnsDriver().capabilities()).cut
  if (available) return { driver: 'netns', instead: undefined }
  return { driver: 'process', instead: `The nodes run as plain processes behind link proxies: ${reason.replace(/; use --driver \w+$/, '')}.` }
}

/** Every driver, for the doctor and for cleaning. */
export function allDrivers(containers?: Containers): Driver[] {
  return driverNames.map((driver) => makeDriver({ driver, containers }, realClock()))
}
