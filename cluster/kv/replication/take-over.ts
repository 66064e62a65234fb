/**
 * How the acceptors of a key change while the members do, and why no ballot is lost or obeyed too late by that.
 *
 * CASPaxos (Rystsov 2018, section 2.3) changes the acceptors of all keys by letting first accepts and then prepares reach
 * a majority of both sets, with an identity change of every key in between. This does the same over views. In the first
 * of the two (call it T) quorums are joint, for prepares, accepts and reads alike (as in RAMBO, and in Raft's joint
 * consensus: Ongaro and Ousterhout, ATC 2014, section 6); the second is agreed on when every key that moved has been
 * taken over. That is so when the new replica holds all that may bind it, which bulk exchange brings about for nearly all
 * keys; of the others the identity change is carried out, one `settle` each.
 *
 * Words: H are the replicas before T, H' those after. A quorum is any set of them of the smaller quorum's size; any two of
 * one view meet, in T those of H in H and those of H' in H'. Ballot b is chosen when a quorum of one view has accepted
 * it, prepared when a quorum of one view has promised it, or has accepted the ballot that it follows. Votes are counted
 * within one view (`rpc.ts`): whoever answers in a later view answers in an earlier one no more.
 *
 * Claim: whatever is proposed under b' was derived from every chosen b < b'. By induction on b'; say that b was chosen
 * first in view E, and b' prepared in view E'.
 * - The quorums meet if E = E', and if T is one of E and E' and the other is the view before or after it. The acceptor in
 *   both told b' of b, since it would not have accepted b after its promise.
 * - T lies between, E before E'. Whoever is new in H' has asked so many of H in T (`enoughToKnow`) that one of them knew
 *   b, and holds b or a greater ballot, or the key was settled in T, which was derived from b. So as many of H' hold b or
 *   more as of H did, and b' met one of them.
 * - T lies between, E' before E. Of those who promised b', these still refuse b that are in H'. Each new replica holds
 *   some ballot a, and so many of H have either promised nothing above a, or accepted a and promised no more than
 *   accepting it does, that one of them knew b'. So b' is at most a, or it is the ballot that follows a and was derived
 *   from a; either way the new replica can confirm no b < b' but one that b' contains. Together these are as many as
 *   promised b' in H. Where the key was settled in T, a majority of H accepted that, so it is greater than b', and so is
 *   whatever a quorum of H' accepts after it.
 * - The same, and some of H had accepted a as well, but promised more, up to p: then the new replica promises p too
 *   (`likens`). One of these that promised b' told it of a, or accepted a later, so that a is no less than b'; and as the
 *   new replica confirms nothing below p but a, it confirms nothing below b' that b' does not contain.
 * - More changes lie between: the same holds for each of them, with those who hold a in the place of those who promised.
 * So promises are handed over only among those who have accepted the same; others show, and where they bind, a greater
 * ballot is chosen before H stops counting.
 *
 * New replicas vote from the start of T. They may not know what was promised before, and need not: as long as T lasts
 * every quorum has one of H in it as well, and what they accept meanwhile is what anybody might have accepted late.
 *
 * - A coordinator that is still in the view before gets no quorum once T is over: the change waits until so many are in T
 *   that every quorum of that view has one of them (`moving.ts`). A round that a change interrupts begins anew.
 * - A proposer keeps its ballots through changes, also one that was promised by accepting: nothing above asks in which
 *   view b was proposed.
 * - A node that restarts in T takes over anew; its votes are on its disk. Nobody counts it as ready meanwhile.
 * - A change that is given up: in T every quorum had one of H in it, so the view after T is to H as the one before was.
 * - What a former replica still holds comes as a late message when it gives that away. It forgets it only while it is no
 *   replica and no change is under way; a key that comes back to it is taken over like any other. The same goes for what
 *   it promised (`Acceptor.letGo`): of those who promised b', the claim counts on none that are not in H'.
 * - Where there are fewer members than N and each of them has to answer every read, all who are left take over
 *   (`moving.ts`): those who are gone may have been most of those who knew b.
 * - Keys are taken over one by one, at any time in T, so a segment is gone through page by page, and what was taken over
 *   stays so: an attempt that is broken off is gone on with where it was, and only keys that are open are tried again.
 */
