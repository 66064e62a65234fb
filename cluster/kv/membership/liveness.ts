/**
 * Who is up, as one node sees it: heartbeats, by one of two ways, and a detector (`detectors.ts`) that makes suspicions of
 * their absence.
 *
 * `direct`: a node asks every other itself, so it matters whether this one can reach that one, not whether somebody else
 * can (Dynamo, SOSP 2007, section 4.8.3). `gossip`: heartbeats spread through whoever can be reached (`gossip.ts`).
 */
import type { Clock, NodeId, Random, Timer } from '../../../harness/env.ts'
import type { NodeConfig } from '../config.ts'
import { HEARTBEAT } from '../messages.ts'
import type { Rpc } from '../rpc.ts'
import { accrualDetector, timeoutDetector } from './detectors.ts'
import type { Detector } from './detectors.ts'
import { Gossip } from './gossip.ts'

/** What a node watches its peers with. */
export interface LivenessOptions {
  readonly self: NodeId
  /** This life's number. */
  readonly generation: number
  /** Whom to watch, this node perhaps included. */
  readonly members: () => readonly NodeId[]
  readonly config: Pick<NodeConfig, 'heartbeats' | 'heartbeat_interval_ms' | 'failure_detector' | 'suspect_after_ms' | 'phi_threshold' | 'cleanup_after_ms'>
  readonly clock: Clock
  readonly random: Random
  readonly rpc: Rpc
}

/** Who answers, as this node sees it. */
export class Liveness {
  readonly #options: LivenessOptions
  readonly #detector: Detector
  readonly #gossip: Gossip | undefined
  /** When each watched node was last heard of, or when watching it began. */
  readonly #lastHeard = new Map<NodeId, number>()
  #timer: Timer | undefined
  #stopped = false

  constructor(options: LivenessOptions) {
    const { self, generation, members, config, random, rpc } = options
    this.#options = options
    this.#detector = config.failure_detector === 'timeout' ? timeoutDetector({ failAfterMs: config.suspect_after_ms }) : accrualDetector({ intervalMs: config.heartbeat_interval_ms, threshold: config.phi_threshold })
    if (config.heartbeats === 'gossip') this.#gossip = new Gossip({ self, generation, members, rpc, random, heard: node => this.#heard(node) })
    this.#expectAll()
    rpc.serve(HEARTBEAT, () => null)
  }

  /** Whether this node believes that the other is down. Itself it never suspects, and without heartbeats nobody. */
  suspects(node: NodeId): boolean {
    const { self, config, clock } = this.#options
    return config.heartbeat_interval_ms > 0 && node !== self && this.#detector.suspects(node, clock.now())
  }

  /** For how many milliseconds a node has not been heard of. */
  silentMs(node: NodeId): number {
    const { self, clock } = this.#options
    return node === self ? 0 : (clock.now() - (this.#lastHeard.get(node) ?? clock.now())) / 1e6
  }

  /** The nodes that are watched. */
  get watched(): readonly NodeId[] {
    return [...this.#lastHeard.keys()]
  }

  start(): void {
    const { config, clock, random } = this.#options
    if (config.heartbeat_interval_ms === 0) return
    const beat = (): void => {
      if (this.#stopped) return
      this.#round()
      this.#timer = clock.after(config.heartbeat_interval_ms, beat)
    }
    this.#timer = clock.after(config.heartbeat_interval_ms * random.float(), beat)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  #round(): void {
    const { self, members } = this.#options
    this.#expectAll()
    this.#cleanUp()
    if (this.#gossip !== undefined) this.#gossip.round()
    else for (const peer of members()) if (peer !== self) void this.#ask(peer)
  }

  #heard(node: NodeId): void {
    const now = this.#options.clock.now()
    this.#lastHeard.set(node, now)
    this.#detector.heard(node, now)
  }

  /** Members that are new are heard of from now on. */
  #expectAll(): void {
    const { self, members } = this.#options
    for (const node of members()) if (node !== self && !this.#lastHeard.has(node)) this.#heard(node)
  }

  /** Strikes off who is no member and has been silent for long. */
  #cleanUp(): void {
    const { members, config } = this.#options
    const now = members()
    for (const node of this.watched) {
      if (now.includes(node) || this.silentMs(node) <= config.cleanup_after_ms) continue
      this.#lastHeard.delete(node)
      this.#detector.forget(node)
      this.#gossip?.forget(node)
    }
  }

  async #ask(peer: NodeId): Promise<void> {
    const { complete } = await this.#options.rpc.gather(HEARTBEAT, { to: [peer], request: null, need: 1 })
    if (complete) this.#heard(peer)
  }
}
