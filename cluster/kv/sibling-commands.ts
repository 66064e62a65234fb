/**
 * Keys with siblings, as clients speak of them. `GETS key` answers with every sibling and its context, the newest
 * first; `PUT key value context...` writes a value that replaces what these contexts have seen, and `DROP key context...`
 * deletes just that. Whoever names the contexts of several siblings merges them; whoever names none adds a sibling.
 */
import type { NodeConfig } from './config.ts'
import type { Command } from './door.ts'
import { StoreError } from './errors.ts'
import type { Replication, SiblingStore } from './replication/replication.ts'
import { OK_REPLY, arrayReply, bulkReply, nullReply } from './resp.ts'
import { clockAfter, decodeContext, encodeContext } from './siblings.ts'

const CONTEXTS_MAX = 512

/** What the commands work on. */
export interface SiblingCommandsOptions {
  readonly config: NodeConfig
  readonly replication: Replication
  readonly keyOf: (word: Buffer) => string
  readonly valueOf: (word: Buffer) => Buffer
}

/** GETS, PUT and DROP. */
export function* siblingCommands({ config, replication, keyOf, valueOf }: SiblingCommandsOptions): Generator<[string, Command]> {
  const store = (): SiblingStore => {
    if (replication.siblings === undefined) throw new StoreError('ERR', `no siblings: versions are "${config.versions}"; "vector-clocks" keeps them`)
    return replication.siblings
  }
  const contextsOf = (words: readonly Buffer[]) => words.map((word) => decodeContext(word.toString('latin1')))

  yield [
    'GETS',
    {
      words: [2, 2],
      keys: 'first',
      run: async ([, key], session) => {
        const siblings = await store().read(keyOf(key!), session.level)
        return arrayReply(siblings.map((one) => arrayReply([one.value === null ? nullReply(session.protocol) : bulkReply(one.value), bulkReply(encodeContext(clockAfter(one)))])))
      },
    },
  ]

  yield [
    'PUT',
    {
      words: [3, 3 + CONTEXTS_MAX],
      keys: 'first',
      run: async ([, key, value, ...contexts], session) => {
        await store().put(keyOf(key!), valueOf(value!), contextsOf(contexts), session.clocks, session.level)
        return OK_REPLY
      },
    },
  ]

  yield [
    'DROP',
    {
      words: [2, 2 + CONTEXTS_MAX],
      keys: 'first',
      run: async ([, key, ...contexts], session) => {
        await store().put(keyOf(key!), null, contextsOf(contexts), session.clocks, session.level)
        return OK_REPLY
      },
    },
  ]
}
