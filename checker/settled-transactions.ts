/**
 * Transactions of unknown outcome over registers, as far as others tell what became of them. To search with them as they
 * are is exponential: each may take effect at any time, or never. But
 *
 * - one of whose values nobody read any can be left out: an order that explains the history without it explains it with
 *   it, which then never took effect, and one with it also without it, since no read returned what it wrote;
 * - one of whose values a transaction did read took effect before that one was over. So it can be given an end there. That is
 *   so where nobody else wrote the same value; what it read is not known, and proves nothing.
 *
 * Both are exact. What is left of unknown outcome wrote a value that others wrote as well.
 */
import { History, INFO, INVOKE, OK } from './history/index.ts'
import type { Event, Json } from './history/index.ts'
import type { SettledHistory } from './linearizable-object.ts'

type Micro = readonly [f: string, key: Json, value: Json]

/** The history without what can be left out, and the row in the original of each row. */
export function settledTransactions(history: History): SettledHistory {
  const txn = history.functions.indexOf('txn')
  const writers = new Map<string, number>()
  const firstReader = new Map<string, number>()
  for (let row = 0; row < history.length; row++) {
    if (history.f[row] !== txn || history.process[row]! < 0) continue
    if (history.type[row] === INVOKE) for (const name of written(history, row)) writers.set(name, (writers.get(name) ?? 0) + 1)
    else if (history.type[row] === OK) for (const name of read(history, row)) if (!firstReader.has(name)) firstReader.set(name, row)
  }
  /** By row of an invocation: the row at which it was over, for others saw it; -1 where nobody did, Infinity where nobody can tell, undefined where it is clear by itself. */
  const clear = (row: number): number | undefined => {
    const done = history.pair[row]!
    if (history.f[row] !== txn || history.process[row]! < 0 || (done >= 0 && history.type[done] !== INFO)) return undefined
    const seen = written(history, row).flatMap((name) => (firstReader.has(name) ? [{ alone: writers.get(name) === 1, by: firstReader.get(name)! }] : []))
    if (seen.length === 0) return -1
    return Math.min(Infinity, ...seen.flatMap(({ alone, by }) => (alone ? [by] : [])))
  }
  return rewritten(history, clear)
}

function rewritten(history: History, clear: (row: number) => number | undefined): SettledHistory {
  const settled = new History()
  const rows: number[] = []
  const push = (event: Event, row: number): void => {
    settled.push(event)
    rows.push(row)
  }
  const ends = new Map<number, number[]>()
  for (let row = 0; row < history.length; row++) {
    const event = history.event(row)
    const asked = history.type[row] === INVOKE ? row : history.pair[row]!
    const at = asked < 0 ? undefined : clear(asked)
    if (at === undefined || at === Infinity) push(event, row)
    else if (at >= 0 && row === asked) {
      // Whoever saw it may have been over before it was asked for: then nothing explains that, whatever its end.
      push({ ...event, value: writesOf(event) }, row)
      if (at > row) ends.set(at, [...(ends.get(at) ?? []), row])
    }
    for (const one of ends.get(row) ?? []) push({ ...history.event(one), time: event.time, type: 'ok', value: writesOf(history.event(one)) }, one)
  }
  return { history: settled, rows }
}

const microsOf = ({ value }: Event): readonly Micro[] => (Array.isArray(value) ? (value as readonly Micro[]) : [])
const writes = ([f]: Micro): boolean => f === 'w' || f === 'write'
const writesOf = (event: Event): Json => microsOf(event).filter(writes)
const written = (history: History, row: number): string[] => namesOf(microsOf(history.event(row)).filter(writes))
const read = (history: History, row: number): string[] => namesOf(microsOf(history.event(row)).filter((micro) => !writes(micro)))
const namesOf = (micros: readonly Micro[]): string[] => micros.map(([, key, value]) => JSON.stringify([key, value]))
