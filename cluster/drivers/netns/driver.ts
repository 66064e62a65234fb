/**
 * Nodes as plain processes, each in a network namespace of its own behind a private bridge: real packets, real packet
 * filters, no Docker and no root. Everything happens inside a user namespace that the warden (`warden.ts`) holds.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import type { AddressInfo, Server } from 'node:net'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { realClock, sleep } from '../../../harness/clock.ts'
import type { Clock, NodeId, PortName, Stream } from '../../../harness/env.ts'
import type { Cluster, ClusterMembership, ClusterPlan, Driver, Link, Links, NodeClock, NodeDisk, NodeFiles, NodeState, PowerLoss } from '../../cluster.ts'
import { ClusterError } from '../../cluster.ts'
import type { NodeSpec, System } from '../../system.ts'
import { programAnswers, quoteEnd, untilAnswers, clockOf, diskOf } from '../answers.ts'
import type { Place } from '../docker/filter.ts'
import { DockerLinks, prepareNamespace } from '../docker/links.ts'
import type { Namespace } from '../docker/namespace.ts'
import { filesIn } from '../real/files.ts'
import { Roster, type PreparedNode } from '../roster.ts'
import { collectNodeLogs, type LogPlaces } from '../process/node-log.ts'
import { cleanRuns, RunRecord } from '../process/leftovers.ts'
import { DISK_CAPABILITIES, netnsCapabilities, netnsHasFuse, netnsHasNetem } from './capabilities.ts'
import { NODES_MAX, addressOf, listenAddresses, placeOf, sharedAddresses } from './layout.ts'
import { Warden } from './warden-client.ts'

/** How long a node may take to answer after its start. */
const READY_DEADLINE_MS = 10_000
const RELAY_DEADLINE_MS = 10_000
/** The state of a listening socket in /proc/net/tcp. */
const LISTENING = '0A'
/** Filters end by themselves this long after the controller; the namespaces end before that. */
const LEASE_MS = 60_000

/** What the driver is told. */
export interface NetnsDriverOptions {
  /** Where runs lie: `clean` looks there for what killed controllers left. */
  readonly runsDir?: string
}

/** A driver that runs nodes as processes in network namespaces. */
export function netnsDriver(options: NetnsDriverOptions = {}): Driver {
  return {
    name: 'netns',
    capabilities: netnsCapabilities,
    start: startCluster,
    clean: async (runId) => (options.runsDir === undefined ? [] : cleanRuns(resolve(options.runsDir), runId, realClock())),
  }
}

async function startCluster(system: System, plan: ClusterPlan): Promise<Cluster> {
  const report = await netnsCapabilities()
  if (!report.cut.available) throw new ClusterError('unsupported', `No cluster can be started in network namespaces: ${report.cut.reason}.`)
  const machines = plan.nodes.length + (plan.spares?.length ?? 0)
  if (machines > NODES_MAX) throw new ClusterError('too-many-nodes', `${machines} nodes do not fit into the network of a cluster, which has room for ${NODES_MAX}`)
  await mkdir(join(plan.dir, 'nodes'), { recursive: true })
  const cluster = new NetnsCluster(system, { ...plan, dir: resolve(plan.dir) })
  try {
    await cluster.start()
  } catch (error) {
    await cluster.stop()
    throw error
  }
  return cluster
}

/** Whether the run's faults need disks that can be spoilt, and they can be had here: they make every access slower. */
async function needsOwnDisks({ needs = [] }: ClusterPlan): Promise<boolean> {
  return needs.some((need) => DISK_CAPABILITIES.includes(need)) && netnsHasFuse()
}

