/**
 * Transactions over several keys, each of which one node holds: two-phase commit with strict two-phase locking, and
 * its variant that does not block. Any node coordinates.
 *
 * - `2pc`, presumed abort (Mohan, Lindsay and Obermarck, TODS 1986): the coordinator notes a commit on its disk before
 *   anybody hears of it; what it has no note of was aborted. When it dies after the votes, participants wait for it.
 * - `paxos-commit`: participants cast their votes where a majority keeps them (`commit-registry.ts`), so that the
 *   decision is whatever the votes say, and any participant can find it out.
 *
 * Operations on one key are transactions of one step. A transaction at one node needs no vote. While members change,
 * a key that moves has no holder (`holding.ts`): what is refused for that begins anew as long as a deadline lasts.
 */
import { unpack, pack } from 'msgpackr'
import { sleep } from '../../../harness/clock.ts'
import type { NodeId } from '../../../harness/env.ts'
import { Calls } from '../calls.ts'
import { StoreError } from '../errors.ts'
import { Ledger } from '../ledger.ts'
import { MalformedMessage, count, flag, list, plain, text } from '../messages.ts'
import type { Codec, Kind } from '../messages.ts'
import type { Coordinator, Replication } from '../replication/replication.ts'
import { CommitRegistry } from './commit-registry.ts'
import { Holding } from './holding.ts'
import { Participant } from './participant.ts'
import type { Transaction } from './participant.ts'
import { StepRefused, resultsCodec, stepCodec } from './steps.ts'
import type { Step, StepResult } from './steps.ts'

/** This is how it ended. Replies when that is done. */
const DECIDE: Kind<readonly [id: string, commit: boolean], null> = {
  code: 81,
  request: plain(input => {
    const [id, commit] = list(input, 2)
    return [text(id), flag(commit)] as const
  }),
  reply: plain(() => null),
}

/** How did it end? Replies null when that is not decided. */
const INQUIRE: Kind<string, boolean | null> = { code: 82, request: plain(text), reply: plain(input => (input === null ? null : flag(input))) }

/** Work for a participant: its part of a transaction, or, without a transaction, all of one. */
interface Work {
  readonly id: string
  /** The view in which it began. */
  readonly epoch: number
  readonly transaction: Transaction | null
  readonly steps: readonly Step[]
}

const workCodec: Codec<Work> = {
  encode: ({ id, epoch, transaction, steps }) => [id, epoch, transaction === null ? null : [transaction.coordinator, transaction.participants, transaction.acceptors], steps.map(step => stepCodec.encode(step))],
  decode: input => {
    const [id, view, parties, steps] = list(input, 4)
    const name = text(id)
    const epoch = count(view)
    if (parties !== null && !Array.isArray(parties)) throw new MalformedMessage('the parties of a transaction')
    const transaction = parties === null ? null : { id: name, epoch, coordinator: text(parties[0]), participants: list(parties[1]).map(text), acceptors: list(parties[2]).map(text) }
    return { id: name, epoch, transaction, steps: list(steps).map(step => stepCodec.decode(step)) }
  },
}

const MICROSECOND_DIGITS = 17
/** Between two announcements of a decision that not everybody has heard, and between two beginnings of what cannot be carried out yet. */
const RETRY_MS = 100

/** What the coordinator's side of a commit works with. */
interface CommitmentOptions {
  readonly coordinator: Coordinator
  readonly registry: CommitRegistry | undefined
  readonly decisions: Ledger
  readonly holding: Holding
  readonly ask: (node: NodeId, request: Work) => Promise<readonly StepResult[]>
}

