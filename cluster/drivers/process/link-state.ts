/**
 * One directed link of a cluster of processes: how it is disturbed, and the queue in which bytes wait for it.
 *
 * A cut stalls. Nothing passes and nothing is read any more, so kernels' buffers fill and push back; after the heal
 * everything goes on where it stood. That is what TCP does across a real partition (it retransmits), so messages from
 * before a cut can arrive late, and stores must live with that. The end of a connection is held back like its bytes:
 * across a cut link nobody learns that the other side died.
 */
import type { Random } from '../../../harness/env.ts'

/** Bytes that wait in the controller for a slow link at most, per connection, before its sender is stopped. */
const WAITING_BYTES_MAX = 256 * 1024
/** A limited link passes on pieces no larger than this, so that bytes trickle as they would on a slow wire. */
const PIECE_BYTES = 4 * 1024

/** What TCP sends at once, and how long it waits before it sends it again (RFC 6298; Linux's minimum). */
const SEGMENT_BYTES = 1_448
const RETRANSMISSION_MS = 200

/** The state of one directed link. Every lane on the link follows it. */
export class LinkState {
  readonly #random: Random
  readonly #lanes = new Set<Lane>()
  readonly #waiting = new Set<() => void>()
  #cut = false
  #delayMs = 0
  #jitterMs = 0
  #bytesPerSecond = Infinity
  #freeAt = 0
  #loseShare = 0
  #corruptShare = 0
  #resetShare = 0
  #struck = 0

  constructor(random: Random) {
    this.#random = random
  }

  get isCut(): boolean {
    return this.#cut
  }

  /** Whether bytes must wait for their time. */
  get isSlow(): boolean {
    return this.#delayMs > 0 || this.#jitterMs > 0 || this.#loseShare > 0 || this.isLimited
  }

  get isLimited(): boolean {
    return this.#bytesPerSecond !== Infinity
  }

  cut(): void {
    this.#cut = true
    this.#tell()
  }

  delay(ms: number, jitterMs: number): void {
    this.#delayMs = ms
    this.#jitterMs = jitterMs
  }

  limit(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond
  }

  /** Holds lost segments back for as long as TCP takes to send them again. */
  lose(share: number): void {
    this.#loseShare = share
  }

  corrupt(share: number): void {
    this.#corruptShare = share
  }

  reset(share: number): void {
    this.#resetShare = share
  }

