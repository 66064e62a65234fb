/**
 * The harness's own channel to a node: what only a tester may ask, behind the token of the run.
 *
 * `PEEK` shows what this replica alone holds (an array where there are siblings); links are tried with the commands of `link-trials.ts` and timed with that of `exchanges.ts`; `CLOCK` reads the
 * node's wall clock, and sets it wrong; `DISK` spoils its disk.
 */
import { timingSafeEqual } from 'node:crypto'
import type { Clock, NodeId } from '../../harness/env.ts'
import type { DiskFault } from '../cluster.ts'
import type { Command } from './door.ts'
import { StoreError } from './errors.ts'
import { allOf, eventually } from './eventually.ts'
import type { Eventually } from './eventually.ts'
import { exchanges } from './exchanges.ts'
import type { FaultyDisk } from './faulty-disk.ts'
import { linkTrials } from './link-trials.ts'
import { OK_REPLY, arrayReply, bulkReply, integerReply, nullReply, simpleReply } from './resp.ts'
import type { Rpc } from './rpc.ts'
import type { Storage } from './storage.ts'
import type { Cell } from './versions.ts'

const DUMP_MAX = 10_000
/** What PEEK answers for a key that this node is no replica of. */
export const NO_REPLICA = 'NOREPLICA'

/** What the commands work on. */
export interface AdminOptions {
  readonly token: string
  readonly self: NodeId
  readonly nodes: readonly NodeId[]
  readonly rpc: Rpc
  readonly storage: Storage
  /** The value of a cell; several where it holds siblings. */
  readonly valuesOf: (cell: Cell) => readonly (Uint8Array | null)[]
  /** Whether this node is a replica of the key. */
  readonly holds: (key: string) => Eventually<boolean>
  /** The node's own clock. */
  readonly clock: Clock
  readonly disk: FaultyDisk
  readonly stats: () => Readonly<Record<string, number>>
  /** Who waits for whom, one line each. */
  readonly waits: () => readonly string[]
}

/** The commands of the admin port. */
export function adminCommands(options: AdminOptions): ReadonlyMap<string, Command> {
  const { token, nodes, rpc, storage, holds, clock, disk, stats } = options
  const expected = Buffer.from(token)
  const auth: Command = {
    words: [2, 2],
    keys: 'none',
    run: ([, given], session) => {
      session.authenticated = given!.length === expected.length && timingSafeEqual(given!, expected)
      if (!session.authenticated) throw new StoreError('WRONGPASS', 'this is not the token of the run')
      return OK_REPLY
    },
  }

  const peek: Command = {
    words: [2, 1 << 16],
    keys: 'none',
    run: async ([, ...keys]) => {
      const show = (key: string): Eventually<string> => eventually(holds(key), held => (held ? eventually(storage.read(key), cell => valueReply(options.valuesOf(cell))) : simpleReply(NO_REPLICA)))
      return arrayReply(await allOf(keys.map(word => show(word.toString('latin1')))))
    },
  }

  const statistics: Command = {
    words: [1, 1],
    keys: 'none',
    run: () => arrayReply(Object.entries(stats()).flatMap(([name, value]) => [bulkReply(name), bulkReply(String(value))])),
  }

  const wallClock: Command = {
    words: [1, 3],
    keys: 'none',
    run: ([, ...skew]) => {
      const [offsetMs, driftPpm] = skew.map((word) => Number(word.toString('latin1')))
      if (offsetMs !== undefined && driftPpm !== undefined) {
        if (!Number.isFinite(offsetMs) || !Number.isFinite(driftPpm)) throw new StoreError('ERR', 'CLOCK takes an offset in ms and a drift in parts per million')
        clock.skew?.(offsetMs, driftPpm)
      }
      return bulkReply(String(clock.wall()))
    },
  }

  return new Map([
    ['AUTH', auth],
    ['PEEK', peek],
    ...linkTrials(rpc, nodes),
    exchanges(rpc, clock, options.self, nodes),
    ['STATS', statistics],
    ['CLOCK', wallClock],
    ['WAITS', { words: [1, 1], keys: 'none', run: () => arrayReply(options.waits().map(line => bulkReply(line))) }],
    ['DISK', diskCommand(disk)],
    ['DUMP', { words: [1, 1], keys: 'none', run: () => dump(storage, options.valuesOf) }],
  ])
}

/** `DISK` tries the disk, and answers how many milliseconds a synced write took and how it failed; `DISK FAULT [MS]` spoils it (`whole`: no more). */
function diskCommand(disk: FaultyDisk): Command {
  return {
    words: [1, 3],
    keys: 'none',
    run: async ([, type, ms]) => {
      if (type !== undefined) {
        disk.fault = diskFaultOf(type.toString('latin1'), Number(ms?.toString('latin1')))
        return OK_REPLY
      }
      const { tookMs, error } = await disk.trial()
      return arrayReply([bulkReply(String(tookMs)), bulkReply(error ?? '')])
    },
  }
}

function diskFaultOf(type: string, ms: number): DiskFault | undefined {
  if (type === 'whole') return undefined
  if (type === 'full' || type === 'read-only' || type === 'failing-sync') return { type }
  if (type === 'slow' && ms >= 0) return { type, ms }
  throw new StoreError('ERR', 'DISK takes whole, full, read-only, failing-sync, or slow and a number of milliseconds')
}

/** Everything on this replica's disk, up to a limit: [key, value or nil, counter, writer] each. */
async function dump(storage: Storage, valuesOf: AdminOptions['valuesOf']): Promise<string> {
  const rows: string[] = []
  for await (const [key, cell] of storage.scan(0, 2 ** 32)) {
    rows.push(arrayReply([bulkReply(Buffer.from(key, 'latin1')), valueReply(valuesOf(cell)), integerReply(cell.counter), bulkReply(cell.writer)]))
    if (rows.length === DUMP_MAX) break
  }
  return arrayReply(rows)
}

/** The value; an array where there are siblings. */
function valueReply(values: readonly (Uint8Array | null)[]): string {
  const [first = null, ...others] = values
  if (others.length > 0) return arrayReply(values.map((value) => valueReply([value])))
  return first === null ? nullReply(2) : bulkReply(first)
}
