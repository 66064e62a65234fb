/**
 * Histories as curves over time: what completed, what each side of a partition was answered, how long it took,
 * on how many keys the replicas differed.
 *
 * Everything is aggregated here into at most a few hundred points, so that a chart costs the same for a thousand
 * operations and for ten million. All times are seconds since the start of the run; a `null` is a gap, never a zero.
 */
import { FAIL, INVOKE, OBSERVER, OK } from '../../checker/history/index.ts'
import { partitions } from '../facts.ts'
import type { History } from '../../checker/history/index.ts'
import type { FaultWindow } from '../../checker/verdict.ts'

/** One curve: `values[i]` belongs to `times_s[i]` of its chart. */
export interface Curve {
  readonly name: string
  readonly values: readonly (number | null)[]
}

/** Curves over the same times. Where `width_s` is set, a value describes [time, time + width). */
export interface Series {
  readonly times_s: readonly number[]
  readonly width_s: number | null
  readonly curves: readonly Curve[]
}

/** All curves of one run. */
export interface RunSeries {
  readonly span_s: number
  /** Completions per second, by outcome: ok, fail, info. */
  readonly operations: Series
  /** ok / attempted by side, by time of invocation. */
  readonly availability: Series
  /** Quantiles in milliseconds of ok operations, by time of invocation, from the intended start. */
  readonly latency: Series
  /** Keys on which the replicas' answers differ. */
  readonly divergence: Series
}

const niceWidths = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600]

/** The narrowest round width that cuts `span_s` into at most `most` pieces. */
export function bucketWidth(span_s: number, most: number): number {
  return niceWidths.find((width) => span_s / width <= most) ?? span_s / most
}

/** The last instant of the history, in seconds; never zero. */
export function spanOf(history: History): number {
  let last = 0
  for (let row = 0; row < history.length; row++) if (history.timeAt(row) > last) last = history.timeAt(row)
  return Math.max(last / 1e9, 1e-6)
}

/** The last instant at which a client's operation began or ended, in seconds. */
function busySpan(history: History): number {
  let last = 0
  for (let row = history.length - 1; row >= 0; row--) if (history.process[row]! >= 0 && history.timeAt(row) > last) last = history.timeAt(row)
  return Math.max(last / 1e9, 1e-6)
}

function starts(count: number, width: number): number[] {
  return Array.from({ length: count }, (_, index) => Number((index * width).toPrecision(12)))
}

function operationsSeries(history: History, span_s: number): Series {
  const width = bucketWidth(span_s, 240)
  const count = Math.floor(span_s / width) + 1
  const counts = [new Float64Array(count), new Float64Array(count), new Float64Array(count)]
  for (let row = 0; row < history.length; row++) {
    const type = history.type[row]!
    if (history.process[row]! < 0 || type === INVOKE) continue
    const bucket = Math.min(count - 1, Math.floor(history.timeAt(row) / 1e9 / width))
    counts[type === OK ? 0 : type === FAIL ? 1 : 2]![bucket]!++
  }
  const curves = ['ok', 'fail', 'info'].map((name, index) => ({ name, values: Array.from(counts[index]!, (n) => n / width) }))
  return { times_s: starts(count, width), width_s: width, curves }
}

/**
 * Which side a node is on at a time: that of the latest partition begun, and before the first one, of the first.
 * Where some partitions have a majority and a minority, only these count, so that a curve keeps one meaning.
 */
function sidesOverTime(faults: readonly FaultWindow[]): { readonly names: readonly string[]; sideOf(node: string, time_ns: number): string | undefined } {
  const all = [...partitions(faults)].sort((a, b) => a.from_ns - b.from_ns)
  const clean = all.filter((fault) => fault.sides['majority'] !== undefined && fault.sides['minority'] !== undefined)
  const splits = clean.length > 0 ? clean : all
  const maps = splits.map((fault) => new Map(Object.entries(fault.sides).flatMap(([side, members]) => members.map((node) => [node, side] as const))))
  const names = [...new Set(splits.flatMap((fault) => Object.keys(fault.sides)))]
  return {
    names,
    sideOf(node, time_ns) {
      let current = 0
      while (current + 1 < splits.length && splits[current + 1]!.from_ns <= time_ns) current++
      return maps[current]?.get(node)
    },
  }
}

