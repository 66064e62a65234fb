/**
 * Recursive queries: the coordinator hands the whole operation to a keeper of the directory, which looks the replicas
 * up and asks them itself, and relays the answer. One round trip less than asking first and then going there, and all
 * traffic of a key goes through its keepers.
 */
import type { NodeId } from '../../../harness/env.ts'
import { StoreError } from '../errors.ts'
import { cell, encodeCell, flag, list, plain, text } from '../messages.ts'
import type { Kind } from '../messages.ts'
import type { Rpc } from '../rpc.ts'
import type { Timestamps } from '../timestamps.ts'
import type { Cell } from '../versions.ts'
import type { QuorumReplication } from './quorum.ts'
import type { Replication } from './replication.ts'

/** Read this key for me. */
const RELAY_READ: Kind<string, Cell> = { code: 47, request: plain(text), reply: { encode: encodeCell, decode: cell } }

/** Write this cell for me. Its version is the asker's: a request that arrives twice must not become two writes. */
const RELAY_WRITE: Kind<readonly [key: string, cell: Cell], boolean> = {
  code: 48,
  request: {
    encode: ([key, written]) => [key, encodeCell(written)],
    decode: input => {
      const [key, written] = list(input, 2)
      return [text(key), cell(written)] as const
    },
  },
  reply: plain(flag),
}

/** What relaying works with. */
export interface Relay {
  readonly self: NodeId
  readonly rpc: Rpc
  readonly timestamps: Timestamps
  /** Who relays for this key, the first to be asked first. */
  readonly relaysOf: (key: string) => readonly NodeId[]
}

/** Carries out every operation at a relay of its key, with `inner` there. */
export function relayed(inner: QuorumReplication, { self, rpc, timestamps, relaysOf }: Relay): Replication {
  rpc.serve(RELAY_READ, key => inner.read(key))
  rpc.serve(RELAY_WRITE, ([key, written]) => inner.place(key, written))

  async function read(key: string): Promise<Cell> {
    const [relay] = relaysOf(key)
    if (relay === self) return inner.read(key)
    const { replies, refusals } = await rpc.gather(RELAY_READ, { to: [relay!], request: key, need: 1 })
    if (replies.length === 0) throw new StoreError('UNAVAILABLE', `definite: ${refusals[0] ?? `${relay} did not relay the read in time`}`)
    return replies[0]!
  }

  async function write(key: string, value: Uint8Array | null): Promise<boolean> {
    const [relay] = relaysOf(key)
    const written = timestamps.cell(value)
    if (relay === self) return inner.place(key, written)
    const { replies, refusals } = await rpc.gather(RELAY_WRITE, { to: [relay!], request: [key, written], need: 1 })
    if (replies.length === 0) throw new StoreError('INDETERMINATE', `indefinite: ${refusals[0] ?? `${relay} did not relay the write in time`}`)
    return replies[0]!
  }

  return { read, write, ...(inner.stats === undefined ? {} : { stats: inner.stats }) }
}
