/**
 * Staleness: how old was what a read returned? A measurement, not a promise: it never says violated.
 *
 * A value is *certainly overwritten* from the moment at which a write was acknowledged that had begun after the value
 * had taken effect (it was acknowledged, or had been read). A read that begins later and still returns it is stale,
 * by the time since. The largest such time is the smallest bound under which no read would have been stale (delta-
 * regularity, after Golab, Li and Shah, Analyzing Consistency Properties for Fun and Profit, 2011). It is a lower
 * bound of the true age: a value overwritten by a write that overlaps it does not count. The same holds for how many
 * versions behind a read is. `t-visibility.ts` asks how likely a read is to be stale so long after a write, `pbs.ts` what
 * the delays of messages alone would make of that; `pbs_rms_points` is by how many percentage points the two differ (root
 * mean square over the steps with 100 reads or more).
 */
import { NEVER, registersOf, whyIncomplete, whyVacuous } from './registers.ts'
import { overwritten, overwrittenFor, settled } from './freshness.ts'
import { consistentAt, predictionOf, rmsPoints } from './pbs.ts'
import { tVisibilityOf } from './t-visibility.ts'
import { describer } from './describe.ts'
import type { History } from './history/index.ts'
import type { JudgeContext, Judgement } from './judgement.ts'
import type { JudgementVerdict } from './verdict.ts'
import type { Registers } from './registers.ts'

/** A read further behind is this far behind. */
const VERSIONS_MAX = 1_000

/** How long values had been overwritten when they were read. */
export const staleness: Judgement = {
  name: 'staleness',
  describes: 'measures for each read how long its value had certainly been overwritten; linear',
  judge,
}

function judge(history: History, context: JudgeContext): JudgementVerdict {
  const registers = registersOf(history, context)
  const base = { judgement: 'staleness', operations: registers.reads, witnesses: [] }
  const vacuous = whyVacuous(registers) ?? whyIncomplete(history, registers)
  if (vacuous !== undefined) return { ...base, metrics: {}, verdict: 'unknown', reason: vacuous, summary: `Not measured: ${vacuous}.` }
  const settledAt = settled(registers)
  const { ages, worst, versions } = agesOf(history, registers, settledAt)
  const stale = ages.findIndex((age) => age > 0)
  const count = stale < 0 ? 0 : ages.length - stale
  const maximum = ages.at(-1)!
  const prediction = predictionOf(history, registers)
  const visibility = tVisibilityOf(history, registers, settledAt, prediction && ((tMs) => consistentAt(prediction, tMs)))
  const metrics = {
    reads: ages.length,
    stale_reads: count,
    stale_share: count / ages.length,
    p50_ms: quantile(ages, 0.5),
    p99_ms: quantile(ages, 0.99),
    stale_p50_ms: count === 0 ? 0 : quantile(ages.subarray(stale), 0.5),
    stale_p99_ms: count === 0 ? 0 : quantile(ages.subarray(stale), 0.99),
    max_ms: maximum,
    versions_behind_p99: versions.length === 0 ? 0 : quantile(versions, 0.99),
    versions_behind_max: versions.at(-1) ?? 0,
    t_visibility: visibility.map((one) => ({ ...one })),
    pbs_rms_points: rmsPoints(visibility),
    oldest_read: worst < 0 ? null : registers.row[worst]!,
  }
  const summary = count === 0 ? `No read was stale.` : `${(metrics.stale_share * 100).toFixed(1)} % of ${ages.length} reads were stale, the oldest by ${maximum.toFixed(1)} ms: ${describer(history, registers)(worst)}.`
  return { ...base, metrics, verdict: 'holds', summary }
}

/** Milliseconds for which each read's value had been overwritten, ascending; and the read with the oldest. */
function agesOf(history: History, registers: Registers, settledAt: Int32Array): { ages: Float64Array; worst: number; versions: Float64Array } {
  const over = overwritten(registers, settledAt)
  const writes = writesByKey(registers)
  const versions: number[] = []
  const { rowAt } = registers
  const ages = new Float64Array(registers.reads)
  let filled = 0
  let worst = -1
  let oldest = 0
  for (let read = 0; read < registers.count; read++) {
    if (registers.write[read] === 1 || registers.happened[read] === 0) continue
    const [rank] = overwrittenFor(registers, over, read)
    const begun = registers.start[read]!
    const age = rank === NEVER || rank >= begun ? 0 : (history.timeAt(registers.row[read]!) - history.timeAt(rowAt === null ? rank : rowAt[rank]!)) / 1e6
    ages[filled++] = age
    if (age > 0) versions.push(versionsBehind(registers, writes[registers.key[read]!]!, settledAt, read))
    if (age > oldest) {
      oldest = age
      worst = read
    }
  }
  return { ages: ages.sort(), worst, versions: Float64Array.from(versions).sort() }
}

/** The writes of each key, in order of invocation. */
function writesByKey({ count, write, key, keys }: Registers): number[][] {
  const writes: number[][] = keys.map(() => [])
  for (let op = 0; op < count; op++) if (write[op] === 1) writes[key[op]!]!.push(op)
  return writes
}

/** How many acknowledged writes certainly stand between what a read returned and the read. Not counted beyond a bound. */
function versionsBehind({ source, start, end }: Registers, writes: readonly number[], settledAt: Int32Array, read: number): number {
  const after = source[read]! < 0 ? -1 : settledAt[source[read]!]!
  let low = 0
  for (let high = writes.length; low < high; ) {
    const middle = (low + high) >> 1
    if (start[writes[middle]!]! <= after) low = middle + 1
    else high = middle
  }
  let behind = 0
  for (let at = low; at < writes.length && start[writes[at]!]! < start[read]! && behind < VERSIONS_MAX; at++) if (end[writes[at]!]! < start[read]!) behind++
  return behind
}

function quantile(ascending: Float64Array, share: number): number {
  return ascending[Math.max(0, Math.ceil(ascending.length * share) - 1)]!
}
