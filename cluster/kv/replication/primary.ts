/**
 * A primary orders all operations and gives every write to its backups (Alsberg and Day, "A principle for resilient
 * sharing of distributed resources", ICSE 1976). With a write quorum of a majority a write is confirmed when that many
 * have it (synchronous backups); with a write quorum of one, as soon as the primary has it itself, and the backups hear
 * of it when they do (asynchronous backups): what they have not heard of is lost with the primary.
 *
 * A version is (epoch * 2^32 + sequence, primary), so a later primary's writes are newer than all of an earlier one's.
 * A new primary looks each key up at a read quorum when it first uses it, and stores what it finds under its own
 * epoch: with majorities it finds every confirmed write. Nobody confirms writes of an epoch before the promised one, see
 * `epochs.ts`. A cell that comes by anti-entropy, or to a new member, is no confirmation, so it is taken whatever was
 * promised: an unconfirmed write of an earlier primary then may still come about, as long as nothing has replaced it.
 *
 * Every member holds every key. While members change, a majority is one of the old ones and one of the next at the same
 * time; `epochs.ts` says why that is enough. An asynchronous primary that is to go has its writes confirmed by all who
 * stay, as far as they are up: it has told them everything when it goes.
 */
import { StoreError } from '../errors.ts'
import type { Quorum } from '../gather.ts'
import { Ledger } from '../ledger.ts'
import { cell, count, encodeCell, flag, list, plain, text } from '../messages.ts'
import type { Kind } from '../messages.ts'
import { ABSENT, mergeCells } from '../versions.ts'
import type { Cell } from '../versions.ts'
import { ACCEPT } from './acceptor.ts'
import { carryOut } from './change.ts'
import type { Change, Outcome } from './change.ts'
import { Epochs } from './epochs.ts'
import { forwarding } from './forwarding.ts'
import { tooFew } from './replication.ts'
import type { Coordinator, Replication } from './replication.ts'
import { majorities, votersOf } from './targets.ts'

/** What do you hold? I am the primary of this epoch: take nothing earlier any more. */
const RECOVER: Kind<readonly [key: string, epoch: number], readonly [granted: boolean, cell: Cell]> = {
  code: 42,
  ofView: true,
  request: plain(input => {
    const [key, epoch] = list(input, 2)
    return [text(key), count(epoch)] as const
  }),
  reply: {
    encode: ([granted, held]) => [granted, encodeCell(held)],
    decode: input => {
      const [granted, held] = list(input, 2)
      return [flag(granted), cell(held)] as const
    },
  },
}

const SEQUENCES_PER_EPOCH = 2 ** 32
/** Keys of which a primary remembers what is confirmed. */
const OWNED_MAX = 100_000

function epochOf({ counter }: Pick<Cell, 'counter'>): number {
  return Math.floor(counter / SEQUENCES_PER_EPOCH)
}

/** What this node does while it is the primary of one epoch. */
class Reign {
  readonly epoch: number
  /** What is confirmed under this epoch. */
  readonly owned = new Map<string, Cell>()
  readonly #coordinator: Coordinator
  readonly #lines = new Map<string, Promise<unknown>>()
  #sequence = 0

  constructor(epoch: number, coordinator: Coordinator) {
    this.epoch = epoch
    this.#coordinator = coordinator
  }

