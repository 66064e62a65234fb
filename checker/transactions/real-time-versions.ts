/**
 * What real time says of the order of a register's versions, wherever no transaction may contradict it (strong snapshot
 * isolation and everything stronger). Where `reader` read a key from `source` and `writer` wrote it too:
 *
 * - a writer that was complete before the reader began stands before the source, or the reader would have seen it;
 * - a writer that began after the source was complete stands behind it, so that the reader comes before the writer.
 *
 * Versions that real time itself orders are left out: that order is an edge already. What remains overlaps the source or
 * the reader, so that it is linear in the reads times the sessions.
 */
import { NEVER } from '../registers.ts'
import type { Transactions } from './transactions.ts'

/** The version of `a` comes before that of `b`, under this key. */
export type Precedence = readonly [a: number, b: number, key: number]

/** So many writers are looked at for a read; a write of unknown outcome that is seen late overlaps all that came in between. */
const LOOKED_MAX = 64

/** The precedences. By key: `writers` in order of invocation, `readers` as pairs. */
export function realTimePrecedences({ start, end }: Transactions, writers: readonly (readonly number[])[], readers: readonly (readonly (readonly [source: number, reader: number])[])[]): Precedence[] {
  const found: Precedence[] = []
  for (const [key, all] of writers.entries()) {
    const complete = all.filter((writer) => end[writer] !== NEVER).sort((a, b) => end[a]! - end[b]!)
    for (const [source, reader] of readers[key]!) {
      if (source < 0) continue
      for (let at = firstWhere(complete, (writer) => end[writer]! >= start[reader]!) - 1, looked = 0; at >= 0 && looked < LOOKED_MAX; at--, looked++) {
        const writer = complete[at]!
        if (end[writer]! < start[source]!) break
        if (writer !== source) found.push([writer, source, key])
      }
      for (let at = firstWhere(all, (writer) => start[writer]! > end[source]!), looked = 0; at < all.length && looked < LOOKED_MAX; at++, looked++) {
        const writer = all[at]!
        if (start[writer]! > end[reader]!) break
        found.push([source, writer, key])
      }
    }
  }
  return found
}

/** The first index at which a condition holds that holds from there on; the length when it never does. */
function firstWhere(list: readonly number[], holds: (one: number) => boolean): number {
  let low = 0
  for (let high = list.length; low < high; ) {
    const middle = (low + high) >> 1
    if (holds(list[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}
