/**
 * The ballots that an acceptor has promised beyond those that its cells promise: notes in a ledger, and in memory in the
 * order of the ring as far as its slots tell, so that those of a stretch are found without looking at all others.
 */
import type { Ledger } from '../ledger.ts'
import { count, list, writerName } from '../messages.ts'
import { TOKENS } from '../partitioner.ts'
import type { Partitioner, TokenRange } from '../partitioner.ts'
import { placeOf } from '../records.ts'
import { contains } from '../stretch.ts'
import type { Stretch } from '../stretch.ts'
import type { Version } from '../versions.ts'

/** The ring is cut into so many slots. */
const SLOTS = 4096
const TOKENS_OF_SLOT = TOKENS / SLOTS

/** One acceptor's promises. */
export class PromisedBallots {
  readonly #ledger: Ledger
  readonly #partitioner: Partitioner
  readonly #slots: (Map<string, Version> | undefined)[] = Array.from({ length: SLOTS })

  constructor(ledger: Ledger, partitioner: Partitioner) {
    this.#ledger = ledger
    this.#partitioner = partitioner
    for (const [key, note] of ledger.entries()) this.#set(key, decodeVersion(note))
  }

  get(key: string): Version | undefined {
    return this.#slots[this.#slotOf(key)]?.get(key)
  }

  /** Resolves when the promise is durable. It holds at once. */
  put(key: string, ballot: Version): Promise<void> {
    this.#set(key, ballot)
    return this.#ledger.put(key, encodeVersion(ballot))
  }

  forget(key: string): void {
    if (this.#slots[this.#slotOf(key)]?.delete(key) === true) this.#ledger.forget(key)
  }

  /** How many there are. */
  get size(): number {
    return this.#slots.reduce((sum, promises) => sum + (promises?.size ?? 0), 0)
  }

  /** Lets go of all promises in a range. */
  forgetIn(range: TokenRange): void {
    for (const promises of this.#slotsOf(range)) {
      for (const key of promises.keys()) if (within(range, this.#partitioner.token(key))) this.forget(key)
    }
  }

  /** The promises of a stretch in the order of their places. O(S log S) for each slot of S promises. */
  *within(stretch: Stretch): Generator<readonly [key: string, promised: Version]> {
    for (const range of stretch.ranges) {
      for (const promises of this.#slotsOf(range)) {
        const inRange = [...promises].filter(([key]) => within(range, this.#partitioner.token(key)) && contains(stretch, key, this.#partitioner))
        const placed = inRange.map(([key, promised]) => ({ key, promised, place: placeOf(key, this.#partitioner).diskKey }))
        for (const { key, promised } of placed.sort((a, b) => (a.place < b.place ? -1 : 1))) yield [key, promised]
      }
    }
  }

  *#slotsOf([from, to]: TokenRange): Generator<Map<string, Version>> {
    for (let slot = Math.floor(from / TOKENS_OF_SLOT); slot * TOKENS_OF_SLOT < to; slot++) {
      const promises = this.#slots[slot]
      if (promises !== undefined) yield promises
    }
  }

  #set(key: string, ballot: Version): void {
    const slot = this.#slotOf(key)
    const promises = this.#slots[slot] ?? new Map<string, Version>()
    this.#slots[slot] = promises
    promises.set(key, ballot)
  }

  #slotOf(key: string): number {
    return Math.floor(this.#partitioner.token(key) / TOKENS_OF_SLOT)
  }
}

function within([from, to]: TokenRange, token: number): boolean {
  return from <= token && token < to
}

function encodeVersion({ counter, writer }: Version): Uint8Array {
  return Buffer.from(JSON.stringify([counter, writer]))
}

function decodeVersion(note: Uint8Array): Version {
  const [counter, writer] = list(JSON.parse(Buffer.from(note).toString()), 2)
  return { counter: count(counter), writer: writerName(writer) }
}
