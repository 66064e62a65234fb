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

  constructor(random: Random) {
    this.#random = random
  }

  get isCut(): boolean {
    return this.#cut
  }

  /** Whether bytes must wait for their time. */
  get isSlow(): boolean {
    return this.#delayMs > 0 || this.#jitterMs > 0 || this.isLimited
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

  heal(): void {
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
    return this.#freeAt + this.#delayMs + this.#random.float() * this.#jitterMs
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
  take(what: Passing): void {
    const { isCut, isSlow, isLimited } = this.#state
    if (this.#queue.length === 0 && !isCut && !isSlow) {
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

  /** Looks again at whether anything may pass, after the link or one of its sides has changed. */
  follow(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (!this.#state.isCut) this.#passDue()
    this.#ends.flow(!this.#state.isCut && this.#ends.ready() && this.#bytes <= WAITING_BYTES_MAX)
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
