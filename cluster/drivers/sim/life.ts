/**
 * One life of a simulated node: from its start to its death. Everything that happens *to* a node (a timer, a
 * message, bytes of a stream, an answer of its disk) is handed to its life, which runs it now, later (the node is
 * paused or slow) or never (it is dead). A promise that waits in a dead node just never settles.
 *
 * A slow node gets its processor in slices, as under a CPU quota or duty-cycled SIGSTOP: it runs for the first
 * `share` of every period and stands still for the rest, and every happening costs it some of its running time.
 */
import type { Clock, Timer } from '../../../harness/env.ts'

/** Length of a slow node's duty cycle: that of the process driver. */
const PERIOD_NS = 50e6
/** Running time that one happening costs a slow node. */
const SERVICE_NS = 20_000

/** Runs what happens to one node, while it lives. */
export class Life {
  readonly clock: Clock
  readonly #world: Clock
  readonly #waiting: (() => void)[] = []
  readonly #lastWishes = new Set<() => void>()
  #alive = true
  #paused = false
  #share = 1
  #freeAt = 0
  #pump: Timer | undefined

  /** `wall` outlives the node: it is its machine's. */
  constructor(world: Clock, wall: Required<Clock>) {
    this.#world = world
    const origin = world.now()
    this.clock = {
      now: () => world.now() - origin,
      wall: () => wall.wall(),
      skew: (offsetMs, driftPpm) => wall.skew(offsetMs, driftPpm),
      after: (delayMs, callback) => this.#after(delayMs, callback),
    }
  }

  get alive(): boolean {
    return this.#alive
  }

  get paused(): boolean {
    return this.#paused
  }

  #after(delayMs: number, callback: () => void): Timer {
    if (!this.#alive) return { cancel: () => undefined }
    let cancelled = false
    const timer = this.#world.after(delayMs, () => this.happen(() => {
      if (!cancelled) callback()
    }))
    return {
      cancel: () => {
        cancelled = true
        timer.cancel()
      },
    }
  }

  /** Runs `callback` in the node: at once, or in its turn when the node is paused or slow, or never when it is dead. */
  happen(callback: () => void): void {
    if (!this.#alive) return
    if (!this.#paused && this.#share === 1 && this.#waiting.length === 0) return callback()
    this.#waiting.push(callback)
    this.#schedule()
  }

  /** Resolves in the node after `delayMs`, not counting what the node waits for its turn. */
  wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#after(delayMs, resolve)
    })
  }

  /** Calls `wish` when the node dies. Returns how to take that back. */
  onDeath(wish: () => void): () => void {
    this.#lastWishes.add(wish)
    return () => this.#lastWishes.delete(wish)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#schedule()
  }

  /** Leaves the node `share` (0..1] of its time. */
  throttle(share: number): void {
    this.#share = share
    this.#freeAt = this.#world.now()
    this.#pump?.cancel()
    this.#pump = undefined
    this.#schedule()
  }

  die(): void {
    if (!this.#alive) return
    this.#alive = false
    this.#waiting.length = 0
    this.#pump?.cancel()
    for (const wish of this.#lastWishes) wish()
    this.#lastWishes.clear()
  }

  #schedule(): void {
    if (this.#pump !== undefined || this.#paused || this.#waiting.length === 0) return
    const now = this.#world.now()
    const start = this.#share === 1 ? now : nextRunning(Math.max(now, this.#freeAt), this.#share)
    this.#pump = this.#world.after((start - now) / 1e6, () => {
      this.#pump = undefined
      if (!this.#alive || this.#paused) return
      this.#freeAt = this.#world.now() + SERVICE_NS
      this.#waiting.shift()?.()
      this.#schedule()
    })
  }
}

/** The first moment from `time` on at which a node with this share runs. */
function nextRunning(time: number, share: number): number {
  const phase = time % PERIOD_NS
  return phase < share * PERIOD_NS ? time : time - phase + PERIOD_NS
}
