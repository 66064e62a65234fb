/**
 * A client's side of one RESP connection over a cluster's stream: commands go out, replies come back in their order.
 * Used up by its first error: what a late reply belongs to could not be told any more.
 */
import type { NodeId, PortName, Stream, Timer, Clock } from '../../harness/env.ts'
import type { Cluster } from '../cluster.ts'
import { StoreError } from '../kv/errors.ts'
import { ErrorReply, ReplyParser, encodeCommand } from '../kv/resp.ts'
import type { Reply } from '../kv/resp.ts'

const LIMITS = { argumentsMax: 1 << 20, bulkBytesMax: 64 * 1024 * 1024, totalBytesMax: 256 * 1024 * 1024 }

interface Waiting {
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: StoreError) => void
  readonly timer: Timer
}

/** One connection to one port of one node. */
export class RespConnection {
  readonly #stream: Stream
  readonly #clock: Clock
  readonly #parser = new ReplyParser(LIMITS)
  readonly #waiting: Waiting[] = []
  #broken: StoreError | undefined

  constructor(stream: Stream, clock: Clock) {
    this.#stream = stream
    this.#clock = clock
    stream.onData((chunk) => this.#receive(chunk))
    stream.onClose((error) => this.#break(new StoreError('BROKEN', `the connection broke: ${error?.message ?? 'closed by the node'}`)))
  }

  /** Connects; on the admin port, authenticates. Fails with REFUSED: nothing was sent. */
  static async open(cluster: Cluster, node: NodeId, port: PortName, deadlineMs: number): Promise<RespConnection> {
    const began = cluster.clock.now()
    const stream = await cluster.dial(node, port, deadlineMs).catch((error: unknown) => {
      throw new StoreError('REFUSED', `no connection to the ${port} port of ${node}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    })
    const connection = new RespConnection(stream, cluster.clock)
    if (port === 'admin') await connection.ask(['AUTH', cluster.token], Math.max(1, deadlineMs - (cluster.clock.now() - began) / 1e6))
    return connection
  }

  /** Whether it can be asked no more. */
  get broken(): boolean {
    return this.#broken !== undefined
  }

  /** One command, one reply; an error reply rejects. Fails with BROKEN or DEADLINE when there is none. */
  async ask(words: readonly (string | Uint8Array)[], deadlineMs: number): Promise<Reply> {
    const reply = await this.#exchange(encodeCommand(words), deadlineMs)
    if (reply instanceof ErrorReply) throw new ReplyError(reply)
    return reply
  }

  close(): void {
    this.#break(new StoreError('BROKEN', 'the client closed the connection'))
  }

  #exchange(bytes: Uint8Array, deadlineMs: number): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#broken !== undefined) {
        reject(this.#broken)
        return
      }
      const timer = this.#clock.after(deadlineMs, () => this.#break(new StoreError('DEADLINE', `no answer within ${deadlineMs} ms`)))
      this.#waiting.push({ resolve, reject, timer })
      this.#stream.write(bytes)
    })
  }

  #receive(chunk: Uint8Array): void {
    try {
      this.#parser.push(chunk, (reply) => {
        const waiting = this.#waiting.shift()
        waiting?.timer.cancel()
        waiting?.resolve(reply)
      })
    } catch (error) {
      this.#break(new StoreError('MALFORMED', String(error), { cause: error }))
    }
  }

  #break(error: StoreError): void {
    if (this.#broken !== undefined) return
    this.#broken = error
    this.#stream.close()
    for (const { reject, timer } of this.#waiting.splice(0)) {
      timer.cancel()
      reject(error)
    }
  }
}

/** The node answered with an error. */
export class ReplyError extends Error {
  readonly code: string
  constructor(reply: ErrorReply) {
    super(`${reply.code} ${reply.message}`)
    this.name = 'ReplyError'
    this.code = reply.code
  }
}
