/**
 * Sessions as AFS has them: `OPEN key` copies the value to the connection, GET and SET then work on that copy, and
 * `CLOSE key` writes it through if it was set. So whoever opens a key after another's CLOSE was confirmed sees what that
 * wrote (as far as the cache between them keeps its promise), of two sessions at once the one that closes last wins,
 * and what was not closed is gone with the connection.
 */
import type { Command, Session } from '../door.ts'
import { StoreError } from '../errors.ts'
import type { Replication } from '../replication/replication.ts'
import { OK_REPLY, bulkReply, nullReply } from '../resp.ts'

const OPEN_MAX = 64

/** A key as its session sees it. */
export interface OpenKey {
  value: Uint8Array | null
  dirty: boolean
}

/** The same commands, where GET and SET see what the session has open; and OPEN and CLOSE. */
export function* withOpenKeys(commands: Iterable<[string, Command]>, replication: Replication): Generator<[string, Command]> {
  for (const [name, command] of commands) yield [name, { ...command, run: (words, session) => local(name, words, session) ?? command.run(words, session) }]

  yield [
    'OPEN',
    {
      words: [2, 2],
      keys: 'first',
      run: async ([, word], session) => {
        if (session.opened.size >= OPEN_MAX) throw new StoreError('BUSY', `a connection has at most ${OPEN_MAX} keys open`)
        const key = word!.toString('latin1')
        const { value } = await replication.read(key, session.level)
        session.opened.set(key, { value, dirty: false })
        return OK_REPLY
      },
    },
  ]

  yield [
    'CLOSE',
    {
      words: [2, 2],
      keys: 'first',
      run: async ([, word], session) => {
        const key = word!.toString('latin1')
        const open = session.opened.get(key)
        if (open === undefined) throw new StoreError('ERR', 'this connection has not opened the key')
        session.opened.delete(key)
        if (open.dirty) await replication.write(key, open.value, session.clocks, session.level)
        return OK_REPLY
      },
    },
  ]
}

/** What a command on an open key answers; undefined where no key of it is open. */
function local(name: string, words: readonly Buffer[], session: Session): string | undefined {
  if (session.opened.size === 0) return undefined
  const keys = words.slice(1).map((word) => word.toString('latin1'))
  const open = session.opened.get(keys[0] ?? '')
  if (name === 'GET' && open !== undefined) return open.value === null ? nullReply(session.protocol) : bulkReply(open.value)
  if (name === 'SET' && open !== undefined && words.length === 3) {
    // Words are views into what the network brought.
    open.value = Buffer.from(words[2]!)
    open.dirty = true
    return OK_REPLY
  }
  if (name !== 'GET' && name !== 'SET' && keys.some((key) => session.opened.has(key))) throw new StoreError('ERR', 'the connection has this key open: only GET, SET and CLOSE go with that')
  return undefined
}
