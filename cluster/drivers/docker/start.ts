/**
 * Starting a cluster in containers, in this order: images, a network per engine, a network container per node (from
 * then on all addresses are known), packet filters prepared, node containers, and a real answer from every node.
 */
import { lookup } from 'node:dns/promises'
import { createSocket } from 'node:dgram'
import { randomBytes } from 'node:crypto'
import type Docker from 'dockerode'
import type { NodeId, PortName } from '../../../harness/env.ts'
import { ClusterError } from '../../cluster.ts'
import type { ClusterPlan } from '../../cluster.ts'
import type { Command, ImageContents, NodeAddresses, NodeSpec, System } from '../../system.ts'
import { PROGRAM_PATH } from './closure.ts'
import { controllerLabel, thisController } from './controller.ts'
import type { Engine } from './engine.ts'
import { explaining } from './errors.ts'
import type { Place } from './filter.ts'
import { ensureImages } from './image.ts'
import type { RunImages } from './image.ts'
import { labels } from './labels.ts'
import { createNetwork, nodeAddress, NODES_MAX } from './network.ts'
import type { RunNetwork } from './network.ts'
import { cpuSettings } from './node.ts'
import type { ResourceLimits } from './node.ts'
import { parseAddress } from '../real/socket-stream.ts'

/** Every node has an address of its own, so all listen on the same ports. */
const PORTS = { client: 7000, peer: 7001, admin: 7002 } as const

/** Where a node's volume is in its container. */
export const DATA_DIR = '/data'

/** A node's log is kept by the engine up to this size, twice. */
const LOG_SIZE_MAX = '64m'

/** One engine with what the run has made on it. */
export interface Machine {
  readonly engine: Engine
  readonly index: number
  readonly images: RunImages
  readonly network: RunNetwork
  /** Where engines of the same cluster reach this machine; undefined when it is alone. */
  readonly address: string | undefined
}

/** One node before its program runs. */
export interface Seat {
  readonly spec: NodeSpec
  readonly machine: Machine
  readonly place: Place
  readonly networkContainer: Docker.Container
  readonly networkPid: number
  /** How the controller reaches it. */
  readonly client: string
  readonly admin: string
}

/** What all steps share. */
export interface Start {
  readonly system: System
  readonly plan: ClusterPlan
  readonly token: string
  readonly limits: ResourceLimits
  /** Unlike the run's id, of this start alone. */
  readonly id: string
  readonly labels: Record<string, string>
}

/** Names and secrets of one run. */
export async function beginStart(system: System, plan: ClusterPlan, limits: ResourceLimits): Promise<Start> {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(plan.runId))
    throw new ClusterError('run-id', `${plan.runId} cannot name containers. Use letters, digits, dots, dashes and underscores.`)
  if (plan.nodes.length + (plan.spares?.length ?? 0) > NODES_MAX) throw new ClusterError('too-many-nodes', `A cluster in containers has at most ${NODES_MAX} nodes; ask for fewer.`)
  const id = randomBytes(8).toString('hex')
  return {
    system,
    plan,
    id,
    token: randomBytes(24).toString('hex'),
    limits,
    labels: { [labels.run]: plan.runId, [labels.start]: id, [labels.controller]: controllerLabel(await thisController()) },
  }
}

function nameOf(start: Start, suffix: string): string {
  return `splitbrain-${start.plan.runId}-${suffix}`
}

/** Makes images and networks on every engine. */
export async function prepareMachines(start: Start, engines: readonly Engine[], specs: readonly NodeSpec[], baseImage: string | undefined): Promise<Machine[]> {
  const { plan, system } = start
  if (engines.length > 1 && system.sharedAddresses === true)
    throw new ClusterError('shared-addresses', `The nodes of ${system.name} must know each other by addresses that are the same for all, which nodes on several engines have not. Name one engine.`)
  const wanted = specs.map((spec) => {
    if (spec.image === undefined)
      throw new ClusterError('no-image', `${start.system.name} does not say how its nodes run in a container. Give its nodes an \`image\`, or use --driver process.`)
    return spec.image
  })
  return Promise.all(
    engines.map(async (engine, index) => {
      const images = await ensureImages(engine, wanted, { baseImage, log: plan.log })
      const network = await createNetwork(engine, { name: nameOf(start, `net${index}`), labels: start.labels, random: plan.random.fork(`network ${index}`) })
      return { engine, index, images, network, address: engines.length > 1 ? await machineAddress(engine, engines) : undefined }
    }),
  )
}

