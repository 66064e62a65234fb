/**
 * Nodes as child processes on 127.0.0.1: no Docker, no root. Every directed link between nodes runs through a TCP
 * proxy in the controller; kill, pause and slowness are signals.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { join, resolve } from 'node:path'
import { realClock, sleep } from '../../../harness/clock.ts'
import type { Clock, NodeId, PortName } from '../../../harness/env.ts'
import type { Capability, CapabilityReport, CapabilityStatus, Cluster, ClusterMembership, ClusterPlan, Driver, Links, Node, NodeClock, NodeDisk, NodeFiles, NodeState } from '../../cluster.ts'
import { ClusterError, capabilities } from '../../cluster.ts'
import type { NodeAddresses, NodeSpec, System } from '../../system.ts'
import { programAnswers, quoteEnd, untilAnswers, clockOf, NO_POWER_LOSS, OWN_CLOCK, OWN_DISK, diskOf } from '../answers.ts'
import { DATA_FOLDER, filesIn } from '../real/files.ts'
import { freePorts } from '../real/ports.ts'
import { dialAddress } from '../real/socket-stream.ts'
import { Roster, SPARE_MACHINES, type PreparedNode } from '../roster.ts'
import { cleanRuns, RunRecord } from './leftovers.ts'
import { ProxiedNetwork } from './links.ts'
import { collectNodeLogs, type LogPlaces } from './node-log.ts'
import { MEMORY_LIMIT, NodeProcess } from './node-process.ts'
import { openerOf } from './senders.ts'
import { dialAlong } from './shaped-stream.ts'

/** How long a node may take to answer after its start. */
const READY_DEADLINE_MS = 10_000
/** How often a node is given other ports when somebody took its own. */
const PORT_TRIES = 3

/** What the driver is told. */
export interface ProcessDriverOptions {
  /** Where runs lie: `clean` looks there for what killed controllers left. */
  readonly runsDir?: string
}

/** A driver that runs nodes as child processes. */
export function processDriver(options: ProcessDriverOptions = {}): Driver {
  return {
    name: 'process',
    capabilities: async () => capabilityReport(),
    start: (system, plan) => startCluster(system, plan),
    clean: async (runId) => (options.runsDir === undefined ? [] : cleanRuns(resolve(options.runsDir), runId, realClock())),
  }
}

const BYTES_NOT_PACKETS = 'TCP hides doubled and reordered packets from the nodes, and a proxy must not double or reorder bytes; --driver sim doubles and reorders messages'

const IMPOSSIBLE: Partial<Record<Capability, string>> = { 'power-loss': NO_POWER_LOSS, 'torn-write': NO_POWER_LOSS, memory: 'only Linux lets one process limit the memory of another' }

function capabilityReport(): CapabilityReport {
  const how: Partial<Record<Capability, string>> = {
    kill: 'SIGKILL',
    terminate: 'SIGTERM to the process that was started',
    restart: 'the same command on the same data folder',
    pause: 'SIGSTOP and SIGCONT',
    throttle: 'SIGSTOP and SIGCONT in a cycle of 50 ms',
    membership: SPARE_MACHINES,
    files: DATA_FOLDER,
    ...(process.platform === 'linux' ? { memory: MEMORY_LIMIT } : {}),
    cut: 'the link\'s TCP proxy stalls',
    delay: 'the link\'s TCP proxy holds bytes back',
    limit: 'the link\'s TCP proxy meters bytes',
    lose: 'the link\'s TCP proxy holds lost segments back for a retransmission time-out, which is how TCP shows loss',
    corrupt: 'the link\'s TCP proxy flips bits',
    reset: 'the link\'s TCP proxy resets connections',
    'half-open': 'the link\'s TCP proxy holds the connections that there are',
  }
  const status = (name: Capability): CapabilityStatus => {
    if (process.platform === 'win32') return { available: false, reason: 'Windows has neither SIGSTOP nor process groups; run in WSL' }
    if (name === 'disk') return OWN_DISK
    if (name === 'clock') return OWN_CLOCK
    return { available: name in how, reason: how[name] ?? IMPOSSIBLE[name] ?? BYTES_NOT_PACKETS }
  }
  return Object.fromEntries(capabilities.map((name) => [name, status(name)])) as CapabilityReport
}

async function startCluster(system: System, plan: ClusterPlan): Promise<Cluster> {
  if (system.sharedAddresses === true && process.platform !== 'linux')
    throw new ClusterError('shared-addresses', `The nodes of ${system.name} must know each other by addresses that are the same for all; between processes that takes Linux, whose /proc tells who opened a connection. Use --driver docker.`)
  await mkdir(join(plan.dir, 'nodes'), { recursive: true })
  const cluster = new ProcessCluster(system, { ...plan, dir: resolve(plan.dir) })
  try {
    await cluster.start()
  } catch (error) {
    await cluster.stop()
    throw error
  }
  return cluster
}

