/**
 * The seams between a store under test and the machinery that runs it: what a cluster, a node and a link
 * can be made to do, and how a driver says what it can do on this machine.
 *
 * A fault names the capabilities it needs; a driver that lacks one refuses the fault before the run starts.
 */
import type { Log, NodeId, PortName, Random, Stream, Clock } from '../harness/env.ts'
import type { System } from './system.ts'

/** What a driver may be able to do to a cluster on this machine. */
export const capabilities = [
  'kill', // SIGKILL a node: its memory is gone, its disk stays
  'terminate', // SIGTERM: the node may put its things in order
  'restart', // start a dead node again from its own disk
  'pause', // stop a node's execution without closing its connections
  'throttle', // leave a node only a share of its processor time
  'power-loss', // kill a node and lose of its disk what was not synced
  'torn-write', // the same, and leave the last unsynced write half on the disk
  'files', // change a node's files while it is down
  'memory', // leave a node less memory than it needs
  'disk', // let a node's disk confirm late, be full or read-only, or fail to sync
  'clock', // set a node's wall clock wrong
  'membership', // let prepared machines join, and members leave
  'cut', // drop everything on chosen directed links
  'delay', // add latency to chosen directed links
  'lose', // drop a share of the messages or packets on chosen directed links
  'limit', // bound the bandwidth of chosen directed links
  'duplicate', // deliver some messages twice
  'reorder', // let messages overtake each other
  'corrupt', // flip bits in what travels on chosen directed links
  'reset', // break connections on chosen directed links
  'half-open', // silence the connections that there are, without a word to either end; new ones work
] as const
export type Capability = (typeof capabilities)[number]

/** Why a capability is there or not, in words for a person. */
export interface CapabilityStatus {
  readonly available: boolean
  /** How it is done ("SIGKILL", "iptables in the node's network namespace"), or why it cannot be. */
  readonly reason: string
  /** What the system itself must offer for that (`System.disk`, ...); left out: any system will do. */
  readonly ofSystem?: 'disk' | 'clock'
}
export type CapabilityReport = Readonly<Record<Capability, CapabilityStatus>>

/** `clients` stands for the harness's own client connections. */
export type Endpoint = NodeId | 'clients'

/** One directed link: bytes that travel from -> to. `a -> b` is not `b -> a`. */
export interface Link {
  readonly from: Endpoint
  readonly to: NodeId
}

/** What became of messages that were sent one right after another along a link. */
export interface Volley {
  readonly sent: number
  /** The numbers 0..sent-1 of those that arrived, in the order of their arrival; twice when one arrived twice. */
  readonly heard: readonly number[]
  /** From the first sent until the last was heard; the deadline when some never were. */
  readonly elapsedMs: number
}

/** The network between the nodes (and from clients to nodes), as it can be disturbed. */
export interface Links {
  /** From the moment this resolves no byte sent on these links arrives. Existing connections stall, as with a packet filter. */
  cut(links: readonly Link[]): Promise<void>
  /** Adds one-way latency of `ms` plus uniform jitter in [0, jitterMs). */
  delay?(links: readonly Link[], ms: number, jitterMs: number): Promise<void>
  /** Drops this share (0..1) of messages or packets. */
  lose?(links: readonly Link[], share: number): Promise<void>
  /** Bounds throughput to this many bytes per second. */
  limit?(links: readonly Link[], bytesPerSecond: number): Promise<void>
  /** Delivers this share (0..1) of messages twice. */
  duplicate?(links: readonly Link[], share: number): Promise<void>
  /** Lets this share (0..1) of messages be overtaken by up to `ms`. */
  reorder?(links: readonly Link[], share: number, ms: number): Promise<void>
  /** Flips a bit in this share (0..1) of messages, or of the pieces of a stream. */
  corrupt?(links: readonly Link[], share: number): Promise<void>
  /** Answers this share (0..1) of packets, or of the pieces of a stream, with a reset: their connection breaks. */
  reset?(links: readonly Link[], share: number): Promise<void>
  /** Lets nothing pass any more on the connections that there are now; new connections work. */
  halfOpen?(links: readonly Link[]): Promise<void>
  /** Removes every disturbance from these links (all links when none are named). Resolves when new traffic can flow. */
  heal(links?: readonly Link[]): Promise<void>
  /** Whether a message sent now on this link arrives within `deadlineMs`: observed from inside, never remembered. */
  probe(link: Link, deadlineMs: number): Promise<boolean>
  /** Sends `messages` messages of about `bytes` bytes and sees what becomes of them. Absent where the system cannot be asked. */
  volley?(link: Link, messages: number, bytes: number, deadlineMs: number): Promise<Volley>
  /** How many packets, messages or pieces of a stream the present disturbance of a link has struck so far. */
  tally?(link: Link): Promise<number>
}

