/**
 * Time: the machine's own clock, and a virtual one that jumps from event to event.
 *
 * The virtual clock is a discrete-event simulation in the sense of every textbook: a heap of pending callbacks
 * ordered by (time, sequence number), and a loop that sets `now` to the earliest and runs it. What makes it fit
 * for promise-based actors is when the loop moves on: only after every microtask that the last instant caused has
 * run. Node drains microtasks between two `setImmediate` callbacks (and between two of the same batch), so one
 * immediate per virtual instant is enough, and queueing them in batches spares a turn of the event loop for each.
 * Anything that leaves the process (a worker, a socket, a real timer) is invisible to it and breaks determinism.
 */
import type { Clock, Timer } from './env.ts'

const NANOSECONDS_PER_MS = 1e6

/** The largest delay that `setTimeout` honours; a longer one fires at once. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1

/** The machine's clock. Timers are those of the event loop: accurate to about a millisecond. */
export function realClock(): Clock {
  const origin = performance.now()
  return {
    now: () => Math.round((performance.now() - origin) * NANOSECONDS_PER_MS),
    wall: () => Date.now(),
    after: realTimer,
  }
}

/** The same clock with a wall clock that can be set wrong. */
export function skewableClock(clock: Clock): Required<Clock> {
  let [offset, drift, since] = [0, 0, 0]
  return {
    now: () => clock.now(),
    after: (delayMs, callback) => clock.after(delayMs, callback),
    wall: () => clock.wall() + Math.round(offset + (((clock.now() - since) / NANOSECONDS_PER_MS) * drift) / 1e6),
    skew: (offsetMs, driftPpm) => {
      [offset, drift, since] = [offsetMs, driftPpm, clock.now()]
    },
  }
}

/** The same clock counted from this moment: `now()` is 0 here and now. */
export function startingNow(clock: Clock): Clock {
  const origin = clock.now()
  return { now: () => clock.now() - origin, wall: () => clock.wall(), after: (delayMs, callback) => clock.after(delayMs, callback) }
}

function realTimer(delayMs: number, callback: () => void): Timer {
  if (!(delayMs > 0)) {
    const immediate = setImmediate(callback)
    return { cancel: () => clearImmediate(immediate) }
  }
  let timeout: NodeJS.Timeout
  const arm = (leftMs: number): void => {
    timeout = leftMs <= TIMEOUT_MAX_MS ? setTimeout(callback, leftMs) : setTimeout(() => arm(leftMs - TIMEOUT_MAX_MS), TIMEOUT_MAX_MS)
  }
  arm(delayMs)
  return { cancel: () => clearTimeout(timeout) }
}

/** A pending callback of the virtual clock. `callback` is undefined once it has run or was called off. */
class Event implements Timer {
  readonly time: number
  readonly sequence: number
  callback: (() => void) | undefined
  constructor(time: number, sequence: number, callback: () => void) {
    this.time = time
    this.sequence = sequence
    this.callback = callback
  }
  cancel(): void {
    this.callback = undefined
  }
}

/** What a virtual clock may be told. */
export interface VirtualClockOptions {
  /** What `wall()` reads when `now()` is 0: milliseconds since the Unix epoch. */
  readonly epochMs?: number
  /** `run` gives up when virtual time passes this: background timers would otherwise hide a main that waits for ever. */
  readonly limitMs?: number
}

/** Immediates queued at a time. Node drains microtasks between two of a batch, without a turn of the event loop. */
const BATCH = 64

/** Virtual time: it stands still while code runs and jumps to the next event when nothing is left to do. */
export class VirtualClock implements Clock {
  #now = 0
  #sequence = 0
  #eventsRun = 0
  #running = false
  readonly #epochMs: number
  readonly #limit: number
  readonly #heap: Event[] = []

  constructor(options: VirtualClockOptions = {}) {
    this.#epochMs = options.epochMs ?? Date.UTC(2025, 0, 1)
    this.#limit = (options.limitMs ?? 24 * 3_600_000) * NANOSECONDS_PER_MS
  }

  now(): number {
    return this.#now
  }

