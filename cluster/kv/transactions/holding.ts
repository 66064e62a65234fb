/**
 * Who answers for a key while members change, and until when transactions are bound to the view in which they began.
 *
 * One node holds each key, so a key that moves cannot be served by its old and its new holder at the same time. Call the
 * view of the change T and the one that follows it F. These are the rules:
 *
 * 1. Whoever is asked for locks goes by the view that it is in itself, once it has them: it must hold every key, none of
 *    them may be about to move, and the transaction must not have begun in an earlier view. Otherwise it gives the locks
 *    back and refuses; nothing was done, and the coordinator begins anew.
 * 2. In T nobody begins anything on a key that moves, and those who are no members yet, or will not be members in F,
 *    coordinate nothing over several nodes. The acceptors of `paxos-commit` are the members who stay, as the coordinator
 *    sees them; a transaction carries their names, and everyone counts its votes among these alone.
 * 3. A member has ended what began before T when none of its locks belongs to that, it coordinates nothing of it that is
 *    undecided, and its disk has no vote of it any more. That stays so: rule 1 lets none of it in again.
 * 4. The new holder of a key fetches its cell from the old one in T, once that has ended what began before T; F is agreed
 *    on when everyone has fetched, and every member has ended what began before T (`membership/moving.ts`).
 *
 * No key has two holders: say that A serves it in view V, and B in a later one. Let T be the first change from V on that
 * took it from A. A gave it in T, so it was in T before F was agreed on, durably; if V is before T it is in V no more, and if V
 * is T it serves the key no more by rule 1. What the new holder fetched is all there is: by then no transaction held a
 * lock on the key, those end with their cells on disk, and no other gets one.
 *
 * No outcome is lost with who leaves: in F nothing that began before T is in doubt anywhere, and what began in T is
 * coordinated, carried out (keys that stay) and voted on by members of F. Its presumed abort is asked of nobody who left,
 * and nobody whose disk was emptied answers for votes that it has forgotten. The same if T is given up: those who stay are
 * then the old members.
 *
 * The price: a key that moves is not served from T to F. A participant in doubt holds the change up. With `2pc` that may be
 * as long as a coordinator that died after the votes is away; so may any member that is, since each has to answer.
 */
import type { NodeId } from '../../../harness/env.ts'
import { StoreError } from '../errors.ts'
import type { Coordinator } from '../replication/replication.ts'

/** The view in which a transaction began, and those who keep its votes, if anybody does. */
export interface Beginning {
  readonly epoch: number
  readonly acceptors: readonly NodeId[]
}

/** What a node may begin, and what it answers for, in the view that it is in. */
export class Holding {
  readonly #coordinator: Pick<Coordinator, 'self' | 'lists' | 'partitioner' | 'rpc' | 'staying'>

  constructor(coordinator: Pick<Coordinator, 'self' | 'lists' | 'partitioner' | 'rpc' | 'staying'>) {
    this.#coordinator = coordinator
  }

  /** The view that this node is in. */
  get epoch(): number {
    return this.#coordinator.rpc.epoch
  }

  /** Who holds the key. Throws TRYAGAIN while it moves. */
  holderOf(key: string): NodeId {
    const { lists, partitioner } = this.#coordinator
    const token = partitioner.token(key)
    const [holder] = lists.replicas(token)
    const next = lists.incoming?.(token)?.[0] ?? holder
    if (next !== holder) throw new StoreError('TRYAGAIN', `definite: "${key}" moves from ${holder} to ${next}`)
    return holder!
  }

  /** What a transaction over several nodes begins with here. Throws TRYAGAIN where this node might leave before its end. */
  begin(): Beginning {
    const { self, staying } = this.#coordinator
    const acceptors = staying()
    if (!acceptors.includes(self)) throw new StoreError('TRYAGAIN', `definite: ${self} is about to join or to leave, and coordinates nothing over several nodes`)
    return { epoch: this.epoch, acceptors }
  }

  /** Refuses what this node, now that it has the locks, must not carry out. Throws TRYAGAIN. */
  assertOwn(epoch: number, keys: Iterable<string>): void {
    const { self } = this.#coordinator
    if (epoch < this.epoch) throw new StoreError('TRYAGAIN', `definite: this began in view ${epoch}, and ${self} is in view ${this.epoch}`)
    for (const key of keys) {
      const holder = this.holderOf(key)
      if (holder !== self) throw new StoreError('TRYAGAIN', `definite: in view ${this.epoch} ${holder} holds "${key}", not ${self}`)
    }
  }
}
