/**
 * Transactions as Redis's clients speak of them: MULTI, then GET, SET, DEL and RPUSH, then EXEC. Unlike Redis's they
 * span nodes, and EXEC fails as a whole or not at all.
 */
import type { NodeConfig } from '../config.ts'
import type { Command, Session } from '../door.ts'
import { StoreError } from '../errors.ts'
import type { Replication } from '../replication/replication.ts'
import { OK_REPLY, arrayReply, bulkReply, errorReply, integerReply, nullReply, simpleReply } from '../resp.ts'
import type { Step, StepResult } from './steps.ts'

const QUEUED_MAX = 1024

/** What the commands work on. */
export interface TransactionCommandsOptions {
  readonly config: NodeConfig
  readonly replication: Replication
}

/** The same commands, except that they wait for EXEC once a connection has said MULTI. */
export function* queueing(commands: Iterable<[string, Command]>): Generator<[string, Command]> {
  for (const [name, command] of commands) {
    yield [name, { ...command, run: (words, session) => (session.queued === undefined ? command.run(words, session) : queue(words, session)) }]
  }
}

/** Words are views into what the network brought: the queue keeps copies. */
function queue(words: readonly Buffer[], session: Session): string {
  if (session.queued!.length >= QUEUED_MAX) throw new StoreError('BUSY', `a transaction has at most ${QUEUED_MAX} commands`)
  session.queued!.push(words.map(word => Buffer.from(word)))
  return simpleReply('QUEUED')
}

/** MULTI, RPUSH, DISCARD and EXEC. */
export function* transactionCommands({ config, replication }: TransactionCommandsOptions): Generator<[string, Command]> {
  const { transact } = replication
  if (transact === undefined) {
    yield ['MULTI', { words: [1, 1], keys: 'none', run: () => errorReply('ERR', `no transactions: replication "${config.replication}" has none; "2pc" and "paxos-commit" have`) }]
    for (const name of ['EXEC', 'DISCARD']) yield [name, { words: [1, 1], keys: 'none', run: () => errorReply('ERR', `${name} without MULTI`) }]
    return
  }

  const stepsOf = (words: readonly Buffer[]): readonly Step[] => words.length === 0 ? [] : stepsOfCommand(words, config)
  yield ['MULTI', { words: [1, 1], keys: 'none', run: (_, session) => {
    if (session.queued !== undefined) return errorReply('ERR', 'MULTI calls can not be nested')
    session.queued = []
    return OK_REPLY
  } }]
  yield ['DISCARD', { words: [1, 1], keys: 'none', run: (_, session) => {
    if (session.queued === undefined) return errorReply('ERR', 'DISCARD without MULTI')
    session.queued = undefined
    return OK_REPLY
  } }]
  yield* queueing([['RPUSH', { words: [3, 1024], keys: 'first', run: async (words, session) => replyOf(words, await transact(stepsOf(words)), session) }]])
  yield ['EXEC', { words: [1, 1], keys: 'none', run: async (_, session) => {
    const { queued } = session
    if (queued === undefined) return errorReply('ERR', 'EXEC without MULTI')
    session.queued = undefined
    const parts = queued.map(stepsOf)
    const results = await transact(parts.flat())
    let at = 0
    return arrayReply(queued.map((words, i) => replyOf(words, results.slice(at, (at += parts[i]!.length)), session)))
  } }]
}

/** What a command does, one key at a time. */
function stepsOfCommand([name, ...rest]: readonly Buffer[], config: NodeConfig): readonly Step[] {
  const keys = rest.map(word => word.toString('latin1'))
  if (keys.some((key, i) => key.length > config.key_bytes_max && i === 0)) throw new StoreError('TOOBIG', `a key has at most ${config.key_bytes_max} bytes`)
  switch (name!.toString('latin1').toUpperCase()) {
    case 'GET':
      return [{ type: 'read', key: keys[0]! }]
    case 'SET':
      if (rest.length > 2) throw new StoreError('ERR', 'within MULTI, SET takes none of the options of Redis')
      return [{ type: 'write', key: keys[0]!, value: rest[1]! }]
    case 'DEL':
      return keys.map((key): Step => ({ type: 'write', key, value: null }))
    case 'RPUSH':
      for (const element of rest.slice(1)) if (!isJson(element)) throw new StoreError('ERR', 'a list is kept as JSON: the elements of RPUSH must be JSON')
      return rest.slice(1).map((element): Step => ({ type: 'append', key: keys[0]!, element }))
    default:
      throw new StoreError('ERR', `within MULTI only GET, SET, DEL and RPUSH are understood, not ${name!.toString('latin1').slice(0, 32)}`)
  }
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString())
    return true
  } catch {
    return false
  }
}

/** A command's reply from what its steps found. */
function replyOf([name]: readonly Buffer[], results: readonly StepResult[], session: Session): string {
  switch (name!.toString('latin1').toUpperCase()) {
    case 'GET':
      return results[0] === null || results[0] === undefined ? nullReply(session.protocol) : bulkReply(results[0])
    case 'SET':
      return OK_REPLY
    case 'DEL':
      return integerReply(results.filter(result => result !== null).length)
    default:
      return integerReply((JSON.parse(Buffer.from(results.at(-1)!).toString()) as unknown[]).length)
  }
}
