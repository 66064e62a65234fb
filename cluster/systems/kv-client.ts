/**
 * The harness's client of our own store: operations of a history as RESP commands to one node, and back.
 */
import type { Completion, Invocation, Json } from '../../checker/history/index.ts'
import type { NodeId } from '../../harness/env.ts'
import type { Cluster } from '../cluster.ts'
import { ClusterError } from '../cluster.ts'
import { StoreError, isDefinite } from '../kv/errors.ts'
import type { Reply } from '../kv/resp.ts'
import type { Client } from '../system.ts'
import { ReplyError, RespConnection } from './resp-connection.ts'

/** A key as the store knows it: text as it is, anything else as JSON. */
export function keyText(key: Json | undefined): string {
  return typeof key === 'string' ? key : JSON.stringify(key ?? null)
}

function wordsOf({ f, key, value }: Invocation): string[] {
  switch (f) {
    case 'read':
      return ['GET', keyText(key)]
    case 'write':
      return ['SET', keyText(key), JSON.stringify(value ?? null)]
    case 'delete':
      return ['DEL', keyText(key)]
    case 'cas': {
      const [expected, next] = Array.isArray(value) ? (value as readonly Json[]) : []
      if (expected === undefined || next === undefined) throw new ClusterError('malformed-operation', 'a compare-and-set has the value [expected, new]')
      // Null is no value, as a read reports it.
      return expected === null ? ['SET', keyText(key), JSON.stringify(next), 'NX'] : ['CAS', keyText(key), JSON.stringify(expected), JSON.stringify(next)]
    }
    default:
      throw new ClusterError('unknown-function', `the store's client knows read, write, delete, cas and txn, not "${f}"`)
  }
}

/** Values are JSON, several where a replica holds siblings; whatever else a replica answers is a finding of its own and is shown as it is. */
export function valueOf(reply: Reply): Json {
  if (reply === null) return null
  if (Array.isArray(reply)) return (reply as readonly Reply[]).map(valueOf)
  const text = reply instanceof Uint8Array ? Buffer.from(reply.buffer, reply.byteOffset, reply.length).toString() : JSON.stringify(reply)
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

function completionOf({ f }: Invocation, reply: Reply): Completion {
  if (f === 'read') return { type: 'ok', value: valueOf(reply) }
  // Zero of CAS, nil of SET NX: another value was there, and nothing was changed.
  return f === 'cas' && (reply === 0 || reply === null) ? { type: 'fail', error: 'MISMATCH' } : { type: 'ok' }
}

type MicroOperation = readonly [f: 'r' | 'w' | 'append', key: Json, value: Json]

function microOperations(value: Json | undefined): readonly MicroOperation[] {
  if (!Array.isArray(value) || value.length === 0) throw new ClusterError('malformed-operation', 'a transaction has a list of micro-operations ["r", key, null], ["w", key, value] or ["append", key, value]')
  return value as readonly unknown[] as readonly MicroOperation[]
}

/** A transaction as the door understands it. */
function transactionOf(value: Json | undefined): string[][] {
  const commands = microOperations(value).map(([f, key, operand]) => {
    if (f === 'r') return ['GET', keyText(key)]
    if (f === 'w') return operand === null ? ['DEL', keyText(key)] : ['SET', keyText(key), JSON.stringify(operand)]
    if (f === 'append') return ['RPUSH', keyText(key), JSON.stringify(operand)]
    throw new ClusterError('unknown-function', `a transaction knows r, w and append, not "${String(f)}"`)
  })
  return [['MULTI'], ...commands, ['EXEC']]
}

/** The micro-operations with what the reads found. */
function transactionResult(value: Json | undefined, reply: Reply): Json {
  const operations = microOperations(value)
  if (!Array.isArray(reply) || reply.length !== operations.length) throw new StoreError('MALFORMED', `EXEC answered with something else than ${operations.length} results`)
  return operations.map(([f, key, operand], i) => [f, key, f === 'r' ? valueOf((reply as readonly Reply[])[i]!) : operand])
}

/** How operations on single keys are said, and what the answers mean. */
interface Dialect {
  words(op: Invocation): string[]
  completion(op: Invocation, reply: Reply): Completion
}

/** The store's commands as they are. */
export const plainDialect: Dialect = { words: wordsOf, completion: completionOf }

/**
 * For a store that keeps siblings. A read takes the newest of them as its value and keeps that one's context; the
 * client's next write of the key replaces it, and what it had seen, and nothing that the client was not shown.
 */
export class SiblingDialect implements Dialect {
  readonly #contexts = new Map<string, string>()

  words(op: Invocation): string[] {
    const key = keyText(op.key)
    const context = this.#contexts.get(key)
    const seen = context === undefined ? [] : [context]
    if (op.f === 'read') return ['GETS', key]
    if (op.f === 'write') return ['PUT', key, JSON.stringify(op.value ?? null), ...seen]
    if (op.f === 'delete') return ['DROP', key, ...seen]
    return wordsOf(op)
  }

  completion(op: Invocation, reply: Reply): Completion {
    if (op.f !== 'read') return completionOf(op, reply)
    if (!Array.isArray(reply)) throw new StoreError('MALFORMED', 'GETS answered with something else than siblings')
    const [newest] = reply as readonly (readonly Reply[])[]
    if (newest === undefined) return { type: 'ok', value: null }
    this.#contexts.set(keyText(op.key), Buffer.from(newest[1] as Uint8Array).toString('latin1'))
    return { type: 'ok', value: valueOf(newest[0]!) }
  }
}

/** One process's client: one operation at a time, a new connection after every error, and never a second try. */
export class KvClient implements Client {
  readonly #cluster: Cluster
  readonly #node: NodeId
  readonly #deadlineMs: number
  readonly #dialect: Dialect
  #connection: RespConnection | undefined

  constructor(cluster: Cluster, node: NodeId, deadlineMs: number, dialect: Dialect) {
    this.#cluster = cluster
    this.#dialect = dialect
    this.#node = node
    this.#deadlineMs = deadlineMs
  }

  async invoke(op: Invocation): Promise<Completion> {
    const commands = op.f === 'txn' ? transactionOf(op.value) : [this.#dialect.words(op)]
    const readOnly = op.f === 'read' || (op.f === 'txn' && microOperations(op.value).every(([f]) => f === 'r'))
    const began = this.#cluster.clock.now()
    try {
      if (this.#connection === undefined || this.#connection.broken) this.#connection = await RespConnection.open(this.#cluster, this.#node, 'client', this.#deadlineMs)
      const leftMs = this.#deadlineMs - (this.#cluster.clock.now() - began) / 1e6
      if (leftMs <= 0) return { type: 'fail', error: 'REFUSED' }
      const connection = this.#connection
      // What stands before EXEC only says that it is queued; where it is refused, EXEC says so too.
      const reply = (await Promise.allSettled(commands.map((words) => connection.ask(words, leftMs)))).at(-1)!
      if (reply.status === 'rejected') throw reply.reason as Error
      if (op.f === 'txn') return { type: 'ok', value: transactionResult(op.value, reply.value) }
      return this.#dialect.completion(op, reply.value)
    } catch (error) {
      const code = error instanceof ReplyError || error instanceof StoreError ? error.code : 'MALFORMED'
      // A read has no effect: whatever went wrong, it certainly did not happen.
      return { type: readOnly || isDefinite(code) ? 'fail' : 'info', error: code }
    }
  }

  close(): void {
    this.#connection?.close()
  }
}
