/**
 * Many nodes of a lookup on one virtual clock with next to nothing around them, so that ten thousand fit: messages
 * take a millisecond or two, a dead node is silent.
 */
import type { Clock, NodeId, Random } from '../../../../harness/env.ts'
import type { Kind } from '../../messages.ts'
import type { Conversation } from '../asking.ts'

type Handler = (request: unknown, from: NodeId) => unknown

/** How long a request to a dead node stays open. */
const SILENCE_MS = 500

/** A network of nodes that ask each other. */
export class LightNetwork {
  readonly #clock: Clock
  readonly #random: Random
  readonly #served = new Map<NodeId, Map<number, Handler>>()
  /** Requests sent. */
  messages = 0

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  /** From now on the node neither answers nor asks. */
  kill(node: NodeId): void {
    this.#served.delete(node)
  }

  /** The network as one node sees it. */
  conversation(self: NodeId): Conversation {
    const handlers = new Map<number, Handler>()
    this.#served.set(self, handlers)
    const isAlive = (): boolean => this.#served.get(self) === handlers
    return {
      serve: (kind, handler) => {
        handlers.set(kind.code, handler as Handler)
      },
      gather: (kind, { to, request }) =>
        new Promise(resolve => {
          const silent = this.#clock.after(SILENCE_MS, () => resolve({ complete: false, replies: [], from: [], refusals: [], outdated: false }))
          if (!isAlive()) return
          this.messages++
          this.#later(() => {
            // A refusal is as good as silence to whoever asks one node only.
            void this.#answer(kind, to[0]!, request, self).catch(() => undefined).then(answer => {
              if (answer === undefined) return
              this.#later(() => {
                silent.cancel()
                if (isAlive()) resolve({ complete: true, replies: [answer.reply], from: [...to], refusals: [], outdated: false })
              })
            })
          })
        }),
    }
  }

  async #answer<Request, Reply>(kind: Kind<Request, Reply>, node: NodeId, request: Request, from: NodeId): Promise<{ readonly reply: Reply } | undefined> {
    const handler = this.#served.get(node)?.get(kind.code)
    if (handler === undefined) return undefined
    return { reply: (await handler(request, from)) as Reply }
  }

  #later(happens: () => void): void {
    this.#clock.after(0.5 + this.#random.float(), happens)
  }
}
