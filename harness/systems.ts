/**
 * The systems that `--system` may name: each with its configurations, which `--preset` chooses from, or a file of the
 * user's own (`system-file.ts`).
 */
import path from 'node:path'
import { bugNames } from '../cluster/kv/bugs.ts'
import type { NodeOptions } from '../cluster/kv/config.ts'
import { presets } from '../cluster/kv/presets.ts'
import type { System } from '../cluster/system.ts'
import { etcdPromises, etcdSystem } from '../cluster/systems/etcd.ts'
import type { EtcdReads } from '../cluster/systems/etcd.ts'
import { kvSystem } from '../cluster/systems/kv.ts'
import { redisPromises, redisSentinelSystem } from '../cluster/systems/redis-sentinel.ts'
import type { RedisPreset } from '../cluster/systems/redis-sentinel.ts'
import { choose } from './command.ts'
import { planDefaults, type Plan } from './plan.ts'
import { loadSystemFile } from './system-file.ts'
import { UsageError } from './usage-error.ts'

/** A configuration of a system, and what it promises in one sentence. */
export interface PresetPromise {
  readonly name: string
  readonly promise: string
}

/** A system with its configurations. */
export interface SystemFamily {
  /** As in `plan.json`: a name, or a file's path. */
  readonly name: string
  readonly presets: readonly PresetPromise[]
  readonly defaultPreset: string
  /** `changes` are of our own store only. Throws UsageError. */
  make(preset: string, changes?: Changes): System
}

/** What a plan changes of a preset: planted mistakes, and choices that differ. */
type Changes = Pick<Plan, 'bugs' | 'options'>

/** The configurations of our own store. */
export const kvPresets: readonly PresetPromise[] = Object.entries(presets).map(([name, { promise }]) => ({ name, promise }))

function promisesOf(promises: Readonly<Record<string, string>>): PresetPromise[] {
  return Object.entries(promises).map(([name, promise]) => ({ name, promise }))
}

/** The systems that come with the harness. */
export const systemFamilies: readonly SystemFamily[] = [
  { name: 'kv', presets: kvPresets, defaultPreset: planDefaults.preset, make: (preset, changes = {}) => kvSystem({ preset, overrides: overridesOf(changes) }) },
  { name: 'etcd', presets: promisesOf(etcdPromises), defaultPreset: 'linearizable', make: (preset) => etcdSystem(preset as EtcdReads) },
  { name: 'redis-sentinel', presets: promisesOf(redisPromises), defaultPreset: 'default', make: (preset) => redisSentinelSystem(preset as RedisPreset) },
]

function overridesOf({ bugs = [], options = {} }: Changes): Partial<NodeOptions> {
  return { ...options, ...(bugs.length === 0 ? {} : { bugs: bugs.map((bug) => choose('bug', bug, bugNames)) }) }
}

/** Whether a system's name, or a workload's, is a file's path. */
export const isFile = (name: string): boolean => /[./\\]/.test(name)

/** The only configuration of a system that a user's file defines. */
const ONLY_PRESET = 'default'

/** A path as plans hold it: relative where the file lies in or below the working directory, so that a repository may move. */
function planPath(file: string): string {
  const relative = path.relative(process.cwd(), path.resolve(file))
  return relative.startsWith('..') || path.isAbsolute(relative) ? path.resolve(file) : `./${relative}`
}

/** The family of that name or file. Throws UsageError. */
export async function systemFamily(name: string): Promise<SystemFamily> {
  if (!isFile(name)) {
    const names = systemFamilies.map((family) => family.name)
    const known = choose('system', name, names)
    return systemFamilies.find((family) => family.name === known)!
  }
  const system = await loadSystemFile(name)
  return { name: planPath(name), presets: [{ name: ONLY_PRESET, promise: system.promise }], defaultPreset: ONLY_PRESET, make: () => system }
}

/** The system that a plan tests. Throws UsageError. */
export async function makeSystem({ system, preset, bugs = [], options }: Pick<Plan, 'system' | 'preset' | 'bugs' | 'options'>): Promise<System> {
  const family = await systemFamily(system)
  if (options !== undefined && family.name !== 'kv') throw new UsageError(`--set changes our own store (--system kv), not ${family.name}.`)
  if (bugs.length > 0 && family.name !== 'kv') throw new UsageError(`--bug plants a mistake in our own store (--system kv), not in ${family.name}.`)
  return family.make(choose('preset', preset, family.presets.map(({ name }) => name)), { bugs, options })
}
