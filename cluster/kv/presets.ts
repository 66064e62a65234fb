/**
 * Well-known combinations of the store's parts, each with what it promises. The report judges a run by its promise,
 * also where a promise is merely what people believe.
 */
import type { Model } from '../../checker/verdict.ts'
import type { NodeId } from '../../harness/env.ts'
import type { NodeConfig, NodeOptions } from './config.ts'

/** A named combination. */
export interface Preset {
  readonly name: string
  /** One sentence: what it promises, at what cost. */
  readonly promise: string
  readonly expected: Model
  /** Its choices for a cluster of this many nodes, each key on this many of them. */
  options(replicas: number): NodeOptions
}

const common = {
  sync: 'always',
  sync_interval_ms: 100,
  deadline_ms: 500,
  resend_ms: 150,
  anti_entropy_interval_ms: 1_000,
  virtual_nodes: 256,
  key_bytes_max: 64 * 1024,
  value_bytes_max: 8 * 1024 * 1024,
  cache_bytes: 64 * 1024 * 1024,
} as const

function majority(replicas: number): number {
  return Math.floor(replicas / 2) + 1
}

const abd: Preset = {
  name: 'abd',
  promise: 'Linearizable reads and writes from majority quorums with logical timestamps and write-back; whoever cannot reach a majority cannot read or write.',
  expected: 'linearizable',
  options: replicas => ({ ...common, replication: 'abd', replicas, read_quorum: majority(replicas), write_quorum: majority(replicas) }),
}

const quorum: Preset = {
  name: 'quorum',
  promise: 'R + W > N with last-write-wins by wall clock, widely believed to be linearizable: a read quorum meets every completed write, at one round trip each.',
  expected: 'linearizable',
  options: replicas => ({ ...common, replication: 'quorum', replicas, read_quorum: majority(replicas), write_quorum: majority(replicas) }),
}

const one: Preset = {
  name: 'one',
  promise: 'Any replica answers alone and tells the others later: always available, stale while the network is cut, equal again soon after.',
  expected: 'eventual',
  options: replicas => ({ ...common, replication: 'quorum', replicas, read_quorum: 1, write_quorum: 1 }),
}

/** All presets by name, strongest promise first. */
export const presets: Readonly<Record<string, Preset>> = { abd, quorum, one }

/** The preset of that name. Throws a sentence that lists the names. */
export function findPreset(name: string): Preset {
  const preset = Object.hasOwn(presets, name) ? presets[name] : undefined
  if (preset === undefined) throw new Error(`there is no preset "${name}"; the presets are ${Object.keys(presets).join(', ')}`)
  return preset
}

/** The configuration of each node of a cluster that runs this preset. */
export function presetConfigs(preset: Preset, nodes: readonly NodeId[], token: string, overrides: Partial<NodeOptions> = {}): NodeConfig[] {
  const options = { ...preset.options(overrides.replicas ?? nodes.length), ...overrides }
  return nodes.map(id => ({ id, nodes: [...nodes], token, ...options }))
}