/** How a node was last observed. */
export type NodeState = 'running' | 'paused' | 'stopped'

/** How far a node's wall clock is from the truth: `offsetMs` now, and from now on `driftPpm` parts per million faster (negative: slower). */
export interface ClockSkew {
  readonly offsetMs: number
  readonly driftPpm: number
}

/** One node's wall clock, where it can be reached. A real program that is started again has its machine's clock. */
export interface NodeClock {
  /** What it reads, in milliseconds since the Unix epoch: asked of the node. */
  read(deadlineMs: number): Promise<number>
  set(skew: ClockSkew, deadlineMs: number): Promise<void>
}

/** What is wrong with a disk: it confirms synced writes `ms` later; it is full (ENOSPC); read-only (EROFS); or it cannot make writes safe (EIO). */
export type DiskFault = { readonly type: 'slow'; readonly ms: number } | { readonly type: 'full' | 'read-only' | 'failing-sync' }

/** What came of a write that was to be safe. */
export interface DiskTrial {
  readonly tookMs: number
  /** The code of the error, as ENOSPC; undefined when the write is safe. */
  readonly error: string | undefined
}

/** One node's disk, where it can be spoilt. */
export interface NodeDisk {
  /** From now on it is so; undefined: it is whole. */
  set(fault: DiskFault | undefined, deadlineMs: number): Promise<void>
  /** Writes something on it that must be safe. */
  trial(deadlineMs: number): Promise<DiskTrial>
}

/** What a power cut took from a disk. */
export interface PowerLoss {
  /** The node's own writes that are gone. */
  readonly lost: number
  /** A write of the driver's own, made just before and not synced: how long it was, and what of it the disk still has. */
  readonly canary: { readonly wroteBytes: number; readonly keptBytes: number }
}

/** What lies on a node's disk, past the node. */
export interface NodeFiles {
  /** The files with something in them. */
  list(): Promise<readonly { readonly path: string; readonly bytes: number }[]>
  /** Rejects when there is no such file. */
  read(path: string): Promise<Uint8Array>
  /** Puts other bytes at a place. */
  write(path: string, offset: number, bytes: Uint8Array): Promise<void>
  /** Cuts a file short. */
  truncate(path: string, bytes: number): Promise<void>
}

/** Who belongs to a running cluster, and how that changes. */
export interface ClusterMembership {
  /** Machines that are prepared but belong to nobody: they may join. */
  readonly spares: readonly NodeId[]
  /** Makes a spare a member: the others are told, its program is started on an empty disk. Resolves when it answers. */
  join(node: NodeId, deadlineMs: number): Promise<void>
  /**
   * Makes a member a spare: the others let it go, after it has handed over what it holds where it is alive and can;
   * then its program ends and its disk is emptied. Of a spare, which the others may have admitted long after they were
   * asked to, they are told only.
   */
  leave(node: NodeId, deadlineMs: number): Promise<void>
  /** Makes a spare a member in the place of one that is dead and becomes a spare. Absent where the system cannot do that in one step. */
  readonly replace?: (gone: NodeId, fresh: NodeId, deadlineMs: number) => Promise<void>
  /** The members as `asked` believes. Rejects while they change, where the system knows. */
  members(asked: NodeId, deadlineMs: number): Promise<readonly NodeId[]>
}

