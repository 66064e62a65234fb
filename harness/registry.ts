/**
 * Names to things: what `--driver` and `--workload` may say. (`--system` and `--preset`: systems.ts.)
 */
import type { Driver } from '../cluster/cluster.ts'
import type { System } from '../cluster/system.ts'
import type { DockerDriverOptions } from '../cluster/drivers/docker/driver.ts'
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

/** The driver that a plan runs on, loaded when it is asked for. `clock` is the simulator's when it is virtual. */
export async function makeDriver({ driver, containers }: Pick<Plan, 'driver' | 'containers'>, clock: Clock): Promise<Driver> {
  switch (driver) {
    case 'process':
      return (await import('../cluster/drivers/process/driver.ts')).processDriver({ runsDir: runsDir() })
    case 'netns':
      return (await import('../cluster/drivers/netns/driver.ts')).netnsDriver({ runsDir: runsDir() })
    case 'docker':
      return (await import('../cluster/drivers/docker/driver.ts')).dockerDriver(dockerOptions(containers))
    case 'sim':
      return (await import('../cluster/drivers/sim/driver.ts')).simDriver({ clock: clock instanceof VirtualClock ? clock : new VirtualClock() })
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
  const { available, reason } = (await (await makeDriver({ driver: 'netns' }, realClock())).capabilities()).cut
  if (available) return { driver: 'netns', instead: undefined }
  return { driver: 'process', instead: `The nodes run as plain processes behind link proxies: ${reason.replace(/; use --driver \w+$/, '')}.` }
}

/** Every driver, for the doctor and for cleaning. */
export function allDrivers(containers?: Containers): Promise<Driver[]> {
  return Promise.all(driverNames.map((driver) => makeDriver({ driver, containers }, realClock())))
}
