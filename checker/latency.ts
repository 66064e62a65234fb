/**
 * Latency of the operations that succeeded, from the moment at which each was meant to start: a client that was held
 * up by a slow answer does not get to leave out the operations that it could not begin meanwhile (coordinated
 * omission; Tene, How NOT to Measure Latency). To three significant digits, in the buckets of an HDR histogram, of which only
 * those are kept that something fell into: a run has hundreds of leaves, and most hold a few dozen operations.
 */
import { OK } from './history/index.ts'
import { eachInPeriods, groupsOf, periodsOf } from './periods.ts'
import type { History } from './history/index.ts'
import type { FaultWindow, Latency } from './verdict.ts'

/** Quantiles for every period, group and function, and for all functions together. */
export function latencyOf(history: History, faults: readonly FaultWindow[]): Latency[] {
  const periods = periodsOf(faults)
  const leaves = record(history, periods)
  return periods.flatMap((period, at) =>
    groupsOf(history, period).flatMap((group) => {
      const chosen = leaves[at]!.filter((leaf) => group.nodes === null || group.nodes.includes(leaf.node))
      const functions = [...new Set(leaves[0]!.map((leaf) => leaf.f))].map((f) => ({ f, name: history.functions[f]! })).sort((a, b) => (a.name < b.name ? -1 : 1))
      return [
        quantiles(period.name, group.name, 'all', chosen),
        ...functions.map(({ f, name }) => quantiles(period.name, group.name, name, chosen.filter((leaf) => leaf.f === f))),
      ]
    }),
  )
}

/** The operations of one function on one node in one period. */
interface Leaf {
  readonly node: number
  readonly f: number
  /** How many took how long: the most microseconds of a bucket -> operations. */
  readonly counts: Map<number, number>
  maxUs: number
}

function record(history: History, periods: ReturnType<typeof periodsOf>): Leaf[][] {
  const width = history.nodes.length + 1
  const leaves = periods.map(() => new Map<number, Leaf>())
  eachInPeriods(history, periods, (period, invocation, completion, node) => {
    if (history.type[completion] !== OK) return
    const f = history.f[invocation]!
    const slot = f * width + node + 1
    let leaf = leaves[period]!.get(slot)
    if (!leaf) {
      leaf = { node, f, counts: new Map(), maxUs: 0 }
      leaves[period]!.set(slot, leaf)
    }
    const start = history.intended.size === 0 ? history.timeAt(invocation) : (history.intended.get(invocation) ?? history.timeAt(invocation))
    const tookUs = Math.max(0, Math.round((history.timeAt(completion) - start) / 1000))
    const bucket = bucketOf(tookUs)
    leaf.counts.set(bucket, (leaf.counts.get(bucket) ?? 0) + 1)
    leaf.maxUs = Math.max(leaf.maxUs, tookUs)
  })
  return leaves.map((byLeaf) => [...byLeaf.values()])
}

/** The largest number that three significant digits do not tell from this one: below 2,048 itself, and from there on every doubling is cut in 1,024. */
function bucketOf(us: number): number {
  const unit = 2 ** Math.max(0, 21 - Math.clz32(Math.min(us, 0xffffffff)))
  return us - (us % unit) + unit - 1
}

function quantiles(period: string, group: string, f: string, leaves: readonly Leaf[]): Latency {
  if (leaves.length === 0) return { period, group, f, count: 0, p50_ms: null, p99_ms: null, p999_ms: null, max_ms: null }
  const counts = leaves.length === 1 ? leaves[0]!.counts : merged(leaves)
  const ascending = Float64Array.from(counts.keys()).sort()
  let count = 0
  for (const operations of counts.values()) count += operations
  const at = (perMille: number): number => {
    let below = Math.ceil((count * perMille) / 1000)
    return ascending.find((us) => (below -= counts.get(us)!) <= 0)! / 1000
  }
  return { period, group, f, count, p50_ms: at(500), p99_ms: at(990), p999_ms: at(999), max_ms: Math.max(...leaves.map(({ maxUs }) => maxUs)) / 1000 }
}

/** How many operations of all these leaves took how long. */
function merged(leaves: readonly Leaf[]): Leaf['counts'] {
  const counts = new Map<number, number>()
  for (const leaf of leaves) for (const [us, operations] of leaf.counts) counts.set(us, (counts.get(us) ?? 0) + operations)
  return counts
}