class ProcessCluster implements Cluster {
  readonly runId: string
  readonly membership: ClusterMembership | undefined
  readonly links: Links
  readonly token = randomBytes(24).toString('hex')
  readonly clock: Clock = realClock()
  readonly #system: System
  readonly #plan: ClusterPlan
  readonly #record: RunRecord
  readonly #network: ProxiedNetwork
  readonly #roster: Roster<ProcessNode>

  constructor(system: System, plan: ClusterPlan) {
    this.runId = plan.runId
    this.#system = system
    this.#plan = plan
    this.#record = new RunRecord(plan.dir, plan.runId)
    const specs = system.nodes(plan.nodes, plan.spares)
    this.#network = new ProxiedNetwork(specs.map(({ id }) => id), plan.random.fork('links'), (node, port) => this.#roster.node(node).listensAt(port))
    const nodes = specs.map((spec) => new ProcessNode(spec, { system, cluster: this, plan, machines: specs.map(({ id }) => id), network: this.#network, record: this.#record }))
    this.#roster = new Roster(nodes, plan.nodes)
    this.membership = this.#roster.membership(system, () => this)
    this.links = linksOf(system, this, this.#roster, this.#network)
  }

  get nodes(): readonly ProcessNode[] {
    return this.#roster.members
  }

  async start(): Promise<void> {
    await this.#network.open()
    if (this.#system.sharedAddresses === true) await this.#network.openShared((socket) => this.#senderOf(socket))
    const started = await Promise.allSettled(this.nodes.map((node) => node.start()))
    const failed = started.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  /** Which node opened a connection. */
  async #senderOf({ remotePort, localPort }: Socket): Promise<NodeId | undefined> {
    if (remotePort === undefined || localPort === undefined) return undefined
    const pids = new Map(this.#roster.all.flatMap(({ pid, id }) => (pid === undefined ? [] : [[pid, id]])))
    const opener = await openerOf({ remotePort, localPort }, [...pids.keys()])
    return opener === undefined ? undefined : pids.get(opener)
  }

  dial(node: NodeId, port: PortName, deadlineMs: number) {
    const address = (): string => this.#roster.node(node).listens(port)
    return port === 'admin' ? dialAddress(address(), deadlineMs) : dialAlong(this.#network.state({ from: 'clients', to: node }), address, deadlineMs)
  }

  address(node: NodeId, port: PortName): string {
    return port === 'admin' ? this.#roster.node(node).listens('admin') : this.#network.address({ from: 'clients', to: this.#roster.node(node).id })
  }

  collectLogs(dir: string): Promise<void> {
    return collectNodeLogs(this.#roster.all, dir)
  }

  async stop(): Promise<void> {
    const ends = await Promise.allSettled([...this.#roster.all.map((node) => node.kill()), this.#network.close()])
    await Promise.allSettled(this.#roster.all.map((node) => rm(node.dataDir, { recursive: true, force: true })))
    const failures = ends.filter((end) => end.status === 'rejected')
    for (const { reason } of failures) this.#plan.log.error(`the cluster did not stop cleanly: ${String(reason)}`)
    if (failures.length === 0) this.#record.remove()
  }
}

function linksOf(system: System, cluster: Cluster, roster: Roster<ProcessNode>, network: ProxiedNetwork): Links {
  const node = (id: NodeId): Node => roster.node(id)
  const running = async (id: NodeId): Promise<boolean> => (await node(id).state()) === 'running'
  return {
    cut: async (links) => {
      for (const state of links.map((link) => network.state(link))) state.cut()
    },
    delay: async (links, ms, jitterMs) => {
      for (const state of links.map((link) => network.state(link))) state.delay(ms, jitterMs)
    },
    limit: async (links, bytesPerSecond) => {
      for (const state of links.map((link) => network.state(link))) state.limit(bytesPerSecond)
    },
    lose: async (links, share) => {
      for (const state of links.map((link) => network.state(link))) state.lose(share)
    },
    corrupt: async (links, share) => {
      for (const state of links.map((link) => network.state(link))) state.corrupt(share)
    },
    reset: async (links, share) => {
      for (const state of links.map((link) => network.state(link))) state.reset(share)
    },
    halfOpen: async (links) => {
      for (const state of links.map((link) => network.state(link))) state.silence()
    },
    ...(system.volley === undefined ? {} : { volley: (link, messages, bytes, deadlineMs) => system.volley!(cluster, link, messages, bytes, deadlineMs) }),
    tally: async (link) => network.state(link).struck,
    heal: async (links) => {
      for (const state of links?.map((link) => network.state(link)) ?? network.all()) state.heal()
    },
    probe: async (link, deadlineMs) => {
      const { from, to } = link
      if (from === 'clients') return node(to).answers(deadlineMs)
      if (system.probe !== undefined) return system.probe(cluster, from, to, deadlineMs).catch(() => false)
      return (await running(from)) && (await running(to)) && network.probe(link, deadlineMs)
    },
  }
}

/** What a node's process needs to know. */
interface Surroundings {
  readonly system: System
  readonly cluster: Cluster
  readonly plan: ClusterPlan
  /** Members and spares. */
  readonly machines: readonly NodeId[]
  readonly network: ProxiedNetwork
  readonly record: RunRecord
}

class ProcessNode implements PreparedNode, LogPlaces {
  readonly id: NodeId
  readonly dataDir: string
  readonly logFile: string
  readonly #spec: NodeSpec
  readonly #around: Surroundings
  readonly #process: NodeProcess
  #listen: NodeAddresses['listen'] | undefined
  joining: readonly NodeId[] | undefined

  constructor(spec: NodeSpec, around: Surroundings) {
    const { plan, record, cluster } = around
    this.id = spec.id
    this.dataDir = join(plan.dir, 'nodes', spec.id)
    this.logFile = `${this.dataDir}.log`
    this.#spec = spec
    this.#around = around
    this.#process = new NodeProcess({
      id: spec.id,
      runId: plan.runId,
      dir: plan.dir,
      dataDir: this.dataDir,
      logFile: this.logFile,
      clock: cluster.clock,
      started: (pid) => record.add(spec.id, pid),
    })
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Where the node listens for itself, behind any proxy; undefined as long as it has never been started. */
  listensAt(port: PortName | 'peer'): string | undefined {
    return this.#listen?.[port]
  }

  /** The same of a node that has been started. Throws. */
  listens(port: PortName | 'peer'): string {
    const address = this.listensAt(port)
    if (address === undefined) throw new ClusterError('not-started', `${this.id} has not been started`)
    return address
  }

  get logs(): readonly string[] {
    return this.#spec.logs ?? []
  }

  squeeze(squeezed: boolean): Promise<void> {
    return this.#process.squeeze(squeezed)
  }

  get files(): NodeFiles {
    return filesIn(this.dataDir)
  }

  get disk(): NodeDisk | undefined {
    return diskOf(this.#around.system, this.#around.cluster, this.id)
  }

  get clock(): NodeClock | undefined {
    return clockOf(this.#around.system, this.#around.cluster, this.id)
  }

  state(): Promise<NodeState> {
    return this.#process.state()
  }

  async answers(deadlineMs: number): Promise<boolean> {
    return this.#process.alive && programAnswers(this.#around.system, this.#around.cluster, this.id, deadlineMs)
  }

  kill(): Promise<void> {
    return this.#process.kill()
  }

  async terminate(): Promise<void> {
    this.#process.terminate()
  }

  erase(): Promise<void> {
    return rm(this.dataDir, { recursive: true, force: true })
  }

  pause(): Promise<void> {
    return this.#process.pause()
  }

  resume(): Promise<void> {
    return this.#process.resume()
  }

  throttle(share: number): Promise<void> {
    return this.#process.throttle(share)
  }

  /** Starts the node from its data, on its old ports unless somebody has taken them. */
  async start(): Promise<void> {
    if (this.#process.alive) return
    for (let tries = 1; ; tries++) {
      if (this.#listen === undefined || tries > 1) this.#listen = await this.#newPorts()
      await this.#process.spawn(this.#spec.command(this.#addresses(this.#listen), this.joining))
      try {
        await this.#ready()
        return
      } catch (cause) {
        const log = await this.#process.log()
        await this.#process.kill()
        if (tries < PORT_TRIES && /EADDRINUSE|address already in use/i.test(log)) continue
        throw new ClusterError('not-ready', `${(cause as Error).message}. ${quoteEnd(log)}`, { cause })
      }
    }
  }

  /**
   * Waits for an answer on the node's own port rather than along `clients -> node`, which may be cut just now: so a
   * connection is enough for what has only a client port, and the program's own answer is asked for where links allow.
   */
  async #ready(): Promise<void> {
    const { cluster, network } = this.#around
    if (!network.state({ from: 'clients', to: this.id }).isCut) return untilAnswers(cluster, this, READY_DEADLINE_MS)
    const { clock } = cluster
    for (const since = clock.now(); ; await sleep(clock, 20)) {
      const socket = await dialAddress(this.listens('client'), 1_000).catch(() => undefined)
      socket?.close()
      if (socket !== undefined) return
      if (!this.#process.alive) throw new ClusterError('node-died', `${this.id} died while it was starting`)
      if (clock.now() - since > READY_DEADLINE_MS * 1e6) throw new ClusterError('not-ready', `${this.id} did not accept a connection within ${READY_DEADLINE_MS} ms of its start`)
    }
  }

  async #newPorts(): Promise<NodeAddresses['listen']> {
    const [peer, client, admin] = (await freePorts(3)).map((port) => `127.0.0.1:${port}`)
    return { peer: peer!, client: client!, admin: admin! }
  }

  #addresses(listen: NodeAddresses['listen']): NodeAddresses {
    const { cluster, machines, network } = this.#around
    const peers = machines.filter((id) => id !== this.id).map((id) => [id, network.address({ from: this.id, to: id })])
    const shared = network.sharedAddresses
    return { listen, peers: Object.fromEntries(peers) as Record<NodeId, string>, ...(shared === undefined ? {} : { shared }), dataDir: this.dataDir, token: cluster.token }
  }
}
