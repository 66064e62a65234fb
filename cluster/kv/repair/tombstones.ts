/**
 * Tombstones with a grace period: what a deletion leaves behind is removed once it is old enough that every replica
 * must have heard of it (Cassandra's gc_grace_seconds). Removed too early, a replica that was away meanwhile still has
 * the older value, nothing stands against that any more, and what was deleted comes back.
 *
 * Only versions by wall clock tell their age.
 */
import type { Clock, Timer } from '../../../harness/env.ts'
import { TOKENS } from '../partitioner.ts'
import type { Storage } from '../storage.ts'

/** What the collection of tombstones works on. */
export interface TombstoneOptions {
  readonly graceMs: number
  readonly clock: Clock
  readonly storage: Storage
}

/** Looks through the storage twice per grace period and removes what is older. */
export class TombstoneCollection {
  readonly #options: TombstoneOptions
  #timer: Timer | undefined
  #stopped = false
  collected = 0

  constructor(options: TombstoneOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#stopped) return
    const { clock, graceMs } = this.#options
    this.#timer = clock.after(graceMs / 2, () => {
      // A disk that fails says so to those who write.
      void this.#collect().catch(() => undefined).then(() => this.start())
    })
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  async #collect(): Promise<void> {
    const { clock, graceMs, storage } = this.#options
    const oldest = (clock.wall() - graceMs) * 1000
    for await (const [key, cell] of storage.scan(0, TOKENS)) {
      if (this.#stopped) return
      if (cell.value === null && cell.counter < oldest && (await storage.forget(key, cell))) this.collected++
    }
  }
}
