/**
 * t-visibility: how likely does a read that begins t milliseconds after the last acknowledgement of a write to its key
 * return that write or a newer one? (Bailis, Venkataraman, Franklin, Hellerstein and Stoica, Probabilistically Bounded
 * Staleness for Practical Partial Quorums, VLDB 2012.) A read is inconsistent when what it returned had certainly taken
 * effect before that write began. One sweep over the events.
 */
import { INITIAL, NEVER } from './registers.ts'
import type { History } from './history/index.ts'
import type { Registers } from './registers.ts'

/** Reads that began up to `t_ms` after the acknowledgement, and later than the step before. */
export interface Visibility {
  readonly t_ms: number | null
  readonly reads: number
  readonly consistent: number
  /** The share that PBS predicts to be consistent, at the times at which these very reads began; null without recorded delays. */
  readonly predicted: number | null
}

/** Upper ends of the steps, in milliseconds; the last has none. */
const STEPS_MS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000]

/** The distribution, step by step; steps without reads are left out. `settledAt` as in `freshness.ts`; `predict`: P(consistent | t) by PBS. */
export function tVisibilityOf(history: History, registers: Registers, settledAt: Int32Array, predict?: (tMs: number) => number): Visibility[] {
  const { source, start, row } = registers
  const reads = new Float64Array(STEPS_MS.length + 1)
  const consistent = new Float64Array(STEPS_MS.length + 1)
  const predicted = new Float64Array(STEPS_MS.length + 1)
  const last = lastAcknowledged(registers)
  for (let read = 0; read < registers.count; read++) {
    const write = last[read]!
    if (write < 0 || source[read]! < INITIAL) continue
    const elapsedMs = (history.timeAt(row[read]!) - history.timeAt(history.pair[row[write]!]!)) / 1e6
    const step = STEPS_MS.findIndex((most) => elapsedMs <= most)
    const at = step < 0 ? STEPS_MS.length : step
    reads[at]!++
    if (predict) predicted[at]! += predict(elapsedMs)
    const from = source[read]!
    if (from >= 0 && settledAt[from]! > start[write]!) consistent[at]!++
  }
  return [...STEPS_MS, null].map((t_ms, at) => ({ t_ms, reads: reads[at]!, consistent: consistent[at]!, predicted: predict ? predicted[at]! / reads[at]! : null })).filter((one) => one.reads > 0)
}

/** For each read the write to its key whose acknowledgement was the last before the read began; -1 for none. */
function lastAcknowledged({ count, write, start, end, key, keys, happened }: Registers): Int32Array {
  let latest = 0
  for (let op = 0; op < count; op++) latest = Math.max(latest, start[op]!, end[op] === NEVER ? 0 : end[op]!)
  const at = new Int32Array(latest + 1).fill(-1)
  for (let op = 0; op < count; op++) {
    if (write[op] === 0 && happened[op] === 1) at[start[op]!] = op
    else if (write[op] === 1 && end[op] !== NEVER) at[end[op]!] = op
  }
  const current = new Int32Array(keys.length).fill(-1)
  const found = new Int32Array(count).fill(-1)
  for (const op of at) {
    if (op < 0) continue
    if (write[op] === 1) current[key[op]!] = op
    else found[op] = current[key[op]!]!
  }
  return found
}
