/**
 * Everything that can vary is handed in: time, chance, network and disk.
 *
 * The store's nodes, the clients, the generators, the nemesis and the checkers take these interfaces
 * and nothing else. That is what lets one and the same code run in containers, as child processes,
 * and in one process on a virtual clock where a seed replays exactly (FoundationDB's and
 * TigerBeetle's idea of deterministic simulation).
 *
 * Implementations: `harness/clock.ts`, `harness/random.ts`, `cluster/drivers/*`.
 */

/** A node's name within one cluster: `n1`, `n2`, ... */
export type NodeId = string

/** Something that will happen later and may still be called off. */
export interface Timer {
  cancel(): void
}

/** Where time comes from. */
export interface Clock {
  /** Monotonic nanoseconds since this clock was made (a double: exact for 104 days). */
  now(): number
  /** Milliseconds since the Unix epoch, as this party believes. May be skewed, may jump. */
  wall(): number
  /** Sets `wall()` off by `offsetMs` from now on, and lets it run `driftPpm` parts per million too fast. Only the clocks of nodes under test have this. */
  skew?(offsetMs: number, driftPpm: number): void
  /** Runs `callback` once, `delayMs` from now (0: as soon as the current work is done). */
  after(delayMs: number, callback: () => void): Timer
}

/** A stream of chance. Every consumer forks a stream of its own, so that a new consumer shifts nobody else's. */
export interface Random {
  /** Uniform in [0, bound), `bound` an integer in [1, 2^31]. */
  int(bound: number): number
  /** Uniform in [0, 1) with 32 random bits. */
  float(): number
  /** An independent stream that depends only on this stream's seed and `name`, not on how much was drawn before. */
  fork(name: string): Random
}

/** An ordered, reliable byte stream until it breaks: TCP, or its likeness in the simulator. */
export interface Stream {
  /** Queues bytes; never throws. Bytes written after the close are dropped. */
  write(chunk: Uint8Array): void
  /** Bytes queued and not yet handed to the network. */
  readonly buffered: number
  /** Stops and restarts the flow of incoming chunks (back-pressure). */
  pause(): void
  resume(): void
  onData(handler: (chunk: Uint8Array) => void): void
  /** Called once; with an error when the stream broke, without when a side ended it. */
  onClose(handler: (error?: Error) => void): void
  close(): void
}

/** What a node listens on. `client`: the front door. `admin`: the harness's own channel, behind the run's token. */
export type PortName = 'client' | 'admin'

/** One node's view of the network. */
export interface Network {
  /** Every node that this one knows an address for, itself included. */
  readonly nodes: readonly NodeId[]
  /**
   * Sends one message to a peer, whole or not at all. It may be lost, late, doubled or overtaken by a later one;
   * an unreachable peer is not an error. A message to oneself arrives like any other.
   */
  send(to: NodeId, message: Uint8Array): void
  onMessage(handler: (from: NodeId, message: Uint8Array) => void): void
  /** Starts to accept streams; resolves when connections are possible. */
  listen(port: PortName, accept: (stream: Stream) => void): Promise<void>
  close(): Promise<void>
}

/** One change of a table: a value, or `undefined` to delete. */
export interface TableWrite {
  readonly key: string
  readonly value: Uint8Array | undefined
}

/** An ordered table on disk (a log-structured merge tree in the real driver). Keys are ordered by their UTF-8 bytes. */
export interface Table {
  get(key: string): Promise<Uint8Array | undefined>
  /**
   * Applies all writes or none. With `sync` it resolves when they survive a power loss;
   * without, when they survive a crash of the process alone.
   */
  write(writes: readonly TableWrite[], options: { readonly sync: boolean }): Promise<void>
  /** Entries with `from <= key < to` in order; both ends optional. */
  scan(range: { readonly from?: string; readonly to?: string; readonly limit?: number }): AsyncIterable<readonly [key: string, value: Uint8Array]>
  close(): Promise<void>
}

/**
 * Records on disk in the order in which they were appended, until they are cut off. A power loss may leave more of a
 * journal than of a table, or less: what a cut takes away must have been synced wherever it went before.
 */
export interface Journal {
  /** What survived, the oldest first. To be read before anything is appended. Throws when it cannot tell where a record ends. */
  read(): AsyncIterable<Uint8Array>
  /**
   * Appends a record; one at a time, and its bytes must stay as they are until then. With `sync` it resolves when it
   * survives a power loss, and all before it; without, when it survives a crash of the process alone.
   */
  append(record: Uint8Array, options: { readonly sync: boolean }): Promise<void>
  /** Resolves when all that was appended so far survives a power loss. Others may be appended meanwhile. */
  sync(): Promise<void>
  /** A place behind all that was appended so far. */
  mark(): number
  /** Removes what lies before the mark. A power loss may bring some of it back, but nothing without all that came after it. */
  cut(mark: number): Promise<void>
  close(): Promise<void>
}

/** A node's disk. */
export interface Disk {
  /** Opens (or makes) the table `name`, recovering what survived. */
  open(name: string): Promise<Table>
  /** Opens (or makes) the journal `name`. */
  openJournal(name: string): Promise<Journal>
}

/** Where a party writes what a person may want to read later. One line each, no secrets. */
export interface Log {
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

/** All that a node of the store may touch of the outside world. */
export interface Env {
  readonly clock: Clock
  readonly random: Random
  readonly network: Network
  readonly disk: Disk
  readonly log: Log
}
