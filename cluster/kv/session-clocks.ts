/**
 * What a client's connection has written and seen, key by key, so that it can be an actor of vector clocks: its every
 * write of a key knows all that its earlier ones knew. A connection that has written more keys than are remembered
 * goes on as a new actor, whose first write of a key knows of none of them.
 */
import type { VectorClock } from './siblings.ts'

const KEYS_MAX = 256
const NOTHING: VectorClock = new Map()

/** The clocks of one connection. */
export class SessionClocks {
  readonly #session: number
  #actors = 0
  #clocks = new Map<string, VectorClock>()

  constructor(session: number) {
    this.#session = session
  }

  /** Its name among the actors of one life of a node. */
  get actor(): string {
    return `${this.#session}.${this.#actors}`
  }

  /** What its last write of the key had seen, that write included. */
  of(key: string): VectorClock {
    return this.#clocks.get(key) ?? NOTHING
  }

  wrote(key: string, clock: VectorClock): void {
    this.#clocks.set(key, clock)
    if (this.#clocks.size <= KEYS_MAX) return
    this.#clocks = new Map()
    this.#actors++
  }
}
