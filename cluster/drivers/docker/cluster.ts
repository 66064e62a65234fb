/**
 * A started cluster in containers.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { realClock } from '../../../harness/clock.ts'
import type { Clock, Log, NodeId, PortName, Stream } from '../../../harness/env.ts'
import { ClusterError } from '../../cluster.ts'
import type { Cluster, ClusterMembership, ClusterPlan, Link } from '../../cluster.ts'
import type { System } from '../../system.ts'
import { clockOf, programAnswers, diskOf } from '../answers.ts'
import { Roster } from '../roster.ts'
import { dialAddress } from '../real/socket-stream.ts'
import { commonReport, reportOf } from './capabilities.ts'
import type { FilterSupport } from './capabilities.ts'
import { LocalDetours } from './detours.ts'
import { connectEngines } from './engine.ts'
import type { Engine } from './engine.ts'
import { DockerLinks, prepareNamespace } from './links.ts'
import { containerNamespace, hostNamespace } from './namespace.ts'
import type { Namespace } from './namespace.ts'
import { DockerNode } from './node.ts'
import type { ResourceLimits } from './node.ts'
import { removeStart } from './remove.ts'
import { beginStart, DATA_DIR, makeNodeContainer, removeNodeContainer, volumeOf, peerEndpoint, prepareMachines, takeSeat } from './start.ts'
import type { Seat, Start } from './start.ts'

/** How clusters are started. */
export interface ClusterSettings {
  readonly hosts: readonly string[]
  readonly baseImage: string | undefined
  readonly limits: ResourceLimits
  readonly leaseMs: number
  readonly startDeadlineMs: number
  supportOf(engine: Engine, log: Log): Promise<FilterSupport>
}

/** Starts a cluster; when that fails, nothing of it stays. */
export async function startCluster(settings: ClusterSettings, system: System, plan: ClusterPlan): Promise<Cluster> {
  const start = await beginStart(system, plan, settings.limits)
  const engines = await connectEngines(settings.hosts)
  try {
    return await assemble(settings, start, engines)
  } catch (error) {
    await removeEverywhere(engines, start)
    throw error
  }
}

async function assemble(settings: ClusterSettings, start: Start, engines: readonly Engine[]): Promise<Cluster> {
  const { plan, system } = start
  const specs = system.nodes(plan.nodes, plan.spares)
  const machines = await prepareMachines(start, engines, specs, settings.baseImage)
  const supports = await Promise.all(engines.map((engine) => settings.supportOf(engine, plan.log)))
  const seats = await allOf(specs.map((spec, index) => takeSeat(start, machines[index % machines.length]!, spec, index)))
  const namespaces = await prepareNamespaces(seats, supports)
  const cluster: DockerCluster = new DockerCluster(start, seats, engines, {
    nodes: seats.map(
      (seat) =>
        new DockerNode({
          id: seat.spec.id,
          make: (joining) => makeNodeContainer(start, seat, seats, joining),
          unmake: (container) => removeNodeContainer(start, seat, container),
          logs: (seat.spec.logs ?? []).map((path) => `${DATA_DIR}/${path}`),
          limits: settings.limits,
          startDeadlineMs: settings.startDeadlineMs,
          canThrottle: seat.machine.engine.kind === 'docker',
          ownClock: () => clockOf(system, cluster, seat.spec.id),
          volume: () => volumeOf(start, seat),
          memoryBytes: async () => ((await seat.machine.engine.docker.info()) as { MemTotal: number }).MemTotal,
          ownDisk: () => diskOf(system, cluster, seat.spec.id),
          answers: (deadlineMs) => cluster.answers(seat, deadlineMs),
        }),
    ),
    links: new DockerLinks({
      topology: { places: seats.map(({ place }) => place), oneWayConnections: system.oneWayConnections ?? false },
      namespaces,
      wall: (id) => Date.now() + cluster.seat(id).machine.engine.clockOffsetMs,
      probe: (link, deadlineMs) => cluster.probe(link, deadlineMs, namespaces),
      volley: system.volley && ((link, messages, bytes, deadlineMs) => system.volley!(cluster, link, messages, bytes, deadlineMs)),
      detours: detoursOf(seats, plan),
      hasNetem: supports.every(({ parts }) => parts.has('netem')),
      report: commonReport(engines.map((engine, index) => reportOf(engine, supports[index]!))),
      log: plan.log,
      leaseMs: settings.leaseMs,
    }),
  })
  await allOf(cluster.nodes.map((node) => node.start()))
  return cluster
}

/** Proxies on the gateway of the run's network: this machine has that address where the engine is here, and alone. */
function detoursOf(seats: readonly Seat[], plan: ClusterPlan): LocalDetours | undefined {
  const [machine, ...others] = new Set(seats.map((seat) => seat.machine))
  if (machine === undefined || others.length > 0 || !machine.engine.isHere || !machine.network.reachable) return undefined
  const place = (id: NodeId): Seat['place'] => seats.find(({ spec }) => spec.id === id)!.place
  return new LocalDetours(machine.network.gateway, plan.random.fork('detours'), (id) => `${place(id).address}:${place(id).ports.peer}`)
}

/** Waits for all, also when one fails: what is still under way must not outlive the clean-up. */
async function allOf<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(promises)
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
}

