/**
 * Latency of the operations that succeeded, from the moment at which each was meant to start: a client that was held
 * up by a slow answer does not get to leave out the operations that it could not begin meanwhile (coordinated
 * omission; Tene, How NOT to Measure Latency). In HDR histograms, to three significant digits.
 */
import { build } from 'hdr-histogram-js'
import { OK } from './history/index.ts'
import { eachInPeriods, groupsOf, periodsOf } from './periods.ts'
import type { Histogram } from 'hdr-histogram-js'
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

/** The operations of one function on one node in one period; in microseconds. */
interface Leaf {
  readonly node: number
  readonly f: number
  readonly histogram: Histogram
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
      leaf = { node, f, histogram: empty() }
      leaves[period]!.set(slot, leaf)
    }
    const start = history.intended.size === 0 ? history.timeAt(invocation) : (history.intended.get(invocation) ?? history.timeAt(invocation))
    leaf.histogram.recordValue(Math.max(0, Math.round((history.timeAt(completion) - start) / 1000)))
  })
  return leaves.map((byLeaf) => [...byLeaf.values()])
}

const empty = (): Histogram => build({ bitBucketSize: 32, autoResize: true, lowestDiscernibleValue: 1, highestTrackableValue: 2 ** 16, numberOfSignificantValueDigits: 3 })

function quantiles(period: string, group: string, f: string, leaves: readonly Leaf[]): Latency {
  if (leaves.length === 0) return { period, group, f, count: 0, p50_ms: null, p99_ms: null, p999_ms: null, max_ms: null }
  let histogram = leaves[0]!.histogram
  if (leaves.length > 1) {
    histogram = empty()
    for (const leaf of leaves) histogram.add(leaf.histogram)
  }
  const at = (percentile: number): number => histogram.getValueAtPercentile(percentile) / 1000
  return { period, group, f, count: histogram.totalCount, p50_ms: at(50), p99_ms: at(99), p999_ms: at(99.9), max_ms: histogram.maxValue / 1000 }
}