/** One running (or dead) node. Methods beyond `id` and `state` exist where the driver has the capability. */
export interface Node {
  readonly id: NodeId
  /** Asks the operating system (or engine), not our memory of what we did. */
  state(): Promise<NodeState>
  /** Whether the node answers on its client port within `deadlineMs`. */
  answers(deadlineMs: number): Promise<boolean>
  /** SIGKILL. Resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM. Resolves when the node was told, not when it has ended. */
  terminate?(): Promise<void>
  /** Starts a dead node from its own disk. Resolves when it answers clients. */
  start(): Promise<void>
  pause?(): Promise<void>
  resume?(): Promise<void>
  /** Leaves the node this share (0..1] of its processor time; 1 removes the limit. */
  throttle?(share: number): Promise<void>
  /**
   * Kills the node and loses of its disk what was not synced: all, some or none of it, by chance, but always a last write
   * of the driver's own. `tear`: the first write that is lost is torn, its first part stays.
   */
  powerLoss?(tear: boolean): Promise<PowerLoss>
  /** Leaves the node hardly more memory than it holds now and waits for its next demands: it is killed, or ends by itself. Undefined: as much as it had at first, from its next start on. */
  squeeze?(squeezed: boolean): Promise<void>
  /** Absent where the driver cannot reach what lies on the node's disk. */
  readonly files?: NodeFiles | undefined
  /** Absent where neither driver nor system can spoil the node's disk. */
  readonly disk?: NodeDisk | undefined
  /** Absent where neither driver nor system can reach the node's clock. */
  readonly clock?: NodeClock | undefined
}

/** A started cluster. */
export interface Cluster {
  readonly runId: string
  /** The members, in their plan's order: not the spares. Read anew where membership may have changed. */
  readonly nodes: readonly Node[]
  readonly links: Links
  /** Absent where the system's members are fixed. */
  readonly membership?: ClusterMembership | undefined
  /** The run's secret; admin ports refuse anyone without it. */
  readonly token: string
  /** Time and chance for clients of this cluster: the virtual ones in the simulator. */
  readonly clock: Clock
  /** Opens a stream to a node's port, through whatever the driver puts in between. Rejects when refused or after `deadlineMs`. */
  dial(node: NodeId, port: PortName, deadlineMs: number): Promise<Stream>
  /** `host:port` for clients that bring their own sockets; undefined in the simulator. */
  address(node: NodeId, port: PortName): string | undefined
  /** Writes every node's log to `<dir>/<id>.log`. */
  collectLogs(dir: string): Promise<void>
  /** Ends every node and removes everything that carries the run's id. Never throws for what is already gone. */
  stop(): Promise<void>
}

/** What a driver needs to start a cluster. */
export interface ClusterPlan {
  /** Unique on this machine; everything that the driver makes carries it. */
  readonly runId: string
  readonly nodes: readonly NodeId[]
  /** Machines that are prepared and idle, for systems whose members may change. */
  readonly spares?: readonly NodeId[]
  /** What the run's faults will need: a driver may have to prepare for it before its nodes start. Left out: nothing. */
  readonly needs?: readonly Capability[]
  /** A folder of this run's own for data and logs. */
  readonly dir: string
  readonly seed: number
  readonly random: Random
  readonly log: Log
}

/** Where nodes run. */
export interface Driver {
  readonly name: string
  capabilities(): Promise<CapabilityReport>
  start(system: System, plan: ClusterPlan): Promise<Cluster>
  /** Removes what killed controllers left: of one run, or of all runs whose controller is gone. Returns a line for each thing removed. */
  clean(runId?: string): Promise<string[]>
}

/** An error whose sentence says what went wrong and what to do about it. */
export class ClusterError extends Error {
  readonly code: string
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'ClusterError'
    this.code = code
  }
}
