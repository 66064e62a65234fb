/**
 * A store under test. Our own (`cluster/systems/kv.ts`) and every foreign one use exactly this interface.
 */
import type { Env, NodeId, PortName } from '../harness/env.ts'
import type { Completion, Invocation, Json } from '../checker/history/index.ts'
import type { ClockSkew, Cluster, DiskFault, DiskTrial, Volley } from './cluster.ts'
import type { IsolationLevel, Model } from '../checker/verdict.ts'

/** One client connection, bound to one node. Used by one process at a time. */
export interface Client {
  /**
   * Carries out one operation. Resolves to `ok` (it happened), `fail` (it certainly did not) or `info` (nobody knows).
   * A rejection counts as `info`. An indeterminate error must never become `fail`.
   */
  invoke(op: Invocation): Promise<Completion>
  close(): void
}

/** What one replica holds for a key, read from that replica alone. */
export interface Peek {
  readonly key: Json
  /** The value; null when the replica has none; a list when it holds siblings. */
  readonly value: Json
}

/** Where a real node finds its ports and peers. The driver fills this in. */
export interface NodeAddresses {
  /** Where this node listens: `host:port`. */
  readonly listen: Readonly<Record<PortName | 'peer', string>>
  /** Where this node reaches each peer's `peer` port (a link proxy, or the peer itself). */
  readonly peers: Readonly<Record<NodeId, string>>
  /**
   * Where the nodes reach each other, this one included: the same addresses whoever asks. Absent where every link has
   * an address of its own (processes behind link proxies); a system that needs them says so (`System.sharedAddresses`).
   */
  readonly shared?: Readonly<Record<NodeId, Readonly<Record<PortName | 'peer', string>>>>
  /** A folder that survives the node's death. */
  readonly dataDir: string
  readonly token: string
}

/** How to run one node as a program of its own. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** What of this machine goes into a node's image. Every file keeps its path, so that `command` works there as it does here. */
export interface ImageContents {
  /**
   * The Node program among `command`'s arguments. It is bundled into one file; in the container the command becomes
   * Node, this file, and the arguments after it (those before it are for this machine's Node).
   */
  readonly program?: string
  /** Executables by absolute path; their shared libraries come along. */
  readonly executables?: readonly string[]
}

/** One node of a system. */
export interface NodeSpec {
  readonly id: NodeId
  /** As a process: with these addresses, run this. `joining`: the members that it joins, or has joined; absent for the first members. */
  command(addresses: NodeAddresses, joining?: readonly NodeId[]): Command
  /** In the simulator (and wherever an Env is enough): the node itself. Absent for foreign programs. */
  start?(env: Env, token: string, joining?: readonly NodeId[]): Promise<RunningNode>
  /**
   * In a container: the name of an image in which `command` works as it stands, or what the harness makes one from.
   * Absent: the node cannot run in a container.
   */
  readonly image?: string | ImageContents
  /** Files in `dataDir`, by relative path, that belong to the node's log beside what its program writes to the terminal. */
  readonly logs?: readonly string[]
}

/** How a system's members change while it runs. Nodes that join and leave keep their ids and addresses. */
export interface SystemMembership {
  /** Tells the members that `node` is to join; its program is started when this resolves. */
  admit(cluster: Cluster, node: NodeId, deadlineMs: number): Promise<void>
  /** Makes the members let `node` go, handing over what it holds where it is alive. Its program is ended when this resolves. */
  dismiss(cluster: Cluster, node: NodeId, deadlineMs: number): Promise<void>
  /** The members as `asked` believes, asked of it. Rejects while they change, where the system knows. */
  members(cluster: Cluster, asked: NodeId, deadlineMs: number): Promise<readonly NodeId[]>
  /** Tells the members that `fresh` is to stand where `gone`, which is dead, stood; its program is started when this resolves. Absent: `gone` is dismissed, then `fresh` admitted. */
  replace?(cluster: Cluster, gone: NodeId, fresh: NodeId, deadlineMs: number): Promise<void>
  /** Why a dead member cannot be replaced, in a sentence; absent where one can. */
  readonly irreplaceable?: string
  /** Resolves when `node`, whose program runs, has all that it needs as a member. */
  settled?(cluster: Cluster, node: NodeId, deadlineMs: number): Promise<void>
}

/** A node running inside the simulator. A crash just drops it: its Env stops working. */
export interface RunningNode {
  stop(): Promise<void>
}

/** Where each node stands, as far as anybody says. */
export type Zones = Readonly<Record<NodeId, { readonly dc: string; readonly rack: string }>>

/** One question for a peer's clock: nanoseconds, `asked` and `returned` by the clock of the node that asked. */
export interface Exchange {
  readonly peer: NodeId
  readonly asked: number
  readonly said: number
  readonly returned: number
}

