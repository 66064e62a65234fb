/**
 * The acceptor of Paxos, one instance chain per key (Lamport, "Paxos made simple", 2001, section 2.2; Rystsov,
 * "CASPaxos: replicated state machines without logs", 2018).
 *
 * The ballot under which a value was accepted is the version of its cell, so what is accepted lies where every cell
 * lies, and merging cells by the greater version is accepting by the greater ballot. Accepting under ballot (n, w) also
 * promises (n + 1, w): the proposer that was successful goes on without asking (CASPaxos, section 2.2.1). All other
 * promises are notes (`promised-ballots.ts`), durable before they are given.
 *
 * A cell that comes by anti-entropy is a late message of its proposer, no more: it is accepted if no promise forbids
 * it. Where one does, replicas would differ until somebody uses the key, so the refusal is reported.
 *
 * Votes are counted within one view of the members (`Kind.ofView`); `take-over.ts` says why they hold beyond it.
 */
import { cell, count, encodeCell, flag, list, plain, text, writerName } from '../messages.ts'
import type { Kind } from '../messages.ts'
import type { Partitioner, TokenRange } from '../partitioner.ts'
import type { Storage } from '../storage.ts'
import { cellsIn, contains, headOf, keyOrNull, stretchCodec } from '../stretch.ts'
import type { Stretch } from '../stretch.ts'
import { ABSENT, compareVersions } from '../versions.ts'
import type { Cell, Version } from '../versions.ts'
import type { PromisedBallots } from './promised-ballots.ts'

/** Promise not to accept anything below this ballot. Replies whether that is promised, the ballot that is promised already if not, and what was accepted. */
export const PREPARE: Kind<readonly [key: string, ballot: Version], readonly [granted: boolean, promised: number, accepted: Cell]> = {
  code: 33,
  ofView: true,
  request: {
    encode: ([key, { counter, writer }]) => [key, counter, writer],
    decode: input => {
      const [key, counter, writer] = list(input, 3)
      return [text(key), { counter: count(counter), writer: writerName(writer) }] as const
    },
  },
  reply: {
    encode: ([granted, promised, accepted]) => [granted, promised, encodeCell(accepted)],
    decode: input => {
      const [granted, promised, accepted] = list(input, 3)
      return [flag(granted), count(promised), cell(accepted)] as const
    },
  },
}

/** Accept this cell; its version is the ballot. Replies whether it is accepted, durably, and if not the ballot that was promised. */
export const ACCEPT: Kind<readonly [key: string, accepted: Cell], readonly [accepted: boolean, promised: number]> = {
  code: 34,
  ofView: true,
  request: {
    encode: ([key, accepted]) => [key, encodeCell(accepted)],
    decode: input => {
      const [key, accepted] = list(input, 2)
      return [text(key), cell(accepted)] as const
    },
  },
  reply: plain(input => {
    const [accepted, promised] = list(input, 2)
    return [flag(accepted), count(promised)] as const
  }),
}

/** One key as an acceptor has it: the ballot of what it accepted, and the one below which it accepts nothing more. */
export interface Vote {
  readonly key: string
  readonly accepted: Version
  readonly promised: Version
}

/** The vote of whoever knows nothing of a key. */
export const NO_VOTE = { accepted: ABSENT, promised: ABSENT } as const

/** The votes on keys of a stretch, and the last key of it that they go up to; null: all of it. */
export type Votes = readonly [votes: readonly Vote[], upTo: string | null]

/** What have you accepted and promised in this stretch? Keys that you know nothing of are left out. */
export const VOTES: Kind<Stretch, Votes> = {
  code: 35,
  ofView: true,
  request: stretchCodec,
  reply: {
    encode: ([votes, upTo]) => [votes.map(({ key, accepted, promised }) => [key, accepted.counter, accepted.writer, promised.counter, promised.writer]), upTo],
    decode: input => {
      const [votes, upTo] = list(input, 2)
      return [list(votes).map(vote), keyOrNull(upTo)] as const
    },
  },
}

function vote(input: unknown): Vote {
  const [key, counter, writer, promisedCounter, promisedWriter] = list(input, 5)
  return { key: text(key), accepted: { counter: count(counter), writer: writerName(writer) }, promised: { counter: count(promisedCounter), writer: writerName(promisedWriter) } }
}

/** Bytes of cells, and of promises, that are told in one answer; one more of each may come on top. */
const VOTES_BYTES = 1 << 18
/** A vote takes about so much beyond its key. */
const VOTE_OVERHEAD_BYTES = 64

/** What accepting a cell promises: its proposer's next ballot. */
export function followedBy({ counter, writer }: Version): Version {
  return { counter: counter === 0 ? 0 : counter + 1, writer }
}

/** What an acceptor works on. */
export interface AcceptorOptions {
  readonly storage: Storage
  readonly partitioner: Partitioner
  /** Promises beyond those that lie in the cells. */
  readonly promises: PromisedBallots
  readonly ignoresBallots: boolean
  readonly votesBytes?: number
}