/** The coordinator's side: collects votes, decides, and tells. */
function commitment({ coordinator: { self, clock, config, rpc }, registry, decisions, holding, ask }: CommitmentOptions) {
  /** Transactions that this node coordinates and has not decided, with the view in which each began. */
  const undecided = new Map<string, number>()
  const life = { closed: false }

  /** Tells the participants until all of them have done it. */
  async function announce(id: string, participants: readonly NodeId[], commit: boolean): Promise<boolean> {
    while (!life.closed) {
      const { complete } = await rpc.gather(DECIDE, { to: participants, request: [id, commit], need: participants.length })
      if (!complete && commit) {
        // One whose disk fails refuses at once, and again.
        await sleep(clock, RETRY_MS)
        continue
      }
      // Who did not hear of an abort asks, and is told the same because there is no note.
      if (registry === undefined && commit) decisions.forget(id)
      return complete
    }
    return false
  }

  /** The same where votes are kept: these are forgotten when nobody needs them. */
  async function conclude(transaction: Transaction, commit: boolean): Promise<void> {
    if ((await announce(transaction.id, transaction.participants, commit)) && registry !== undefined) registry.forget(transaction)
  }

  /** What becomes of it when not every participant voted to commit. Throws. */
  async function fail(transaction: Transaction, errors: readonly Error[]): Promise<never> {
    const refused = errors.find(error => error instanceof StoreError && error.definite) as StoreError | undefined
    if (registry === undefined || refused !== undefined) {
      undecided.delete(transaction.id)
      void conclude(transaction, false)
      throw new StoreError(refused?.code ?? 'ABORTED', refused?.message ?? `definite: a participant did not vote in time: ${errors[0]!.message}`)
    }
    // Somebody's vote may be kept although we did not hear of it: the registry knows.
    const commit = await registry.resolve(transaction)
    undecided.delete(transaction.id)
    if (commit !== undefined) void conclude(transaction, commit)
    if (commit === false) throw new StoreError('ABORTED', `definite: a participant did not vote in time: ${errors[0]!.message}`)
    throw new StoreError('INDETERMINATE', `indefinite: a participant did not vote in time: ${errors[0]!.message}`)
  }

  async function commitOver(parts: ReadonlyMap<NodeId, readonly Step[]>, id: string): Promise<ReadonlyMap<NodeId, readonly StepResult[]>> {
    const transaction: Transaction = { id, coordinator: self, participants: [...parts.keys()], ...holding.begin() }
    const { epoch } = transaction
    undecided.set(id, epoch)
    const outcomes = await Promise.allSettled([...parts].map(([node, steps]) => ask(node, { id, epoch, transaction, steps })))
    const errors = outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason as Error] : []))
    if (errors.length > 0) await fail(transaction, errors)
    if (registry === undefined && !config.bugs.includes('unlogged-decision')) await decisions.put(id, pack(transaction.participants))
    undecided.delete(id)
    void conclude(transaction, true)
    return new Map([...parts.keys()].map((node, i) => [node, (outcomes[i] as PromiseFulfilledResult<readonly StepResult[]>).value]))
  }

  return { undecided, announce, commitOver, close: () => (life.closed = true) }
}

/** What a transaction is begun with. */
interface TransactingOptions extends Pick<CommitmentOptions, 'coordinator' | 'holding' | 'ask'> {
  readonly commitOver: (parts: ReadonlyMap<NodeId, readonly Step[]>, id: string) => Promise<ReadonlyMap<NodeId, readonly StepResult[]>>
}

/** How a transaction begins: at the holders of its keys, and again as long as one of these has none. */
function transacting({ coordinator: { clock, config, timestamps }, holding, ask, commitOver }: TransactingOptions): NonNullable<Replication['transact']> {
  let sequence = 0
  async function attempt(steps: readonly Step[]): Promise<readonly StepResult[]> {
    const owners = steps.map(({ key }) => holding.holderOf(key))
    const id = `${String(timestamps.wall()).padStart(MICROSECOND_DIGITS, '0')}-${timestamps.writer}-${++sequence}`
    const parts = new Map<NodeId, Step[]>()
    steps.forEach((step, i) => parts.set(owners[i]!, [...(parts.get(owners[i]!) ?? []), step]))
    if (parts.size === 1) return ask(owners[0]!, { id, epoch: holding.epoch, transaction: null, steps })
    const results = await commitOver(parts, id)
    const next = new Map([...results].map(([node, values]) => [node, values.values()]))
    return owners.map(node => next.get(node)!.next().value as StepResult)
  }

  return async steps => {
    const end = clock.now() + config.deadline_ms * 1e6
    for (;;) {
      try {
        return await attempt(steps)
      } catch (error) {
        if (!(error instanceof StoreError && error.code === 'TRYAGAIN') || clock.now() >= end) throw error
        await sleep(clock, RETRY_MS)
      }
    }
  }
}

