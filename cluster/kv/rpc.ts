/**
 * Requests and replies between nodes over a network that loses, delays, doubles and reorders messages.
 *
 * A request goes to several nodes at once and is over when enough of them have answered, when too many have refused,
 * or at its deadline: a quorum is one wait, not one per node. Silent nodes are asked again meanwhile, so every handler
 * is idempotent. What is sent to one peer within one turn of the event loop travels as one message.
 *
 * A reply meant for a former life matches nothing: request ids hold which start of its membership the sender's life is
 * (`lives.ts`). Who was not a member from the beginning says by a fifth number since when it is one, and a reply says it
 * again.
 *
 * On the wire: MessagePack. A message is a list of [kind, id, payload]; kind 0 is a reply, 1 a refusal (its payload
 * says why); id 0 wants no reply.
 *
 * Every message says by a fourth number in which view of the members it was sent, once there has been more than one
 * (`membership/views.ts`). What depends on who holds what (`Kind.ofView`) is answered only within one view: a request of
 * an earlier one is turned away, before it is carried out and again before it is confirmed, and one of a later view
 * waits until this node knows that. So no operation of an old view is completed once enough replicas have left it.
 */
import { Packr } from 'msgpackr'
import type { Clock, Log, Network, NodeId } from '../../harness/env.ts'
import { Deadlines } from './deadlines.ts'
import { opened, sealed } from './envelope.ts'
import type { WireMessage } from './envelope.ts'
import type { Eventually } from './eventually.ts'
import type { Gather, Gathered, Quorum } from './gather.ts'
import { membershipOf, startOf } from './lives.ts'
import { MalformedMessage } from './messages.ts'
import type { Kind } from './messages.ts'
import { Outboxes } from './outboxes.ts'

const REPLY = 0
const REFUSAL = 1
/** To who asked in an earlier view of the members: that is over. The number of the present one is in the envelope, and all that this says. */
const OTHER_VIEW = 10

/** Request ids of one life: 2^32 of them, and the starts of one membership, fit a double. */
const IDS_PER_LIFE = 2 ** 32

/** About so many answers make up the moving average of a node's latency. */
const LATENCY_MEMORY = 16

/** Requests of a later view that wait until this node knows it. */
const WAITING_MAX = 1_000
/** In how many views an operation is tried at most, where these change meanwhile. */
export const VIEWS_MAX = 4

interface Pending {
  readonly kind: Kind<unknown, unknown>
  readonly to: readonly NodeId[]
  readonly payload: unknown
  readonly need: number
  readonly replies: unknown[]
  readonly from: NodeId[]
  readonly refusals: string[]
  readonly enough: ((from: readonly NodeId[]) => boolean) | undefined
  readonly askedAt: number
  readonly resolve: (gathered: Gathered<unknown>) => void
  /** The view in which was asked. */
  readonly epoch: number
  outdated: boolean
  deadlines: number
}

/** Who waits for an answer: a node, what it calls its request, and in which membership it is. */
interface Asker {
  readonly node: NodeId
  readonly id: number
  readonly membership: number
}

type Handler = (request: unknown, from: NodeId) => unknown
interface Served {
  readonly kind: Kind<unknown, unknown>
  readonly handler: Handler
}

/** What an Rpc is made of. */
export interface RpcOptions {
  readonly self: NodeId
  readonly incarnation: number
  readonly clock: Clock
  readonly network: Network
  readonly log: Log
  readonly deadlineMs: number
  readonly resendMs: number
}