class NetnsCluster implements Cluster {
  readonly runId: string
  readonly membership: ClusterMembership | undefined
  readonly token = randomBytes(24).toString('hex')
  readonly clock: Clock = realClock()
  /** Nodes' data folders are disks of their own, which can be spoilt. */
  ownDisks = false
  /** Nodes whose clients are cut off: they cannot be asked whether they are ready. */
  readonly withoutClients = new Set<NodeId>()
  readonly places: ReadonlyMap<NodeId, Place>
  readonly warden: Warden
  readonly plan: ClusterPlan
  readonly system: System
  readonly #record: RunRecord
  readonly #roster: Roster<NetnsNode>
  readonly #relays: { readonly node: NodeId; readonly port: PortName; readonly server: Server }[] = []
  #filters: DockerLinks | undefined
  #links: Links | undefined

  constructor(system: System, plan: ClusterPlan) {
    this.runId = plan.runId
    this.plan = plan
    this.system = system
    this.#record = new RunRecord(plan.dir, plan.runId)
    this.warden = new Warden(plan.runId, plan.dir, (pid) => this.#record.add('all nodes', pid))
    this.#roster = new Roster(system.nodes(plan.nodes, plan.spares).map((spec) => new NetnsNode(spec, this)), plan.nodes)
    this.membership = this.#roster.membership(system, () => this)
    this.places = new Map(this.#roster.all.map(({ id }, index) => [id, placeOf(id, index)]))
  }

  get nodes(): readonly NetnsNode[] {
    return this.#roster.members
  }

  get links(): Links {
    if (this.#links === undefined) throw new ClusterError('not-started', 'this cluster has not been started')
    return this.#links
  }

  place(id: NodeId): Place {
    const place = this.places.get(id)
    if (place === undefined) throw new ClusterError('unknown-node', `there is no node ${id} in this cluster; its nodes are ${[...this.places.keys()].join(', ')}`)
    return place
  }

  async start(): Promise<void> {
    const { dir, runId, log } = this.plan
    this.ownDisks = await needsOwnDisks(this.plan)
    await this.warden.ask('open', { runId, dir, disks: this.ownDisks, nodes: this.#roster.all.map(({ id, dataDir, logFile }) => ({ id, dataDir, logFile })) })
    const namespaces = new Map<NodeId, Namespace>(this.#roster.all.map(({ id }) => [id, { feed: (program, input) => this.warden.ask('feed', { node: id, program, input }) }]))
    await Promise.all([...namespaces.values()].map(prepareNamespace))
    this.#filters = new DockerLinks({
      topology: { places: [...this.places.values()], oneWayConnections: this.system.oneWayConnections ?? false },
      namespaces,
      wall: () => this.clock.wall(),
      probe: (link, deadlineMs) => this.#probe(link, deadlineMs),
      volley: this.system.volley && ((link, messages, bytes, deadlineMs) => this.system.volley!(this, link, messages, bytes, deadlineMs)),
      detours: {
        lead: (link, effects) => this.warden.ask('detour', { link, effects }),
        struck: (link) => this.warden.ask('struck', { link }),
        leave: async (link) => void (await this.warden.ask('detour', { link, effects: null })),
        close: async () => undefined, // they end with the warden
      },
      hasNetem: await netnsHasNetem(),
      report: await netnsCapabilities(),
      log,
      leaseMs: LEASE_MS,
    })
    this.#links = this.#watching(this.#filters)
    await this.#openRelays()
    const started = await Promise.allSettled(this.nodes.map((node) => node.start()))
    const failed = started.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  /** Notes which nodes' clients are cut off. */
  #watching(links: DockerLinks): Links {
    const fromClients = (all: readonly Link[]): NodeId[] => all.filter(({ from }) => from === 'clients').map(({ to }) => to)
    return {
      delay: (all, ms, jitterMs) => links.delay(all, ms, jitterMs),
      lose: (all, share) => links.lose(all, share),
      limit: (all, bytesPerSecond) => links.limit(all, bytesPerSecond),
      duplicate: (all, share) => links.duplicate(all, share),
      corrupt: (all, share) => links.corrupt(all, share),
      reset: (all, share) => links.reset(all, share),
      halfOpen: (all) => links.halfOpen(all),
      probe: (link, deadlineMs) => links.probe(link, deadlineMs),
      ...(links.volley === undefined ? {} : { volley: links.volley }),
      tally: (link) => links.tally(link),
      cut: async (cut) => {
        await links.cut(cut)
        for (const id of fromClients(cut)) this.withoutClients.add(id)
      },
      heal: async (healed) => {
        await links.heal(healed)
        for (const id of healed === undefined ? this.places.keys() : fromClients(healed)) this.withoutClients.delete(id)
      },
    }
  }

  async #probe({ from, to }: Link, deadlineMs: number): Promise<boolean> {
    if (from === 'clients') return this.#node(to).answers(deadlineMs)
    if (this.system.probe !== undefined) return this.system.probe(this, from, to, deadlineMs).catch(() => false)
    return this.#knocks(from, to, deadlineMs)
  }

  /** Whether a connection from one node's network to the other's peer port comes about: bash can dial by itself. */
  async #knocks(from: NodeId, to: NodeId, deadlineMs: number): Promise<boolean> {
    const { address, ports } = this.place(to)
    if ((await this.#node(from).state()) !== 'running' || (await this.#node(to).state()) !== 'running') return false
    // The time runs from the dialling: on a busy machine to start a program takes longer than a message may.
    const program = ['bash', '-c', `read -t ${deadlineMs / 1_000} answer < <({ : </dev/tcp/${address}/${ports[this.system.peerPort ?? 'peer']} && echo open; } 2>/dev/null); kill $! 2>/dev/null; [ "$answer" = open ]`] as const
    return this.warden.ask('feed', { node: from, program, input: '' }).then(() => true, () => false)
  }

  #node(id: NodeId): NetnsNode {
    return this.#roster.node(id)
  }

  dial(node: NodeId, port: PortName, deadlineMs: number): Promise<Stream> {
    return this.warden.dial(addressOf(this.place(node), port), deadlineMs)
  }

  address(node: NodeId, port: PortName): string {
    const relay = this.#relays.find((one) => one.node === this.place(node).id && one.port === port)
    return `127.0.0.1:${(relay!.server.address() as AddressInfo).port}`
  }

  /** For clients with sockets of their own, which are outside the cluster's network: a door on 127.0.0.1 for every port. */
  async #openRelays(): Promise<void> {
    for (const { id: node } of this.#roster.all) {
      for (const port of ['client', 'admin'] as const) {
        const server = createServer({ noDelay: true }, (socket) => {
          socket.on('error', () => undefined)
          this.warden.dialSocket(addressOf(this.place(node), port), RELAY_DEADLINE_MS).then((onward) => {
            onward.setNoDelay(true).on('error', () => socket.destroy()).on('close', () => socket.destroy())
            socket.on('close', () => onward.destroy())
            socket.pipe(onward).pipe(socket)
          }, () => socket.resetAndDestroy())
        })
        this.#relays.push({ node, port, server })
        await new Promise<void>((opened, reject) => void server.once('error', reject).listen(0, '127.0.0.1', opened))
      }
    }
  }

  collectLogs(dir: string): Promise<void> {
    return collectNodeLogs(this.#roster.all, dir)
  }

  async stop(): Promise<void> {
    this.#filters?.close()
    await this.warden.stop()
    for (const { server } of this.#relays) server.close()
    await Promise.allSettled(this.#roster.all.map((node) => rm(node.dataDir, { recursive: true, force: true })))
    this.#record.remove()
  }
}

class NetnsNode implements PreparedNode, LogPlaces {
  readonly id: NodeId
  readonly dataDir: string
  readonly logFile: string
  readonly #spec: NodeSpec
  readonly #cluster: NetnsCluster
  joining: readonly NodeId[] | undefined

  constructor(spec: NodeSpec, cluster: NetnsCluster) {
    this.id = spec.id
    this.dataDir = join(cluster.plan.dir, 'nodes', spec.id)
    this.logFile = `${this.dataDir}.log`
    this.#spec = spec
    this.#cluster = cluster
  }

  get logs(): readonly string[] {
    return this.#spec.logs ?? []
  }

  async squeeze(squeezed: boolean): Promise<void> {
    await this.#cluster.warden.ask('squeeze', { node: this.id, squeezed })
  }

  get files(): NodeFiles {
    return filesIn(this.dataDir)
  }

  async powerLoss(tear: boolean): Promise<PowerLoss> {
    await this.kill()
    return this.#cluster.warden.ask('lose', { node: this.id, tear })
  }

  get disk(): NodeDisk | undefined {
    const { warden, ownDisks } = this.#cluster
    if (ownDisks) return { set: async (fault) => void (await warden.ask('spoil', { node: this.id, fault: fault ?? null })), trial: () => warden.ask('trial', { node: this.id }) }
    return diskOf(this.#cluster.system, this.#cluster, this.id)
  }

  get clock(): NodeClock | undefined {
    return clockOf(this.#cluster.system, this.#cluster, this.id)
  }

  state(): Promise<NodeState> {
    return this.#cluster.warden.ask('state', { node: this.id })
  }

  answers(deadlineMs: number): Promise<boolean> {
    return programAnswers(this.#cluster.system, this.#cluster, this.id, deadlineMs)
  }

  async kill(): Promise<void> {
    await this.#cluster.warden.ask('kill', { node: this.id })
  }

  async terminate(): Promise<void> {
    await this.#cluster.warden.ask('terminate', { node: this.id })
  }

  /** The folder itself stays: it may be mounted. */
  async erase(): Promise<void> {
    const names = await readdir(this.dataDir).catch(() => [])
    await Promise.all(names.map((name) => rm(join(this.dataDir, name), { recursive: true, force: true })))
  }

  async pause(): Promise<void> {
    await this.#cluster.warden.ask('pause', { node: this.id })
  }

  async resume(): Promise<void> {
    await this.#cluster.warden.ask('resume', { node: this.id })
  }

  async throttle(share: number): Promise<void> {
    await this.#cluster.warden.ask('throttle', { node: this.id, share })
  }

  async start(): Promise<void> {
    const { warden, places, token } = this.#cluster
    if ((await this.state()) !== 'stopped') return
    const peers = [...places.values()].filter(({ id }) => id !== this.id).map((place) => [place.id, addressOf(place, 'peer')])
    const command = this.#spec.command({
      listen: listenAddresses(this.#cluster.place(this.id)),
      peers: Object.fromEntries(peers) as Record<NodeId, string>,
      shared: sharedAddresses(places.values()),
      dataDir: this.dataDir,
      token,
    }, this.joining)
    await warden.ask('spawn', { node: this.id, command })
    try {
      await this.#ready()
    } catch (cause) {
      const log = await warden.ask('log', { node: this.id })
      await this.kill()
      throw new ClusterError('not-ready', `${(cause as Error).message}. ${quoteEnd(log)}`, { cause })
    }
  }

  /** A node whose clients are cut off cannot be asked: it is ready when the kernel says that it listens for them. */
  async #ready(): Promise<void> {
    const { withoutClients, clock } = this.#cluster
    if (!withoutClients.has(this.id)) return untilAnswers(this.#cluster, this, READY_DEADLINE_MS)
    for (const since = clock.now(); ; await sleep(clock, 20)) {
      if (await this.#listensForClients()) return
      if ((await this.state()) === 'stopped') throw new ClusterError('node-died', `${this.id} died while it was starting`)
      if (clock.now() - since > READY_DEADLINE_MS * 1e6) throw new ClusterError('not-ready', `${this.id} did not listen for clients within ${READY_DEADLINE_MS} ms of its start`)
    }
  }

  async #listensForClients(): Promise<boolean> {
    const sockets = await this.#cluster.warden.ask('feed', { node: this.id, program: ['cat', '/proc/self/net/tcp', '/proc/self/net/tcp6'], input: '' })
    const port = this.#cluster.place(this.id).ports.client.toString(16).toUpperCase().padStart(4, '0')
    return sockets.split('\n').some((line) => {
      const [, local, , state] = line.trim().split(/\s+/)
      return local?.endsWith(`:${port}`) === true && state === LISTENING
    })
  }
}
