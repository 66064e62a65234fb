/**
 * Range scans: all keys between two, in their order, where the partitioner keeps it. The keys of a range lie on one
 * stretch of the ring, whose arcs have replicas of their own: every node is asked for what it holds of the stretch, and
 * enough have answered when R replicas of each arc have. The greatest version of each key counts, deletions included.
 *
 * A node gives a bounded page. Beyond the last key of the shortest page nothing is known, so the scan goes on from
 * there until the limit or the end is reached: it is no snapshot, each key is as fresh as a read of that key.
 */
import type { NodeId } from '../../../harness/env.ts'
import { count, encodeCell, flag, keyCell, list, text } from '../messages.ts'
import type { KeyCell, Kind } from '../messages.ts'
import type { Lookup } from '../lookup/lookup.ts'
import { TOKENS } from '../partitioner.ts'
import type { Storage } from '../storage.ts'
import type { Cell } from '../versions.ts'
import { tooFew } from './replication.ts'
import type { Coordinator } from './replication.ts'

/** Cells of one page, and their bytes. */
const PAGE_CELLS = 512
const PAGE_BYTES = 1 << 20

/** What do you hold of the keys from <= key < to, in their order? An empty `to` is the end. */
const RANGE: Kind<readonly [from: string, to: string, limit: number], readonly [cells: readonly KeyCell[], more: boolean]> = {
  code: 75,
  request: {
    encode: value => value,
    decode: input => {
      const [from, to, limit] = list(input, 3)
      return [text(from), text(to), count(limit)] as const
    },
  },
  reply: {
    encode: ([cells, more]) => [cells.map(([key, cell]) => [key, encodeCell(cell)]), more],
    decode: input => {
      const [cells, more] = list(input, 2)
      return [list(cells).map(keyCell), flag(more)] as const
    },
  },
}

/** A key that has a value. */
export type KeyValue = readonly [key: string, value: Uint8Array]

/** Serves pages of this replica, and scans the whole: `scan(from, to, limit)`. Fails with UNAVAILABLE. */
export function ranges(coordinator: Coordinator): (from: string, to: string, limit: number) => Promise<KeyValue[]> {
  const { config, conflicts, lookup, partitioner, rpc, storage } = coordinator
  rpc.serve(RANGE, ([from, to, limit]) => pageOf(storage, partitioner.token(from), to === '' ? TOKENS : partitioner.token(to) + 1, from, to, limit))

  async function page(from: string, to: string, limit: number): Promise<{ readonly found: KeyValue[]; readonly next: string | undefined }> {
    const arcs = await replicasBetween(lookup, partitioner.token(from), to === '' ? TOKENS - 1 : partitioner.token(to))
    const nodes = [...new Set(arcs.flat())]
    const enough = (answered: readonly NodeId[]): boolean => arcs.every(replicas => replicas.filter(node => answered.includes(node)).length >= config.read_quorum)
    const answers = await rpc.gather(RANGE, { to: nodes, request: [from, to, Math.min(limit, PAGE_CELLS)], need: config.read_quorum, enough })
    if (!answers.complete) throw tooFew('UNAVAILABLE', 'answered the scan, or not of every arc,', config.read_quorum, answers, config)
    const merged = new Map<string, Cell>()
    let known: string | undefined
    for (const [cells, more] of answers.replies) {
      const last = cells.at(-1)?.[0]
      if (more && last !== undefined && (known === undefined || last < known)) known = last
      for (const [key, cell] of cells) merged.set(key, merged.has(key) ? conflicts.merge(merged.get(key)!, cell) : cell)
    }
    const keys = [...merged.keys()].filter(key => known === undefined || key <= known).sort()
    return { found: keys.flatMap(key => { const { value } = merged.get(key)!; return value === null ? [] : [[key, value] as const] }), next: known }
  }

  return async (from, to, limit) => {
    const found: KeyValue[] = []
    for (let next: string | undefined = from; next !== undefined && found.length < limit; ) {
      const one: Awaited<ReturnType<typeof page>> = await page(next, to, limit)
      found.push(...one.found)
      // The least key after the last one.
      next = one.next === undefined ? undefined : `${one.next}\0`
    }
    return found.slice(0, limit)
  }
}

/** The replicas of each arc from one token to another, clockwise and not across zero. */
async function replicasBetween(lookup: Lookup, first: number, last: number): Promise<(readonly NodeId[])[]> {
  const arcs: (readonly NodeId[])[] = []
  for (let token = first; token <= last; ) {
    const { replicas, after, upTo } = await lookup.find(token)
    arcs.push(replicas)
    if (upTo < token || after === upTo) break
    token = upTo + 1
  }
  return arcs
}

/** Tokens are prefixes of keys, so keys come in their order; those at both ends may lie outside. */
async function pageOf(storage: Storage, firstToken: number, endToken: number, from: string, to: string, limit: number): Promise<readonly [KeyCell[], boolean]> {
  const cells: KeyCell[] = []
  let bytes = 0
  for await (const [key, cell] of storage.scan(firstToken, endToken)) {
    if (key < from) continue
    if (to !== '' && key >= to) break
    if (cells.length >= limit || bytes > PAGE_BYTES) return [cells, true]
    cells.push([key, cell])
    bytes += key.length + (cell.value?.length ?? 0)
  }
  return [cells, false]
}
