/**
 * Real time, and who is about which object.
 *
 * Intervals are closed: A precedes B only if A's response is at an earlier instant than B's invocation; equal
 * times are concurrent. (At instant 5 process 1 gets its answer and process 2 asks: nobody can tell which came
 * first, so both orders must be allowed, or a correct object would be condemned.) So events are ranked by time,
 * at equal times invocations before responses. When times ascend strictly, which is usual, the rank is the row.
 */
import { INVOKE } from './history.ts'
import { DenseIndex } from './integers.ts'
import type { History } from './history.ts'

/** The operations of one key. */
export interface KeyRows {
  /** Code of the key in `history.values`. */
  readonly key: number
  /** Rows of the invocations, in order of their rank. */
  readonly rows: Int32Array
  /** How many events (invocations and responses) there are. */
  readonly events: number
}

/** All client operations by key. `rank` gives each event's place among the events of its key; null: the row itself. */
export interface Partition {
  readonly keys: readonly KeyRows[]
  readonly rank: Int32Array | null
}

/** Groups the operations of clients by key (or takes all as one key) and ranks their events. */
export function partition(history: History, byKey: boolean): Partition {
  const order = rowsInTimeOrder(history)
  const { type, process, key, pair, length } = history
  const index = new DenseIndex()
  const counts: number[] = []
  const operations: number[] = []
  const rank = new Int32Array(length)
  const keyOf = new Int32Array(length).fill(-1)
  for (let i = 0; i < length; i++) {
    const row = order === null ? i : order[i]!
    if (process[row]! < 0) continue
    const invocation = type[row] === INVOKE ? row : pair[row]!
    if (invocation < 0) continue
    const k = index.add(byKey ? key[invocation]! : 0)
    if (k === counts.length) {
      counts.push(0)
      operations.push(0)
    }
    keyOf[row] = k
    rank[row] = counts[k]!++
    if (invocation === row) operations[k]!++
  }
  const rows = operations.map((n) => new Int32Array(n))
  const filled = new Int32Array(rows.length)
  for (let i = 0; i < length; i++) {
    const row = order === null ? i : order[i]!
    const k = keyOf[row]!
    if (k >= 0 && type[row] === INVOKE) rows[k]![filled[k]!++] = row
  }
  return { rank, keys: rows.map((list, k) => ({ key: byKey ? index.keys[k]! : -1, rows: list, events: counts[k]! })) }
}

/** Rows by time, invocations first at equal times; null when that is the order of the rows already. */
export function rowsInTimeOrder(history: History): Int32Array | null {
  if (history.inTimeOrder) return null
  const { type, length } = history
  const rows = new Int32Array(length)
  const time = new Float64Array(length)
  for (let i = 0; i < length; i++) {
    rows[i] = i
    time[i] = history.timeAt(i)
  }
  return rows.sort((a, b) => time[a]! - time[b]! || Number(type[a] !== INVOKE) - Number(type[b] !== INVOKE) || a - b)
}