/** One node's side of all its conversations. */
export class Rpc {
  readonly #self: NodeId
  readonly #clock: Clock
  readonly #network: Network
  readonly #log: Log
  readonly #packr = new Packr({ useRecords: false })
  readonly #served = new Map<number, Served>()
  readonly #pending = new Map<number, Pending>()
  /** Kind -> node -> how long it takes to answer. */
  readonly #latencies = new Map<number, Map<NodeId, number>>()
  readonly #outboxes: Outboxes
  readonly #deadlines: Deadlines
  readonly #resends: Deadlines
  readonly #membership: number
  #nextId: number
  #closed = false
  #epoch = 0
  #waiting: (() => void)[] = []
  /** Told of a node that is in a later view than this one. */
  onAhead: (node: NodeId) => void = () => undefined
  /** Requests that met their deadline, and messages that were not understood. */
  readonly counts = { requests: 0, expired: 0, malformed: 0 }

  constructor(options: RpcOptions) {
    this.#self = options.self
    this.#clock = options.clock
    this.#network = options.network
    this.#log = options.log
    this.#outboxes = new Outboxes(options.clock, (to, messages) => {
      if (!this.#closed) options.network.send(to, this.#packr.pack(messages))
    })
    this.#membership = membershipOf(options.incarnation)
    this.#nextId = startOf(options.incarnation) * IDS_PER_LIFE + 1
    const alive = (id: number): boolean => this.#pending.has(id)
    this.#deadlines = new Deadlines(options.clock, options.deadlineMs, alive, id => this.#expire(id))
    this.#resends = new Deadlines(options.clock, options.resendMs, alive, id => this.#resend(id))
    this.#network.onMessage((from, message) => this.#receive(from, message))
  }

  /** Answers requests of this kind. The handler must be idempotent: a request may arrive twice. */
  serve<Request, Reply>(kind: Kind<Request, Reply>, handler: (request: Request, from: NodeId) => Eventually<Reply>): void {
    const before = this.#served.get(kind.code)
    if (before !== undefined && before.kind !== kind) throw new Error(`invariant: there is one kind of request with the number ${kind.code}`)
    this.#served.set(kind.code, { kind, handler: handler as Handler })
  }

  /** The view of the members that this node is in. */
  get epoch(): number {
    return this.#epoch
  }

  /** From now on this node is in this, a later, view. What was asked of the holders of data in the last one is over. */
  enter(epoch: number): void {
    this.#epoch = epoch
    for (const [id, pending] of this.#pending) {
      if (pending.kind.ofView !== true || pending.epoch === epoch) continue
      pending.outdated = true
      this.#settle(id, pending)
    }
    const waiting = this.#waiting
    this.#waiting = []
    for (const goOn of waiting) goOn()
  }

  /** Sends without waiting for anything. */
  send<Request>(to: NodeId, kind: Kind<Request, unknown>, request: Request): void {
    if (to === this.#self) this.#handleLocally(kind.code, 0, request)
    else this.#post(to, this.#stamped(kind.code, 0, kind.request.encode(request)))
  }

  /** Asks several nodes, this one perhaps included. Always resolves, at the deadline at the latest. */
  gather<Request, Reply>(kind: Kind<Request, Reply>, ask: Gather<Request>): Promise<Gathered<Reply>> {
    return new Promise<Gathered<Reply>>(resolve => {
      const id = this.#nextId++
      const payload = kind.request.encode(ask.request)
      const pending: Pending = {
        kind,
        to: ask.to,
        payload,
        need: ask.need,
        replies: [],
        from: [],
        refusals: [],
        enough: ask.enough,
        askedAt: this.#clock.now(),
        resolve: resolve as (gathered: Gathered<unknown>) => void,
        epoch: this.#epoch,
        outdated: false,
        deadlines: ask.deadlines ?? 1,
      }
      this.counts.requests++
      this.#pending.set(id, pending)
      this.#deadlines.add(id)
      this.#resends.add(id)
      let local = false
      for (const to of ask.to) {
        if (to === this.#self) local = true
        else if (ask.reserve?.nodes.includes(to) !== true) this.#post(to, this.#stamped(kind.code, id, payload))
      }
      if (ask.reserve !== undefined && ask.reserve.nodes.length > 0) this.#clock.after(ask.reserve.afterMs, () => this.#askReserve(id, ask.reserve!.nodes))
      if (local) this.#handleLocally(kind.code, id, ask.request)
      else if (ask.to.length < ask.need) this.#settle(id, pending)
    })
  }

  /** Asks whom `plan` names in the present view, and anew whenever that is over before enough have answered. */
  async gatherInView<Request, Reply>(kind: Kind<Request, Reply>, request: Request, plan: () => Quorum): Promise<Gathered<Reply>> {
    for (let views = 1; ; views++) {
      const { to, need, enough } = plan()
      const gathered = await this.gather(kind, { to, request, need, enough })
      if (gathered.complete || !gathered.outdated || views === VIEWS_MAX) return gathered
    }
  }

  /** Ends every wait now, as its deadline would. */
  close(): void {
    this.#closed = true
    this.#deadlines.clear()
    this.#resends.clear()
    for (const [id, pending] of this.#pending) this.#settle(id, pending)
  }

  /** A message of this view, or of the one in which its request was made, about a request of this node, or of who is in that membership. */
  #stamped(code: number, id: number, payload: unknown, epoch = this.#epoch, membership = this.#membership): WireMessage {
    return sealed(code, id, payload, epoch, membership)
  }

  #post(to: NodeId, message: WireMessage): void {
    if (!this.#closed) this.#outboxes.post(to, message)
  }

  #receive(from: NodeId, message: Uint8Array): void {
    if (this.#closed) return
    let messages: unknown
    try {
      messages = this.#packr.unpack(message)
    } catch (error) {
      this.#malformed(from, error)
      return
    }
    if (!Array.isArray(messages)) {
      this.#malformed(from, new MalformedMessage('a list of messages'))
      return
    }
    for (const item of messages as readonly unknown[]) {
      try {
        this.#receiveOne(from, item)
      } catch (error) {
        this.#malformed(from, error)
      }
    }
  }

  #receiveOne(from: NodeId, item: unknown): void {
    const [code, id, payload, epoch, membership] = opened(item)
    if (epoch > this.#epoch) this.onAhead(from)
    if (code === OTHER_VIEW) return
    if (code === REPLY || code === REFUSAL) {
      const pending = membership === this.#membership ? this.#pending.get(id) : undefined
      if (pending === undefined || !pending.to.includes(from)) return
      if (code === REPLY) this.#accept(id, pending, from, pending.kind.reply.decode(payload))
      else this.#refuse(id, pending, from, String(payload))
      return
    }
    const served = this.#served.get(code)
    if (served === undefined) throw new MalformedMessage(`a kind of request, not ${code}`)
    this.#serveIn(epoch, served, { node: from, id, membership }, served.kind.request.decode(payload))
  }

  #serveIn(epoch: number, served: Served, asker: Asker, request: unknown): void {
    if (served.kind.ofView === true && epoch !== this.#epoch) {
      if (epoch < this.#epoch) this.#answer(asker, OTHER_VIEW, null)
      else if (this.#waiting.length < WAITING_MAX) this.#waiting.push(() => this.#serveIn(epoch, served, asker, request))
      return
    }
    let answer: unknown
    try {
      answer = served.handler(request, asker.node)
    } catch (error) {
      this.#reject(asker, error)
      return
    }
    if (!(answer instanceof Promise)) this.#reply(asker, served, answer)
    else answer.then(value => this.#reply(asker, served, value, epoch), (error: unknown) => this.#reject(asker, error))
  }

  #reply(asker: Asker, served: Served, value: unknown, epoch = this.#epoch): void {
    if (asker.id === 0 || this.#closed) return
    if (served.kind.ofView === true && epoch !== this.#epoch) this.#answer(asker, OTHER_VIEW, null)
    else this.#answer(asker, REPLY, served.kind.reply.encode(value))
  }

  #reject(asker: Asker, error: unknown): void {
    this.#log.warn(`refused a request of ${asker.node}: ${String(error)}`)
    if (asker.id !== 0) this.#answer(asker, REFUSAL, String(error))
  }

  #answer({ node, id, membership }: Asker, code: number, payload: unknown): void {
    this.#post(node, this.#stamped(code, id, payload, this.#epoch, membership))
  }

  /** A request to oneself takes no detour over the network. */
  #handleLocally(code: number, id: number, request: unknown): void {
    const served = this.#served.get(code)
    if (served === undefined) throw new Error(`invariant: this node serves requests of kind ${code}`)
    let answer: unknown
    try {
      answer = served.handler(request, this.#self)
    } catch (error) {
      this.#rejectLocally(id, error)
      return
    }
    if (!(answer instanceof Promise)) this.#acceptLocally(id, answer)
    else answer.then(value => this.#acceptLocally(id, value), (error: unknown) => this.#rejectLocally(id, error))
  }

  #acceptLocally(id: number, value: unknown): void {
    const pending = this.#pending.get(id)
    if (pending !== undefined) this.#accept(id, pending, this.#self, value)
  }

  #rejectLocally(id: number, error: unknown): void {
    this.#log.warn(`refused a request of its own: ${String(error)}`)
    const pending = this.#pending.get(id)
    if (pending !== undefined) this.#refuse(id, pending, this.#self, String(error))
  }

  #accept(id: number, pending: Pending, from: NodeId, reply: unknown): void {
    if (pending.from.includes(from)) return
    pending.from.push(from)
    pending.replies.push(reply)
    this.#learn(pending, from)
    if (isComplete(pending)) this.#settle(id, pending)
  }

  #refuse(id: number, pending: Pending, from: NodeId, reason: string): void {
    const refusal = `${from}: ${reason}`
    if (pending.refusals.includes(refusal)) return
    pending.refusals.push(refusal)
    if (pending.to.length - pending.refusals.length < pending.need) this.#settle(id, pending)
  }

  #settle(id: number, pending: Pending): void {
    this.#pending.delete(id)
    const { replies, from, refusals, outdated } = pending
    pending.resolve({ complete: isComplete(pending), replies, from, refusals, outdated })
  }

  /** Asks those that were held back, and remembers that the others were slow. */
  #askReserve(id: number, nodes: readonly NodeId[]): void {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    for (const to of pending.to) {
      if (nodes.includes(to)) this.#post(to, this.#stamped(pending.kind.code, id, pending.payload, pending.epoch))
      else if (!pending.from.includes(to)) this.#learn(pending, to)
    }
  }

  /** How long a node takes to answer a request of this kind, in milliseconds: a moving average; 0 as long as it has not been asked. */
  latencyMs(kind: { readonly code: number }, node: NodeId): number {
    return this.#latencies.get(kind.code)?.get(node) ?? 0
  }

  #learn({ kind, askedAt }: Pending, from: NodeId): void {
    const ofKind = this.#latencies.get(kind.code) ?? new Map<NodeId, number>()
    this.#latencies.set(kind.code, ofKind)
    const tookMs = (this.#clock.now() - askedAt) / 1e6
    const before = ofKind.get(from)
    ofKind.set(from, before === undefined ? tookMs : before + (tookMs - before) / LATENCY_MEMORY)
  }

  #expire(id: number): void {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    if (--pending.deadlines > 0) {
      this.#deadlines.add(id)
      return
    }
    this.counts.expired++
    this.#settle(id, pending)
  }

  #resend(id: number): void {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    for (const to of pending.to) if (to !== this.#self && !pending.from.includes(to)) this.#post(to, this.#stamped(pending.kind.code, id, pending.payload, pending.epoch))
    this.#resends.add(id)
  }

  #malformed(from: NodeId, error: unknown): void {
    this.counts.malformed++
    if (this.counts.malformed <= 10) this.#log.warn(`dropped a malformed message of ${from}: ${String(error)}`)
  }
}

function isComplete({ replies, need, enough, from }: Pending): boolean {
  return replies.length >= need && (enough === undefined || enough(from))
}
