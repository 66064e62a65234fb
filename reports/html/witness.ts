/**
 * Where everything in a space-time diagram stands (Lamport 1978): one row per process, an interval per operation,
 * its value beside it. Pure layout; `witness-svg.ts` draws it.
 *
 * The horizontal axis keeps the order of all events exactly and their distances only roughly (logarithmically):
 * a witness often holds two operations of a millisecond each, ten seconds apart.
 *
 * Models of this kind are prefix-closed and a witness is minimal, so it becomes impossible at the last completion
 * that says something: that instant is marked. The end of a blind write says nothing (until something later
 * depends on it, a pending write and a finished one are alike).
 */
import { INVOKE, OK } from '../../checker/history/index.ts'
import { formatValue, shortened } from '../format.ts'
import { microWords } from './cycle.ts'
import type { History } from '../../checker/history/index.ts'

/** One operation of a witness. */
export interface WitnessOperation {
  readonly row: number
  readonly process: string
  readonly node: string | null
  readonly f: string
  /** "write 12", "read → 7". */
  readonly label: string
  readonly title: string
  /** Codes of key, of the value written, and of the value that a read returned; null where it did not. */
  readonly key: number
  readonly wrote: number | null
  readonly read: number | null
  readonly outcome: 'ok' | 'fail' | 'info'
  readonly start_ns: number
  /** null: never completed. */
  readonly end_ns: number | null
}

/** An operation with its place. */
export interface PlacedOperation extends WitnessOperation {
  readonly lane: number
  readonly x0: number
  readonly x1: number
  /** The operation whose completion makes the history impossible. */
  readonly last: boolean
}

/** A finished layout, in pixels. */
export interface WitnessLayout {
  readonly width: number
  readonly height: number
  readonly left: number
  readonly lanes: readonly { readonly name: string; readonly y: number }[]
  readonly operations: readonly PlacedOperation[]
  readonly ticks: readonly { readonly x: number; readonly label: string }[]
  /** Forced by real time: the first completed before the second began (transitively reduced). */
  readonly orders: readonly { readonly from: number; readonly to: number }[]
  /** The second returned what only the first wrote. */
  readonly reads: readonly { readonly from: number; readonly to: number }[]
}

const laneHeight = 58
export const barHeight = 26
const characterWidth = 7.6
/** Functions whose ok result tells nothing about the state. */
const blind: ReadonlySet<string> = new Set(['write', 'set', 'put', 'add', 'append', 'insert', 'enqueue', 'delete'])
const top = 12

/** The operations of a witness, in order of invocation; rows that are no invocations are shown as instants. */
export function witnessOperations(history: History, rows: readonly number[]): WitnessOperation[] {
  return rows.filter((row) => row >= 0 && row < history.length).map((row) => {
    const end = history.type[row] === INVOKE ? history.pair[row]! : row
    const outcome = end < 0 ? 'info' : history.type[end] === OK ? 'ok' : history.type[end] === INVOKE ? 'info' : (['ok', 'fail', 'info'] as const)[history.type[end]! - 1]!
    const f = history.functions[history.f[row]!]!
    const key = history.values.decode(history.key[row]!)
    const invoked = history.values.decode(history.value[row]!)
    const result = end < 0 ? null : history.values.decode(history.value[end]!)
    const node = history.node[row]! < 0 ? null : history.nodes[history.node[row]!]!
    const micros = f === 'txn' ? (outcome === 'ok' ? result : invoked) : null
    const words = (limit: number) => (Array.isArray(micros) ? `T${row}: ${shortened(micros.map(microWords).join(', '), limit * 2)}` : f === 'read' || invoked === null ? `${f} → ${outcome === 'ok' ? formatValue(result, limit) : '?'}` : `${f} ${formatValue(invoked, limit)}`)
    return {
      row,
      process: String(history.processName(row)),
      node,
      f,
      label: words(18),
      title: `${words(400)}${key === null ? '' : ` on key ${formatValue(key, 100)}`}, ${outcome}${node === null ? '' : `, at ${node}`}`,
      key: history.key[row]!,
      wrote: f !== 'read' && blind.has(f) ? history.value[row]! : null,
      read: f === 'read' && outcome === 'ok' ? history.value[end]! : null,
      outcome,
      start_ns: history.timeAt(row),
      end_ns: end < 0 || outcome === 'info' ? null : history.timeAt(end),
    }
  })
}

