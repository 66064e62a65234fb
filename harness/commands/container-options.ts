/**
 * The options that say how and where containers run, shared by every command that may touch an engine.
 */
import type { Arguments, Option } from '../command.ts'
import { containersSchema, type Containers } from '../plan.ts'
import { UsageError } from '../usage-error.ts'

/** Which engines. */
export const engineOptions: Readonly<Record<string, Option>> = {
  'docker-host': { value: 'URL', repeated: true, describes: "a container engine: unix:///PATH, tcp://HOST:2375 or ssh://USER@HOST; given several times, nodes are dealt out to the engines in turn (URL#ADDRESS: where the others' nodes reach this one's machine)", default: 'what DOCKER_HOST or the docker command says' },
}

/** How a run's containers are made. */
export const containerOptions: Readonly<Record<string, Option>> = {
  ...engineOptions,
  'base-image': { value: 'NAME', describes: 'an image with Node (and iptables, for faults of links) that node images are built upon', default: "made from this machine's own Node" },
  cpus: { value: 'N', describes: "processors that each node's container gets, as 0.5", default: 'no limit' },
  memory: { value: 'MB', describes: "memory that each node's container gets; more is the end of its program", default: 'no limit' },
  pids: { value: 'N', describes: "processes and threads that each node's container may have", default: 'no limit' },
}

/** The engines that were named; undefined when none was. */
export function enginesFrom(args: Arguments): Containers | undefined {
  const hosts = args.texts('docker-host')
  return hosts.length === 0 ? undefined : { hosts: [...hosts] }
}

/** How containers are to be made; undefined when nothing is said about it. Throws UsageError. */
export function containersFrom(args: Arguments, base?: Containers): Containers | undefined {
  const cpus = args.text('cpus')
  if (cpus !== undefined && !(Number(cpus) > 0)) throw new UsageError(`--cpus takes a number of processors above 0, as 0.5, not "${cpus}".`)
  const given = {
    ...enginesFrom(args),
    base_image: args.text('base-image'),
    cpus: cpus === undefined ? undefined : Number(cpus),
    memory_mb: args.integer('memory', { min: 6, max: 2 ** 24 }),
    pids: args.integer('pids', { min: 1, max: 2 ** 22 }),
  }
  const said = Object.fromEntries(Object.entries({ ...base, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) }))
  return Object.keys(said).length === 0 ? undefined : containersSchema.parse(said)
}

/** Refuses what would have no effect. Throws UsageError. */
export function refuseWithoutContainers(args: Arguments, driver: string): void {
  if (driver === 'docker') return
  const idle = Object.entries(containerOptions).find(([name, { repeated }]) => (repeated === true ? args.texts(name).length > 0 : args.text(name) !== undefined))
  if (idle !== undefined) throw new UsageError(`--${idle[0]} is about containers, and --driver ${driver} makes none; leave it out, or choose --driver docker.`)
}
