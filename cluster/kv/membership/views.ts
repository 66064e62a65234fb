/**
 * The view that is in force, as one node knows it, and how the members agree on the next one: a single instance of Paxos
 * for each epoch, whose acceptors are the members of the view before (Lamport, Malkhi and Zhou, "Reconfiguring a state
 * machine", SIGACT News 41(1), 2010). So there is one chain of views, whoever is cut off or dies.
 *
 * A node enters a view when that is on its disk. Whoever sees a message from a later view asks its sender for it, so
 * views spread with the messages that there are anyway (`rpc.ts`).
 */
import type { Log, NodeId, Random, Clock } from '../../../harness/env.ts'
import { sleep } from '../../../harness/clock.ts'
import { StoreError } from '../errors.ts'
import type { Ledger } from '../ledger.ts'
import type { Location, Lookup } from '../lookup/lookup.ts'
import { count, flag, list, plain, text, writerName } from '../messages.ts'
import type { Codec, Kind } from '../messages.ts'
import type { PreferenceLists, Ring } from '../ring.ts'
import { majority } from '../replication/levels.ts'
import type { Rpc } from '../rpc.ts'
import type { Topology } from '../topology.ts'
import { compareVersions } from '../versions.ts'
import type { Version } from '../versions.ts'
import { everyone, ringOf, topologyOf, viewCodec } from './view.ts'
import type { RingChoices, View } from './view.ts'

/** In which view are you? */
const VIEW: Kind<null, View> = { code: 50, request: plain(() => null), reply: viewCodec }

/** In which view am I admitted? Replies null to whoever is not, or is a member already, and where no majority says so. */
export const ADMITTED: Kind<NodeId, View | null> = {
  code: 61,
  request: plain(text),
  reply: {
    encode: view => (view === null ? null : viewCodec.encode(view)),
    decode: input => (input === null ? null : viewCodec.decode(input)),
  },
}

/** This view was agreed on. */
const NEWS: Kind<View, null> = { code: 53, request: viewCodec, reply: plain(() => null) }

/** A ballot for the view of an epoch. */
type Ballot = readonly [epoch: number, counter: number, writer: string]

function ballot(input: unknown): Ballot {
  const [epoch, counter, writer] = list(input, 3)
  return [count(epoch), count(counter), writerName(writer)]
}

/** What an acceptor has accepted, and under which ballot. */
interface Accepted {
  readonly ballot: Version
  readonly view: View
}

const acceptedCodec: Codec<Accepted | null> = {
  encode: accepted => (accepted === null ? null : [accepted.ballot.counter, accepted.ballot.writer, viewCodec.encode(accepted.view)]),
  decode: input => {
    if (input === null) return null
    const [counter, writer, view] = list(input, 3)
    return { ballot: { counter: count(counter), writer: writerName(writer) }, view: viewCodec.decode(view) }
  },
}

/** Promise to accept nothing below this ballot. Replies whether so, the counter that is promised if not, and what was accepted. */
const PREPARE_VIEW: Kind<Ballot, readonly [granted: boolean, promised: number, accepted: Accepted | null]> = {
  code: 51,
  request: plain(ballot),
  reply: {
    encode: ([granted, promised, accepted]) => [granted, promised, acceptedCodec.encode(accepted)],
    decode: input => {
      const [granted, promised, accepted] = list(input, 3)
      return [flag(granted), count(promised), acceptedCodec.decode(accepted)] as const
    },
  },
}

/** Accept this view under this ballot. Replies whether so, and the counter that is promised if not. */
const ACCEPT_VIEW: Kind<readonly [ballot: Ballot, view: View], readonly [accepted: boolean, promised: number]> = {
  code: 52,
  request: {
    encode: ([under, view]) => [under, viewCodec.encode(view)],
    decode: input => {
      const [under, view] = list(input, 2)
      return [ballot(under), viewCodec.decode(view)] as const
    },
  },
  reply: plain(input => {
    const [accepted, promised] = list(input, 2)
    return [flag(accepted), count(promised)] as const
  }),
}

/** An acceptor's notes on the next view. */
interface Acceptance {
  readonly promised: Version
  readonly accepted: Accepted | null
}

const NOTHING: Acceptance = { promised: { counter: 0, writer: '' }, accepted: null }

/** Proposers that refuse each other wait up to this long before they try again, and try this often. */
const BACKOFF_MS = 100
const TRIES = 20

/** What a node's views are made of. */
export interface ViewsOptions {
  readonly self: NodeId
  /** The view that its disk holds, or that it was told. */
  readonly view: View
  readonly ledger: Ledger
  readonly rpc: Rpc
  /** Names this life of this node. */
  readonly writer: string
  readonly choices: RingChoices
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** The present view, and the rings that it means. */
export class Views implements Lookup, PreferenceLists {
  readonly #options: ViewsOptions
  #view: View
  /** The ring of the members: reads go to it. */
  #serving: Ring
  /** The ring of the next members: writes go to it as well. */
  #incoming: Ring | undefined
  #topology: Topology
  #acceptance: Acceptance = NOTHING
  #entering: Promise<void> = Promise.resolve()
  #proposing: Promise<void> = Promise.resolve()
  #asking = false
  /** Told of every view that this node enters. */
  onEnter: (view: View) => void = () => undefined

