/**
 * What `--nemesis` and `--schedule` say, as a schedule. `all` and `swarm` ask the driver what it can do on this machine;
 * what comes of it stands in the plan, so that the plan repeats the same faults on any machine.
 */
import { readFile } from 'node:fs/promises'
import type { Fault } from '../../nemesis/fault.ts'
import { faults } from '../../nemesis/index.ts'
import { impossibility } from '../../nemesis/notation.ts'
import { parseNemesis, planSchedule, SLOT_MIN_MS, type Schedule } from '../../nemesis/schedule.ts'
import { parseScheduleFile, type ScheduleFile } from '../../nemesis/schedule-file.ts'
import { planSwarm } from '../../nemesis/swarm.ts'
import type { Scene } from '../../nemesis/targets.ts'
import { realClock } from '../clock.ts'
import { nodeIds, zonesOf, type Plan } from '../plan.ts'
import { seededRandom } from '../random.ts'
import { makeDriver } from '../registry.ts'
import { makeSystem } from '../systems.ts'
import { UsageError } from '../usage-error.ts'

/** Reads a schedule file. Throws UsageError or ScheduleError. */
export async function readScheduleFile(file: string): Promise<ScheduleFile> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new UsageError(`--schedule ${file} cannot be read: ${(error as Error).message}.`)
  }
  return parseScheduleFile(text, file)
}

/** The faults that the plan's driver can carry out here, on the plan's system. */
async function availableFaults(plan: Plan): Promise<Fault[]> {
  const scene = await sceneOf(plan)
  const report = await (await makeDriver(plan, realClock())).capabilities()
  return [...faults.values()].filter((fault) => fault.irreparable !== true && impossibility({ fault, variant: fault.variants[0]! }, report, scene) === undefined)
}

/** What is struck, as selectors see it before the run. */
async function sceneOf(plan: Plan): Promise<Scene> {
  return { nodes: nodeIds(plan), system: await makeSystem(plan), zones: zonesOf(plan) }
}

/** The schedule of a nemesis for this plan. Throws ScheduleError or UsageError. */
export async function nemesisFrom(nemesis: string, plan: Plan): Promise<Schedule> {
  const random = seededRandom(plan.seed).fork('schedule')
  if (nemesis === 'swarm') return planSwarm(await availableFaults(plan), plan.time_ms, random, await sceneOf(plan))
  if (nemesis !== 'all') return planSchedule(parseNemesis(nemesis), plan.time_ms, random)
  const all = await availableFaults(plan)
  const neededMs = all.length * SLOT_MIN_MS
  if (plan.time_ms < neededMs) throw new UsageError(`--nemesis all is ${all.length} faults here, and each needs ${SLOT_MIN_MS / 1000} s: give --time ${neededMs / 1000}s or more.`)
  return planSchedule(parseNemesis(all.map(({ name }) => name).join(',')), plan.time_ms, random)
}
