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
 *
 * While members change. Words: H are the members before the change, H' those after, T is the view between them, in which
 * votes, renewals, recoveries and confirmations each take a majority of H and one of H'. Everything is counted within one
 * view (`rpc.ts`), and the view after T is agreed on when so many of H are in T that every majority of H has one of them,
 * and when the epoch and the cells have been handed over (`moving.ts`, `takeOver`): every new member has them from a
 * majority of H that was in T, and where members become fewer so have as many of those who stay as a majority of H'
 * cannot miss.
 *
 * - Two majorities of one view meet, and so do those of T and of the view before or after it. What follows is about views
 *   E < T < E' whose majorities may not meet.
 * - Say that an epoch was promised in E by so many of H that every majority of H has one of them. Then so many of H' have
 *   promised it before E': whoever asked a majority of H in T has asked one of them, after it promised (whoever answers in
 *   T answers in E no more). With one new member who asked, in another's place or beside them all, there are as many as
 *   before, or one more, which is enough for one member more; and where one goes, as many as have to be have asked. The
 *   same holds for cells, and by induction over more changes. So no epoch is won twice; what was confirmed in E is found by
 *   whoever recovers the key in E'; and where a later epoch has recovered the key in E, an earlier one confirms nothing in
 *   E', as every majority of H' has one who refuses it.
 * - Leases given in E are over before anyone votes in E'. A majority of H gave them, and one of these was in T before E'
 *   was agreed on, so it gave its part before that; and whoever enters a view votes for nobody for as long as a lease
 *   lasts (`#lookAround`). This also holds for a primary that knows of neither T nor E'.
 * - Only who is a member before and after the change stands for election in T: the others would not stay, or know nothing
 *   yet. A primary that is to go leads on in T, and steps down when it enters the next view; should it not hear of that,
 *   it finds nobody who confirms anything, and nobody is elected before its lease has ended.
 * - A change that is given up: in T every majority had one of H in it, so the view after T is to H as the one before was.
 */
import type { Clock, Log, NodeId, Random, Timer } from '../../../harness/env.ts'
import type { NodeConfig } from '../config.ts'
import type { Ledger } from '../ledger.ts'
import { count, flag, list, plain } from '../messages.ts'
import type { Kind } from '../messages.ts'
import { majority } from './levels.ts'
import type { PreferenceLists } from '../ring.ts'
import type { Rpc } from '../rpc.ts'
import { majorities, votersOf } from './targets.ts'

