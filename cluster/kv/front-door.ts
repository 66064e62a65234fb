/**
 * What clients may say: the part of Redis's commands that a replicated register understands, so that redis-cli,
 * redis-benchmark and the Redis libraries work unmodified.
 *
 * Keys are bytes; the store keeps them as strings of one character per byte.
 */
import { withOpenKeys } from './client-cache/open-keys.ts'
import type { NodeConfig } from './config.ts'
import type { Command, Session } from './door.ts'
import { StoreError } from './errors.ts'
import { eventually } from './eventually.ts'
import type { Eventually } from './eventually.ts'
import { levels } from './replication/levels.ts'
import type { Replication } from './replication/replication.ts'
import { siblingCommands } from './sibling-commands.ts'
import { queueing, transactionCommands } from './transactions/commands.ts'
import { OK_REPLY, arrayReply, bulkReply, errorReply, integerReply, nullReply, simpleReply } from './resp.ts'

/** Keys that RANGE answers with when it does not say how many, and at most. */
const RANGE_DEFAULT = 1_000
const RANGE_MAX = 10_000

/** What the commands work on. */
export interface FrontDoorOptions {
  readonly config: NodeConfig
  readonly replication: Replication
  /** One line a node: name, this one or another, whether it is believed to be up, where it stands. */
  readonly nodeLines: () => readonly string[]
  /** The sections of INFO: name -> field -> value. */
  readonly describe: () => Readonly<Record<string, Readonly<Record<string, string | number>>>>
}

/** The commands of the client port. */
export function frontDoorCommands(options: FrontDoorOptions): ReadonlyMap<string, Command> {
  const { config } = options
  return new Map<string, Command>([...queueing(config.client_cache === 'none' ? dataCommands(options) : withOpenKeys(dataCommands(options), options.replication)), ...transactionCommands(options), ...courtesies(options)])
}

const ok = (): string => OK_REPLY

function* dataCommands({ config, replication }: FrontDoorOptions): Generator<[string, Command]> {
  const keyOf = (word: Buffer): string => {
    if (word.length > config.key_bytes_max) throw new StoreError('TOOBIG', `a key has at most ${config.key_bytes_max} bytes, not ${word.length}`)
    return word.toString('latin1')
  }

  const valueOf = (word: Buffer): Buffer => {
    if (word.length > config.value_bytes_max) throw new StoreError('TOOBIG', `a value has at most ${config.value_bytes_max} bytes, not ${word.length}`)
    return word
  }

  yield ['GET', { words: [2, 2], keys: 'first', run: ([, key], session) => eventually(replication.read(keyOf(key!), session.level), cell => (cell.value === null ? nullReply(session.protocol) : bulkReply(cell.value))) }]

  yield [
    'SET',
    {
      words: [3, 10],
      keys: 'first',
      run: (words, session) => {
        const [, key, value] = words
        if (words.length === 3) return eventually(replication.write(keyOf(key!), valueOf(value!), session.clocks, session.level), ok)
        const option = words.slice(3).map(word => word.toString('latin1').toUpperCase()).join(' ')
        if (option === 'NX' && replication.cas !== undefined) return eventually(replication.cas(keyOf(key!), null, valueOf(value!)), done => (done ? OK_REPLY : nullReply(session.protocol)))
        return errorReply('ERR', `syntax error: SET takes a key and a value, and ${replication.cas === undefined ? 'none' : 'only NX'} of the options of Redis`)
      },
    },
  ]

  yield [
    'CAS',
    {
      words: [4, 4],
      keys: 'first',
      run: ([, key, expected, value]) => {
        if (replication.cas === undefined) return errorReply('ERR', `no compare-and-set: replication "${config.replication}" does not order the operations on a key; "paxos" does`)
        return eventually(replication.cas(keyOf(key!), expected!, valueOf(value!)), done => integerReply(done ? 1 : 0))
      },
    },
  ]

  yield [
    'RANGE',
    {
      words: [3, 5],
      keys: 'none',
      run: async ([, from, to, word, count]) => {
        if (replication.range === undefined) return errorReply('ERR', 'no range scans: they need partitioner "ordered" with replication "quorum" and versions "last-write-wins"')
        const limit = count === undefined ? RANGE_DEFAULT : Number(count.toString('latin1'))
        if ((word !== undefined && word.toString('latin1').toUpperCase() !== 'LIMIT') || !Number.isInteger(limit) || limit < 1 || limit > RANGE_MAX) return errorReply('ERR', `syntax error: RANGE from to [LIMIT n], n from 1 to ${RANGE_MAX}`)
        const bound = (text: Buffer): string => (text.toString('latin1') === '-' || text.toString('latin1') === '+' ? '' : keyOf(text))
        const found = await replication.range(bound(from!), bound(to!), limit)
        return arrayReply(found.flatMap(([key, value]) => [bulkReply(Buffer.from(key, 'latin1')), bulkReply(value)]))
      },
    },
  ]

  yield* siblingCommands({ config, replication, keyOf, valueOf })

  yield ['CONSISTENCY', { words: [1, 2], keys: 'none', run: ([, word], session) => (word === undefined ? simpleReply(session.level ?? 'as configured') : setLevel(word.toString('latin1'), session, replication)) }]

  yield ['DEL', { words: [2, 1024], keys: 'all', run: ([, ...words], session) => countOver('write', [...new Set(words.map(keyOf))], key => replication.write(key, null, session.clocks, session.level)) }]

  // As in Redis, a key that is named twice counts twice.
  yield ['EXISTS', { words: [2, 1024], keys: 'all', run: ([, ...words], session) => countOver('read', words.map(keyOf), async key => (await replication.read(key, session.level)).value !== null) }]
}