/** A store under test. */
export interface System {
  readonly name: string
  /** The strongest model it promises. */
  readonly expected: Model
  /** What is left of that for clients that ask another node each time. Absent: all of it. */
  readonly expectedWhenMoving?: Model
  /** The strongest isolation level that it promises for `txn`. Default: strict-serializable where it promises linearizable, otherwise read-uncommitted. */
  readonly isolation?: IsolationLevel
  /** One sentence: what it promises, at what cost. */
  readonly promise: string
  /** When it may lose acknowledged writes in spite of what it promises: then their loss, and what a workload's object suffers by it, is shown and not counted, unless the plan asks for a model itself (`--expect`). Absent: never. */
  readonly losesWrites?: 'at failover' | 'when clocks differ'
  /** What its client can carry out: of `read`, `write`, `delete`, `cas`, `txn` those that it has. */
  readonly functions: readonly string[]
  /** All nodes, in this order: the first members, then machines that may join later (none unless it has a `membership`). */
  nodes(ids: readonly NodeId[], spares?: readonly NodeId[]): NodeSpec[]
  /** Absent: its members are those that it was started with. */
  readonly membership?: SystemMembership
  /** Why they are, in one sentence without a period. */
  readonly fixedMembers?: string
  /** A node's disk, where the node itself lets a tester spoil it and try it. Drivers that put nodes on disks of their own need it not. */
  readonly disk?: {
    set(cluster: Cluster, node: NodeId, fault: DiskFault | undefined, deadlineMs: number): Promise<void>
    trial(cluster: Cluster, node: NodeId, deadlineMs: number): Promise<DiskTrial>
  }
  /** A node's wall clock, where the node itself lets a tester read it and set it wrong. */
  readonly clock?: {
    read(cluster: Cluster, node: NodeId, deadlineMs: number): Promise<number>
    set(cluster: Cluster, node: NodeId, skew: ClockSkew, deadlineMs: number): Promise<void>
  }
  /** A new client bound to `node`. Connects lazily; `deadlineMs` bounds each operation's own waits. */
  client(cluster: Cluster, node: NodeId, options: { readonly deadlineMs: number }): Client
  /** Reads one replica directly, past any coordination; keys that the node is no replica of are left out. Rejects when the replica does not answer in time. */
  peek?(cluster: Cluster, node: NodeId, keys: readonly Json[], deadlineMs: number): Promise<Peek[]>
  /** Whether a node answers a harmless request on its client port (PING or the like). Drivers use it for `Node.answers` and readiness. */
  ping?(cluster: Cluster, node: NodeId, deadlineMs: number): Promise<boolean>
  /** Whether the cluster as a whole can serve (a leader is elected, replicas follow): asked again and again when all its nodes answer, before clients start. */
  ready?(cluster: Cluster, deadlineMs: number): Promise<boolean>
  /** Nodes must know each other by addresses that are the same for all (`NodeAddresses.shared`). */
  readonly sharedAddresses?: boolean
  /** Where its nodes reach each other, when not at a port of its own: probes of links knock there. Default `peer`. */
  readonly peerPort?: PortName | 'peer'
  /** How long its replicas may take to agree after the last heal, when that is long. */
  readonly settleMs?: number
  /** For how long clients may be answered from caches once replicas agree. Default 0. What is read last, to find everything, is read after that. */
  readonly cachedMs?: number
  /**
   * Whether nodes dial a peer's `peer` port only to send to it, so that one TCP connection is one direction.
   * Then a one-way cut stops exactly the messages of one direction; absent, it stops every packet of one, and TCP
   * connections of both suffer.
   */
  readonly oneWayConnections?: boolean
  /** Sends messages from one node to another, and tells which arrived, from inside the nodes. Drivers use it for `Links.volley`. */
  volley?(cluster: Cluster, link: { readonly from: NodeId; readonly to: NodeId }, messages: number, bytes: number, deadlineMs: number): Promise<Volley>
  /**
   * For stores of partial quorums: how many replicas are written and read, and how long a message between nodes takes,
   * so that its staleness can be predicted (`checker/pbs.ts`). Peers that do not answer in time are left out.
   */
  readonly delays?: {
    quorums(nodes: number): { readonly replicas: number; readonly read_quorum: number; readonly write_quorum: number }
    exchange(cluster: Cluster, node: NodeId, deadlineMs: number): Promise<Exchange[]>
  }
  /** Whether a message from `from` reaches `to`, tried from inside the nodes. Drivers use it for `Links.probe`. */
  probe?(cluster: Cluster, from: NodeId, to: NodeId, deadlineMs: number): Promise<boolean>
  /** What a node counted of its own work (hints, repairs, elections, ...), by name: shown in the report, never judged. Rejects when it does not answer in time. */
  counters?(cluster: Cluster, node: NodeId, deadlineMs: number): Promise<Readonly<Record<string, number>>>
  /** The nodes that lead now (a primary, a leader of any range), asked of the nodes themselves. For faults that are aimed at leaders. */
  primaries?(cluster: Cluster): Promise<NodeId[]>
  /** The nodes that hold a key, the first to be asked first. For faults that are aimed at a key's replicas. */
  replicasOf?(cluster: Cluster, key: string): Promise<NodeId[]> | NodeId[]
}

/** A system of one's own, for `--system FILE`: the file exports it as `system`. Checks nothing; it is there for its types. */
export function defineSystem(system: System): System {
  return system
}
