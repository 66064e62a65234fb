/**
 * When are two violations the same finding? When the same judgement was broken by the same kinds of operations, during
 * (or after) the same kind of fault. Values, keys, nodes and times differ from seed to seed and are left out.
 */
import { INFO, OK, type History } from '../../checker/history/index.ts'
import type { FaultWindow, JudgementVerdict, Witness } from '../../checker/verdict.ts'

/** Kinds of operations that are listed; a larger witness is named by its size. */
const LISTED_MAX = 6

/** "linearizable: write ok, read ok, read ok (during partition)". */
export function fingerprintOf({ judgement }: Pick<JudgementVerdict, 'judgement'>, witness: Witness | undefined, history: History, faults: readonly FaultWindow[]): string {
  const rows = (witness?.operations ?? []).filter((row) => row >= 0 && row < history.length)
  const kinds = rows.toSorted((a, b) => history.timeAt(a) - history.timeAt(b)).map((row) => kindOf(history, row))
  const shape = kinds.length === 0 ? '' : kinds.length > LISTED_MAX ? `: ${kinds.length} operations` : `: ${kinds.join(', ')}`
  return `${judgement}${shape}${when(rows, history, faults)}`
}

function kindOf(history: History, row: number): string {
  const done = history.pair[row]!
  const type = done < 0 ? INFO : history.type[done]!
  return `${history.functions[history.f[row]!]!} ${type === OK ? 'ok' : type === INFO ? 'info' : 'fail'}`
}

/** The fault in which the last operation of the witness completed, by its name without targets. */
function when(rows: readonly number[], history: History, faults: readonly FaultWindow[]): string {
  if (rows.length === 0) return ''
  const end = rows.map((row) => history.timeAt(history.pair[row]! >= 0 ? history.pair[row]! : row)).reduce((a, b) => Math.max(a, b))
  const inside = faults.filter((fault) => fault.from_ns <= end && end <= fault.to_ns).map((fault) => kind(fault.fault))
  if (inside.length > 0) return ` (during ${[...new Set(inside)].sort().join(' and ')})`
  const last = faults.filter((fault) => fault.to_ns < end).sort((a, b) => a.to_ns - b.to_ns).at(-1)
  return last === undefined ? ' (without a fault)' : ` (after ${kind(last.fault)})`
}

const kind = (fault: string): string => fault.replace(/\(.*$/, '')
