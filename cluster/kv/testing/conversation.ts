/**
 * A raw conversation with a node's port, byte for byte, for tests of what libraries never send.
 */
import type { PortName, Stream } from '../../../harness/env.ts'
import type { Bench } from './simulate.ts'

/** A stream and everything that came back on it. */
export class Conversation {
  readonly #stream: Stream
  heard = ''
  closed = false

  private constructor(stream: Stream) {
    this.#stream = stream
    stream.onData((chunk) => (this.heard += Buffer.from(chunk).toString('latin1')))
    stream.onClose(() => (this.closed = true))
  }

  static async open(bench: Bench, node: string, port: PortName = 'client'): Promise<Conversation> {
    return new Conversation(await bench.cluster.dial(node, port, 1000))
  }

  say(text: string): void {
    this.#stream.write(Buffer.from(text, 'latin1'))
  }

  close(): void {
    this.#stream.close()
  }
}
