/**
 * Chains of updates of a register: each transaction read the version of the one before it and wrote its own. Nothing may
 * come between two links, or an update would be lost: what stands before one of them stands before the first, and what
 * stands behind one of them behind the last. True under parallel snapshot isolation and everything stronger.
 */
import type { Precedence } from './real-time-versions.ts'

/** By key and transaction, the ends of its chain. */
export class UpdateChains {
  readonly #transactions: number
  readonly #next = new Map<number, number>()
  readonly #first = new Map<number, number>()
  readonly #last = new Map<number, number>()

  /** `updates`: who wrote what an update read, and who made it; by key. `transactions`: how many there are. */
  constructor(updates: readonly (readonly (readonly [source: number, update: number])[])[], transactions: number) {
    this.#transactions = transactions
    for (const [key, links] of updates.entries()) {
      const led = new Set<number>()
      for (const [source, update] of links) {
        if (source === update || led.has(update) || this.#next.has(this.#at(key, source))) continue
        this.#next.set(this.#at(key, source), update)
        led.add(update)
      }
      for (const [source] of links) if (!led.has(source)) this.#walk(key, source)
    }
  }

  /** The same precedence between the ends of chains, where it is not within one. */
  stretched([a, b, key]: Precedence): Precedence {
    const [first, other] = [this.#first.get(this.#at(key, b)) ?? b, this.#first.get(this.#at(key, a)) ?? a]
    return first === other ? [a, b, key] : [this.#last.get(this.#at(key, a)) ?? a, first, key]
  }

  /** Notes the ends of the chain that begins here; links that go round in a circle have none. */
  #walk(key: number, first: number): void {
    const members = [first]
    for (let next = this.#next.get(this.#at(key, first)); next !== undefined; next = this.#next.get(this.#at(key, next))) members.push(next)
    for (const one of members) {
      this.#first.set(this.#at(key, one), first)
      this.#last.set(this.#at(key, one), members.at(-1)!)
    }
  }

  #at(key: number, transaction: number): number {
    return key * this.#transactions + transaction
  }
}