async function prepareNamespaces(seats: readonly Seat[], supports: readonly FilterSupport[]): Promise<Map<NodeId, Namespace>> {
  const entries = await allOf(
    seats.map(async ({ spec, machine, networkContainer, networkPid }): Promise<[NodeId, Namespace]> => {
      const support = supports[machine.index]!
      const direct = support.mechanism === 'nsenter' ? hostNamespace(networkContainer.id, networkPid) : undefined
      const namespace = direct ?? containerNamespace(networkContainer)
      if (support.parts.has('filter')) await prepareNamespace(namespace)
      return [spec.id, namespace]
    }),
  )
  return new Map(entries)
}

/** Never throws: what could not be removed is logged, and `clean` will find it. */
async function removeEverywhere(engines: readonly Engine[], { id, plan: { runId, log } }: Start): Promise<void> {
  await Promise.all(
    engines.map(async (engine) => {
      try {
        for (const line of (await removeStart(engine, id)).failed) log.warn(line)
      } catch (error) {
        log.warn(`${error instanceof Error ? error.message : String(error)} Remove the run later with: splitbrain clean --run ${runId}`)
      }
      engine.close()
    }),
  )
}

/**
 * Whether whatever listens there answers a request, any answer: a stopped program's kernel still accepts connections,
 * and so does an engine's port proxy when nothing listens behind it.
 */
async function answersAnything(address: string, deadlineMs: number): Promise<boolean> {
  const started = performance.now()
  const stream = await dialAddress(address, deadlineMs).catch(() => undefined)
  if (stream === undefined) return false
  const answered = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), Math.max(1, deadlineMs - (performance.now() - started)))
    const settle = (seen: boolean) => (): void => {
      clearTimeout(timer)
      resolve(seen)
    }
    stream.onData(settle(true))
    stream.onClose(settle(false))
    stream.write(Buffer.from('PING\r\n'))
  })
  stream.close()
  return answered
}

/** Connects to `host:port` from wherever it runs, and says whether that worked. */
const CONNECT_PROGRAM = `
const [host, port, deadlineMs] = process.argv.slice(1)
const say = (word) => { process.stdout.write(word); process.exit(0) }
setTimeout(() => say('no'), Number(deadlineMs))
require('node:net').connect(Number(port), host).on('connect', () => say('yes')).on('error', () => say('no'))`

class DockerCluster implements Cluster {
  readonly runId: string
  readonly token: string
  readonly clock: Clock = realClock()
  readonly membership: ClusterMembership | undefined
  readonly links: DockerLinks
  readonly #roster: Roster<DockerNode>
  readonly #start: Start
  readonly #seats: readonly Seat[]
  readonly #engines: readonly Engine[]
  #stopping: Promise<void> | undefined

  constructor(start: Start, seats: readonly Seat[], engines: readonly Engine[], parts: { readonly nodes: readonly DockerNode[]; readonly links: DockerLinks }) {
    this.runId = start.plan.runId
    this.token = start.token
    this.#roster = new Roster(parts.nodes, start.plan.nodes)
    this.membership = this.#roster.membership(start.system, () => this)
    this.links = parts.links
    this.#start = start
    this.#seats = seats
    this.#engines = engines
  }

  get nodes(): readonly DockerNode[] {
    return this.#roster.members
  }

  seat(id: NodeId): Seat {
    const seat = this.#seats.find(({ spec }) => spec.id === id)
    if (seat === undefined) throw new ClusterError('no-such-node', `There is no node ${id} in this cluster; its nodes are ${this.#seats.map(({ spec }) => spec.id).join(', ')}.`)
    return seat
  }

  address(node: NodeId, port: PortName): string {
    return this.seat(node)[port]
  }

  dial(node: NodeId, port: PortName, deadlineMs: number): Promise<Stream> {
    return dialAddress(this.address(node, port), deadlineMs)
  }

  /** Whether a node answers a request on its client port. */
  answers(seat: Seat, deadlineMs: number): Promise<boolean> {
    const { system } = this.#start
    const asksProgram = system.ping !== undefined || system.peek !== undefined
    return asksProgram ? programAnswers(system, this, seat.spec.id, deadlineMs) : answersAnything(seat.client, deadlineMs)
  }

  /** Whether a message passes a link now: the store's own word, or else a TCP connection from inside the sender's namespace. */
  async probe({ from, to }: Link, deadlineMs: number, namespaces: ReadonlyMap<NodeId, Namespace>): Promise<boolean> {
    const target = this.seat(to)
    if (from === 'clients') return this.answers(target, deadlineMs)
    const { system } = this.#start
    if (system.probe !== undefined) return system.probe(this, from, to, deadlineMs).catch(() => false)
    const source = this.seat(from)
    const { host, port } = peerEndpoint(source.place, target.place, system.peerPort)
    const node = source.machine.images.foreignBase ? 'node' : process.execPath
    const output = await namespaces.get(from)!.feed([node, '-e', CONNECT_PROGRAM, host, String(port), String(deadlineMs)], '')
    return output.includes('yes')
  }

  async collectLogs(dir: string): Promise<void> {
    await mkdir(dir, { recursive: true })
    await allOf(this.#roster.all.map(async (node) => writeFile(join(dir, `${node.id}.log`), await node.log())))
  }

  stop(): Promise<void> {
    this.links.close()
    this.#stopping ??= removeEverywhere(this.#engines, this.#start)
    return this.#stopping
  }
}
