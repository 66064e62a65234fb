/**
 * Locks on keys, shared or exclusive, held until a transaction is over (strict two-phase locking: Eswaran, Gray, Lorie
 * and Traiger, "The notions of consistency and predicate locks", CACM 1976).
 *
 * A transaction takes all its locks at one node at once or none, so it can only be part of a deadlock if it holds locks
 * at several nodes. There wait-die applies (Rosenkrantz, Stearns and Lewis, TODS 1978): the older of two waits, the
 * younger gives up at once. One that stays at one node just waits. Nobody waits longer than the deadline.
 */
import type { Clock } from '../../../harness/env.ts'
import { StoreError } from '../errors.ts'

/** Who wants locks. Ids are ordered by age: the smaller one is the older one. */
export interface Locker {
  readonly id: string
  /** Whether it holds, or may hold, locks at other nodes as well. */
  readonly spread: boolean
  /** The view of the members in which it began. */
  readonly epoch: number
}

/** Which keys, and whether each is to be written. */
export type Wanted = ReadonlyMap<string, 'shared' | 'exclusive'>

interface Waiter {
  readonly locker: Locker
  readonly wanted: Wanted
  readonly resolve: () => void
  readonly reject: (error: StoreError) => void
}

interface Lock {
  mode: 'shared' | 'exclusive'
  readonly holders: Map<string, Locker>
}

/** One node's locks. */
export class Locks {
  readonly #clock: Clock
  readonly #deadlineMs: number
  readonly #locks = new Map<string, Lock>()
  readonly #held = new Map<string, { readonly locker: Locker; readonly wanted: Wanted }>()
  readonly #waiters = new Set<Waiter>()

  constructor(clock: Clock, deadlineMs: number) {
    this.#clock = clock
    this.#deadlineMs = deadlineMs
  }

  /** Who waits for whom: `younger waits for older on key`, one line each. */
  get waits(): readonly string[] {
    return [...this.#waiters].map(({ locker, wanted }) => `${locker.id} waits for ${this.#conflicts(locker, wanted).map(({ holder, key }) => `${holder.id} on "${key}"`).join(', ')}`)
  }

  /** Takes all of them. Rejects with ABORTED: nothing is held then. */
  acquire(locker: Locker, wanted: Wanted): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { locker, wanted, resolve, reject }
      if (this.#decide(waiter)) return
      this.#waiters.add(waiter)
      this.#clock.after(this.#deadlineMs, () => {
        if (this.#waiters.delete(waiter)) reject(new StoreError('ABORTED', `definite: after ${this.#deadlineMs} ms ${locker.id} still waited for ${this.#names(waiter)}`))
      })
    })
  }

  /** Takes them without asking: what a transaction held before this node crashed. */
  retake(locker: Locker, wanted: Wanted): void {
    this.#take(locker, wanted)
  }

  /** Whether anything that began in a view before this one holds locks. */
  isHeldFromBefore(epoch: number): boolean {
    return [...this.#held.values()].some(({ locker }) => locker.epoch < epoch)
  }

  /** Gives back everything that it holds. */
  release(id: string): void {
    const held = this.#held.get(id)
    if (held === undefined) return
    this.#held.delete(id)
    for (const key of held.wanted.keys()) {
      const lock = this.#locks.get(key)!
      lock.holders.delete(id)
      if (lock.holders.size === 0) this.#locks.delete(key)
    }
    for (const waiter of this.#waiters) if (this.#decide(waiter)) this.#waiters.delete(waiter)
  }

  /** Grants or refuses, if that can be said already. */
  #decide(waiter: Waiter): boolean {
    const { locker, wanted } = waiter
    const conflicts = this.#conflicts(locker, wanted)
    if (conflicts.length === 0) {
      this.#take(locker, wanted)
      waiter.resolve()
      return true
    }
    if (!locker.spread || !conflicts.some(({ holder }) => holder.spread && holder.id < locker.id)) return false
    waiter.reject(new StoreError('ABORTED', `definite: ${locker.id} gives way to ${this.#names(waiter)}`))
    return true
  }

  #conflicts(locker: Locker, wanted: Wanted): { readonly key: string; readonly holder: Locker }[] {
    return [...wanted].flatMap(([key, mode]) => {
      const lock = this.#locks.get(key)
      if (lock === undefined || (mode === 'shared' && lock.mode === 'shared')) return []
      return [...lock.holders.values()].filter(({ id }) => id !== locker.id).map(holder => ({ key, holder }))
    })
  }

  #names({ locker, wanted }: Waiter): string {
    return this.#conflicts(locker, wanted).map(({ holder, key }) => `${holder.id}, which holds "${key}"`).join(', ')
  }

  #take(locker: Locker, wanted: Wanted): void {
    for (const [key, mode] of wanted) {
      const lock = this.#locks.get(key) ?? { mode, holders: new Map<string, Locker>() }
      lock.holders.set(locker.id, locker)
      this.#locks.set(key, lock)
    }
    this.#held.set(locker.id, { locker, wanted })
  }
}
