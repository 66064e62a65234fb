/**
 * Where votes are kept so that nobody's death blocks a transaction: Gray and Lamport, "Consensus on transaction
 * commit" (TODS 31(1), 2006), section 4. Every participant's vote is an instance of Paxos, whose acceptors the
 * transaction names (`holding.ts` says who they are). A participant casts it under ballot 0; whoever finds a transaction
 * in doubt may finish it under a greater ballot, with the votes that it finds at a majority, and "aborted" for those that
 * are missing.
 */
import { pack, unpack } from 'msgpackr'
import type { NodeId } from '../../../harness/env.ts'
import type { Ledger } from '../ledger.ts'
import { count, flag, list, plain, text } from '../messages.ts'
import type { Kind } from '../messages.ts'
import { majority } from '../replication/levels.ts'
import type { Rpc } from '../rpc.ts'
import type { Transaction } from './participant.ts'

/** A participant's vote, and the ballot under which it was accepted. */
type Vote = readonly [participant: NodeId, ballot: number, prepared: boolean]

function vote(input: unknown): Vote {
  const [participant, ballot, prepared] = list(input, 3)
  return [text(participant), count(ballot), flag(prepared)]
}

/** Promise nothing below this ballot for the transaction's votes. Replies whether so, and the votes that were accepted. */
const PHASE_1: Kind<readonly [id: string, ballot: number], readonly [granted: boolean, votes: readonly Vote[]]> = {
  code: 83,
  request: plain(input => {
    const [id, ballot] = list(input, 2)
    return [text(id), count(ballot)] as const
  }),
  reply: plain(input => {
    const [granted, votes] = list(input, 2)
    return [flag(granted), list(votes).map(vote)] as const
  }),
}

/** Accept these votes. Replies whether so, durably. */
const PHASE_2: Kind<readonly [id: string, votes: readonly Vote[]], boolean> = {
  code: 84,
  request: plain(input => {
    const [id, votes] = list(input, 2)
    return [text(id), list(votes).map(vote)] as const
  }),
  reply: plain(flag),
}

/** Everybody knows how the transaction ended. */
const FORGET: Kind<string, null> = { code: 85, request: plain(text), reply: plain(() => null) }

/** What an acceptor knows of one transaction. */
interface Note {
  readonly promised: number
  readonly votes: readonly Vote[]
}

const NOTHING: Note = { promised: 0, votes: [] }
const ROUNDS_MAX = 5

/** What a registry works with. */
export interface RegistryOptions {
  readonly self: NodeId
  readonly rpc: Rpc
  readonly ledger: Ledger
}

/** One node's part in the registry: an acceptor, and a proposer for its own votes and for transactions in doubt. */
export class CommitRegistry {
  readonly #options: RegistryOptions

  constructor(options: RegistryOptions) {
    this.#options = options
    const { rpc, ledger } = options
    const noteOf = (id: string): Note => {
      const note = ledger.get(id)
      return note === undefined ? NOTHING : (unpack(note) as Note)
    }
    rpc.serve(PHASE_1, async ([id, ballot]) => {
      const { promised, votes } = noteOf(id)
      if (ballot < promised) return [false, votes] as const
      await ledger.put(id, pack({ promised: ballot, votes }))
      return [true, votes] as const
    })
    rpc.serve(PHASE_2, async ([id, cast]) => {
      const { promised, votes } = noteOf(id)
      const ballot = Math.max(0, ...cast.map(([, under]) => under))
      if (ballot < promised) return false
      const others = votes.filter(([participant]) => !cast.some(([voter]) => voter === participant))
      await ledger.put(id, pack({ promised: ballot, votes: [...others, ...cast] }))
      return true
    })
    rpc.serve(FORGET, id => {
      ledger.forget(id)
      return null
    })
  }

  /** Casts this participant's vote to commit. Resolves to whether that is chosen; if not, somebody else may have chosen it or the opposite. */
  async votePrepared({ id, acceptors }: Transaction): Promise<boolean> {
    const { self, rpc } = this.#options
    const answers = await rpc.gather(PHASE_2, { to: acceptors, request: [id, [[self, 0, true]]], need: majority(acceptors.length) })
    return answers.complete && answers.replies.every(Boolean)
  }

  /** Finishes a transaction. Resolves to whether it commits; undefined when no majority can be reached now. */
  async resolve({ id, participants, acceptors }: Transaction): Promise<boolean | undefined> {
    const { self, rpc } = this.#options
    const need = majority(acceptors.length)
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const ballot = round * acceptors.length + acceptors.indexOf(self) + 1
      const promises = await rpc.gather(PHASE_1, { to: acceptors, request: [id, ballot], need })
      if (!promises.complete) return undefined
      if (!promises.replies.every(([granted]) => granted)) continue
      const found = promises.replies.flatMap(([, votes]) => votes)
      const votes = participants.map((participant): Vote => {
        const cast = found.filter(([voter]) => voter === participant).sort((a, b) => b[1] - a[1])[0]
        return [participant, ballot, cast?.[2] ?? false]
      })
      const accepted = await rpc.gather(PHASE_2, { to: acceptors, request: [id, votes], need })
      if (!accepted.complete) return undefined
      if (accepted.replies.every(Boolean)) return votes.every(([, , prepared]) => prepared)
    }
    return undefined
  }

  /** Every participant has finished: nobody will ask any more. */
  forget({ id, acceptors }: Transaction): void {
    for (const node of acceptors) this.#options.rpc.send(node, FORGET, id)
  }
}