/** Where the other engines' machines reach this one's. */
async function machineAddress(engine: Engine, engines: readonly Engine[]): Promise<string> {
  if (engine.address !== undefined) return (await lookup(engine.address, 4)).address
  const other = engines.find(({ address }) => address !== undefined)?.address
  if (other === undefined)
    throw new ClusterError('engine-address', `Nodes on other engines cannot know where ${engine.name} is. Append its machine's address: ${engine.name}#192.0.2.7`)
  return ownAddressTowards(other)
}

/** This machine's address as `host` sees it: connecting a datagram socket sends nothing, but makes the kernel choose. */
function ownAddressTowards(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    socket.once('error', reject)
    socket.connect(9, host, () => {
      const { address } = socket.address()
      socket.close()
      resolve(address)
    })
  })
}

/** Where published ports listen: never wider than who must reach them. */
function publishingAddresses({ engine, address }: Machine): { readonly clients: string; readonly peers: string | undefined } {
  const clients = engine.name.startsWith('tcp:') || engine.name.startsWith('http') ? (engine.address ?? '127.0.0.1') : '127.0.0.1'
  return { clients, peers: address }
}

/** Which ports of a node are published on its engine's machine, and on which address. */
async function portBindings(machine: Machine): Promise<Record<string, { HostIp: string; HostPort: string }[]>> {
  const { clients, peers } = publishingAddresses(machine)
  const on = async (address: string): Promise<{ HostIp: string; HostPort: string }[]> => [{ HostIp: (await lookup(address, 4)).address, HostPort: '' }]
  return {
    ...(machine.network.reachable ? {} : { [`${PORTS.client}/tcp`]: await on(clients), [`${PORTS.admin}/tcp`]: await on(clients) }),
    ...(peers === undefined ? {} : { [`${PORTS.peer}/tcp`]: await on(peers) }),
  }
}

/** Makes and starts the container that holds a node's network namespace. */
export async function takeSeat(start: Start, machine: Machine, spec: NodeSpec, index: number): Promise<Seat> {
  const { docker } = machine.engine
  const address = nodeAddress(machine.network, index)
  const bindings = await portBindings(machine)
  const name = nameOf(start, `${spec.id}-net`)
  return explaining(`Making the container ${name}`, async () => {
    const container = await docker.createContainer({
      name,
      Hostname: spec.id,
      Image: machine.images.base,
      Entrypoint: ['sleep', 'infinity'],
      ExposedPorts: Object.fromEntries(Object.keys(bindings).map((port) => [port, {}])),
      Labels: { ...start.labels, [labels.node]: spec.id, [labels.role]: 'network' },
      HostConfig: {
        NetworkMode: machine.network.name,
        PortBindings: bindings,
        CapDrop: ['ALL'],
        CapAdd: ['NET_ADMIN', 'NET_RAW'],
        SecurityOpt: ['no-new-privileges'],
        PidsLimit: 64,
      },
      NetworkingConfig: { EndpointsConfig: { [machine.network.name]: { IPAMConfig: { IPv4Address: address } } } },
    })
    await container.start()
    const { State, NetworkSettings } = await container.inspect()
    const published = (port: number): number | undefined => {
      const binding = NetworkSettings.Ports[`${port}/tcp`]?.[0]
      return binding === undefined ? undefined : Number(binding.HostPort)
    }
    const peerPort = published(PORTS.peer)
    const outside = machine.address === undefined || peerPort === undefined ? undefined : { address: machine.address, port: peerPort }
    const place: Place = { id: spec.id, address, ports: PORTS, engine: machine.index, outside }
    const [client, admin] = await controllerAddresses(machine, address, [published(PORTS.client), published(PORTS.admin)])
    return { spec, machine, place, networkContainer: container, networkPid: State.Pid, client, admin }
  })
}

/** How the controller reaches a node's client and admin ports. */
async function controllerAddresses(machine: Machine, address: string, ports: readonly [number | undefined, number | undefined]): Promise<[client: string, admin: string]> {
  if (machine.network.reachable) return [`${address}:${PORTS.client}`, `${address}:${PORTS.admin}`]
  const [client, admin] = ports
  if (client === undefined || admin === undefined) throw new ClusterError('not-published', `The engine at ${machine.engine.name} did not publish a node's ports. Update the engine, or use another.`)
  const { tunnel } = machine.engine
  if (tunnel === undefined) {
    const { clients } = publishingAddresses(machine)
    return [`${clients}:${client}`, `${clients}:${admin}`]
  }
  const local = await tunnel.forward([client, admin])
  return [`127.0.0.1:${local.get(client)}`, `127.0.0.1:${local.get(admin)}`]
}

/** Where `from` reaches `to`'s peer port. */
function peerAddress(from: Place, to: Place): string {
  if (from.engine === to.engine) return `${to.address}:${to.ports.peer}`
  return `${to.outside?.address}:${to.outside?.port}`
}