/** Places operations. */
export function layoutWitness(operations: readonly WitnessOperation[]): WitnessLayout {
  const processes = [...new Set(operations.map((operation) => operation.process))]
  const names = processes.map((process) => {
    const node = operations.find((operation) => operation.process === process)?.node
    return /^-?\d+$/.test(process) ? `process ${process}${node === null || node === undefined ? '' : ` · ${node}`}` : process
  })
  const left = Math.ceil(Math.max(...names.map((name) => name.length), 4) * characterWidth) + 20
  const instants = [...new Set(operations.flatMap((operation) => [operation.start_ns, ...(operation.end_ns === null ? [] : [operation.end_ns])]))].sort((a, b) => a - b)
  const x = positions(operations, instants, left)
  const open = (x.get(instants.at(-1) ?? 0) ?? left) + 46
  const telling = (operation: WitnessOperation) => operation.outcome === 'ok' && operation.end_ns !== null && operation.end_ns !== operation.start_ns && !blind.has(operation.f)
  const lastEnd = Math.max(...operations.map((operation) => (telling(operation) ? operation.end_ns! : -1)))
  const placed = operations.map((operation) => ({
    ...operation,
    lane: processes.indexOf(operation.process),
    x0: x.get(operation.start_ns)!,
    x1: operation.end_ns === null ? open : Math.max(x.get(operation.end_ns)!, x.get(operation.start_ns)! + 8),
    last: telling(operation) && operation.end_ns === lastEnd,
  }))
  const base = instants[0] ?? 0
  return {
    width: Math.ceil(Math.max(open, ...placed.map((operation) => operation.x1)) + 24),
    height: top + processes.length * laneHeight + 30,
    left,
    lanes: names.map((name, index) => ({ name, y: top + index * laneHeight + laneHeight / 2 })),
    operations: placed,
    ticks: ticksOf(instants, base, x),
    orders: orders(operations),
    reads: readsFrom(operations),
  }
}

/** Order exactly, distance roughly; and every bar wide enough for its label. */
function positions(operations: readonly WitnessOperation[], instants: readonly number[], left: number): Map<number, number> {
  const x = new Map<number, number>()
  let here = left + 14
  instants.forEach((instant, index) => {
    if (index > 0) here += Math.max(16, Math.min(76, 14 + 12 * Math.log10(1 + (instant - instants[index - 1]!) / 1e4)))
    for (const operation of operations) {
      if (operation.end_ns === instant && operation.start_ns !== instant) here = Math.max(here, x.get(operation.start_ns)! + operation.label.length * characterWidth + 18)
    }
    x.set(instant, here)
  })
  return x
}

/** Times under the axis where there is room for them, relative to the first event. */
function ticksOf(instants: readonly number[], base: number, x: ReadonlyMap<number, number>): { x: number; label: string }[] {
  const ticks: { x: number; label: string }[] = []
  let free = Number.NEGATIVE_INFINITY
  for (const instant of instants) {
    const at = x.get(instant)!
    const label = instant === base ? `${(base / 1e9).toFixed(4)} s` : relative(instant - base)
    const half = (label.length * 6.4) / 2
    if (at - half < free + 10) continue
    ticks.push({ x: at, label })
    free = at + half
  }
  return ticks
}

function relative(ns: number): string {
  const ms = ns / 1e6
  return ms >= 1000 ? `+${(ms / 1000).toFixed(3)} s` : `+${ms.toFixed(ms < 10 ? 2 : 1)} ms`
}

/** "Completed before the other began", without what follows from the rest. */
function orders(operations: readonly WitnessOperation[]): { from: number; to: number }[] {
  const precedes = (a: number, b: number) => (operations[a]!.end_ns ?? Number.POSITIVE_INFINITY) < operations[b]!.start_ns
  const pairs: { from: number; to: number }[] = []
  if (operations.length > 30) return pairs
  for (let from = 0; from < operations.length; from++) {
    for (let to = 0; to < operations.length; to++) {
      if (!precedes(from, to)) continue
      const implied = operations.some((_, middle) => precedes(from, middle) && precedes(middle, to))
      if (!implied) pairs.push({ from, to })
    }
  }
  return pairs
}

/** Which write each read must have seen, where just one of them can be it. */
function readsFrom(operations: readonly WitnessOperation[]): { from: number; to: number }[] {
  return operations.flatMap((reader, to) => {
    if (reader.read === null) return []
    const writers = operations.flatMap((writer, from) => (writer.wrote === reader.read && writer.key === reader.key ? [from] : []))
    return writers.length === 1 ? [{ from: writers[0]!, to }] : []
  })
}
