/**
 * A local notion of failure (Dynamo, SOSP 2007, section 4.8.3): a node believes that another is down when that has not
 * answered its own heartbeats for a while. It matters whether I can reach you, not whether somebody else can, so
 * nobody's opinion is passed on. Wrong suspicions cost detours, not correctness.
 */
import type { Clock, NodeId, Random, Timer } from '../../../harness/env.ts'
import { HEARTBEAT } from '../messages.ts'
import type { Rpc } from '../rpc.ts'

/** What a node watches its peers with. */
export interface LivenessOptions {
  readonly self: NodeId
  readonly nodes: readonly NodeId[]
  readonly intervalMs: number
  readonly suspectAfterMs: number
  readonly clock: Clock
  readonly random: Random
  readonly rpc: Rpc
}

/** Who answers, as this node sees it. */
export class Liveness {
  readonly #options: LivenessOptions
  readonly #peers: readonly NodeId[]
  readonly #lastAnswer = new Map<NodeId, number>()
  #timer: Timer | undefined
  #stopped = false

  constructor(options: LivenessOptions) {
    this.#options = options
    this.#peers = options.nodes.filter(node => node !== options.self)
    const now = options.clock.now()
    for (const peer of this.#peers) this.#lastAnswer.set(peer, now)
    options.rpc.serve(HEARTBEAT, () => null)
  }

  /** Whether this node believes that the other is down. Itself it never suspects, and without heartbeats nobody. */
  suspects(node: NodeId): boolean {
    const { intervalMs, suspectAfterMs, clock } = this.#options
    const last = this.#lastAnswer.get(node)
    return intervalMs > 0 && last !== undefined && clock.now() - last > suspectAfterMs * 1e6
  }

  start(): void {
    const { intervalMs, clock, random } = this.#options
    if (intervalMs === 0 || this.#peers.length === 0) return
    const beat = (): void => {
      if (this.#stopped) return
      for (const peer of this.#peers) void this.#ask(peer)
      this.#timer = clock.after(intervalMs, beat)
    }
    this.#timer = clock.after(intervalMs * random.float(), beat)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  async #ask(peer: NodeId): Promise<void> {
    const { rpc, clock } = this.#options
    const { complete } = await rpc.gather(HEARTBEAT, { to: [peer], request: null, need: 1 })
    if (complete) this.#lastAnswer.set(peer, clock.now())
  }
}
