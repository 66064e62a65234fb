/**
 * The container driver: every node in a container of its own, on one engine or spread over several, through the
 * Engine API (dockerode, loaded when it is first needed).
 */
import type { Log } from '../../../harness/env.ts'
import { ClusterError } from '../../cluster.ts'
import type { CapabilityReport, Driver } from '../../cluster.ts'
import type { System } from '../../system.ts'
import { commonReport, nothingReport, probeFilters, reportOf } from './capabilities.ts'
import type { FilterSupport } from './capabilities.ts'
import { startCluster } from './cluster.ts'
import { connectEngines } from './engine.ts'
import type { Engine } from './engine.ts'
import { builtImages, ensureImages } from './image.ts'
import type { BuiltImage } from './image.ts'
import { LEASE_MS } from './links.ts'
import type { Mechanism } from './namespace.ts'
import type { ResourceLimits } from './node.ts'
import { removeAbandoned, removeRun } from './remove.ts'
import type { Removal } from './remove.ts'

/** How containers are run. */
export interface DockerDriverOptions {
  /** Engines, as DOCKER_HOST would name them; nodes are dealt out over them. Default: the one that the Docker command would use. */
  readonly hosts?: readonly string[]
  /** Built upon instead of this machine's own Node; must hold Node, and iptables for link faults. */
  readonly baseImage?: string
  readonly limits?: ResourceLimits
  /** How network namespaces are entered; default: the fastest way that works. */
  readonly mechanism?: Mechanism
  /** How long link faults outlive the controller. */
  readonly leaseMs?: number
  /** How long a node may take to its first answer. */
  readonly startDeadlineMs?: number
}

const START_DEADLINE_MS = 30_000

const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** Nodes in containers. */
export function dockerDriver(options: DockerDriverOptions = {}): Driver {
  const supports = new Map<string, Promise<FilterSupport>>()
  // What a machine can do is asked once per driver: in a container the answer takes most of a second.
  const supportOf = (engine: Engine, log: Log): Promise<FilterSupport> => {
    const known = supports.get(engine.name) ?? probeFilters(engine, { mechanism: options.mechanism, baseImage: options.baseImage, log })
    supports.set(engine.name, known)
    known.catch(() => supports.delete(engine.name))
    return known
  }
  const settings = {
    hosts: options.hosts ?? [],
    baseImage: options.baseImage,
    limits: options.limits ?? {},
    leaseMs: options.leaseMs ?? LEASE_MS,
    startDeadlineMs: options.startDeadlineMs ?? START_DEADLINE_MS,
    supportOf,
  }
  return {
    name: 'docker',
    capabilities: () => capabilities(options, supportOf),
    start: (system, plan) => startCluster(settings, system, plan),
    clean: (runId) => clean(options, runId),
  }
}

async function withEngines<T>({ hosts }: DockerDriverOptions, action: (engines: readonly Engine[]) => Promise<T>): Promise<T> {
  const engines = await connectEngines(hosts)
  try {
    return await action(engines)
  } finally {
    for (const engine of engines) engine.close()
  }
}

async function capabilities(options: DockerDriverOptions, supportOf: (engine: Engine, log: Log) => Promise<FilterSupport>): Promise<CapabilityReport> {
  try {
    return await withEngines(options, async (engines) =>
      commonReport(await Promise.all(engines.map(async (engine) => reportOf(engine, await supportOf(engine, silent))))),
    )
  } catch (error) {
    if (error instanceof ClusterError) return nothingReport(error.message)
    throw error
  }
}

async function clean(options: DockerDriverOptions, runId: string | undefined): Promise<string[]> {
  const remove = (engine: Engine): Promise<Removal> => (runId === undefined ? removeAbandoned(engine) : removeRun(engine, runId))
  try {
    const removals = await withEngines(options, (engines) => Promise.all(engines.map(remove)))
    return removals.flatMap(({ removed, failed }) => [...removed, ...failed])
  } catch (error) {
    // No engine and none asked for: nothing of ours can be there.
    if (error instanceof ClusterError && error.code === 'docker-missing' && options.hosts === undefined && process.env['DOCKER_HOST'] === undefined) return []
    throw error
  }
}

/** Makes the images that a system's nodes need, and lists all that the harness has made. */
export function dockerImages(options: DockerDriverOptions, system: System | undefined, log: Log): Promise<BuiltImage[]> {
  return withEngines(options, async (engines) => {
    const wanted = (system?.nodes(['n1']) ?? []).flatMap(({ image }) => (image === undefined ? [] : [image]))
    if (wanted.length > 0) await Promise.all(engines.map((engine) => ensureImages(engine, wanted, { baseImage: options.baseImage, log })))
    return (await Promise.all(engines.map(builtImages))).flat()
  })
}
