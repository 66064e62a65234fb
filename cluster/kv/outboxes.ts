/**
 * Messages on their way out: what goes to one peer within one turn of the event loop leaves together, unless it grows large.
 */
import type { Clock, NodeId } from '../../harness/env.ts'
import type { WireMessage } from './envelope.ts'

/** What leaves together is split when it grows past this. */
const TOGETHER_BYTES_MAX = 1 << 20
const ENVELOPE_BYTES = 32
const NUMBER_BYTES = 9

interface Outbox {
  messages: WireMessage[]
  bytes: number
}

/** One outbox for each peer. */
export class Outboxes {
  readonly #clock: Clock
  readonly #send: (to: NodeId, messages: readonly WireMessage[]) => void
  readonly #byPeer = new Map<NodeId, Outbox>()
  #flushScheduled = false

  constructor(clock: Clock, send: (to: NodeId, messages: readonly WireMessage[]) => void) {
    this.#clock = clock
    this.#send = send
  }

  post(to: NodeId, message: WireMessage): void {
    let outbox = this.#byPeer.get(to)
    if (outbox === undefined) {
      outbox = { messages: [], bytes: 0 }
      this.#byPeer.set(to, outbox)
    }
    outbox.messages.push(message)
    outbox.bytes += ENVELOPE_BYTES + weigh(message[2])
    if (outbox.bytes >= TOGETHER_BYTES_MAX) this.#dispatch(to, outbox)
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    this.#clock.after(0, () => {
      this.#flushScheduled = false
      for (const [peer, box] of this.#byPeer) if (box.messages.length > 0) this.#dispatch(peer, box)
    })
  }

  #dispatch(to: NodeId, outbox: Outbox): void {
    const { messages } = outbox
    outbox.messages = []
    outbox.bytes = 0
    this.#send(to, messages)
  }
}

/** About how many bytes a payload takes. */
function weigh(payload: unknown): number {
  if (payload instanceof Uint8Array || typeof payload === 'string') return payload.length
  if (!Array.isArray(payload)) return NUMBER_BYTES
  let bytes = 0
  for (const item of payload as readonly unknown[]) bytes += weigh(item)
  return bytes
}