import type { NodeId } from '../../../harness/env.ts'
import { StoreError } from '../errors.ts'
import { partsOf } from '../membership/view.ts'
import type { Segment } from '../membership/view.ts'
import type { TokenRange } from '../partitioner.ts'
import { cellsIn, contains, headOf, rangesFrom, restOf, whole } from '../stretch.ts'
import type { Stretch } from '../stretch.ts'
import { ABSENT, compareVersions } from '../versions.ts'
import type { Version } from '../versions.ts'
import { NO_VOTE, VOTES, followedBy } from './acceptor.ts'
import type { Vote } from './acceptor.ts'
import type { Coordinator, Replication } from './replication.ts'
import { enoughToKnow } from './targets.ts'

/** Segments asked about in one exchange. */
const SEGMENTS_AT_ONCE = 32
/** Keys settled at a time. */
const KEYS_AT_ONCE = 16
/** With so many keys that cannot be settled, others may wait until these can be. */
const OPEN_MAX = 1_000

/** What is taken over with. */
export interface TakingOverOptions extends Pick<Coordinator, 'config' | 'partitioner' | 'rpc' | 'storage'> {
  /** Has a majority of the old and one of the new replicas accept what the key holds, under a new ballot. Rejects with a StoreError. */
  readonly settle: (key: string) => Promise<unknown>
  /** Has this node's own acceptor promise a ballot, durably, if it has promised no greater one. Resolves to what it has accepted. */
  readonly promise: (key: string, ballot: Version) => Promise<Version>
}

/** What old replicas said of one page. */
interface Poll {
  /** As far as all who answered have told. */
  readonly page: Stretch
  readonly answered: number
  /** Votes by key; whoever answered and is not among them knows nothing of the key. */
  readonly votes: ReadonlyMap<string, readonly Vote[]>
}

