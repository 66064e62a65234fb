/**
 * Requests to another node that are carried out at most once, although messages are lost, doubled and sent again.
 *
 * Whoever asks numbers its requests, and whoever is asked remembers what it answered to which number. That memory ends
 * with its life, so a request names the life that it is meant for: a late copy of one that a former life carried out
 * is refused by the next one. (Birrell and Nelson, "Implementing remote procedure calls", TOCS 1984, section 3.2.)
 */
import type { NodeId } from '../../harness/env.ts'
import type { ErrorCode } from './errors.ts'
import { StoreError, errorKinds } from './errors.ts'
import { MalformedMessage, count, list, text, writerName } from './messages.ts'
import type { Codec, Kind } from './messages.ts'
import type { Rpc } from './rpc.ts'

/** Answers remembered per asker; older requests are refused. */
const REMEMBERED_MAX = 16_384

interface Envelope<Request> {
  /** The incarnation of the node that is asked. */
  readonly incarnation: number
  readonly writer: string
  readonly sequence: number
  readonly request: Request
}

type Answer<Reply> =
  | { readonly type: 'done'; readonly reply: Reply }
  | { readonly type: 'error'; readonly code: ErrorCode; readonly message: string }
  | { readonly type: 'another-life'; readonly incarnation: number }

/** What such requests are made of. */
export interface CallsOptions<Request, Reply> {
  readonly rpc: Rpc
  readonly incarnation: number
  /** Names this life of this node. */
  readonly writer: string
  /** The number of these requests on the wire. */
  readonly code: number
  readonly request: Codec<Request>
  readonly reply: Codec<Reply>
  /** Carries a request out here. Rejects with StoreErrors. */
  readonly carryOut: (request: Request, from: NodeId) => Promise<Reply>
  /** Whether a request may be carried out twice, because nobody can tell. */
  readonly repeatable: (request: Request) => boolean
}

/** Sends requests to other nodes, and carries out theirs. */
export class Calls<Request, Reply> {
  readonly #options: CallsOptions<Request, Reply>
  readonly #kind: Kind<Envelope<Request>, Answer<Reply>>
  readonly #lives = new Map<NodeId, number>()
  readonly #askers = new Map<string, { readonly answers: Map<number, Promise<Answer<Reply>>>; refusedUpTo: number }>()
  #sequence = 0

  constructor(options: CallsOptions<Request, Reply>) {
    this.#options = options
    this.#kind = {
      code: options.code,
      request: {
        encode: ({ incarnation, writer, sequence, request }) => [incarnation, writer, sequence, options.request.encode(request)],
        decode: input => {
          const [incarnation, writer, sequence, request] = list(input, 4)
          return { incarnation: count(incarnation), writer: writerName(writer), sequence: count(sequence), request: options.request.decode(request) }
        },
      },
      reply: { encode: answer => encodeAnswer(answer, options.reply), decode: input => decodeAnswer(input, options.reply) },
    }
    options.rpc.serve(this.#kind, (envelope, from) => this.#answer(envelope, from))
  }

  /** Has `to` carry it out. Rejects with a StoreError: INDETERMINATE when no answer came (of a repeatable one UNAVAILABLE). */
  async ask(to: NodeId, request: Request): Promise<Reply> {
    const { rpc, writer, repeatable } = this.#options
    // Nobody carries out what is meant for no life (0), so asking again is the first time. What was meant for a life that
    // is over may have been carried out before that ended: only what is repeatable is asked again.
    for (let tries = 0; tries < 3; tries++) {
      const envelope = { incarnation: this.#lives.get(to) ?? 0, writer, sequence: ++this.#sequence, request }
      // Whoever is asked has waits of its own, and tells more than silence does: it is given longer.
      const { replies } = await rpc.gather(this.#kind, { to: [to], request: envelope, need: 1, deadlines: 2 })
      const answer = replies[0]
      if (answer === undefined) throw new StoreError(repeatable(request) ? 'UNAVAILABLE' : 'INDETERMINATE', `${to}, which has to carry this out, did not answer in time`)
      if (answer.type === 'done') return answer.reply
      if (answer.type === 'error') throw new StoreError(answer.code, answer.message)
      this.#lives.set(to, answer.incarnation)
      if (envelope.incarnation !== 0 && !repeatable(request)) throw new StoreError('INDETERMINATE', `indefinite: ${to} was restarted while it was to carry this out`)
    }
    throw new StoreError('UNAVAILABLE', `definite: ${to} restarts again and again`)
  }

  async #answer(envelope: Envelope<Request>, from: NodeId): Promise<Answer<Reply>> {
    const { incarnation, repeatable } = this.#options
    if (envelope.incarnation !== incarnation) return { type: 'another-life', incarnation }
    if (repeatable(envelope.request)) return this.#perform(envelope.request, from)
    const asker = this.#askers.get(envelope.writer) ?? { answers: new Map<number, Promise<Answer<Reply>>>(), refusedUpTo: 0 }
    this.#askers.set(envelope.writer, asker)
    if (envelope.sequence <= asker.refusedUpTo) return { type: 'error', code: 'INDETERMINATE', message: 'this request is too old to know whether it was carried out' }
    let answer = asker.answers.get(envelope.sequence)
    if (answer === undefined) {
      answer = this.#perform(envelope.request, from)
      asker.answers.set(envelope.sequence, answer)
      if (asker.answers.size > REMEMBERED_MAX) {
        const [oldest] = asker.answers.keys()
        asker.answers.delete(oldest!)
        asker.refusedUpTo = Math.max(asker.refusedUpTo, oldest!)
      }
    }
    return answer
  }

  async #perform(request: Request, from: NodeId): Promise<Answer<Reply>> {
    try {
      return { type: 'done', reply: await this.#options.carryOut(request, from) }
    } catch (error) {
      if (error instanceof StoreError) return { type: 'error', code: error.code, message: error.message }
      throw error
    }
  }
}

function encodeAnswer<Reply>(answer: Answer<Reply>, codec: Codec<Reply>): unknown {
  switch (answer.type) {
    case 'done':
      return [0, codec.encode(answer.reply)]
    case 'error':
      return [1, answer.code, answer.message]
    case 'another-life':
      return [2, answer.incarnation]
  }
}

function decodeAnswer<Reply>(input: unknown, codec: Codec<Reply>): Answer<Reply> {
  const [type, first, second] = list(input)
  if (type === 0) return { type: 'done', reply: codec.decode(first) }
  if (type === 1 && typeof first === 'string' && Object.hasOwn(errorKinds, first)) return { type: 'error', code: first as ErrorCode, message: text(second) }
  if (type === 2) return { type: 'another-life', incarnation: count(first) }
  throw new MalformedMessage('a reply, an error or an incarnation')
}