  wall(): number {
    return Math.floor(this.#epochMs + this.#now / NANOSECONDS_PER_MS)
  }

  /** How many callbacks have run: the size of a simulation. */
  get eventsRun(): number {
    return this.#eventsRun
  }

  after(delayMs: number, callback: () => void): Timer {
    if (Number.isNaN(delayMs)) throw new RangeError('a timer needs a delay in milliseconds, not NaN')
    const delay = delayMs > 0 ? Math.round(delayMs * NANOSECONDS_PER_MS) : 0
    const event = new Event(this.#now + delay, this.#sequence++, callback)
    push(this.#heap, event)
    return event
  }

  /**
   * Runs `main` and advances time whenever nothing is left to do at the current instant, until main settles.
   * Rejects when a callback throws, when nothing is left to happen but main has not settled, and when time passes the limit.
   * Events that are pending when main settles stay for the next `run`.
   */
  run<T>(main: () => Promise<T>): Promise<T> {
    if (this.#running) throw new Error('this virtual clock is already running')
    this.#running = true
    return new Promise<T>((resolve, reject) => {
      let queued = 0
      let over = false
      const end = (outcome: () => void): void => {
        if (over) return
        over = true
        this.#running = false
        outcome()
      }
      main().then(
        (value) => end(() => resolve(value)),
        (reason: unknown) => end(() => reject(reason)),
      )
      const step = (): void => {
        queued--
        if (over) return
        try {
          this.#instant()
        } catch (error) {
          end(() => reject(error))
        }
        if (queued === 0) refill()
      }
      const refill = (): void => {
        for (; queued < BATCH; queued++) setImmediate(step)
      }
      refill()
    })
  }

  /** Runs every callback that is due at the next instant. What these schedule for the same instant runs after a drain. */
  #instant(): void {
    const heap = this.#heap
    dropCancelled(heap)
    const first = heap[0]
    if (first === undefined) throw new Error(`deadlock: nothing left to happen at t=${formatTime(this.#now)}, and main has not settled`)
    if (first.time > this.#limit) throw new Error(`main has not settled by t=${formatTime(this.#limit)} (virtual), the limit of this clock`)
    this.#now = first.time
    const before = this.#sequence
    for (let event: Event | undefined = first; event !== undefined && event.time === this.#now && event.sequence < before; event = heap[0]) {
      pop(heap)
      const callback = event.callback
      if (callback === undefined) continue
      event.callback = undefined
      this.#eventsRun++
      callback()
    }
  }
}

function formatTime(nanoseconds: number): string {
  return `${(nanoseconds / 1e9).toFixed(6)} s`
}

function earlier(a: Event, b: Event): boolean {
  return a.time < b.time || (a.time === b.time && a.sequence < b.sequence)
}

function push(heap: Event[], event: Event): void {
  let hole = heap.length
  heap.push(event)
  while (hole > 0) {
    const parent = (hole - 1) >> 1
    const above = heap[parent]!
    if (!earlier(event, above)) break
    heap[hole] = above
    hole = parent
  }
  heap[hole] = event
}

/** Removes the earliest event. */
function pop(heap: Event[]): void {
  const last = heap.pop()
  const size = heap.length
  if (last === undefined || size === 0) return
  let hole = 0
  for (;;) {
    let child = 2 * hole + 1
    if (child >= size) break
    if (child + 1 < size && earlier(heap[child + 1]!, heap[child]!)) child++
    if (!earlier(heap[child]!, last)) break
    heap[hole] = heap[child]!
    hole = child
  }
  heap[hole] = last
}

/** Time must not stop at an event that was called off. */
function dropCancelled(heap: Event[]): void {
  while (heap.length > 0 && heap[0]!.callback === undefined) pop(heap)
}

/** Resolves `ms` from now; rejects with the signal's reason when that comes first. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error)
    const abort = (): void => {
      timer.cancel()
      reject(signal!.reason as Error)
    }
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    signal?.addEventListener('abort', abort, { once: true })
  })
}

/**
 * Settles as `promise` does, or as `onLate` says when it takes longer than `ms`: `onLate` returns a substitute or throws.
 * What the promise does after that is ignored.
 */
export function withDeadline<T>(clock: Clock, ms: number, promise: Promise<T>, onLate: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(ms, () => {
      try {
        resolve(onLate())
      } catch (error) {
        reject(error)
      }
    })
    promise.then(
      (value) => {
        timer.cancel()
        resolve(value)
      },
      (reason: unknown) => {
        timer.cancel()
        reject(reason)
      },
    )
  })
}
