/**
 * Who is the primary: an election per epoch, and a lease that keeps a deposed primary from answering.
 *
 * A node that has not heard of its primary for a while asks a majority for its votes for the next epoch. A vote is a
 * promise, durable before it is given, to take nothing of an earlier epoch any more: that fences the old primary's
 * writes. (Epochs are Raft's terms and Viewstamped Replication's views: Ongaro and Ousterhout, USENIX ATC 2014,
 * section 5.2; the question before the vote is section 9.6 of Ongaro's thesis.)
 *
 * The primary renews its lease from a majority (Gray and Cheriton, SOSP 1989). Whoever renewed it votes for nobody
 * before it has ended by its own clock, and the primary counts it from before it asked, so it holds if clocks tick
 * about equally fast; it does not matter what time they show.
 */
import type { Clock, Log, NodeId, Random, Timer } from '../../../harness/env.ts'
import type { NodeConfig } from '../config.ts'
import type { Ledger } from '../ledger.ts'
import { count, flag, list, plain } from '../messages.ts'
import type { Kind } from '../messages.ts'
import type { Rpc } from '../rpc.ts'

/** Vote for me in this epoch, or say whether you would. Replies whether so, and the epoch that is promised. */
const VOTE: Kind<readonly [epoch: number, binding: boolean], readonly [granted: boolean, promised: number]> = {
  code: 40,
  request: plain(input => {
    const [epoch, binding] = list(input, 2)
    return [count(epoch), flag(binding)] as const
  }),
  reply: plain(input => {
    const [granted, promised] = list(input, 2)
    return [flag(granted), count(promised)] as const
  }),
}

/** I am the primary of this epoch. Replies the epoch that is promised. */
const RENEW: Kind<number, number> = { code: 41, request: plain(count), reply: plain(count) }

/** A lease is counted this much shorter by who holds it than by who gave it: clocks may tick differently. */
const LEASE_MARGIN = 0.8

/** What an election works with. */
export interface EpochsOptions {
  readonly self: NodeId
  readonly nodes: readonly NodeId[]
  readonly config: Pick<NodeConfig, 'heartbeat_interval_ms' | 'suspect_after_ms' | 'lease_ms' | 'bugs'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly rpc: Rpc
  readonly ledger: Ledger
}

/** One node's part in the elections. */
export class Epochs {
  readonly #options: EpochsOptions
  readonly #majority: number
  /** Nothing of an earlier epoch is taken any more. */
  #promised: number
  #durable: Promise<void> = Promise.resolve()
  /** The epoch in which this node is primary. */
  #ownEpoch: number | undefined
  #primary: { readonly node: NodeId; readonly epoch: number } | undefined
  #heardAt: number
  #leaseEndsAt = 0
  #timer: Timer | undefined
  #stopped = false
  /** How often this node became the primary. */
  elected = 0

