/**
 * The simulator: every node of the cluster in this process, on a virtual clock, with a network and disks whose every
 * latency, loss and order is drawn from the seed. The same seed gives the same run, to the byte; a minute of it
 * takes a fraction of a second. (FoundationDB's simulation, TigerBeetle's VOPR.)
 *
 * Whoever uses a cluster of this driver must run inside `clock.run(...)`: outside of it no time passes.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, Disk, Log, NodeId, Random } from '../../../harness/env.ts'
import type { VirtualClock } from '../../../harness/clock.ts'
import { skewableClock, withDeadline } from '../../../harness/clock.ts'
import type { Capability, CapabilityReport, CapabilityStatus, Cluster, ClusterPlan, Driver, Link, Links, Node, NodeClock, NodeDisk, NodeFiles, NodeState, PowerLoss } from '../../cluster.ts'
import { ClusterError, capabilities } from '../../cluster.ts'
import type { NodeSpec, RunningNode, System } from '../../system.ts'
import { programAnswers, untilAnswers, clockOf, OWN_CLOCK, OWN_DISK, diskOf } from '../answers.ts'
import { Roster, SPARE_MACHINES, type PreparedNode } from '../roster.ts'
import type { DiskTimes } from './disk.ts'
import { SimDisk, defaultDiskTimes } from './disk.ts'
import { Life } from './life.ts'
import { SimNetwork } from './network.ts'
import type { Disturbance, LinkTimes } from './wire.ts'
import { defaultLinkTimes } from './wire.ts'

/** How long a node may take to answer after its start. */
const READY_DEADLINE_MS = 10_000
/** Log lines that are kept of each node. */
const LOG_LINES_MAX = 20_000

/** What the simulator is told; what is left out is that of a quiet local network and a fast disk. */
export interface SimOptions {
  readonly clock: VirtualClock
  readonly links?: Partial<LinkTimes>
  readonly disk?: Partial<DiskTimes>
}

/** What only a simulated node can be made to do. */
export interface SimNode extends Node {
  powerLoss(): Promise<PowerLoss>
  /** What would be left of its disk if the power failed now. The node goes on. */
  diskAfterPowerLoss(random: Random): Disk
  /** Sets how far the node's wall clock is from the truth. */
  skewWall(ms: number): void
}

/** A simulated cluster. */
export interface SimCluster extends Cluster {
  readonly nodes: readonly SimNode[]
}

/** The simulator as a driver. */
export interface SimDriver extends Driver {
  start(system: System, plan: ClusterPlan): Promise<SimCluster>
}

/** A driver that runs nodes in this process on `options.clock`. */
export function simDriver(options: SimOptions): SimDriver {
  return {
    name: 'sim',
    capabilities: async () => capabilityReport,
    start: (system, plan) => startCluster(system, plan, options),
    clean: async () => [],
  }
}

const others = {
  disk: OWN_DISK,
  clock: OWN_CLOCK,
  'torn-write': { available: false, reason: 'a write to a simulated table happens or does not: one that is torn in the middle counts as lost, as power-loss loses it' },
  memory: { available: false, reason: 'simulated nodes share the memory of this process; use --driver netns, process or docker' },
} as const satisfies Partial<CapabilityReport>

const how: Readonly<Record<Exclude<Capability, keyof typeof others>, string>> = {
  kill: 'the node is dropped: its timers, streams and memory are gone, its disk keeps what was written',
  terminate: 'the node stops by itself, then it is dropped',
  restart: 'the node is started again on its simulated disk',
  pause: 'its timers and deliveries wait until it goes on',
  throttle: 'it runs in slices of a 50 ms period',
  'power-loss': 'the disk forgets of what was not synced as much as chance decides',
  files: 'a record of a table is changed while the node is down',
  membership: SPARE_MACHINES,
  cut: 'messages are dropped, streams stall',
  delay: 'drawn per message',
  lose: 'drawn per message',
  limit: 'messages and bytes queue for the link',
  duplicate: 'drawn per message',
  reorder: 'drawn per message',
  corrupt: 'drawn per message; a damaged one fails its checksum and breaks the connection',
  reset: 'drawn per message: what is under way on the link is lost with the connection',
  'half-open': 'messages are dropped until a node misses its receipts and would dial anew, two to three seconds later',
}