  /** Lets nothing pass any more on the connections that there are now. */
  silence(): void {
    for (const lane of this.#lanes) lane.silence(true)
  }

  /** Pieces that the present disturbances have struck. */
  get struck(): number {
    return this.#struck
  }

  /** Counts a piece that was struck. */
  strike(): void {
    this.#struck++
  }

  /** What becomes of bytes that come now: they pass, they pass damaged, or they break the connection. */
  afflict(bytes: Uint8Array): Uint8Array | 'reset' {
    if (this.#chance(this.#resetShare)) return 'reset'
    if (!this.#chance(this.#corruptShare)) return bytes
    const damaged = Buffer.from(bytes)
    const at = this.#random.int(damaged.length)
    damaged[at] = damaged[at]! ^ (1 << this.#random.int(8))
    return damaged
  }

  #chance(share: number): boolean {
    const strikes = share > 0 && this.#random.float() < share
    if (strikes) this.strike()
    return strikes
  }

  /** How long the segments of these bytes wait for being sent again: twice as long each time one is lost anew. */
  #retransmissionMs(bytes: number): number {
    let ms = 0
    for (let segment = 0; segment < bytes; segment += SEGMENT_BYTES) {
      for (let timeoutMs = RETRANSMISSION_MS; this.#chance(this.#loseShare); timeoutMs *= 2) ms += timeoutMs
    }
    return ms
  }

  heal(): void {
    this.#loseShare = 0
    this.#corruptShare = 0
    this.#resetShare = 0
    this.#struck = 0
    for (const lane of this.#lanes) lane.silence(false)
    this.#cut = false
    this.#delayMs = 0
    this.#jitterMs = 0
    this.#bytesPerSecond = Infinity
    this.#freeAt = 0
    this.#tell()
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const go of waiting) go()
  }

  /** Runs `go` now, or after the heal when the link is cut. Returns how to take that back. */
  whenOpen(go: () => void): () => void {
    if (!this.#cut) {
      go()
      return () => undefined
    }
    this.#waiting.add(go)
    return () => this.#waiting.delete(go)
  }

  join(lane: Lane): void {
    this.#lanes.add(lane)
  }

  leave(lane: Lane): void {
    this.#lanes.delete(lane)
  }

  /** When bytes that come now are due, in milliseconds of `performance.now()`. */
  due(bytes: number): number {
    this.#freeAt = Math.max(performance.now(), this.#freeAt) + (bytes / this.#bytesPerSecond) * 1_000
    return this.#freeAt + this.#delayMs + this.#random.float() * this.#jitterMs + this.#retransmissionMs(bytes)
  }

  #tell(): void {
    for (const lane of this.#lanes) lane.follow()
  }
}

/** What a lane carries: bytes, the orderly end of a direction, or the break of the connection. */
export type Passing = Uint8Array | 'end' | 'break'

/** The two sides of a lane. */
export interface LaneEnds {
  /** Hands on what has passed. */
  pass(what: Passing): void
  /** Whether the receiving side can take more. */
  ready(): boolean
  /** Breaks the connection at both ends, at once. */
  reset(): void
  /** Stops the sending side, or lets it go on. */
  flow(on: boolean): void
}

/** One direction of one connection on a link, in order. */
export class Lane {
  readonly #state: LinkState
  readonly #ends: LaneEnds
  #queue: { readonly what: Passing; readonly due: number }[] = []
  #bytes = 0
  #lastDue = 0
  #silent = false
  #timer: NodeJS.Timeout | undefined

  constructor(state: LinkState, ends: LaneEnds) {
    this.#state = state
    this.#ends = ends
    state.join(this)
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes
  }

  /** Carries `what` to the other side: now, when its time has come, or after the heal. */
  take(whole: Passing): void {
    const what = typeof whole === 'string' ? whole : this.#state.afflict(whole)
    if (what === 'reset') {
      this.leave()
      this.#ends.reset()
      return
    }
    const { isSlow, isLimited } = this.#state
    if (this.#queue.length === 0 && !this.#isShut && !isSlow) {
      this.#ends.pass(what)
      return
    }
    if (isLimited && typeof what !== 'string') {
      for (let at = 0; at < what.length; at += PIECE_BYTES) this.#enqueue(what.subarray(at, at + PIECE_BYTES))
    } else {
      this.#enqueue(what)
    }
    this.follow()
  }

  /** Lets nothing pass, or everything again. */
  silence(on: boolean): void {
    if (this.#silent === on) return
    this.#silent = on
    if (on) this.#state.strike()
    this.follow()
  }

  get #isShut(): boolean {
    return this.#silent || this.#state.isCut
  }

  /** Looks again at whether anything may pass, after the link or one of its sides has changed. */
  follow(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (!this.#isShut) this.#passDue()
    this.#ends.flow(!this.#isShut && this.#ends.ready() && this.#bytes <= WAITING_BYTES_MAX)
  }

  /** Drops what waits. */
  leave(): void {
    clearTimeout(this.#timer)
    this.#queue = []
    this.#bytes = 0
    this.#state.leave(this)
  }

  #enqueue(what: Passing): void {
    const bytes = sizeOf(what)
    if (this.#state.isSlow) this.#lastDue = Math.max(this.#lastDue, this.#state.due(bytes))
    this.#bytes += bytes
    this.#queue.push({ what, due: this.#lastDue })
  }

  #passDue(): void {
    const queue = this.#queue
    const now = performance.now()
    const until = this.#state.isSlow ? now : Infinity
    let passed = 0
    while (passed < queue.length && queue[passed]!.due <= until && this.#ends.ready()) {
      const { what } = queue[passed++]!
      this.#bytes -= sizeOf(what)
      this.#ends.pass(what)
    }
    queue.splice(0, passed)
    const next = queue[0]
    if (next !== undefined && this.#ends.ready()) this.#timer = setTimeout(() => this.follow(), Math.max(0, next.due - now))
  }
}

function sizeOf(what: Passing): number {
  return typeof what === 'string' ? 0 : what.length
}
