/**
 * How the acceptors of a key change while the members do, and why no ballot is lost or obeyed too late by that.
 *
 * CASPaxos (Rystsov 2018, section 2.3) changes the acceptors of all keys by letting first accepts and then prepares reach
 * a majority of both sets, with an identity change of every key in between. This does the same over views: in the first
 * of the two (call it T) quorums are joint, for prepares, accepts and reads alike (as in RAMBO, and in Raft's joint
 * consensus: Ongaro and Ousterhout, ATC 2014, section 6), and the second one is agreed on when all keys that moved have
 * been taken over. A key is taken over when its old replicas are seen to agree on it, which bulk exchange finds for nearly
 * all keys; for the others the identity change is carried out, one `settle` each.
 *
 * Words: H are the replicas before, H' those after; a majority is any set of a read or a write quorum's size, and any two
 * of H meet. Ballot b is chosen in a view when a majority of its replicas (in T: of H and of H') has accepted b; it is
 * prepared in one when a majority has promised b there, or has accepted the ballot that b follows. Votes are counted
 * within one view (`rpc.ts`): who has answered in a later one answers in an earlier one no more.
 *
 * Claim: a ballot b' that somebody proposes was derived from every chosen b < b'. By induction on b' and on the view in
 * which b was chosen first; b' was prepared in view E', b chosen in view E.
 * - E = E': the majorities meet in an acceptor that told b' of b, since it would not have accepted b after its promise.
 * - E' is T after E, or the view after T and E is T: likewise, they meet in H, or in H'.
 * - T lies between E and E': b must be met among H' alone. Whoever is new in H' asked a majority of H in T, and all of
 *   these had left E. If they agreed on a ballot, it is b or greater, the new one holds as much (and an accepted ballot
 *   that is greater was derived from b); so of H' as many hold b or more as of H did, and a majority of H' meets them.
 *   If the key was settled instead, that was chosen in T, and was derived from b.
 * - T lies between E' and E, and b' was prepared by a majority of H of which nobody in H' need know. If the old replicas
 *   agreed on a, and none of them had promised more than accepting a promises, then b' is at most the ballot that follows
 *   a: a majority of them met the promises of b'. In H' nothing below that is accepted any more by those who hold a, and
 *   these are a majority. If the key was settled, then by a ballot greater than b', as a majority of H accepted it after
 *   T had begun; nothing below it is chosen in H' from then on.
 * So old promises need not be handed over: they show, and then a greater ballot is chosen before H stops counting.
 *
 * New replicas vote from the start of T. They may not know what was promised before, and need not: as long as T lasts
 * every majority has one of H in it as well. What they accept meanwhile is what anybody might have accepted late.
 *
 * - A coordinator that is still in E gets no majority once T is over: the change waits until so many are in T that every
 *   majority of E has one of them (`moving.ts`), and all votes of one round come from one view.
 * - A proposer keeps its ballots through changes, also one that a majority promised it by accepting: nothing above asks
 *   in which view b was proposed.
 * - A node that restarts in T begins anew; its votes are on its disk. Nobody counts it as ready meanwhile.
 * - A change that is given up: in T every majority had one of H in it, so the view after it is to H as E was.
 * - What a former replica still holds comes as a late message, when it gives that away. It lets go of it only when it is
 *   no replica any more and no change is under way; a key that comes back to it is taken over like any other.
 * - Where members leave and there are fewer than N, quorums shrink only when all replicas that are left are needed by
 *   every one of them; then all of these take over (`moving.ts`), since b may be held by few of them.
 */
import type { NodeId } from '../../../harness/env.ts'
import { StoreError } from '../errors.ts'
import type { Segment } from '../membership/view.ts'
import { ABSENT, compareVersions } from '../versions.ts'
import type { Version } from '../versions.ts'
import { VOTES } from './acceptor.ts'
import type { Vote } from './acceptor.ts'
import type { Coordinator, Replication } from './replication.ts'

/** Segments asked about in one exchange. */
const SEGMENTS_AT_ONCE = 32
/** Keys settled at a time. */
const KEYS_AT_ONCE = 16

/** What is taken over with. */
export interface TakingOverOptions extends Pick<Coordinator, 'config' | 'partitioner' | 'rpc' | 'storage'> {
  /** Has a majority of the old and one of the new replicas accept what the key holds, under a new ballot. Rejects with a StoreError. */
  readonly settle: (key: string) => Promise<unknown>
}