function availabilitySeries(history: History, faults: readonly FaultWindow[], span_s: number): Series {
  const sides = sidesOverTime(faults)
  const names = sides.names.length === 0 ? ['all nodes'] : sides.names
  const width = bucketWidth(span_s, 60)
  const count = Math.floor(span_s / width) + 1
  const attempted = names.map(() => new Float64Array(count))
  const ok = names.map(() => new Float64Array(count))
  for (let row = 0; row < history.length; row++) {
    if (history.process[row]! < 0 || history.type[row] !== INVOKE) continue
    const node = history.node[row]!
    const side = sides.names.length === 0 ? 'all nodes' : node < 0 ? undefined : sides.sideOf(history.nodes[node]!, history.timeAt(row))
    const index = side === undefined ? -1 : names.indexOf(side)
    if (index < 0) continue
    const bucket = Math.min(count - 1, Math.floor(history.timeAt(row) / 1e9 / width))
    attempted[index]![bucket]!++
    const end = history.pair[row]!
    if (end >= 0 && history.type[end] === OK) ok[index]![bucket]!++
  }
  const curves = names.map((name, index) => ({ name, values: Array.from(attempted[index]!, (n, bucket) => (n === 0 ? null : ok[index]![bucket]! / n)) }))
  return { times_s: starts(count, width), width_s: width, curves }
}

/** The smallest value that at least this share of the sorted values does not exceed. */
function quantile(sorted: Float64Array, share: number): number | null {
  return sorted.length === 0 ? null : sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))]!
}

const quantiles = [['p50', 0.5], ['p99', 0.99], ['p99.9', 0.999]] as const

function latencySeries(history: History, span_s: number): Series {
  const width = bucketWidth(span_s, 80)
  const count = Math.floor(span_s / width) + 1
  const sizes = new Uint32Array(count + 1)
  const bucketOf = (row: number) => Math.min(count - 1, Math.floor(history.timeAt(row) / 1e9 / width))
  const counted = (row: number) => history.process[row]! >= 0 && history.type[row] === INVOKE && history.pair[row]! >= 0 && history.type[history.pair[row]!] === OK
  for (let row = 0; row < history.length; row++) if (counted(row)) sizes[bucketOf(row) + 1]!++
  for (let bucket = 0; bucket < count; bucket++) sizes[bucket + 1]! += sizes[bucket]!
  const fill = sizes.slice(0, count)
  const latencies = new Float64Array(sizes[count]!)
  for (let row = 0; row < history.length; row++) {
    if (!counted(row)) continue
    const begun = history.intended.get(row) ?? history.timeAt(row)
    latencies[fill[bucketOf(row)]!++] = (history.timeAt(history.pair[row]!) - begun) / 1e6
  }
  const sorted = Array.from({ length: count }, (_, bucket) => latencies.subarray(sizes[bucket], sizes[bucket + 1]).sort())
  return { times_s: starts(count, width), width_s: width, curves: quantiles.map(([name, share]) => ({ name, values: sorted.map((bucket) => quantile(bucket, share)) })) }
}

/** Whether the replicas that answered a peek hold different values. The observer records {node: value}, one event a key. */
function differs(history: History, row: number): boolean {
  const value = history.values.decode(history.value[row]!)
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return false
  const held = Object.values(value).map((one) => history.values.encode(one))
  return held.some((code) => code !== held[0])
}

function divergenceSeries(history: History): Series {
  const peek = history.functions.indexOf('peek')
  const differing = new Set<number>()
  const points: { time: number; keys: number }[] = []
  const known = new Map<number, boolean>()
  for (let row = 0; row < history.length; row++) {
    if (history.process[row] !== OBSERVER || history.f[row] !== peek || history.type[row] !== OK) continue
    const code = history.value[row]!
    let differ = known.get(code)
    if (differ === undefined) known.set(code, (differ = differs(history, row)))
    if (differ) differing.add(history.key[row]!)
    else differing.delete(history.key[row]!)
    const last = points.at(-1)
    if (last !== undefined && last.time === history.timeAt(row)) last.keys = differing.size
    else points.push({ time: history.timeAt(row), keys: differing.size })
  }
  const kept = thinned(points, 600)
  return { times_s: kept.map((point) => point.time / 1e9), width_s: null, curves: [{ name: 'keys that differ', values: kept.map((point) => point.keys) }] }
}

/** At most about `most` points: of each run of neighbours the one with the most keys, and always the last of all. */
function thinned(points: readonly { time: number; keys: number }[], most: number): readonly { time: number; keys: number }[] {
  if (points.length <= most) return points
  const step = Math.ceil(points.length / most)
  const kept: { time: number; keys: number }[] = []
  for (let from = 0; from < points.length - 1; from += step) kept.push(points.slice(from, Math.min(from + step, points.length - 1)).reduce((a, b) => (b.keys > a.keys ? b : a)))
  return [...kept, points.at(-1)!]
}

/** All curves of one run. */
export function seriesOf(history: History, faults: readonly FaultWindow[]): RunSeries {
  const busy = busySpan(history)
  return {
    span_s: spanOf(history),
    operations: operationsSeries(history, busy),
    availability: availabilitySeries(history, faults, busy),
    latency: latencySeries(history, busy),
    divergence: divergenceSeries(history),
  }
}