  constructor(options: ViewsOptions) {
    const { view, choices, rpc, ledger } = options
    this.#options = options
    this.#view = view
    this.#serving = ringOf(view.members, choices)
    this.#incoming = view.next === null ? undefined : ringOf(view.next, choices)
    this.#topology = topologyOf([...view.members, ...(view.next ?? [])], choices)
    const note = ledger.get(acceptanceOf(view.epoch + 1))
    if (note !== undefined) this.#acceptance = decodeAcceptance(note)
    rpc.enter(view.epoch)
    rpc.onAhead = node => void this.#askFor(node)
    rpc.serve(VIEW, () => this.#view)
    rpc.serve(ADMITTED, node => this.#admitted(node))
    rpc.serve(NEWS, async news => {
      await this.enter(news)
      return null
    })
    rpc.serve(PREPARE_VIEW, under => this.#prepare(under))
    rpc.serve(ACCEPT_VIEW, ([under, proposed]) => this.#accept(under, proposed))
  }

  get view(): View {
    return this.#view
  }

  get serving(): Ring {
    return this.#serving
  }

  /** The ring of the next members, while a change is under way. */
  get next(): Ring | undefined {
    return this.#incoming
  }

  get topology(): Topology {
    return { dataCenter: node => this.#topology.dataCenter(node), rack: node => this.#topology.rack(node) }
  }

  replicas(token: number): readonly NodeId[] {
    return this.#serving.replicas(token)
  }

  substitutes(token: number): readonly NodeId[] {
    return this.#serving.substitutes(token)
  }

  incoming(token: number): readonly NodeId[] | undefined {
    return this.#incoming?.replicas(token)
  }

  find(token: number): Location {
    const location = this.#serving.find(token)
    return this.#incoming === undefined ? location : { ...location, incoming: this.#incoming.replicas(token) }
  }

  /** Enters a view, if it is later than the present one. Resolves when this node is in it, or in a later one. */
  enter(view: View): Promise<void> {
    const entering = this.#entering.then(() => this.#enter(view))
    this.#entering = entering.catch(() => undefined)
    return entering
  }

  async #enter(view: View): Promise<void> {
    const { ledger, choices, rpc, log, self } = this.#options
    if (view.epoch <= this.#view.epoch) return
    await keepView(ledger, view)
    ledger.forget(acceptanceOf(this.#view.epoch + 1))
    const before = this.#view
    this.#view = view
    this.#acceptance = NOTHING
    this.#serving = sameMembers(view.members, before.members) ? this.#serving : ringOf(view.members, choices)
    this.#incoming = view.next === null ? undefined : ringOf(view.next, choices)
    this.#topology = topologyOf([...view.members, ...(view.next ?? [])], choices)
    rpc.enter(view.epoch)
    log.info(`${self} is in view ${view.epoch}: ${namesOf(view.members)}${view.next === null ? '' : `, soon ${namesOf(view.next)}`}`)
    this.onEnter(view)
  }

  /**
   * The view in which a node with an empty disk may begin. A member that has lost what it confirmed must not, nor one that
   * only a former view admitted: a majority of that could be made of it and of others who have missed the views since.
   */
  async #admitted(node: NodeId): Promise<View | null> {
    if (!isAdmitted(this.#view, node)) return null
    try {
      const view = await this.current()
      return isAdmitted(view, node) ? view : null
    } catch (error) {
      if (error instanceof StoreError) return null
      throw error
    }
  }

  /** A later view was seen there. */
  async #askFor(node: NodeId): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    try {
      const { replies } = await this.#options.rpc.gather(VIEW, { to: [node], request: null, need: 1 })
      if (replies[0] !== undefined) await this.enter(replies[0])
    } catch {
      // A disk that fails says so to those who write; the next message of a later view asks again.
    } finally {
      this.#asking = false
    }
  }

  /**
   * Has a majority of the members agree on the view after this one. Resolves to the view of that epoch, which may be
   * another than the one proposed. Fails with UNAVAILABLE: then it may still come about.
   */
  agree(proposed: View): Promise<View> {
    return this.#oneByOne(() => this.#agree(proposed.epoch, proposed))
  }

  /**
   * The latest view that was agreed on when this was asked for, by the word of a majority of its members: what this node
   * is in may have been left long ago. Fails with UNAVAILABLE.
   */
  current(): Promise<View> {
    return this.#oneByOne(async () => {
      for (;;) {
        const { epoch } = this.#view
        const view = await this.#agree(epoch + 1, undefined)
        if (view.epoch === epoch) return view
      }
    })
  }

  /** One proposal at a time: two at once could carry different views under one ballot. */
  #oneByOne(propose: () => Promise<View>): Promise<View> {
    const agreed = this.#proposing.then(propose)
    this.#proposing = agreed.then(() => undefined, () => undefined)
    return agreed
  }

  /** Resolves to the view of this epoch; where nothing is proposed, and nothing was, to the present one. */
  async #agree(epoch: number, proposed: View | undefined): Promise<View> {
    const { rpc, writer, clock, random } = this.#options
    const voters = this.#view.members.map(({ id }) => id)
    const need = majority(voters.length)
    let seen = 0
    for (let tries = 0; tries < TRIES && this.#view.epoch < epoch; tries++) {
      if (tries > 0) await sleep(clock, BACKOFF_MS * random.float())
      const under: Ballot = [epoch, Math.max(seen, this.#acceptance.promised.counter) + 1, writer]
      const promises = await rpc.gather(PREPARE_VIEW, { to: voters, request: under, need })
      if (!promises.complete) continue
      seen = Math.max(seen, ...promises.replies.map(([, promised]) => promised))
      if (!promises.replies.every(([granted]) => granted)) continue
      const view = promises.replies.map(([, , accepted]) => accepted).reduce(later)?.view ?? proposed
      if (view === undefined) return this.#view
      const accepts = await rpc.gather(ACCEPT_VIEW, { to: voters, request: [under, view], need })
      seen = Math.max(seen, ...accepts.replies.map(([, promised]) => promised))
      if (!accepts.complete || !accepts.replies.every(([accepted]) => accepted)) continue
      const told = new Set([...voters, ...everyone(view)])
      await this.enter(view)
      for (const node of told) if (node !== this.#options.self) rpc.send(node, NEWS, view)
      return view
    }
    if (this.#view.epoch >= epoch) return this.#view
    throw new StoreError('UNAVAILABLE', `no majority of ${voters.join(', ')} agreed on a change of members`)
  }

  async #prepare([epoch, counter, writer]: Ballot): Promise<readonly [boolean, number, Accepted | null]> {
    if (epoch !== this.#view.epoch + 1) return [false, 0, null]
    const { promised, accepted } = this.#acceptance
    const order = compareVersions({ counter, writer }, promised)
    if (order < 0) return [false, promised.counter, null]
    await this.#note(epoch, { promised: { counter, writer }, accepted })
    // Notes on an epoch whose view this node has entered meanwhile are gone: they would say that nothing was accepted.
    return epoch === this.#view.epoch + 1 ? [true, counter, this.#acceptance.accepted] : [false, 0, null]
  }

  async #accept([epoch, counter, writer]: Ballot, view: View): Promise<readonly [boolean, number]> {
    if (epoch !== this.#view.epoch + 1 || view.epoch !== epoch) return [false, 0]
    const under = { counter, writer }
    if (compareVersions(under, this.#acceptance.promised) < 0) return [false, this.#acceptance.promised.counter]
    await this.#note(epoch, { promised: under, accepted: { ballot: under, view } })
    return [true, counter]
  }

  /** What is noted holds at once, and is told when it is on disk. */
  async #note(epoch: number, acceptance: Acceptance): Promise<void> {
    this.#acceptance = acceptance
    await this.#options.ledger.put(acceptanceOf(epoch), encodeAcceptance(acceptance))
  }
}

function later(a: Accepted | null, b: Accepted | null): Accepted | null {
  if (a === null || b === null) return a ?? b
  return compareVersions(a.ballot, b.ballot) >= 0 ? a : b
}

/** Whether a node is about to join. */
function isAdmitted({ members, next }: View, node: NodeId): boolean {
  return next?.some(({ id }) => id === node) === true && !members.some(({ id }) => id === node)
}

function sameMembers(a: View['members'], b: View['members']): boolean {
  return a.length === b.length && a.every(({ id, since }, i) => b[i]!.id === id && b[i]!.since === since)
}

function namesOf(members: View['members']): string {
  return members.map(({ id }) => id).join(', ')
}

const VIEW_NOTE = 'view'

function acceptanceOf(epoch: number): string {
  return `acceptance-${epoch}`
}

/** The view that the disk holds; undefined on an empty one. */
export function keptView(ledger: Ledger): View | undefined {
  const note = ledger.get(VIEW_NOTE)
  return note === undefined ? undefined : viewCodec.decode(JSON.parse(Buffer.from(note).toString()))
}

/** Keeps a view. Resolves when it is on disk. */
export function keepView(ledger: Ledger, view: View): Promise<void> {
  return ledger.put(VIEW_NOTE, Buffer.from(JSON.stringify(viewCodec.encode(view))))
}

function encodeAcceptance({ promised, accepted }: Acceptance): Uint8Array {
  return Buffer.from(JSON.stringify([promised.counter, promised.writer, acceptedCodec.encode(accepted)]))
}

function decodeAcceptance(note: Uint8Array): Acceptance {
  const [counter, writer, accepted] = list(JSON.parse(Buffer.from(note).toString()), 3)
  return { promised: { counter: count(counter), writer: writerName(writer) }, accepted: acceptedCodec.decode(accepted) }
}