/** One replica's acceptors, for all keys. */
export class Acceptor {
  readonly #storage: Storage
  readonly #partitioner: Partitioner
  readonly #ignoresBallots: boolean
  readonly #promises: PromisedBallots
  readonly #votesBytes: number
  /** Told of a key whose replicas cannot become equal by themselves. */
  onStuck: (key: string) => void = () => undefined

  constructor({ storage, partitioner, promises, ignoresBallots, votesBytes = VOTES_BYTES }: AcceptorOptions) {
    this.#storage = storage
    this.#partitioner = partitioner
    this.#promises = promises
    this.#ignoresBallots = ignoresBallots
    this.#votesBytes = votesBytes
    storage.guard((key, before, after) => {
      const admitted = this.#admits(key, before, after)
      if (!admitted && compareVersions(after, before) > 0) this.onStuck(key)
      return admitted
    })
  }

  async prepare(key: string, ballot: Version): Promise<readonly [granted: boolean, promised: number, accepted: Cell]> {
    const accepted = await this.#storage.read(key)
    const promised = this.#promised(key, accepted)
    const order = compareVersions(ballot, promised)
    if (order < 0 && !this.#ignoresBallots) return [false, promised.counter, accepted]
    // A second copy of the request waits for the disk like the first.
    if (order > 0 || this.#promises.get(key) !== undefined) await this.#promises.put(key, ballot)
    // Only now: whatever was accepted while the promise was on its way to disk belongs to the answer.
    const latest = await this.#storage.read(key)
    return [compareVersions(latest, ballot) < 0, Math.max(latest.counter, ballot.counter), latest]
  }

  async accept(key: string, proposed: Cell): Promise<readonly [accepted: boolean, promised: number]> {
    const before = await this.#storage.read(key)
    if (!this.#admits(key, before, proposed)) return [false, this.#promised(key, before).counter]
    await this.#storage.apply(key, proposed)
    // Should the storage have had to look on its disk first, a promise may have come in between.
    const after = await this.#storage.read(key)
    if (compareVersions(after, proposed) !== 0 && !this.#ignoresBallots) return [false, this.#promised(key, after).counter]
    const promise = this.#promises.get(key)
    if (promise !== undefined && compareVersions(promise, followedBy(proposed)) <= 0) this.#promises.forget(key)
    return [true, proposed.counter]
  }

  /**
   * Lets go of the promises of a range of which this node is no replica, in a view in which no change of members is under
   * way. Nobody counts on them any more: requests of earlier views are turned away, in this one nobody asks this node, and
   * it becomes a replica again only by a change after this one, in which it takes over what binds it (`take-over.ts`).
   * Should a crash bring such a promise back, it refuses more than it has to, no less.
   */
  letGo(range: TokenRange): void {
    this.#promises.forgetIn(range)
  }

  /** The votes on the keys of a stretch, or on the first of them. */
  async votes(stretch: Stretch): Promise<Votes> {
    // Before the cells are looked at: a promise that is gone by then is one that the cell makes.
    const [promisesEnd, promises] = this.#promisesIn(stretch)
    const votes: Vote[] = []
    let page = promisesEnd
    let bytes = 0
    for await (const [key, { counter, writer }] of cellsIn(this.#storage, promisesEnd)) {
      const accepted = { counter, writer }
      votes.push({ key, accepted, promised: later(promises.get(key), followedBy(accepted)) })
      promises.delete(key)
      bytes += VOTE_OVERHEAD_BYTES + key.length
      if (bytes <= this.#votesBytes) continue
      page = headOf(stretch, key, this.#partitioner)
      break
    }
    for (const [key, promised] of promises) if (contains(page, key, this.#partitioner)) votes.push({ key, accepted: ABSENT, promised })
    return [votes, page.upTo === stretch.upTo ? null : page.upTo]
  }

  /** The promises of a stretch, or the first of them, and how far these go. */
  #promisesIn(stretch: Stretch): readonly [page: Stretch, promises: Map<string, Version>] {
    const promises = new Map<string, Version>()
    let bytes = 0
    for (const [key, promised] of this.#promises.within(stretch)) {
      promises.set(key, promised)
      bytes += VOTE_OVERHEAD_BYTES + key.length
      if (bytes > this.#votesBytes) return [headOf(stretch, key, this.#partitioner), promises]
    }
    return [stretch, promises]
  }

  #admits(key: string, before: Cell, proposed: Cell): boolean {
    return this.#ignoresBallots || compareVersions(proposed, before) === 0 || compareVersions(proposed, this.#promised(key, before)) >= 0
  }

  #promised(key: string, accepted: Cell): Version {
    return later(this.#promises.get(key), followedBy(accepted))
  }
}

/** The greater of an explicit promise, if there is one, and an implied one. */
function later(explicit: Version | undefined, implied: Version): Version {
  return explicit !== undefined && compareVersions(explicit, implied) > 0 ? explicit : implied
}