/** Vote for me in this epoch, or say whether you would. Replies whether so, and the epoch that is promised. */
const VOTE: Kind<readonly [epoch: number, binding: boolean], readonly [granted: boolean, promised: number]> = {
  code: 40,
  ofView: true,
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
const RENEW: Kind<number, number> = { code: 41, ofView: true, request: plain(count), reply: plain(count) }

/** A lease is counted this much shorter by who holds it than by who gave it: clocks may tick differently. */
const LEASE_MARGIN = 0.8

/** What an election works with. */
export interface EpochsOptions {
  readonly self: NodeId
  /** The members, and the next ones: each of them holds every key. */
  readonly lists: PreferenceLists
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
  /** Nothing of an earlier epoch is taken any more. */
  #promised: number
  #durable: Promise<void> = Promise.resolve()
  /** The epoch in which this node is primary. */
  #ownEpoch: number | undefined
  #primary: { readonly node: NodeId; readonly epoch: number } | undefined
  #heardAt: number
  /** The view that this node saw last. */
  #view: number
  #leaseEndsAt = 0
  #timer: Timer | undefined
  #stopped = false
  /** How often this node became the primary. */
  elected = 0

  constructor(options: EpochsOptions) {
    this.#options = options
    this.#promised = Number(Buffer.from(options.ledger.get('promised') ?? Buffer.from('0')).toString())
    this.#heardAt = options.clock.now()
    this.#view = options.rpc.epoch
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
    this.#lookAround()
    return this.#ownEpoch
  }

  /** The primary, as far as this node knows. */
  get primary(): NodeId | undefined {
    this.#lookAround()
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
    if (this.#ownEpoch !== undefined && this.#ownEpoch < epoch && !this.#options.config.bugs.includes('two-primaries')) this.#stepDown(`there is an epoch ${epoch}`)
    this.#durable = this.#options.ledger.put('promised', Buffer.from(String(epoch)))
    return this.#durable
  }

  /** Promises what a majority of the old members has promised, durably. Resolves to whether so many have said. */
  async takeOver(): Promise<boolean> {
    const { rpc, lists } = this.#options
    const { members } = votersOf(lists)
    // Nobody votes for epoch 0; everybody says what is promised.
    const { complete, replies } = await rpc.gather(VOTE, { to: members, request: [0, false], need: majority(members.length) })
    if (complete) await this.promise(Math.max(...replies.map(([, promised]) => promised)))
    return complete
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  #stepDown(why: string): void {
    this.#options.log.warn(`${this.#options.self} is not the primary of epoch ${this.#ownEpoch} any more: ${why}`)
    this.#ownEpoch = undefined
    this.#primary = undefined
  }

  /** In a view that this node has not seen yet it votes for nobody before all leases given earlier have ended, and who is no member is no primary. */
  #lookAround(): void {
    const { rpc, lists, clock, self } = this.#options
    if (rpc.epoch === this.#view) return
    this.#view = rpc.epoch
    this.#heardAt = clock.now()
    const { members } = votersOf(lists)
    if (this.#ownEpoch !== undefined && !members.includes(self)) this.#stepDown('it is no member any more')
    if (this.#primary !== undefined && !members.includes(this.#primary.node)) this.#primary = undefined
  }

  /** Whether this node is a member and will be one. */
  get #mayStand(): boolean {
    const { lists, self } = this.#options
    const { members, next } = votersOf(lists)
    return members.includes(self) && next?.includes(self) !== false
  }

  /** Whether this node has heard of its primary lately, or is it. */
  get #content(): boolean {
    const { clock, config } = this.#options
    const patienceMs = Math.max(config.suspect_after_ms, config.lease_ms)
    return this.#ownEpoch !== undefined ? this.#options.config.lease_ms === 0 || this.leased : clock.now() - this.#heardAt < patienceMs * 1e6
  }

  async #vote(epoch: number, binding: boolean): Promise<readonly [boolean, number]> {
    this.#lookAround()
    if (epoch <= this.#promised || this.#content) return [false, this.#promised]
    if (binding) {
      // Whoever gets the vote gets time to win.
      this.#heardAt = this.#options.clock.now()
      await this.promise(epoch)
    }
    return [true, epoch]
  }

  async #hear(epoch: number, from: NodeId): Promise<number> {
    this.#lookAround()
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
    this.#lookAround()
    if (this.#ownEpoch !== undefined) {
      void this.#renew(this.#ownEpoch)
      this.#schedule(config.heartbeat_interval_ms)
      return
    }
    if (!this.#content && this.#mayStand) await this.#campaign()
    // Two that campaign at the same time must not go on doing so.
    if (!this.#stopped) this.#schedule(this.#ownEpoch === undefined ? config.heartbeat_interval_ms * (0.5 + random.float()) : 0)
  }

  async #campaign(): Promise<void> {
    const { rpc, lists, self, log } = this.#options
    const epoch = this.#promised + 1
    for (const binding of [false, true]) {
      const { complete, replies } = await rpc.gather(VOTE, { request: [epoch, binding], ...majorities(votersOf(lists)) })
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
    const { rpc, lists, clock, config } = this.#options
    const asked = clock.now()
    const { complete, replies } = await rpc.gather(RENEW, { request: epoch, ...majorities(votersOf(lists)) })
    const promised = Math.max(0, ...replies)
    if (promised > epoch) await this.promise(promised)
    // Whoever has heard of a later epoch has stepped down by now.
    if (complete && this.#ownEpoch === epoch) this.#leaseEndsAt = Math.max(this.#leaseEndsAt, asked + config.lease_ms * LEASE_MARGIN * 1e6)
  }
}
