/**
 * Delta-atomicity: the smallest staleness, in milliseconds, under which the history linearizes; that is, with every
 * read taken to begin so much earlier (Golab, Li and Shah, Analyzing Consistency Properties for Fun and Profit, PODC 2011).
 * 0 is linearizable. A measurement: it never says violated.
 *
 * A cluster is a write with its reads; f is the first end among them, s the last beginning (Gibbons and Korach 1997). A
 * must stand before B if f(A) < s(B), and the history is atomic unless two clusters must each stand before the other.
 * Beginning reads earlier lowers s, down to the beginning of the write, and leaves f alone. So whether a delta is enough
 * takes one sweep: of the clusters with f < s (forward) none may overlap, and none of the others may lie within one.
 * The smallest is found by bisection, to the nanosecond. O(n log n) for sorting, and 50 sweeps of each key that needs any.
 */
import { NEVER, registersOf, whyIncomplete, whyVacuous } from './registers.ts'
import { clustersOf, whyNoDistance } from './clusters.ts'
import { describer } from './describe.ts'
import type { History } from './history/index.ts'
import type { JudgeContext, Judgement } from './judgement.ts'
import type { JudgementVerdict } from './verdict.ts'
import type { KeyClusters } from './clusters.ts'
import type { Registers } from './registers.ts'

/** The smallest staleness under which the history linearizes. */
export const deltaAtomicity: Judgement = {
  name: 'delta-atomicity',
  describes: 'measures the smallest staleness in milliseconds under which the history linearizes; exact for values written once, O(n log n)',
  judge,
}

function judge(history: History, context: JudgeContext): JudgementVerdict {
  const registers = registersOf(history, context)
  const base = { judgement: 'delta-atomicity', operations: registers.reads + registers.writes, witnesses: [] }
  const reason = whyVacuous(registers) ?? whyIncomplete(history, registers) ?? whyNoDistance(registers)
  if (reason !== undefined) return { ...base, metrics: {}, verdict: 'unknown', reason, summary: `Not measured: ${reason}.` }
  const keys = clustersOf(registers)
  const describe = describer(history, registers)
  const impossible = keys.find((one) => one.impossible >= 0)
  if (impossible !== undefined) {
    return { ...base, metrics: { delta_ms: null }, verdict: 'holds', summary: `No staleness explains it: ${describe(impossible.impossible)}, which nobody had written.` }
  }
  let worst: Delta = { ns: 0, operations: [] }
  let late = 0
  for (const one of keys) {
    const delta = deltaOf(spansOf(history, registers, one))
    if (delta.ns > 0) late++
    if (delta.ns > worst.ns) worst = delta
  }
  const metrics = { delta_ms: worst.ns / 1e6, keys: keys.length, keys_late: late, decided_by: worst.operations.map((op) => registers.row[op]!).sort((a, b) => a - b) }
  const summary = worst.ns === 0 ? 'The history linearizes as it is: 0 ms.' : `The history linearizes if reads may be ${(worst.ns / 1e6).toFixed(1)} ms stale (${late} of ${keys.length} keys need any): ${worst.operations.map(describe).join('; ')}.`
  return { ...base, metrics, verdict: 'holds', summary }
}

interface Delta {
  readonly ns: number
  /** The operations that leave no smaller one. */
  readonly operations: readonly number[]
}

/** The clusters of one key in order of their first end. Times in nanoseconds. */
interface Spans {
  readonly firstEnd: Float64Array
  readonly writeBegin: Float64Array
  /** The latest beginning of a read; -Infinity when nobody read it. */
  readonly readBegin: Float64Array
  /** The operations that these are of. */
  readonly ending: Int32Array
  readonly writing: Int32Array
  readonly reading: Int32Array
}

function spansOf(history: History, { start, end, rowAt }: Registers, { writes, reads, sources }: KeyClusters): Spans {
  const time = (rank: number): number => (rank === NEVER ? Infinity : history.timeAt(rowAt === null ? rank : rowAt[rank]!))
  const firstEnd = Float64Array.from(writes, (op) => (op < 0 ? -Infinity : time(end[op]!)))
  const readBegin = new Float64Array(writes.length).fill(-Infinity)
  const ending = Int32Array.from(writes)
  const reading = new Int32Array(writes.length).fill(-1)
  for (const [at, read] of reads.entries()) {
    const source = sources[at]!
    if (time(end[read]!) < firstEnd[source]!) {
      firstEnd[source] = time(end[read]!)
      ending[source] = read
    }
    if (time(start[read]!) <= readBegin[source]!) continue
    readBegin[source] = time(start[read]!)
    reading[source] = read
  }
  const order = Int32Array.from(writes.keys()).sort((a, b) => firstEnd[a]! - firstEnd[b]!)
  const float = (column: Float64Array): Float64Array => Float64Array.from(order, (at) => column[at]!)
  const int = (column: Int32Array): Int32Array => Int32Array.from(order, (at) => column[at]!)
  return { firstEnd: float(firstEnd), writeBegin: float(Float64Array.from(writes, (op) => (op < 0 ? -Infinity : time(start[op]!)))), readBegin: float(readBegin), ending: int(ending), writing: int(Int32Array.from(writes)), reading: int(reading) }
}

function deltaOf(spans: Spans): Delta {
  if (conflictAt(spans, 0) === undefined) return { ns: 0, operations: [] }
  let short = 0
  // Enough to let no read begin after any write.
  let enough = Math.ceil(spans.readBegin.reduce((latest, one) => Math.max(latest, one), 0)) + 1
  while (enough - short > 1) {
    const middle = Math.floor((short + enough) / 2)
    if (conflictAt(spans, middle) === undefined) enough = middle
    else short = middle
  }
  return { ns: enough, operations: conflictAt(spans, short)! }
}

/** Operations of two clusters that must each stand before the other although reads begin `delta` earlier; undefined when there are none. */
function conflictAt(spans: Spans, delta: number): number[] | undefined {
  const { firstEnd, writeBegin, readBegin } = spans
  const lastBegin = (at: number): number => Math.max(writeBegin[at]!, readBegin[at]! - delta)
  const forward: number[] = []
  for (let at = 0; at < firstEnd.length; at++) {
    if (firstEnd[at]! >= lastBegin(at)) continue
    const before = forward.at(-1)
    if (before !== undefined && firstEnd[at]! < lastBegin(before)) return operationsOf(spans, before, at)
    forward.push(at)
  }
  for (let at = 0; at < firstEnd.length; at++) {
    const begin = lastBegin(at)
    if (firstEnd[at]! < begin) continue
    let low = 0
    for (let high = forward.length; low < high; ) {
      const middle = (low + high) >> 1
      if (firstEnd[forward[middle]!]! < begin) low = middle + 1
      else high = middle
    }
    if (low > 0 && firstEnd[at]! < lastBegin(forward[low - 1]!)) return operationsOf(spans, forward[low - 1]!, at)
  }
  return undefined
}

function operationsOf({ ending, writing, reading }: Spans, a: number, b: number): number[] {
  return [...new Set([a, b].flatMap((at) => [writing[at]!, ending[at]!, reading[at]!]))].filter((op) => op >= 0)
}