/** What the old replicas of one segment said. */
interface Poll {
  readonly segment: Segment
  /** How many have answered. */
  answered: number
  /** Votes by key; whoever answered and is not among them knows nothing of the key. */
  readonly votes: Map<string, Vote[]>
}

/** The part of a new replica in taking over. */
export function takingOver({ config, partitioner, rpc, storage, settle }: TakingOverOptions): NonNullable<Replication['takeOver']> {
  const majority = Math.min(config.read_quorum, config.write_quorum)

  /** Asks the old replicas, except those that are in `silent`; whoever does not answer comes into it. */
  async function poll(segments: readonly Segment[], silent: Set<NodeId>): Promise<Poll[]> {
    const polls = segments.map((segment): Poll => ({ segment, answered: 0, votes: new Map() }))
    const sources = [...new Set(segments.flatMap(({ before }) => before))].filter(node => !silent.has(node))
    await Promise.all(sources.map(async source => {
      const its = polls.filter(({ segment }) => segment.before.includes(source))
      const { replies } = await rpc.gather(VOTES, { to: [source], request: its.map(({ segment }) => segment.range), need: 1 })
      if (replies[0] === undefined) silent.add(source)
      else count(its, replies[0])
    }))
    return polls
  }

  function count(polls: readonly Poll[], votes: readonly Vote[]): void {
    for (const one of polls) one.answered++
    for (const vote of votes) {
      const token = partitioner.token(vote[0])
      const found = polls.find(({ segment: { range: [from, to] } }) => from <= token && token < to)
      const others = found?.votes.get(vote[0])
      if (others === undefined) found?.votes.set(vote[0], [vote])
      else others.push(vote)
    }
  }

  /** The keys on which the old replicas do not agree, or of which this node has less than they have; undefined: too few of them answered. */
  async function openKeys({ segment, answered, votes }: Poll): Promise<readonly string[] | undefined> {
    const need = Math.min(majority, segment.before.length)
    if (answered < need) return undefined
    const open: string[] = []
    for (const [key, cast] of votes) {
      const agreed = agreedBy(cast, answered, need)
      if (agreed === undefined || compareVersions(await storage.read(key), agreed) < 0) open.push(key)
    }
    return open
  }

  /** Settles these keys, until one cannot be settled; resolves to those that may not be. */
  async function unsettled(keys: readonly string[], over: () => boolean): Promise<ReadonlySet<string>> {
    for (let at = 0; at < keys.length; at += KEYS_AT_ONCE) {
      const done = !over() && (await Promise.all(keys.slice(at, at + KEYS_AT_ONCE).map(key => settle(key).then(() => true, notNow))))
      if (done === false || done.includes(false)) return new Set(keys.slice(at))
    }
    return new Set()
  }

  /** Takes segments over; resolves to those for which that is not done. */
  async function take(segments: readonly Segment[], silent: Set<NodeId>, over: () => boolean): Promise<readonly Segment[]> {
    const open = await Promise.all((await poll(segments, silent)).map(openKeys))
    const left = await unsettled(open.flatMap(keys => keys ?? []), over)
    return segments.filter((_, i) => open[i]?.every(key => !left.has(key)) !== true)
  }

  return async (segments, over) => {
    const left: Segment[] = []
    const silent = new Set<NodeId>()
    for (let at = 0; at < segments.length; at += SEGMENTS_AT_ONCE) {
      if (over()) return [...left, ...segments.slice(at)]
      left.push(...(await take(segments.slice(at, at + SEGMENTS_AT_ONCE), silent, over)))
    }
    return left
  }
}

/** The ballot that `need` of those who answered have accepted without having promised more; none of them has to know the key. */
function agreedBy(votes: readonly Vote[], answered: number, need: number): Version | undefined {
  const silent: Version[] = Array.from({ length: answered - votes.length }, () => ABSENT)
  const firm = [...votes.flatMap(([, counter, writer, promisedMore]): Version[] => (promisedMore ? [] : [{ counter, writer }])), ...silent]
  return firm.find(ballot => firm.filter(other => compareVersions(ballot, other) === 0).length >= need)
}

/** It could not be settled now; whatever is no error of the store is none of its affairs. */
function notNow(error: unknown): boolean {
  if (error instanceof StoreError) return false
  throw error
}
