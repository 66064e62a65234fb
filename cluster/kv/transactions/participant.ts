/**
 * A participant of two-phase commit: it holds keys, locks them, votes, and does what was decided (Gray, "Notes on data
 * base operating systems", 1978; Bernstein, Hadzilacos and Goodman, 1987, section 7.4).
 *
 * A vote to commit is a note on disk with everything that is to be written. From then on the participant is in doubt
 * until it hears the decision: it holds its locks, also across a crash, and asks again and again. Its log says for whom
 * it waits, and since when.
 */
import { pack, unpack } from 'msgpackr'
import type { Clock, Log, NodeId } from '../../../harness/env.ts'
import type { Bug } from '../bugs.ts'
import { StoreError } from '../errors.ts'
import type { Ledger } from '../ledger.ts'
import type { Storage } from '../storage.ts'
import type { Cell } from '../versions.ts'
import type { Beginning, Holding } from './holding.ts'
import { Locks } from './locks.ts'
import type { Locker, Wanted } from './locks.ts'
import { carryOutSteps } from './steps.ts'
import type { Step, StepResult } from './steps.ts'

/** A transaction as its participants know it. */
export interface Transaction extends Beginning {
  readonly id: string
  readonly coordinator: NodeId
  readonly participants: readonly NodeId[]
}

/** A vote to commit, as it lies on disk. */
interface Prepared extends Transaction {
  readonly cells: readonly (readonly [key: string, cell: Cell])[]
  readonly wanted: readonly (readonly [key: string, mode: 'shared' | 'exclusive'])[]
}

/** For so many deadlines an abort is remembered: a request that is on its way longer than that has no coordinator that waits for it. */
const ABORTED_KNOWN_DEADLINES = 10

/** What a participant works with. */
export interface ParticipantOptions {
  readonly self: NodeId
  readonly clock: Clock
  readonly log: Log
  readonly storage: Storage
  readonly ledger: Ledger
  readonly writer: string
  readonly deadlineMs: number
  readonly bugs: readonly Bug[]
  readonly holding: Pick<Holding, 'epoch' | 'assertOwn'>
  /** Finds out how a transaction in doubt ended: true to commit, undefined when nobody knows yet. */
  readonly resolve: (transaction: Transaction) => Promise<boolean | undefined>
}

/** One node's part as a holder of keys. */
export class Participant {
  readonly #options: ParticipantOptions
  readonly #locks: Locks
  readonly #prepared = new Map<string, Prepared & { readonly sinceNs: number }>()
  readonly #finishing = new Map<string, Promise<void>>()
  /** Transactions that were aborted before this participant had voted for them: it may be waiting for locks, or the request be on its way. */
  readonly #aborted = new Set<string>()
  /** The view whose change was last seen to wait for what is in doubt here. */
  #heldUp = 0
  #closed = false

  constructor(options: ParticipantOptions) {
    this.#options = options
    this.#locks = new Locks(options.clock, options.deadlineMs / 2)
    for (const [, note] of options.ledger.entries()) {
      const prepared = unpack(note) as Prepared
      this.#locks.retake({ id: prepared.id, spread: true, epoch: prepared.epoch }, new Map(prepared.wanted))
      this.#doubt(prepared)
    }
  }

