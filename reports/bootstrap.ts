/**
 * How far a measured number may be off by chance: the block bootstrap (Künsch, "The Jackknife and the Bootstrap for
 * General Stationary Observations", Annals of Statistics 17, 1989, in its simple form with disjoint blocks).
 *
 * Operations of one run are not independent: a slow second makes thousands of them slow, a cut link fails them
 * together. Intervals that count operations one by one are therefore far too narrow. A run is cut into blocks of
 * time instead, whole blocks are drawn with replacement, and the number is computed again from what was drawn.
 */
import { OK } from '../checker/history/index.ts'
import { eachInPeriods } from '../checker/periods.ts'
import { partitions } from './facts.ts'
import type { History } from '../checker/history/index.ts'
import type { Period } from '../checker/periods.ts'
import type { FaultWindow } from '../checker/verdict.ts'

/** What happened in one stretch of time: outcomes, and the latencies of what succeeded as counts of the bins that something fell into. */
interface Block {
  ok: number
  attempted: number
  readonly latencies: Map<number, number>
}

/** One group's run in blocks. */
export type Blocks = readonly Block[]

/** The groups that a run is measured in. */
export interface Measured {
  readonly all: Blocks
  readonly majority: Blocks
  readonly minority: Blocks
}

/** A difference, after minus before, and the interval that holds 95 % of what chance makes of it. */
export interface Difference {
  readonly before: number
  readonly after: number
  readonly low: number
  readonly high: number
}

/** Bins grow by 2 %, from a microsecond to an hour: finer than any difference worth reporting. */
const BIN_GROWTH = Math.log(1.02)
const BINS = Math.ceil(Math.log(3.6e9) / BIN_GROWTH)
const BLOCKS_MAX = 60
const BLOCK_MIN_NS = 250e6
const RESAMPLES = 1_000

/** A run in blocks. O(operations). */
export function measure(history: History, faults: readonly FaultWindow[]): Measured {
  const end = history.length === 0 ? 0 : history.timeAt(history.length - 1)
  const blockNs = Math.max(BLOCK_MIN_NS, end / BLOCKS_MAX)
  const fresh = (): Block[] => Array.from({ length: Math.floor(end / blockNs) + 1 }, () => ({ ok: 0, attempted: 0, latencies: new Map() }))
  const split = partitions(faults)
  const periods: Period[] = [{ name: 'all', spans: [[-Infinity, Infinity]], sides: {} }, ...split.map((window) => ({ name: window.fault, spans: [[window.from_ns, window.to_ns] as const], sides: window.sides }))]
  const measured = { all: fresh(), majority: fresh(), minority: fresh() }
  eachInPeriods(history, periods, (period, invocation, completion, node) => {
    const sides = periods[period]!.sides
    const groups = period === 0 ? (['all'] as const) : (['majority', 'minority'] as const).filter((side) => sides[side]?.includes(history.nodes[node] ?? ''))
    for (const group of groups) count(measured[group][Math.floor(history.timeAt(invocation) / blockNs)]!, history, invocation, completion)
  })
  const tried = (blocks: Blocks): Blocks => blocks.filter(({ attempted }) => attempted > 0)
  return { all: tried(measured.all), majority: tried(measured.majority), minority: tried(measured.minority) }
}

function count(block: Block, history: History, invocation: number, completion: number): void {
  block.attempted++
  if (history.type[completion] !== OK) return
  block.ok++
  const microseconds = (history.timeAt(completion) - (history.intended.get(invocation) ?? history.timeAt(invocation))) / 1000
  const bin = Math.min(BINS - 1, Math.round(Math.log(Math.max(1, microseconds)) / BIN_GROWTH))
  block.latencies.set(bin, (block.latencies.get(bin) ?? 0) + 1)
}

/** ok / attempted. */
export function share(blocks: Blocks): number {
  const total = (name: 'ok' | 'attempted'): number => blocks.reduce((sum, block) => sum + block[name], 0)
  return total('ok') / total('attempted')
}

/** The latency in ms below which this share of what succeeded lies, to within 1 %. */
export function quantile(blocks: Blocks, q: number): number {
  const bins = new Float64Array(BINS)
  for (const { latencies } of blocks) for (const [bin, size] of latencies) bins[bin]! += size
  let left = q * blocks.reduce((total, { ok }) => total + ok, 0)
  const bin = bins.findIndex((size) => (left -= size) <= 0 && size > 0)
  return Math.exp(bin * BIN_GROWTH) / 1000
}

/** Both runs' number and the interval of their difference; undefined where one of them tried nothing. `random` draws from [0, 1). */
export function difference(before: Blocks, after: Blocks, of: (blocks: Blocks) => number, random: () => number): Difference | undefined {
  const [was, is] = [before, after].map((blocks) => (blocks.length === 0 ? Number.NaN : of(blocks))) as [number, number]
  if (!Number.isFinite(was) || !Number.isFinite(is)) return undefined
  const draw = (blocks: Blocks): Blocks => blocks.map(() => blocks[Math.floor(random() * blocks.length)]!)
  const drawn = Array.from({ length: RESAMPLES }, () => of(draw(after)) - of(draw(before))).filter(Number.isFinite).sort((a, b) => a - b)
  const at = (q: number): number => drawn[Math.min(drawn.length - 1, Math.floor(q * drawn.length))]!
  return { before: was, after: is, low: at(0.025), high: at(0.975) }
}