function addressesFor(start: Start, seat: Seat, seats: readonly Seat[]): NodeAddresses {
  const peers = seats.filter((other) => other !== seat).map((other): [NodeId, string] => [other.spec.id, peerAddress(seat.place, other.place)])
  const listening = ({ place }: Seat): NodeAddresses['listen'] => ({
    client: `${place.address}:${place.ports.client}`,
    peer: `${place.address}:${place.ports.peer}`,
    admin: `${place.address}:${place.ports.admin}`,
  })
  // On several engines a node's address depends on who asks: its own engine's nodes, or another's.
  const isShared = seats.every(({ machine }) => machine === seat.machine)
  return {
    listen: listening(seat),
    peers: Object.fromEntries(peers),
    ...(isShared ? { shared: Object.fromEntries(seats.map((other) => [other.spec.id, listening(other)])) } : {}),
    dataDir: DATA_DIR,
    token: start.token,
  }
}

/** The node's command as it is inside its container. */
function commandInside(command: Command, image: string | ImageContents | undefined, images: RunImages): Command {
  if (typeof image !== 'object' || image.program === undefined) return command
  const position = command.args.indexOf(image.program)
  if (position < 0) throw new ClusterError('program-missing', `${image.program} is not among the arguments of the node's command. Name the same path in both.`)
  return { ...command, file: images.foreignBase ? 'node' : process.execPath, args: [PROGRAM_PATH, ...command.args.slice(position + 1)] }
}

/** Makes a node's container. Its program starts later. */
export async function makeNodeContainer(start: Start, seat: Seat, seats: readonly Seat[], joining?: readonly NodeId[]): Promise<Docker.Container> {
  const { spec, machine } = seat
  const { file, args, env } = commandInside(spec.command(addressesFor(start, seat, seats), joining), spec.image, machine.images)
  const name = nameOf(start, spec.id)
  const ownImage = typeof spec.image === 'object'
  const memory = start.limits.memoryMb === undefined ? {} : { Memory: start.limits.memoryMb * 2 ** 20, MemorySwap: start.limits.memoryMb * 2 ** 20 }
  const cpu = start.limits.cpus === undefined ? {} : cpuSettings(start.limits.cpus)
  const { docker } = machine.engine
  return explaining(`Making the container ${name}`, async () => {
    // Made beforehand, because Podman leaves out the labels of volumes that it makes for a container.
    await docker.createVolume({ Name: name, Labels: { ...start.labels, [labels.node]: spec.id } })
    return docker.createContainer({
      name,
      Image: spec.image === undefined ? machine.images.base : machine.images.of(spec.image),
      Entrypoint: [file],
      Cmd: [...args],
      Env: Object.entries(env ?? {}).map(([key, value]) => `${key}=${value}`),
      WorkingDir: DATA_DIR,
      Labels: { ...start.labels, [labels.node]: spec.id, [labels.role]: 'node' },
      HostConfig: {
        NetworkMode: `container:${seat.networkContainer.id}`,
        Mounts: [{ Type: 'volume', Source: name, Target: DATA_DIR }],
        LogConfig: { Type: 'json-file', Config: { 'max-size': LOG_SIZE_MAX, 'max-file': '2' } },
        ...(start.limits.pids === undefined ? {} : { PidsLimit: start.limits.pids }),
        ...memory,
        ...cpu,
        // A stranger's image may need what it was built for; ours needs nothing.
        ...(ownImage ? { CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'] } : {}),
      },
    })
  })
}

/** Removes a node's container and its volume. */
export async function removeNodeContainer(start: Start, { spec, machine }: Seat, container: Docker.Container): Promise<void> {
  const name = nameOf(start, spec.id)
  await explaining(`Removing the container ${name}`, async () => {
    await container.remove({ force: true })
    await machine.engine.docker.getVolume(name).remove()
  })
}

/** The folder that a node's volume is, where this process may look into it; undefined where it may not. */
export function volumeOf(start: Start, { spec, machine }: Seat): Promise<string> | undefined {
  if (!machine.engine.isHere || process.getuid?.() !== 0) return undefined
  const name = nameOf(start, spec.id)
  return explaining(`Looking for the volume ${name}`, async () => (await machine.engine.docker.getVolume(name).inspect()).Mountpoint)
}

/** Host and port where `from` reaches `to`; other ports than `peer` only on one engine. */
export function peerEndpoint(from: Place, to: Place, port: PortName | 'peer' = 'peer'): { host: string; port: number } {
  if (from.engine === to.engine) return { host: to.address, port: to.ports[port] }
  return parseAddress(peerAddress(from, to))
}