  get counts(): { readonly in_doubt: number; readonly lock_waits: number } {
    return { in_doubt: this.#prepared.size, lock_waits: this.#locks.waits.length }
  }

  /** Who waits for whom here, one line each. */
  get waits(): readonly string[] {
    const { self, holding } = this.#options
    const isHeldUp = this.#heldUp === holding.epoch
    const doubts = [...this.#prepared.values()].map(prepared => {
      const { id, coordinator, wanted, epoch } = prepared
      const held = isHeldUp && epoch < holding.epoch ? '; a change of members waits for that' : ''
      return `${id} waits at ${self} for the decision of ${coordinator} since ${this.#doubtMs(prepared)} ms, and holds ${wanted.map(([key]) => `"${key}"`).join(', ')}${held}`
    })
    return [...doubts, ...this.#locks.waits]
  }

  /** Carries out a transaction that touches keys of this node alone. */
  async carryOut(id: string, epoch: number, steps: readonly Step[]): Promise<readonly StepResult[]> {
    const wanted = wantedBy(steps)
    await this.#locks.acquire({ id, spread: false, epoch }, wanted)
    try {
      this.#options.holding.assertOwn(epoch, wanted.keys())
      const { results, cells } = await this.#compute(steps)
      await this.#apply(cells)
      return results
    } finally {
      this.#locks.release(id)
    }
  }

  /** Votes: resolves to what was read when this participant will commit if told so; rejects when it will not. */
  async prepare(transaction: Transaction, steps: readonly Step[]): Promise<readonly StepResult[]> {
    const { id, epoch } = transaction
    const locker: Locker = { id, spread: true, epoch }
    const wanted = wantedBy(steps)
    await this.#locks.acquire(locker, this.#has('no-read-locks') ? new Map([...wanted].filter(([, mode]) => mode === 'exclusive')) : wanted)
    try {
      this.#options.holding.assertOwn(epoch, wanted.keys())
      const { results, cells } = await this.#compute(steps)
      const prepared: Prepared = { ...transaction, cells, wanted: [...wanted] }
      if (!this.#has('forget-votes')) await this.#options.ledger.put(id, pack(prepared))
      if (this.#aborted.has(id)) {
        this.#options.ledger.forget(id)
        throw new StoreError('ABORTED', 'definite: the transaction was aborted before this participant had voted')
      }
      this.#doubt(prepared)
      if (this.#has('early-release')) this.#locks.release(id)
      return results
    } catch (error) {
      this.#locks.release(id)
      throw error
    }
  }

  /**
   * Does what was decided. Resolves when that is durable; a transaction that is not known here is over already, or has not
   * come this far: whoever hears that an abort is done may forget the votes for it, so it gets none from here any more.
   */
  finish(id: string, commit: boolean): Promise<void> {
    const prepared = this.#prepared.get(id)
    if (prepared === undefined) {
      if (!commit) this.#refuse(id)
      return Promise.resolve()
    }
    let finishing = this.#finishing.get(id)
    if (finishing === undefined) {
      finishing = this.#finish(prepared, commit).finally(() => this.#finishing.delete(id))
      this.#finishing.set(id, finishing)
    }
    return finishing
  }

  /** Whether nothing that began in a view before this one holds locks here, nor has a vote on disk. */
  async ended(epoch: number): Promise<boolean> {
    if (this.#locks.isHeldFromBefore(epoch)) {
      this.#tellOfDelay(epoch)
      return false
    }
    await this.#options.ledger.flushed()
    return true
  }

  close(): void {
    this.#closed = true
  }

  /** Most of what is under way ends at once: the log tells once of what does not. */
  #tellOfDelay(epoch: number): void {
    const { log, self } = this.#options
    const late = [...this.#prepared.values()].filter(prepared => prepared.epoch < epoch && this.#doubtMs(prepared) > this.#options.deadlineMs)
    if (late.length === 0 || this.#heldUp === epoch) return
    this.#heldUp = epoch
    log.warn(`a change of members waits at ${self} for what is in doubt: ${late.map(({ id, coordinator }) => `${id} of ${coordinator}`).join(', ')}`)
  }

  #doubtMs({ sinceNs }: { readonly sinceNs: number }): number {
    return Math.round((this.#options.clock.now() - sinceNs) / 1e6)
  }

  #refuse(id: string): void {
    const { clock, deadlineMs } = this.#options
    this.#aborted.add(id)
    clock.after(ABORTED_KNOWN_DEADLINES * deadlineMs, () => this.#aborted.delete(id))
  }

  async #finish({ id, cells }: Prepared, commit: boolean): Promise<void> {
    if (commit) await this.#apply(cells)
    this.#options.ledger.forget(id)
    this.#prepared.delete(id)
    this.#locks.release(id)
  }

  async #compute(steps: readonly Step[]): Promise<{ readonly results: readonly StepResult[]; readonly cells: Prepared['cells'] }> {
    const { storage, writer } = this.#options
    const keys = [...new Set(steps.map(({ key }) => key))]
    const before = new Map(await Promise.all(keys.map(async key => [key, await storage.read(key)] as const)))
    const { results, writes } = carryOutSteps(steps, new Map([...before].map(([key, { value }]) => [key, value])))
    // Whoever holds the lock follows the version that is there: no clock is needed.
    return { results, cells: [...writes].map(([key, value]) => [key, { counter: before.get(key)!.counter + 1, writer, value }] as const) }
  }

  async #apply(cells: Prepared['cells']): Promise<void> {
    await Promise.all(cells.map(([key, cell]) => this.#options.storage.apply(key, cell)))
  }

  /** From here on the locks stay until somebody knows the decision. */
  #doubt(prepared: Prepared): void {
    const { clock } = this.#options
    this.#prepared.set(prepared.id, { ...prepared, sinceNs: clock.now() })
    clock.after(this.#options.deadlineMs * 2, () => void this.#inquire(prepared, true))
  }

  async #inquire(prepared: Prepared, first: boolean): Promise<void> {
    const { clock, log, resolve, self, deadlineMs } = this.#options
    if (this.#closed || !this.#prepared.has(prepared.id)) return
    if (first) log.warn(`transaction ${prepared.id} is in doubt at ${self}: it waits for ${prepared.coordinator} and holds ${prepared.wanted.map(([key]) => `"${key}"`).join(', ')}`)
    try {
      const commit = await resolve(prepared)
      if (commit !== undefined) await this.finish(prepared.id, commit)
    } catch (error) {
      // The disk of this node failed: its locks stay until it is restarted.
      if (!(error instanceof StoreError)) throw error
    }
    clock.after(deadlineMs, () => void this.#inquire(prepared, false))
  }

  #has(bug: Bug): boolean {
    return this.#options.bugs.includes(bug)
  }
}

function wantedBy(steps: readonly Step[]): Wanted {
  const wanted = new Map<string, 'shared' | 'exclusive'>()
  for (const { type, key } of steps) if (type !== 'read' || !wanted.has(key)) wanted.set(key, type === 'read' ? 'shared' : 'exclusive')
  return wanted
}
