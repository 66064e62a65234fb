/**
 * When are two violations the same finding? When the same model or anomaly was broken during (or after) the same kinds
 * of fault, and either an operation of unknown outcome was needed to break it or none. Values, keys, nodes, times and
 * the size of the witness differ from seed to seed and are left out. The fingerprint is also what a person reads.
 */
import { OK, FAIL, type History } from '../../checker/history/index.ts'
import type { FaultWindow, JudgementVerdict, Witness } from '../../checker/verdict.ts'
import { claimOf } from '../promise.ts'

/** "Not linearizable during partition", "G1a: ... after kill, by an operation of unknown outcome". */
export function fingerprintOf(judgement: Pick<JudgementVerdict, 'judgement' | 'model'>, witness: Witness | undefined, history: History, faults: readonly FaultWindow[]): string {
  const rows = (witness?.operations ?? []).filter((row) => row >= 0 && row < history.length)
  const open = rows.some((row) => ![OK, FAIL].includes(typeOf(history, row)))
  return `${claimOf(judgement, witness)}${when(rows, history, faults)}${open ? ', by an operation of unknown outcome' : ''}`
}

function typeOf(history: History, row: number): number {
  const done = history.pair[row]!
  return done < 0 ? -1 : history.type[done]!
}

/** The fault in which the last operation of the witness completed, by its name without targets. */
function when(rows: readonly number[], history: History, faults: readonly FaultWindow[]): string {
  if (rows.length === 0) return ''
  const end = rows.map((row) => history.timeAt(history.pair[row]! >= 0 ? history.pair[row]! : row)).reduce((a, b) => Math.max(a, b))
  const inside = faults.filter((fault) => fault.from_ns <= end && end <= fault.to_ns).map((fault) => kind(fault.fault))
  if (inside.length > 0) return ` during ${[...new Set(inside)].sort().join(' and ')}`
  const last = faults.filter((fault) => fault.to_ns < end).sort((a, b) => a.to_ns - b.to_ns).at(-1)
  return last === undefined ? ' without a fault' : ` after ${kind(last.fault)}`
}

const kind = (fault: string): string => fault.replace(/\(.*$/, '')
