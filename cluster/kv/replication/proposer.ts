/**
 * The proposer of Paxos, one chain of operations per key (CASPaxos, section 2.2). It takes the value that the greatest
 * ballot left at a majority, applies the operation to it, and has a majority accept the result under its own ballot.
 *
 * What happens when a majority does not accept decides whether the operation may be tried again. After a new prepare:
 * - the greatest accepted ballot is the refused proposal's own: it may be chosen, so exactly it is proposed again;
 * - it is smaller: a majority has promised not to accept the refused one any more, it never happened, and the operation
 *   is applied anew;
 * - it is greater: somebody went on from a value that contains the refused one, or from one that does not. Nobody knows.
 */
import type { Clock, Random } from '../../../harness/env.ts'
import { sleep } from '../../../harness/clock.ts'
import { StoreError } from '../errors.ts'
import type { Rpc } from '../rpc.ts'
import type { Timestamps } from '../timestamps.ts'
import { compareVersions, mergeCells } from '../versions.ts'
import type { Cell } from '../versions.ts'
import { ACCEPT, PREPARE } from './acceptor.ts'
import { carryOut } from './change.ts'
import type { Change, Outcome } from './change.ts'
import { tooFew } from './replication.ts'
import type { Coordinator } from './replication.ts'
import { quorumOf } from './targets.ts'

/** Keys of which a proposer remembers what it had accepted last. */
const STEADY_MAX = 100_000
/** Proposers that refuse each other wait up to this long, then up to twice that, and so on. */
const BACKOFF_MS = 4
const BACKOFF_MS_MAX = 100

/** What a proposer works with. */
export interface ProposerOptions extends Pick<Coordinator, 'config' | 'lists' | 'partitioner'> {
  readonly clock: Clock
  readonly random: Random
  readonly rpc: Rpc
  readonly timestamps: Timestamps
}

/** Where an operation begins: the ballot that a majority has promised, and the cell of the greatest ballot that it had accepted. */
interface Base {
  readonly ballot: number
  readonly cell: Cell
}

/** The proposers of one node, for all keys. */
export class Proposer {
  readonly #options: ProposerOptions
  /** What a majority accepted of this proposer last; that promised it the next ballot. */
  readonly #steady = new Map<string, Cell>()
  /** The last operation on each key that is being worked on. */
  readonly #lines = new Map<string, Promise<unknown>>()
  /** How often a majority promised: each time this node became the leader of a key, or became it again. */
  ballotsWon = 0

  constructor(options: ProposerOptions) {
    this.#options = options
  }

  /** Carries operations on one key out one after the other. Rejects with a StoreError. */
  async change(key: string, change: Change): Promise<Outcome> {
    const before = this.#lines.get(key)
    const line = before === undefined ? this.#perform(key, change) : before.then(() => this.#perform(key, change))
    const settled = line.catch(() => undefined)
    this.#lines.set(key, settled)
    try {
      return await line
    } finally {
      if (this.#lines.get(key) === settled) this.#lines.delete(key)
    }
  }

  async #perform(key: string, change: Change): Promise<Outcome> {
    const { clock, config } = this.#options
    const end = clock.now() + config.deadline_ms * 1e6
    let refused: { readonly cell: Cell; readonly outcome: Outcome } | undefined
    // These change nothing, so they may be carried out any number of times.
    const idle = change.type === 'read' || change.type === 'settle'
    let seen = 0
    for (let round = 0; round === 0 || clock.now() < end; round++) {
      if (round > 0) await this.#backOff(round)
      const base = this.#next(key) ?? (await this.#prepare(key, seen, refused === undefined || idle))
      if (typeof base === 'number') {
        seen = Math.max(seen, base)
        continue
      }
      const order = refused === undefined || idle ? -1 : compareVersions(base.cell, refused.cell)
      if (order > 0) throw new StoreError('INDETERMINATE', 'indefinite: another proposer went on from a value that may contain this operation')
      const { next, outcome } = order === 0 ? { next: base.cell.value, outcome: refused!.outcome } : carryOut(change, base.cell.value)
      // A majority holds nothing, and promised not to accept anything older: there is nothing that must be kept.
      if (next === undefined && base.cell.counter === 0) return outcome
      const cell: Cell = { counter: base.ballot, writer: this.#options.timestamps.writer, value: next === undefined ? base.cell.value : next }
      const promised = await this.#accept(key, cell)
      if (promised === undefined) return outcome
      seen = Math.max(seen, promised)
      refused = { cell, outcome }
    }
    throw new StoreError(refused === undefined || idle ? 'UNAVAILABLE' : 'INDETERMINATE', `too many proposers contend for this key: none was accepted within ${config.deadline_ms} ms`)
  }

  /** In the steady state the next ballot is promised already. */
  #next(key: string): Base | undefined {
    const cell = this.#steady.get(key)
    if (cell === undefined) return undefined
    this.#steady.delete(key)
    this.#options.timestamps.logical(cell.counter)
    return { ballot: cell.counter + 1, cell }
  }

  /** Asks a majority for its promise. Resolves to a number when that has promised a greater ballot. */
  async #prepare(key: string, seen: number, definite: boolean): Promise<Base | number> {
    const { config, rpc, timestamps } = this.#options
    const ballot = timestamps.logical(seen)
    const request = [key, { counter: ballot, writer: timestamps.writer }] as const
    const answers = await rpc.gatherInView(PREPARE, request, () => quorumOf(this.#options, key, config.read_quorum))
    if (!answers.complete) throw tooFew(definite ? 'UNAVAILABLE' : 'INDETERMINATE', 'promised', config.read_quorum, answers, config)
    if (!answers.replies.every(([granted]) => granted)) return Math.max(...answers.replies.map(([, promised]) => promised))
    this.ballotsWon++
    return { ballot, cell: answers.replies.map(([, , accepted]) => accepted).reduce(mergeCells) }
  }

  /** Has a majority accept. Resolves to undefined when it did, else to the greatest ballot that stood in the way (0: there was no answer). */
  async #accept(key: string, cell: Cell): Promise<number | undefined> {
    const { config, rpc } = this.#options
    const need = config.bugs.includes('accept-minority') ? 1 : config.write_quorum
    const answers = await rpc.gatherInView(ACCEPT, [key, cell], () => quorumOf(this.#options, key, need))
    if (!answers.complete || !answers.replies.every(([accepted]) => accepted)) return Math.max(0, ...answers.replies.map(([, promised]) => promised))
    if (this.#steady.size >= STEADY_MAX) this.#steady.delete(this.#steady.keys().next().value!)
    this.#steady.set(key, cell)
    return undefined
  }

  #backOff(round: number): Promise<void> {
    const { clock, random } = this.#options
    return sleep(clock, random.float() * Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** round))
  }
}