const statusOf = (name: Capability): CapabilityStatus => (name in others ? others[name as keyof typeof others] : { available: true, reason: how[name as keyof typeof how] })
const capabilityReport = Object.fromEntries(capabilities.map((name) => [name, statusOf(name)])) as CapabilityReport

async function startCluster(system: System, plan: ClusterPlan, options: SimOptions): Promise<SimCluster> {
  const { clock } = options
  const random = plan.random.fork('sim')
  const specs = system.nodes(plan.nodes, plan.spares)
  const network = new SimNetwork(clock, random.fork('network'), { ...defaultLinkTimes, ...options.links }, specs.map(({ id }) => id))
  const token = tokenOf(random.fork('token'))
  const machine = (spec: NodeSpec): Machine => new Machine(spec, {
    random: random.fork(spec.id),
    network,
    disk: new SimDisk(clock, random.fork(`disk ${spec.id}`), { ...defaultDiskTimes, ...options.disk }),
    token,
    clock,
    ownClock: () => clockOf(system, cluster, spec.id),
    ownDisk: () => diskOf(system, cluster, spec.id),
    answers: (deadlineMs) => programAnswers(system, cluster, spec.id, deadlineMs),
    ready: (node) => untilAnswers(cluster, node, READY_DEADLINE_MS),
  })
  const roster = new Roster(specs.map(machine), plan.nodes)
  const nodes = roster.all
  const cluster: SimCluster = {
    runId: plan.runId,
    get nodes() {
      return roster.members
    },
    membership: roster.membership(system, () => cluster),
    token,
    clock,
    links: linksOf(system, network, () => cluster),
    dial: (node, port, deadlineMs) => network.dial(node, port, deadlineMs),
    address: () => undefined,
    collectLogs: async (dir) => {
      await mkdir(dir, { recursive: true })
      await Promise.all(nodes.map((node) => writeFile(join(dir, `${node.id}.log`), node.logText())))
    },
    stop: async () => {
      for (const node of nodes) await node.kill()
    },
  }
  try {
    await Promise.all(roster.members.map((node) => node.start()))
  } catch (error) {
    await cluster.stop()
    throw error
  }
  return cluster
}

function tokenOf(random: Random): string {
  return Array.from({ length: 32 }, () => random.int(16).toString(16)).join('')
}

/** How long our real nodes wait for receipts before they dial anew (`real/peer-link.ts`). */
const DIAL_ANEW_MS = [2_000, 3_000] as const

function linksOf(system: System, network: SimNetwork, cluster: () => Cluster): Links {
  const disturb = async (links: readonly Link[], change: Partial<Disturbance>): Promise<void> => {
    for (const wire of links.map((link) => network.wire(link))) wire.disturb(change)
  }
  return {
    cut: (links) => disturb(links, { cut: true }),
    delay: (links, ms, jitterMs) => disturb(links, { delayMs: ms, jitterMs }),
    lose: (links, share) => disturb(links, { lose: share }),
    limit: (links, bytesPerSecond) => disturb(links, { bytesPerSecond }),
    duplicate: (links, share) => disturb(links, { duplicate: share }),
    reorder: (links, share, ms) => disturb(links, { reorder: share, reorderMs: ms }),
    corrupt: (links, share) => disturb(links, { corrupt: share }),
    reset: (links, share) => disturb(links, { reset: share }),
    halfOpen: async (links) => {
      for (const wire of links.map((link) => network.wire(link))) wire.silence(DIAL_ANEW_MS)
    },
    ...(system.volley === undefined ? {} : { volley: (link, messages, bytes, deadlineMs) => system.volley!(cluster(), link, messages, bytes, deadlineMs) }),
    tally: async (link) => network.wire(link).struck,
    heal: async (links = network.links()) => {
      for (const wire of links.map((link) => network.wire(link))) wire.heal()
    },
    probe: async (link, deadlineMs) => {
      if (link.from === 'clients' || system.probe === undefined) return network.probe(link, deadlineMs)
      return system.probe(cluster(), link.from, link.to, deadlineMs).catch(() => false)
    },
  }
}