/** The part of a new replica in taking over. */
export function takingOver({ config, partitioner, rpc, storage, settle, promise }: TakingOverOptions): NonNullable<Replication['takeOver']> {
  const quorum = Math.min(config.read_quorum, config.write_quorum)

  /** Asks the old replicas of a stretch, except those that are in `silent`; whoever does not answer comes into it. */
  async function poll(before: readonly NodeId[], stretch: Stretch, silent: Set<NodeId>): Promise<Poll> {
    const sources = before.filter(node => !silent.has(node))
    const told = (await Promise.all(sources.map(async source => {
      const { replies } = await rpc.gather(VOTES, { to: [source], request: stretch, need: 1 })
      if (replies[0] === undefined) silent.add(source)
      return replies
    }))).flat()
    const page = told.reduce((shortest, [, upTo]) => (upTo !== null && contains(shortest, upTo, partitioner) ? headOf(shortest, upTo, partitioner) : shortest), stretch)
    const votes = new Map<string, Vote[]>()
    for (const [cast, upTo] of told) {
      for (const vote of upTo === page.upTo ? cast : cast.filter(({ key }) => contains(page, key, partitioner))) {
        const others = votes.get(vote.key)
        if (others === undefined) votes.set(vote.key, [vote])
        else others.push(vote)
      }
    }
    return { page, answered: told.length, votes }
  }

  /** The keys of which this node has not all that may bind it; undefined: too few have answered. */
  async function openKeys(holders: number, { page, answered, votes }: Poll): Promise<readonly string[] | undefined> {
    const least = enoughToKnow(holders, quorum, config)
    if (answered < least) return undefined
    const held = new Map<string, Version>()
    for await (const [key, { counter, writer }] of cellsIn(storage, page)) if (votes.has(key)) held.set(key, { counter, writer })
    const open: string[] = []
    for (const [key, cast] of votes) {
      const own = held.get(key) ?? ABSENT
      const covered = cast.filter(vote => covers(own, vote)).length + (covers(own, NO_VOTE) ? answered - cast.length : 0)
      if (covered < least && !(await likens(key, own, cast, least - covered))) open.push(key)
    }
    return open
  }

  /**
   * Makes this node the like of those who have accepted what it has, and promised more: it promises that as well. Whether
   * these are as many as are missing. Otherwise a promise to somebody who never proposed would keep a key open for ever
   * where each of a few has to answer for it to be settled, and one of them is dead.
   */
  async function likens(key: string, own: Version, cast: readonly Vote[], missing: number): Promise<boolean> {
    const alike = cast.filter(vote => !covers(own, vote) && compareVersions(vote.accepted, own) === 0)
    if (alike.length < missing) return false
    const accepted = await promise(key, alike.map(({ promised }) => promised).reduce((a, b) => (compareVersions(a, b) >= 0 ? a : b)))
    return compareVersions(accepted, own) === 0
  }

  /** Settles these keys; resolves to those that could not be. */
  async function unsettled(keys: readonly string[], over: () => boolean): Promise<readonly string[]> {
    const left: string[] = []
    for (let at = 0; at < keys.length; at += KEYS_AT_ONCE) {
      const some = keys.slice(at, at + KEYS_AT_ONCE)
      const done = await Promise.all(some.map(async key => !over() && settle(key).then(() => true, notNow)))
      left.push(...some.filter((_, i) => !done[i]))
    }
    return left
  }

  /** Takes segments over that had the same replicas; resolves to what is left of them. */
  async function take(segments: readonly Segment[], silent: Set<NodeId>, over: () => boolean): Promise<readonly Segment[]> {
    const { before } = segments[0]!
    const open = new Set<number>()
    let left: Stretch | undefined = whole(segments.map(({ range }) => range))
    while (left !== undefined && !over() && open.size < OPEN_MAX) {
      const polled: Poll = await poll(before, left, silent)
      const keys = await openKeys(before.length, polled)
      if (keys === undefined) break
      for (const key of await unsettled(keys, over)) open.add(partitioner.token(key))
      left = polled.page.upTo === null ? undefined : restOf(left, polled.page.upTo, partitioner)
    }
    const ranges = left === undefined ? [] : rangesFrom(left, partitioner)
    return partsOf(segments, [...ranges, ...[...open].filter(token => !isIn(ranges, token)).map((token): TokenRange => [token, token + 1])])
  }

  return async (segments, over) => {
    const silent = new Set<NodeId>()
    const left: Segment[] = []
    for (const some of batches(segments)) left.push(...(await take(some, silent, over)))
    return left
  }
}

/** Segments that had the same replicas, so many at a time. */
function batches(segments: readonly Segment[]): Segment[][] {
  const byReplicas = new Map<string, Segment[][]>()
  for (const segment of segments) {
    const replicas = segment.before.join(' ')
    const lists = byReplicas.get(replicas) ?? [[]]
    byReplicas.set(replicas, lists)
    if (lists.at(-1)!.length === SEGMENTS_AT_ONCE) lists.push([])
    lists.at(-1)!.push(segment)
  }
  return [...byReplicas.values()].flat()
}

function isIn(ranges: readonly TokenRange[], token: number): boolean {
  return ranges.some(([from, to]) => from <= token && token < to)
}

/** Whether who has accepted `own` accepts nothing more that this vote rules out, and knows all that it has confirmed. */
function covers(own: Version, { accepted, promised }: Omit<Vote, 'key'>): boolean {
  return compareVersions(promised, own) <= 0 || (compareVersions(accepted, own) === 0 && compareVersions(promised, followedBy(own)) <= 0)
}

/** It could not be settled now; whatever is no error of the store is none of its affairs. */
function notNow(error: unknown): boolean {
  if (error instanceof StoreError) return false
  throw error
}