  /** Carries operations on one key out one after the other. `leased` is asked when a value is read. */
  async change(key: string, change: Change, leased: () => boolean): Promise<Outcome> {
    const before = this.#lines.get(key)
    const line = before === undefined ? this.#perform(key, change, leased) : before.then(() => this.#perform(key, change, leased))
    const settled = line.catch(() => undefined)
    this.#lines.set(key, settled)
    try {
      return await line
    } finally {
      if (this.#lines.get(key) === settled) this.#lines.delete(key)
    }
  }

  async #perform(key: string, change: Change, leased: () => boolean): Promise<Outcome> {
    const current = this.owned.get(key) ?? (await this.#recover(key))
    const { next, outcome } = carryOut(change, current.value)
    if (next !== undefined) await this.#store(key, next)
    else if (!leased()) throw new StoreError('UNAVAILABLE', 'the lease of this primary has ended: another one may have been elected')
    return outcome
  }

  /** What a read quorum holds, stored anew under this epoch. */
  async #recover(key: string): Promise<Cell> {
    const { self, config, lists, rpc } = this.#coordinator
    const quorum = (): Quorum => (config.read_level === 'one' || config.bugs.includes('skip-recovery') ? { to: [self], need: 1 } : majorities(votersOf(lists)))
    const found = await rpc.gatherInView(RECOVER, [key, this.epoch], quorum)
    if (!found.complete) throw tooFew('UNAVAILABLE', 'told what they hold', quorum().need, found, config)
    if (!found.replies.every(([granted]) => granted)) throw new StoreError('UNAVAILABLE', 'definite: this node is not the primary any more')
    const latest = found.replies.map(([, held]) => held).reduce(mergeCells)
    if (latest.counter === 0) return ABSENT
    // Whatever comes of that, the operation that waits for it has not begun.
    return this.#store(key, latest.value).catch((error: Error) => {
      throw new StoreError('UNAVAILABLE', `definite: what an earlier primary left could not be confirmed: ${error.message}`)
    })
  }

  async #store(key: string, value: Uint8Array | null): Promise<Cell> {
    const { config, rpc, timestamps } = this.#coordinator
    const stored: Cell = { counter: this.epoch * SEQUENCES_PER_EPOCH + ++this.#sequence, writer: timestamps.writer, value }
    this.owned.delete(key)
    const answers = await rpc.gatherInView(ACCEPT, [key, stored], () => this.#backups())
    if (!answers.complete) throw tooFew('INDETERMINATE', 'confirmed the write', this.#backups().need, answers, config)
    if (!answers.replies.every(([accepted]) => accepted)) throw new StoreError('INDETERMINATE', 'indefinite: a later primary was elected meanwhile')
    if (this.owned.size >= OWNED_MAX) this.owned.delete(this.owned.keys().next().value!)
    this.owned.set(key, stored)
    return stored
  }

  /** Who is told of a write, and who must have it. */
  #backups(): Quorum {
    const { self, config, lists, suspects } = this.#coordinator
    const voters = votersOf(lists)
    const quorum = majorities(voters)
    if (config.bugs.includes('ack-before-backups')) return { to: quorum.to, need: 1 }
    if (config.write_level !== 'one') return quorum
    const heirs = voters.next === undefined || voters.next.includes(self) ? [] : voters.next.filter(node => !suspects(node))
    const needed = [self, ...heirs]
    return { to: quorum.to, need: needed.length, enough: from => needed.every(node => from.includes(node)) }
  }
}

/** The primary's protocol. */
export async function primaryReplication(coordinator: Coordinator): Promise<Replication> {
  const { self, config, clock, disk, incarnation, lists, log, random, rpc, storage, timestamps } = coordinator
  const ledger = await Ledger.open(disk, 'epochs', { clock, sync: config.sync === 'always' })
  const epochs = new Epochs({ self, lists, config, clock, random: random.fork('epochs'), log, rpc, ledger })
  let reign: Reign | undefined

  const isConfirmable = (proposed: Cell): boolean => epochOf(proposed) >= epochs.promised || config.bugs.includes('two-primaries')

  rpc.serve(RECOVER, async ([key, epoch]) => {
    if (epoch < epochs.promised) return [false, ABSENT] as const
    await epochs.promise(epoch)
    return [true, await storage.read(key)] as const
  })
  rpc.serve(ACCEPT, async ([key, proposed]) => {
    if (!isConfirmable(proposed)) return [false, epochs.promised] as const
    await storage.apply(key, proposed)
    // A later primary may have looked the key up meanwhile.
    return [isConfirmable(proposed), epochs.promised] as const
  })

  async function lead(key: string, change: Change): Promise<Outcome> {
    const epoch = epochs.own
    if (epoch === undefined || !epochs.leased) throw new StoreError('UNAVAILABLE', `definite: ${self} is not the primary, or not sure to be it`)
    if (reign?.epoch !== epoch) reign = new Reign(epoch, coordinator)
    return reign.change(key, change, () => epochs.leased)
  }

  const others = forwarding({ rpc, incarnation, writer: timestamps.writer, carryOut: lead })

  async function order(key: string, change: Change): Promise<Outcome> {
    const { primary } = epochs
    if (primary === undefined) throw new StoreError('UNAVAILABLE', `definite: ${self} knows no primary`)
    return primary === self ? lead(key, change) : others.ask(primary, [key, change])
  }

  return {
    read: async key => ({ counter: 0, writer: '', value: (await order(key, { type: 'read' })).value }),
    write: async (key, value) => (await order(key, { type: 'write', value })).matched,
    cas: async (key, expected, value) => (await order(key, { type: 'cas', expected, value })).matched,
    takeOver: async segments => (segments.length === 0 || (await epochs.takeOver()) ? [] : segments),
    stats: () => ({ primary: epochs.own === undefined ? 0 : 1, epoch: epochs.promised, elections_won: epochs.elected }),
    close: async () => {
      epochs.stop()
      await ledger.close()
    },
  }
}
