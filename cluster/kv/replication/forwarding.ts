/**
 * Operations that another node carries out: the leader of a key, a primary. They are carried out at most once,
 * although messages are lost, doubled and sent again.
 *
 * Whoever asks numbers its requests, and whoever is asked remembers what it answered to which number. That memory ends
 * with its life, so a request names the life that it is meant for: a late copy of one that a former life carried out
 * is refused by the next one. (Birrell and Nelson, "Implementing remote procedure calls", TOCS 1984, section 3.2.)
 */
import type { NodeId } from '../../../harness/env.ts'
import type { ErrorCode } from '../errors.ts'
import { StoreError, errorKinds } from '../errors.ts'
import { MalformedMessage, bytesOrNull, count, flag, list, text, writerName } from '../messages.ts'
import type { Kind } from '../messages.ts'
import type { Rpc } from '../rpc.ts'
import type { Change, Outcome } from './change.ts'
import { changeCodec } from './change.ts'

/** Answers remembered per asker; older requests are refused. */
const REMEMBERED_MAX = 16_384

interface Request {
  /** The incarnation of the node that is asked. */
  readonly incarnation: number
  readonly writer: string
  readonly sequence: number
  readonly key: string
  readonly change: Change
}

type Reply =
  | { readonly type: 'done'; readonly outcome: Outcome }
  | { readonly type: 'error'; readonly code: ErrorCode; readonly message: string }
  | { readonly type: 'another-life'; readonly incarnation: number }

const FORWARD: Kind<Request, Reply> = {
  code: 32,
  request: {
    encode: ({ incarnation, writer, sequence, key, change }) => [incarnation, writer, sequence, key, changeCodec.encode(change)],
    decode: input => {
      const [incarnation, writer, sequence, key, change] = list(input, 5)
      return { incarnation: count(incarnation), writer: writerName(writer), sequence: count(sequence), key: text(key), change: changeCodec.decode(change) }
    },
  },
  reply: { encode: encodeReply, decode: decodeReply },
}

function encodeReply(reply: Reply): unknown {
  switch (reply.type) {
    case 'done':
      return [0, reply.outcome.matched, reply.outcome.value]
    case 'error':
      return [1, reply.code, reply.message]
    case 'another-life':
      return [2, reply.incarnation]
  }
}

function decodeReply(input: unknown): Reply {
  const [type, first, second] = list(input)
  if (type === 0) return { type: 'done', outcome: { matched: flag(first), value: bytesOrNull(second) } }
  if (type === 1 && typeof first === 'string' && Object.hasOwn(errorKinds, first)) return { type: 'error', code: first as ErrorCode, message: text(second) }
  if (type === 2) return { type: 'another-life', incarnation: count(first) }
  throw new MalformedMessage('an outcome, an error or an incarnation')
}

/** What forwarding works with. */
export interface ForwardingOptions {
  readonly rpc: Rpc
  readonly incarnation: number
  /** Names this life of this node. */
  readonly writer: string
  /** Carries an operation out here. Rejects with StoreErrors. */
  readonly carryOut: (key: string, change: Change) => Promise<Outcome>
}

/** Sends operations to other nodes, and carries out theirs. */
export class Forwarding {
  readonly #options: ForwardingOptions
  readonly #lives = new Map<NodeId, number>()
  readonly #askers = new Map<string, { readonly answers: Map<number, Promise<Reply>>; refusedUpTo: number }>()
  #sequence = 0

  constructor(options: ForwardingOptions) {
    this.#options = options
    options.rpc.serve(FORWARD, request => this.#answer(request))
  }

  /** Has `to` carry it out. Rejects with a StoreError: INDETERMINATE when no answer came (of a read UNAVAILABLE). */
  async ask(to: NodeId, key: string, change: Change): Promise<Outcome> {
    const { rpc, writer } = this.#options
    // A node whose life we guessed wrongly did nothing and tells the right one, so asking again is the first time.
    for (let tries = 0; tries < 3; tries++) {
      const request = { incarnation: this.#lives.get(to) ?? 0, writer, sequence: ++this.#sequence, key, change }
      // Whoever is asked has waits of its own, and tells more than silence does: it is given longer.
      const { replies } = await rpc.gather(FORWARD, { to: [to], request, need: 1, deadlines: 2 })
      const reply = replies[0]
      if (reply === undefined) throw new StoreError(change.type === 'read' ? 'UNAVAILABLE' : 'INDETERMINATE', `${to}, which orders the operations on this key, did not answer in time`)
      if (reply.type === 'done') return reply.outcome
      if (reply.type === 'error') throw new StoreError(reply.code, reply.message)
      this.#lives.set(to, reply.incarnation)
    }
    throw new StoreError('UNAVAILABLE', `definite: ${to} restarts again and again`)
  }

  async #answer(request: Request): Promise<Reply> {
    const { incarnation } = this.#options
    if (request.incarnation !== incarnation) return { type: 'another-life', incarnation }
    // A read may be carried out twice: nobody can tell.
    if (request.change.type === 'read' || request.change.type === 'settle') return this.#perform(request)
    const asker = this.#askers.get(request.writer) ?? { answers: new Map<number, Promise<Reply>>(), refusedUpTo: 0 }
    this.#askers.set(request.writer, asker)
    if (request.sequence <= asker.refusedUpTo) return { type: 'error', code: 'INDETERMINATE', message: 'this request is too old to know whether it was carried out' }
    let answer = asker.answers.get(request.sequence)
    if (answer === undefined) {
      answer = this.#perform(request)
      asker.answers.set(request.sequence, answer)
      if (asker.answers.size > REMEMBERED_MAX) {
        const [oldest] = asker.answers.keys()
        asker.answers.delete(oldest!)
        asker.refusedUpTo = Math.max(asker.refusedUpTo, oldest!)
      }
    }
    return answer
  }

  async #perform({ key, change }: Request): Promise<Reply> {
    try {
      return { type: 'done', outcome: await this.#options.carryOut(key, change) }
    } catch (error) {
      if (error instanceof StoreError) return { type: 'error', code: error.code, message: error.message }
      throw error
    }
  }
}