/** What a machine is made of. */
interface Parts {
  readonly random: Random
  readonly network: SimNetwork
  readonly disk: SimDisk
  readonly token: string
  readonly clock: VirtualClock
  ownClock(): NodeClock | undefined
  ownDisk(): NodeDisk | undefined
  answers(deadlineMs: number): Promise<boolean>
  ready(node: Node): Promise<void>
}

/** One node: its disk, and its lives one after another. */
class Machine implements SimNode, PreparedNode {
  readonly id: NodeId
  readonly #spec: NodeSpec
  readonly #parts: Parts
  readonly #lines: string[] = []
  #life: Life | undefined
  #lives = 0
  joining: readonly NodeId[] | undefined
  readonly #wall: Required<Clock>
  #running: RunningNode | undefined

  constructor(spec: NodeSpec, parts: Parts) {
    this.id = spec.id
    this.#spec = spec
    this.#parts = parts
    this.#wall = skewableClock(parts.clock)
  }

  async state(): Promise<NodeState> {
    if (!this.#life?.alive) return 'stopped'
    return this.#life.paused ? 'paused' : 'running'
  }

  get disk(): NodeDisk | undefined {
    return this.#parts.ownDisk()
  }

  get clock(): NodeClock | undefined {
    return this.#parts.ownClock()
  }

  answers(deadlineMs: number): Promise<boolean> {
    return this.#parts.answers(deadlineMs)
  }

  async kill(): Promise<void> {
    this.#life?.die()
  }

  async terminate(): Promise<void> {
    const life = this.#life
    if (!life?.alive) return
    // Like a process, it goes once it has stopped; a node that is paused stops later.
    life.happen(() => void this.#running?.stop().finally(() => life.die()))
  }

  async powerLoss(): Promise<PowerLoss> {
    this.#life?.die()
    return this.#parts.disk.powerLoss()
  }

  diskAfterPowerLoss(random: Random): Disk {
    return this.#parts.disk.afterPowerLoss(random)
  }

  get files(): NodeFiles {
    return this.#parts.disk.files
  }

  async erase(): Promise<void> {
    this.#parts.disk.erase()
  }

  skewWall(ms: number): void {
    this.#wall.skew(ms, 0)
  }

  async start(): Promise<void> {
    if (this.#life?.alive) return
    const { start } = this.#spec
    if (start === undefined) throw new ClusterError('not-simulated', `${this.id} cannot run in the simulator: its system has no start(env); choose --driver process`)
    const { clock, random, network, disk, token } = this.#parts
    const life = new Life(clock, this.#wall)
    this.#life = life
    const env = { clock: life.clock, random: random.fork(`life ${++this.#lives}`), network: network.plug(this.id, life), disk: disk.of(life), log: this.#log(life) }
    const died = new Promise<never>((_, reject) => life.onDeath(() => reject(new ClusterError('node-died', `${this.id} was killed while it was starting`))))
    const running = async (): Promise<RunningNode> => start.call(this.#spec, env, token, this.joining)
    try {
      this.#running = await withDeadline(clock, READY_DEADLINE_MS, Promise.race([running(), died]), () => {
        throw new ClusterError('not-ready', `${this.id} did not start within ${READY_DEADLINE_MS} ms`)
      })
      await this.#parts.ready(this)
    } catch (error) {
      life.die()
      throw error
    }
  }

  async pause(): Promise<void> {
    this.#life?.pause()
  }

  async resume(): Promise<void> {
    this.#life?.resume()
  }

  async throttle(share: number): Promise<void> {
    if (!(share > 0 && share <= 1)) throw new ClusterError('bad-share', `a node's share of its processor time must be above 0 and at most 1, not ${share}`)
    this.#life?.throttle(share)
  }

  logText(): string {
    return this.#lines.map((line) => `${line}\n`).join('')
  }

  #log(life: Life): Log {
    const write = (level: string) => (message: string): void => {
      if (!life.alive) return
      if (this.#lines.length >= LOG_LINES_MAX) this.#lines.splice(0, LOG_LINES_MAX / 10)
      this.#lines.push(`${new Date(this.#parts.clock.wall()).toISOString()} ${level} ${message}`)
    }
    return { info: write('info'), warn: write('warn'), error: write('error') }
  }
}
