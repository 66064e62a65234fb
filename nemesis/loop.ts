/**
 * Something that a fault does again and again until it is healed, on the cluster's own clock.
 */
import type { Clock } from '../harness/env.ts'
import { sleep } from '../harness/clock.ts'

/** Repeats `round` until it is stopped. A round's waits end at once when that happens; the round itself is finished. */
export class Loop {
  readonly #ended: Promise<void>
  readonly #stop = new AbortController()
  #failure: string | undefined
  #rounds = 0

  constructor(clock: Clock, round: (sleep: (ms: number) => Promise<void>, isStopping: () => boolean) => Promise<void>) {
    const { signal } = this.#stop
    // Within a round a wait that is cut short is no failure: what comes after it is still to be done.
    const rest = (ms: number): Promise<void> => (signal.aborted ? Promise.resolve() : sleep(clock, ms, signal).catch(() => undefined))
    const repeat = async (): Promise<void> => {
      while (!signal.aborted && this.#failure === undefined) {
        await round(rest, () => signal.aborted)
        this.#rounds++
      }
    }
    this.#ended = repeat().catch((error: unknown) => {
      this.#failure = `it could not go on: ${(error as Error).message}`
    })
  }

  /** Why it ended by itself, in words; undefined as long as all is well. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** Rounds that are over. */
  get rounds(): number {
    return this.#rounds
  }

  /** Resolves when the round that is under way has ended, and there will be no other. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#ended
  }
}