/** For how many of the keys `test` holds. When any of them fails, so does the command: with an indefinite error if there is one. */
async function countOver(effect: 'read' | 'write', keys: readonly string[], test: (key: string) => Eventually<boolean>): Promise<string> {
  const outcomes = await Promise.allSettled(keys.map(async key => test(key)))
  const errors = outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason as Error] : []))
  if (errors.length === 0) return integerReply(outcomes.filter(outcome => outcome.status === 'fulfilled' && outcome.value).length)
  const indefinite = errors.find(error => !(error instanceof StoreError) || !error.definite)
  if (indefinite !== undefined) throw indefinite
  // Each failure by itself is definite, but not that of the command as a whole if other keys were deleted.
  if (effect === 'write' && errors.length < keys.length) throw new StoreError('INDETERMINATE', `indefinite: ${errors.length} of ${keys.length} keys failed: ${String(errors[0])}`)
  throw errors[0]!
}

/** `consistency quorum`: from here on the connection's operations ask for that; `default` takes it back. */
function setLevel(word: string, session: Session, { hasLevels }: Replication): string {
  const name = word.toLowerCase().replaceAll('_', '-')
  const level = levels.find(known => known === name)
  if (hasLevels !== true) throw new StoreError('ERR', 'operations of this store have no consistency level of their own: its protocol decides')
  if (level === undefined && name !== 'default') throw new StoreError('ERR', `there is no consistency level "${name.slice(0, 32)}"; the levels are ${levels.join(', ')}, and default`)
  session.level = level
  return OK_REPLY
}

/** What clients and tools say beside their work. */
function* courtesies({ config, describe, nodeLines }: FrontDoorOptions): Generator<[string, Command]> {
  yield ['PING', { words: [1, 2], keys: 'none', run: ([, message]) => (message === undefined ? simpleReply('PONG') : bulkReply(message)) }]
  yield ['CLUSTER', { words: [2, 2], keys: 'none', run: ([, verb]) => (verb!.toString('latin1').toUpperCase() === 'NODES' ? bulkReply(`${nodeLines().join('\n')}\n`) : errorReply('ERR', 'of CLUSTER only NODES is understood')) }]
  yield ['ECHO', { words: [2, 2], keys: 'none', run: ([, message]) => bulkReply(message!) }]
  yield ['QUIT', { words: [1, 1], keys: 'none', run: () => OK_REPLY, closes: true }]
  yield ['COMMAND', { words: [1, 1024], keys: 'none', run: () => arrayReply([]) }]
  yield ['SELECT', { words: [2, 2], keys: 'none', run: ([, index]) => (index!.toString('latin1') === '0' ? OK_REPLY : errorReply('ERR', 'there is only database 0')) }]

  yield [
    'INFO',
    {
      words: [1, 16],
      keys: 'none',
      run: () => bulkReply(Object.entries(describe()).map(([section, fields]) => [`# ${section}`, ...Object.entries(fields).map(([field, value]) => `${field}:${value}`), ''].join('\r\n')).join('\r\n')),
    },
  ]

  yield [
    'CONFIG',
    {
      words: [2, 16],
      keys: 'none',
      run: ([, verb, name]) => {
        if (verb!.toString('latin1').toUpperCase() !== 'GET' || name === undefined) return errorReply('ERR', 'only CONFIG GET <name> is understood')
        const setting = configSetting(config, name.toString('latin1'))
        return arrayReply(setting === undefined ? [] : [bulkReply(name), bulkReply(setting)])
      },
    },
  ]

  yield [
    'CLIENT',
    {
      words: [2, 16],
      keys: 'none',
      run: ([, verb, name], session) => {
        switch (verb!.toString('latin1').toUpperCase()) {
          case 'SETNAME':
            session.name = (name ?? '').toString().slice(0, 64)
            return OK_REPLY
          case 'GETNAME':
            return bulkReply(session.name)
          case 'ID':
            return integerReply(session.id)
          case 'SETINFO':
            return OK_REPLY
          default:
            return errorReply('ERR', 'of CLIENT only SETNAME, GETNAME, ID and SETINFO are understood')
        }
      },
    },
  ]

  yield [
    'HELLO',
    {
      words: [1, 8],
      keys: 'none',
      run: ([, version], session) => {
        const wanted = version === undefined ? String(session.protocol) : version.toString('latin1')
        if (wanted !== '2' && wanted !== '3') return errorReply('NOPROTO', 'unsupported protocol version')
        session.protocol = wanted === '3' ? 3 : 2
        const fields = [bulkReply('server'), bulkReply('splitbrain'), bulkReply('proto'), integerReply(session.protocol), bulkReply('id'), integerReply(session.id), bulkReply('mode'), bulkReply('standalone')]
        return session.protocol === 3 ? `%${fields.length / 2}\r\n${fields.join('')}` : arrayReply(fields)
      },
    },
  ]
}

/** redis-benchmark asks how Redis persists; everything else is this node's own configuration, without its secret. */
function configSetting(config: NodeConfig, name: string): string | undefined {
  if (name === 'save') return ''
  if (name === 'appendonly') return config.sync === 'never' ? 'no' : 'yes'
  if (name === 'token' || !Object.hasOwn(config, name)) return undefined
  return String(config[name as keyof NodeConfig])
}
