/**
 * The reads and writes of one key, grouped by the write that each read returned, for judgements of how far a history is
 * from atomic (Gibbons and Korach 1997; Golab, Li and Shah 2011). The initial value counts as written before everything.
 */
import { INITIAL, NEVER, THIN_AIR } from './registers.ts'
import type { Registers } from './registers.ts'

/** One key. Numbers of operations are those of `Registers`; places are indices into `writes`. */
export interface KeyClusters {
  readonly key: number
  /** The writes that took place, in order of invocation, after the initial value (-1). */
  readonly writes: readonly number[]
  /** The reads that name a write or the initial value, in order of invocation. */
  readonly reads: readonly number[]
  /** For each read the place of the write that it returned. */
  readonly sources: readonly number[]
  /** The first read that no order explains: of a value from nowhere, or of a write that began after it ended; -1 for none. */
  readonly impossible: number
}

/** The clusters of every key that has reads or writes. */
export function clustersOf(registers: Registers): KeyClusters[] {
  const { count, keys, key, write, happened, source, start, end } = registers
  const clusters = keys.map((_, at) => ({ key: at, writes: [-1], reads: [] as number[], sources: [] as number[], impossible: -1 }))
  const place = new Int32Array(count)
  for (const op of byInvocation(registers)) {
    if (write[op] === 1 && happened[op] === 1) place[op] = clusters[key[op]!]!.writes.push(op) - 1
  }
  for (const op of byInvocation(registers)) {
    const from = source[op]!
    const cluster = clusters[key[op]!]!
    if (write[op] === 1 || happened[op] === 0) continue
    if (cluster.impossible < 0 && (from === THIN_AIR || (from >= 0 && end[op] !== NEVER && end[op]! < start[from]!))) cluster.impossible = op
    if (from < INITIAL) continue
    cluster.reads.push(op)
    cluster.sources.push(from === INITIAL ? 0 : place[from]!)
  }
  return clusters
}

/** Operations are numbered by the rows of their invocations; by time that is another order only where rows are not in order of time. */
function byInvocation({ count, start, rowAt }: Registers): Int32Array {
  const order = Int32Array.from({ length: count }, (_, op) => op)
  return rowAt === null ? order : order.sort((a, b) => start[a]! - start[b]!)
}

/** Why such a distance cannot be given, or undefined. A compare-and-set is no part of the definitions. */
export function whyNoDistance({ row, count }: Registers): string | undefined {
  for (let op = 1; op < count; op++) if (row[op] === row[op - 1]) return 'the distance from atomicity is defined for reads and writes, and there are compare-and-sets'
  return undefined
}
