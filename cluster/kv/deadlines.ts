/**
 * Many waits of one length: a queue and a single timer, instead of a timer for each. Waits end in the order in which
 * they began, and most are over long before their deadline, so a wait costs two array slots.
 */
import type { Clock, Timer } from '../../harness/env.ts'

const COMPACT_AT = 1024

/** Calls `expire` with each number `delayMs` after it was added, unless `alive` says that nobody waits for it any more. */
export class Deadlines {
  readonly #clock: Clock
  readonly #delayMs: number
  readonly #alive: (id: number) => boolean
  readonly #expire: (id: number) => void
  #ids: number[] = []
  #due: number[] = []
  #head = 0
  #timer: Timer | undefined

  constructor(clock: Clock, delayMs: number, alive: (id: number) => boolean, expire: (id: number) => void) {
    this.#clock = clock
    this.#delayMs = delayMs
    this.#alive = alive
    this.#expire = expire
  }

  add(id: number): void {
    this.#ids.push(id)
    this.#due.push(this.#clock.now() + this.#delayMs * 1e6)
    this.#timer ??= this.#clock.after(this.#delayMs, () => this.#fire())
  }

  /** Forgets every wait. */
  clear(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#ids = []
    this.#due = []
    this.#head = 0
  }

  #fire(): void {
    this.#timer = undefined
    const now = this.#clock.now()
    while (this.#head < this.#ids.length) {
      const id = this.#ids[this.#head]!
      if (this.#alive(id)) {
        if (this.#due[this.#head]! > now) break
        this.#head++
        this.#expire(id)
      } else {
        this.#head++
      }
    }
    this.#compact()
    if (this.#head < this.#ids.length) this.#timer ??= this.#clock.after((this.#due[this.#head]! - now) / 1e6, () => this.#fire())
  }

  #compact(): void {
    if (this.#head < COMPACT_AT && this.#head < this.#ids.length) return
    this.#ids.splice(0, this.#head)
    this.#due.splice(0, this.#head)
    this.#head = 0
  }
}
