/**
 * One directed link of the simulated network: how long what travels on it takes, and whether it arrives at all.
 * Latency is drawn anew for every message, so messages overtake each other as they do between threads and
 * connections of a real system; streams keep their order by themselves (see `stream.ts`).
 */
import type { Clock, Random } from '../../../harness/env.ts'
import { exponential } from '../../../harness/random.ts'

/** What a healthy link is like. */
export interface LinkTimes {
  /** One-way latency: uniform between the two. */
  readonly latencyMs: readonly [number, number]
  /** This share of the messages takes longer, by an exponential time of mean `tailMs`. */
  readonly tailShare: number
  readonly tailMs: number
  /** Shares of messages that are lost and doubled without any fault. */
  readonly lose: number
  readonly duplicate: number
}

export const defaultLinkTimes: LinkTimes = { latencyMs: [0.3, 1.5], tailShare: 0.01, tailMs: 8, lose: 0, duplicate: 0 }

/** A message that would wait longer than this for its turn on a slow link is dropped, as full queues do. */
const QUEUE_MS_MAX = 2_000

/** How a link is disturbed now. */
export interface Disturbance {
  cut: boolean
  delayMs: number
  jitterMs: number
  lose: number
  duplicate: number
  reorder: number
  reorderMs: number
  bytesPerSecond: number
  /** Shares of messages that arrive damaged, and that break their connection. */
  corrupt: number
  reset: number
  /** Until then nothing passes: the connection is half open, and not yet dialled anew. In nanoseconds of the clock. */
  silentUntil: number
}

const undisturbed: Disturbance = { cut: false, delayMs: 0, jitterMs: 0, lose: 0, duplicate: 0, reorder: 0, reorderMs: 0, bytesPerSecond: Infinity, corrupt: 0, reset: 0, silentUntil: 0 }

/** One directed link. */
export class Wire {
  readonly #clock: Clock
  readonly #random: Random
  readonly #times: LinkTimes
  #disturbance = undisturbed
  /** How often the link was cut: what left before a cut must not arrive after it. */
  #cuts = 0
  #freeAt = 0
  #struck = 0
  readonly #stalled = new Set<() => void>()

  constructor(clock: Clock, random: Random, times: LinkTimes) {
    this.#clock = clock
    this.#random = random
    this.#times = times
  }

  get isCut(): boolean {
    return this.#disturbance.cut
  }

  /** Messages that the present disturbances have struck. */
  get struck(): number {
    return this.#struck
  }

  disturb(change: Partial<Disturbance>): void {
    this.#disturbance = { ...this.#disturbance, ...change }
    if (change.cut) this.#cuts++
  }

  /** Lets nothing pass for a time between the two bounds, in milliseconds. */
  silence([low, high]: readonly [number, number]): void {
    this.disturb({ silentUntil: this.#clock.now() + (low + this.#random.float() * (high - low)) * 1e6 })
  }

  /** Removes every disturbance and lets go what waited for that. */
  heal(): void {
    this.#disturbance = undisturbed
    this.#struck = 0
    this.#freeAt = 0
    const stalled = [...this.#stalled]
    this.#stalled.clear()
    for (const go of stalled) go()
  }

  /** Calls `go` once at the next heal. Returns how to take that back. */
  whenHealed(go: () => void): () => void {
    this.#stalled.add(go)
    return () => this.#stalled.delete(go)
  }

  /** How long `bytes` that leave now will be under way. */
  travelMs(bytes: number): number {
    const { delayMs, jitterMs, reorder, reorderMs } = this.#disturbance
    const [low, high] = this.#times.latencyMs
    let ms = low + this.#random.float() * (high - low) + delayMs
    if (this.#random.float() < this.#times.tailShare) ms += exponential(this.#random, this.#times.tailMs)
    if (jitterMs > 0) ms += this.#random.float() * jitterMs
    if (this.#strikes(reorder)) ms += this.#random.float() * reorderMs
    return ms + this.#queueMs(bytes)
  }

  #queueMs(bytes: number): number {
    const rate = this.#disturbance.bytesPerSecond
    if (rate === Infinity) return 0
    const now = this.#clock.now()
    this.#freeAt = Math.max(now, this.#freeAt) + (bytes / rate) * 1e9
    return (this.#freeAt - now) / 1e6
  }

  /** Sends one message that `arrive` is called for: once, never, or twice. */
  send(bytes: number, arrive: () => void): void {
    const { cut, lose, duplicate, corrupt, reset, silentUntil } = this.#disturbance
    if (silentUntil > this.#clock.now()) {
      this.#struck++
      return
    }
    if (this.#strikes(corrupt) || this.#strikes(reset)) {
      // A damaged frame fails its checksum, and its receiver gives the connection up: that is a reset too. With the
      // connection goes what was under way on it.
      this.#cuts++
      return
    }
    if (cut || (this.#freeAt - this.#clock.now()) / 1e6 > QUEUE_MS_MAX) return
    if (this.#strikes(lose) || this.#chance(this.#times.lose)) return
    this.#launch(bytes, arrive)
    if (this.#strikes(duplicate) || this.#chance(this.#times.duplicate)) this.#launch(bytes, arrive)
  }

  #launch(bytes: number, arrive: () => void): void {
    const cuts = this.#cuts
    this.#clock.after(this.travelMs(bytes), () => {
      if (this.#cuts === cuts) arrive()
    })
  }

  #strikes(share: number): boolean {
    const strikes = this.#chance(share)
    if (strikes) this.#struck++
    return strikes
  }

  #chance(share: number): boolean {
    return share > 0 && this.#random.float() < share
  }
}
