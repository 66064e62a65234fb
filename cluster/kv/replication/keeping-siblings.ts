/**
 * Plain quorums over keys that keep siblings: who puts with the clock of what was read replaces exactly that.
 *
 * A plain write, which brings no clock, replaces what is there: its coordinator reads first, as a client of Dynamo does.
 * A plain read shows the newest sibling alone.
 */
import { cellOf, clockAfter, joinClocks, siblingsOf } from '../siblings.ts'
import type { Sibling, VectorClock } from '../siblings.ts'
import type { SessionClocks } from '../session-clocks.ts'
import type { Timestamps } from '../timestamps.ts'
import { ABSENT } from '../versions.ts'
import type { Cell } from '../versions.ts'
import type { Level } from './levels.ts'
import type { QuorumReplication } from './quorum.ts'
import type { Replication } from './replication.ts'

/** The same quorums with siblings. */
export function keepingSiblings(inner: QuorumReplication, timestamps: Timestamps): Replication {
  const readSiblings = async (key: string, level?: Level): Promise<readonly Sibling[]> => siblingsOf(await inner.read(key, level))

  async function put(key: string, value: Uint8Array | null, seen: readonly VectorClock[], session: SessionClocks, level?: Level): Promise<void> {
    const sibling: Sibling = { dot: { writer: `${timestamps.writer}/${session.actor}`, counter: timestamps.version().counter }, past: joinClocks([...seen, session.of(key)]), value }
    session.wrote(key, clockAfter(sibling))
    await inner.place(key, cellOf([sibling]), level)
  }

  async function read(key: string, level?: Level): Promise<Cell> {
    const [newest] = await readSiblings(key, level)
    return newest === undefined ? ABSENT : { ...newest.dot, value: newest.value }
  }

  async function write(key: string, value: Uint8Array | null, session: SessionClocks, level?: Level): Promise<boolean> {
    const found = await readSiblings(key, level)
    await put(key, value, found.map(clockAfter), session, level)
    return found.some((one) => one.value !== null)
  }

  return { ...inner, read, write, siblings: { read: readSiblings, put } }
}