  constructor(options: EpochsOptions) {
    this.#options = options
    this.#majority = Math.floor(options.nodes.length / 2) + 1
    this.#promised = Number(Buffer.from(options.ledger.get('promised') ?? Buffer.from('0')).toString())
    this.#heardAt = options.clock.now()
    options.rpc.serve(VOTE, ([epoch, binding]) => this.#vote(epoch, binding))
    options.rpc.serve(RENEW, (epoch, from) => this.#hear(epoch, from))
    this.#schedule(options.config.suspect_after_ms * options.random.float())
  }

  /** The epoch below which nothing is taken. */
  get promised(): number {
    return this.#promised
  }

  /** The epoch in which this node is the primary, as far as it knows. */
  get own(): number | undefined {
    return this.#ownEpoch
  }

  /** The primary, as far as this node knows. */
  get primary(): NodeId | undefined {
    return this.#ownEpoch === undefined ? this.#primary?.node : this.#options.self
  }

  /** Whether nobody else can be primary now. Without leases nobody knows, and everybody hopes. */
  get leased(): boolean {
    const { config, clock } = this.#options
    return config.lease_ms === 0 || config.bugs.includes('trust-stale-lease') || clock.now() < this.#leaseEndsAt
  }

  /** Takes nothing of an epoch before this one any more. Resolves when that is durable. */
  promise(epoch: number): Promise<void> {
    if (epoch <= this.#promised) return this.#durable
    this.#promised = epoch
    if (this.#ownEpoch !== undefined && this.#ownEpoch < epoch && !this.#options.config.bugs.includes('two-primaries')) this.#stepDown(epoch)
    this.#durable = this.#options.ledger.put('promised', Buffer.from(String(epoch)))
    return this.#durable
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  #stepDown(epoch: number): void {
    this.#options.log.warn(`${this.#options.self} is not the primary any more: there is an epoch ${epoch} after its ${this.#ownEpoch}`)
    this.#ownEpoch = undefined
    this.#primary = undefined
  }

  /** Whether this node has heard of its primary lately, or is it. */
  get #content(): boolean {
    const { clock, config } = this.#options
    const patienceMs = Math.max(config.suspect_after_ms, config.lease_ms)
    return this.#ownEpoch !== undefined ? this.#options.config.lease_ms === 0 || this.leased : clock.now() - this.#heardAt < patienceMs * 1e6
  }

  async #vote(epoch: number, binding: boolean): Promise<readonly [boolean, number]> {
    if (epoch <= this.#promised || this.#content) return [false, this.#promised]
    if (binding) {
      // Whoever gets the vote gets time to win.
      this.#heardAt = this.#options.clock.now()
      await this.promise(epoch)
    }
    return [true, epoch]
  }

  async #hear(epoch: number, from: NodeId): Promise<number> {
    if (epoch < this.#promised) return this.#promised
    const durable = this.promise(epoch)
    this.#primary = { node: from, epoch }
    this.#heardAt = this.#options.clock.now()
    await durable
    return this.#promised
  }

  #schedule(delayMs: number): void {
    this.#timer = this.#options.clock.after(delayMs, () => void this.#turn())
  }

  async #turn(): Promise<void> {
    if (this.#stopped) return
    const { config, random } = this.#options
    if (this.#ownEpoch !== undefined) {
      void this.#renew(this.#ownEpoch)
      this.#schedule(config.heartbeat_interval_ms)
      return
    }
    if (!this.#content) await this.#campaign()
    // Two that campaign at the same time must not go on doing so.
    if (!this.#stopped) this.#schedule(this.#ownEpoch === undefined ? config.heartbeat_interval_ms * (0.5 + random.float()) : 0)
  }

  async #campaign(): Promise<void> {
    const { rpc, nodes, self, log } = this.#options
    const epoch = this.#promised + 1
    for (const binding of [false, true]) {
      const { complete, replies } = await rpc.gather(VOTE, { to: nodes, request: [epoch, binding], need: this.#majority })
      const promised = Math.max(0, ...replies.map(([, seen]) => seen))
      if (promised > epoch) await this.promise(promised)
      if (!complete || !replies.every(([granted]) => granted) || this.#stopped) return
    }
    if (this.#promised !== epoch) return
    this.#ownEpoch = epoch
    this.#primary = { node: self, epoch }
    this.elected++
    log.info(`${self} is the primary of epoch ${epoch}`)
  }

  async #renew(epoch: number): Promise<void> {
    const { rpc, nodes, clock, config } = this.#options
    const asked = clock.now()
    const { complete, replies } = await rpc.gather(RENEW, { to: nodes, request: epoch, need: this.#majority })
    const promised = Math.max(0, ...replies)
    if (promised > epoch) await this.promise(promised)
    // Whoever has heard of a later epoch has stepped down by now.
    if (complete && this.#ownEpoch === epoch) this.#leaseEndsAt = Math.max(this.#leaseEndsAt, asked + config.lease_ms * LEASE_MARGIN * 1e6)
  }
}
