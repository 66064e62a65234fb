/**
 * What a node remembers of keys that it asked others for. An answer is remembered only if nothing has spoken against
 * it since it was asked for: a write or an invalidation that overtakes an answer must not be undone by it.
 */
import type { Clock } from '../../../harness/env.ts'
import type { Cell } from '../versions.ts'

interface Entry {
  readonly cell: Cell
  /** When it was asked for, by the monotonic clock in nanoseconds: it is at least as new as that. */
  readonly askedAt: number
}

/** A question that was not answered yet. */
interface Asking {
  readonly askedAt: number
  readonly answer: Promise<Cell>
}

/** Cells by key, the ones remembered longest go first when there are too many. */
export class KeyCache {
  readonly #clock: Clock
  readonly #max: number
  readonly #entries = new Map<string, Entry>()
  readonly #asking = new Map<string, Asking>()
  readonly counts = { hits: 0, misses: 0 }

  constructor(clock: Clock, max: number) {
    this.#clock = clock
    this.#max = max
  }

  /** The cell of a key, asked for within the last `maxAgeMs`; undefined when there is none. */
  get(key: string, maxAgeMs = Number.POSITIVE_INFINITY): Cell | undefined {
    const entry = this.#entries.get(key)
    const fresh = entry !== undefined && this.#clock.now() - entry.askedAt <= maxAgeMs * 1e6
    this.counts[fresh ? 'hits' : 'misses']++
    return fresh ? entry.cell : undefined
  }

  /**
   * Asks for a cell, and remembers it unless the key is forgotten meanwhile. Whoever asks in between shares the answer:
   * of two answers the older one could come last. One that was overtaken may be newer than what is remembered by then
   * (the question was lost and sent again), and whoever gets it must not find the older one here afterwards.
   */
  ask(key: string, question: () => Promise<Cell> | Cell): Promise<Cell> {
    const under = this.#asking.get(key)
    if (under !== undefined) return under.answer
    const asking: Asking = { askedAt: this.#clock.now(), answer: (async () => question())() }
    this.#asking.set(key, asking)
    asking.answer.then(
      cell => this.#end(key, asking, cell),
      () => this.#end(key, asking, undefined),
    )
    return asking.answer
  }

  /** An answer is there, or none came. */
  #end(key: string, asking: Asking, cell: Cell | undefined): void {
    if (this.#asking.get(key) !== asking) {
      if (cell !== undefined) this.forget(key)
      return
    }
    this.#asking.delete(key)
    if (cell !== undefined) this.#remember(key, { cell, askedAt: asking.askedAt })
  }

  /** From here on the key is asked for again. */
  forget(key: string): void {
    this.#asking.delete(key)
    this.#entries.delete(key)
  }

  /** A change of the key by its own node: what was asked for before it or meanwhile is not remembered. */
  async change<T>(key: string, work: () => Promise<T> | T): Promise<T> {
    this.forget(key)
    try {
      return await work()
    } finally {
      this.forget(key)
    }
  }

  keys(): Iterable<string> {
    return this.#entries.keys()
  }

  #remember(key: string, entry: Entry): void {
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    if (this.#entries.size <= this.#max) return
    const [oldest] = this.#entries.keys()
    this.#entries.delete(oldest!)
  }
}