/** Two-phase commit, or Paxos commit. */
export async function transactionalReplication(coordinator: Coordinator): Promise<Replication> {
  const { self, config, clock, disk, incarnation, log, rpc, storage, timestamps } = coordinator
  const sync = config.sync === 'always'
  const votes = await Ledger.open(disk, 'votes', { clock, sync })
  const decisions = await Ledger.open(disk, 'decisions', { clock, sync })
  const registry = config.replication === 'paxos-commit' ? new CommitRegistry({ self, rpc, ledger: decisions }) : undefined

  const holding = new Holding(coordinator)

  async function resolve(transaction: Transaction): Promise<boolean | undefined> {
    const { id, coordinator: asked, participants } = transaction
    if (registry !== undefined) {
      const commit = await registry.resolve(transaction)
      if (commit !== undefined) for (const other of participants) rpc.send(other, DECIDE, [id, commit])
      return commit
    }
    const { replies } = await rpc.gather(INQUIRE, { to: [asked], request: id, need: 1 })
    return replies[0] ?? undefined
  }

  const participant = new Participant({ self, clock, log, storage, ledger: votes, writer: timestamps.writer, deadlineMs: config.deadline_ms, bugs: config.bugs, holding, resolve })

  async function work({ id, epoch, transaction, steps }: Work): Promise<readonly StepResult[]> {
    try {
      if (transaction === null) return await participant.carryOut(id, epoch, steps)
      const results = await participant.prepare(transaction, steps)
      if (registry !== undefined && !(await registry.votePrepared(transaction))) throw new StoreError('INDETERMINATE', `indefinite: the vote of ${self} did not reach a majority in time`)
      return results
    } catch (error) {
      if (error instanceof StepRefused) throw new StoreError(error.code === 'WRONGTYPE' ? 'WRONGTYPE' : 'ABORTED', `definite: ${error.code}: ${error.message}`, { cause: error })
      throw error
    }
  }

  const calls = new Calls<Work, readonly StepResult[]>({ rpc, incarnation, writer: timestamps.writer, code: 80, request: workCodec, reply: resultsCodec, carryOut: work, repeatable: ({ transaction, steps }) => transaction === null && steps.every(({ type }) => type === 'read') })
  rpc.serve(DECIDE, async ([id, commit]) => {
    await participant.finish(id, commit)
    return null
  })

  const ask = (node: NodeId, request: Work): Promise<readonly StepResult[]> => (node === self ? work(request) : calls.ask(node, request))

  const { undecided, announce, commitOver, close } = commitment({ coordinator, registry, decisions, holding, ask })
  // A decision can be read before it is on disk: until then there is none.
  rpc.serve(INQUIRE, id => (undecided.has(id) ? null : decisions.get(id) !== undefined))

  const transact = transacting({ coordinator, holding, ask, commitOver })
  if (registry === undefined) for (const [id, note] of decisions.entries()) void announce(id, unpack(note) as NodeId[], true)

  return {
    read: async key => ({ counter: 0, writer: '', value: (await transact([{ type: 'read', key }]))[0]! }),
    write: async (key, value) => (await transact([{ type: 'write', key, value }]))[0] !== null,
    cas: async (key, expected, value) => {
      try {
        await transact([{ type: 'cas', key, expected, value }])
        return true
      } catch (error) {
        if (error instanceof StoreError && error.message.startsWith('definite: MISMATCH')) return false
        throw error
      }
    },
    transact,
    stats: () => participant.counts,
    waits: () => participant.waits,
    ended: async epoch => [...undecided.values()].every(begun => begun >= epoch) && participant.ended(epoch),
    close: async () => {
      close()
      participant.close()
      await Promise.all([votes.close(), decisions.close()])
    },
  }
}
