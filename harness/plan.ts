/**
 * A plan: everything that decides what a run does. It is written into the run's folder before anything starts
 * (`plan.json`), and `splitbrain run --plan FILE` plays it again.
 */
import path from 'node:path'
import { z } from 'zod'
import { models } from '../checker/verdict.ts'
import type { Zones } from '../cluster/system.ts'
import { scheduleSchema } from '../nemesis/schedule.ts'

/** Where nodes can run. */
export const driverNames = ['process', 'netns', 'docker', 'sim'] as const

/** How a plan's containers run: absent fields are the engine's own choice. */
export const containersSchema = z.strictObject({
  hosts: z.array(z.string()).optional().describe('engines, as DOCKER_HOST would name them; nodes are dealt out to them in turn'),
  base_image: z.string().optional().describe('an image with Node that nodes are built upon'),
  cpus: z.number().positive().optional().describe('processors that each node gets'),
  memory_mb: z.int().min(6).optional().describe('memory that each node gets'),
  pids: z.int().positive().optional().describe('processes and threads that each node may have'),
})
export type Containers = z.infer<typeof containersSchema>

/** `plan.json`. */
export const planSchema = z.strictObject({
  schema: z.literal('splitbrain-plan/1'),
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/i).describe('the run belongs to runs/<name>/'),
  system: z.string().describe("the system under test: its name, or the path of a user's file"),
  preset: z.string().describe("the system's configuration"),
  workload: z.string(),
  driver: z.enum(driverNames),
  containers: containersSchema.optional(),
  nodes: z.int().min(1).max(99),
  clients: z.int().min(1).max(10_000).describe('client threads; thread i is bound to node i modulo nodes'),
  rate: z.number().positive().nullable().describe('operations per second over all clients; null: as fast as answers come'),
  time_ms: z.number().positive().describe('how long clients work'),
  op_timeout_ms: z.number().positive().describe('an operation without an answer by then is of unknown outcome'),
  converge_timeout_ms: z.number().positive().describe('how long replicas may take to agree after the last heal'),
  sample_ms: z.number().positive().describe('how often replicas are compared while clients work'),
  seed: z.int().min(0).max(0x7fffffff),
  dcs: z.int().min(1).max(99).default(1).describe('data centers; the nodes are dealt out to them in turn'),
  racks: z.int().min(1).max(99).default(1).describe('racks of each data center'),
  spares: z.int().min(0).max(20).default(0).describe('machines that are prepared and may join'),
  schedule: scheduleSchema,
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional().describe("choices of our own store that differ from the preset's"),
  bugs: z.array(z.string()).optional().describe('planted mistakes of our own store, to test the harness with'),
  slo: z.string().optional().describe('service-level objectives: "p99.9<300ms,availability>99%"'),
  log_pattern: z.string().optional().describe('a regular expression; a line of a node\'s log that matches breaks the promise'),
  expect: z.enum(models).optional().describe('judge against this model; absent: what the system promises'),
})
export type Plan = z.infer<typeof planSchema>

/** What a plan's configuration is called in names of runs and in reports: `abd`, `etcd`, `etcd-serializable`, `my-store`. */
export function configurationName({ system, preset }: Pick<Plan, 'system' | 'preset'>): string {
  if (system === 'kv') return preset
  const name = path.basename(system, path.extname(system))
  return preset === 'default' || preset === 'linearizable' ? name : `${name}-${preset}`
}

/** The ids of a plan's nodes: n1, n2, ... */
export function nodeIds(plan: Pick<Plan, 'nodes'>): string[] {
  return Array.from({ length: plan.nodes }, (_, i) => `n${i + 1}`)
}

/** The ids of a plan's spare machines: they go on where its nodes end. */
export function spareIds({ nodes, spares }: Pick<Plan, 'nodes' | 'spares'>): string[] {
  return Array.from({ length: spares }, (_, i) => `n${nodes + i + 1}`)
}

/** Where the nodes of a plan stand: dealt out to the data centers in turn, and in each to its racks. One of both is nowhere in particular. */
export function zonesOf({ nodes, dcs, racks }: Pick<Plan, 'nodes' | 'dcs' | 'racks'>): Zones {
  if (dcs * racks === 1) return {}
  return Object.fromEntries(nodeIds({ nodes }).map((id, i) => [id, { dc: `dc${(i % dcs) + 1}`, rack: `r${(Math.floor(i / dcs) % racks) + 1}` }]))
}

/** What a plan says when nobody says otherwise. */
export const planDefaults = {
  system: 'kv',
  preset: 'abd',
  workload: 'register',
  nodes: 5,
  clients: 10,
  rate: null,
  time_ms: 20_000,
  op_timeout_ms: 1_000,
  converge_timeout_ms: 10_000,
  sample_ms: 500,
  dcs: 1,
  racks: 1,
  spares: 0,
} as const satisfies Partial<Plan>
