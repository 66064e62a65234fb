/**
 * Which operations of a run go into the page, and packing them.
 *
 * All of them up to a budget; beyond it those around the moments that matter (witnesses first, then faults), in a
 * window as wide as the budget allows. The overview always shows the whole run as density. Jepsen's timeline keeps
 * the first ten thousand operations instead, which are rarely the ones that one wants to see.
 */
import { gzipSync } from 'node:zlib'
import { FAIL, INFO, INVOKE, OK } from '../../checker/history/index.ts'
import { formatInstant, formatValue } from '../format.ts'
import { encodeColumns, open } from './columns.ts'
import { spanOf } from './series.ts'
import type { History } from '../../checker/history/index.ts'
import type { VerdictDocument } from '../../checker/verdict.ts'
import type { Lane, Moment, OperationColumns, TimelineHeader } from './columns.ts'

/** A packed timeline: the header for JSON, the columns as base64 of gzip. */
export interface PackedTimeline {
  readonly header: TimelineHeader
  readonly columns: string
}

const lanesMax = 400
const momentsMax = 60
const markedMax = 300
const textsMax = 1_500_000
const densitySlices = 600

/** Chooses and packs. `budget` bounds the operations embedded. */
export function packTimeline(history: History, document: VerdictDocument, budget: number): PackedTimeline {
  const moments = momentsOf(history, document)
  const all = invocations(history)
  const { rows, half_s } = chosen(history, all, moments, budget)
  const clients = document.run?.clients ?? null
  const lanes = lanesOf(history, all, clients)
  const threads = clients !== null && lanes.every((lane) => lane.id < clients) ? clients : null
  const span_s = spanOf(history)
  const unit_us = 10 ** Math.max(0, Math.ceil(Math.log10((span_s * 1e6) / open)))
  const { columns, texts } = columnsOf(history, rows, unit_us * 1e3)
  return {
    header: { length: rows.length, total: all.length, span_s, unit_us, half_s, functions: [...history.functions], nodes: [...history.nodes], texts, threads, lanes, moments, density: densityOf(history) },
    columns: gzipSync(encodeColumns(columns), { level: 5 }).toString('base64'),
  }
}

function invocations(history: History): Uint32Array {
  const rows = new Uint32Array(history.length)
  let count = 0
  for (let row = 0; row < history.length; row++) if (history.process[row]! >= 0 && history.type[row] === INVOKE) rows[count++] = row
  const found = rows.subarray(0, count)
  const ordered = found.every((row, index) => index === 0 || history.timeAt(found[index - 1]!) <= history.timeAt(row))
  return ordered ? found : found.sort((a, b) => history.timeAt(a) - history.timeAt(b) || a - b)
}

/** Witnesses in the order of the judgements, then faults in the order of time. */
function momentsOf(history: History, document: VerdictDocument): Moment[] {
  const anomalies = document.judgements.flatMap((judgement) =>
    judgement.witnesses.map((witness, index): Moment | undefined => {
      const rows = witness.operations.filter((row) => row >= 0 && row < history.length)
      if (rows.length === 0) return undefined
      const from = rows.reduce((least, row) => Math.min(least, history.timeAt(row)), Number.POSITIVE_INFINITY)
      const to = rows.reduce((most, row) => Math.max(most, history.timeAt(history.pair[row]! < 0 ? row : history.pair[row]!)), 0)
      const key = witness.key === undefined ? '' : `, key ${formatValue(witness.key, 30)}`
      return { label: `${judgement.judgement}, witness ${index + 1}${key} (${formatInstant(from)})`, kind: 'anomaly', judgement: judgement.judgement, witness: index, from_s: from / 1e9, to_s: to / 1e9, rows: rows.slice(0, markedMax) }
    }),
  )
  const faults = document.faults.map((fault): Moment => ({ label: `${fault.fault} (${formatInstant(fault.from_ns)})`, kind: 'fault', judgement: '', witness: -1, from_s: fault.from_ns / 1e9, to_s: (fault.healed_ns ?? fault.to_ns) / 1e9, rows: [] }))
  return [...anomalies.filter((moment) => moment !== undefined).slice(0, momentsMax), ...faults.slice(0, momentsMax)]
}

/** All rows, or those nearest to where a witness's operations begin and end (without one, to where faults begin). */
function chosen(history: History, all: Uint32Array, moments: readonly Moment[], budget: number): { rows: Uint32Array; half_s: number | null } {
  if (all.length <= budget) return { rows: all, half_s: null }
  const pinned = new Set(moments.flatMap((moment) => moment.rows))
  const ends = [...pinned].flatMap((row) => [history.timeAt(row), history.timeAt(history.pair[row]! < 0 ? row : history.pair[row]!)])
  const instants = Float64Array.from(ends.length > 0 ? ends : [0, ...moments.map((moment) => moment.from_s * 1e9)]).sort()
  const distances = Float64Array.from(all, (row) => (pinned.has(row) ? -1 : distanceTo(instants, history.timeAt(row))))
  const limit = Float64Array.from(distances).sort()[budget]!
  return { rows: all.filter((_, index) => distances[index]! < 0 || distances[index]! < limit), half_s: Math.max(0, limit / 1e9) }
}

/** To the nearest of some sorted instants. */
function distanceTo(instants: Float64Array, time: number): number {
  let low = 0
  let high = instants.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (instants[middle]! < time) low = middle + 1
    else high = middle
  }
  return Math.min(low < instants.length ? instants[low]! - time : Number.POSITIVE_INFINITY, low > 0 ? time - instants[low - 1]! : Number.POSITIVE_INFINITY)
}

/** One lane per thread where the number of clients is known (a process that ended in info goes on as p + clients). */
function lanesOf(history: History, rows: Uint32Array, clients: number | null): Lane[] {
  const nodesOf = new Map<number, Set<number>>()
  for (const row of rows) {
    const process = history.process[row]!
    const lane = clients === null ? process : process % clients
    const node = history.node[row]!
    const nodes = nodesOf.get(lane)
    if (nodes === undefined) nodesOf.set(lane, new Set([node]))
    else nodes.add(node)
  }
  const lanes = [...nodesOf].map(([id, nodes]) => {
    const only = nodes.size === 1 ? [...nodes][0]! : -1
    return { id, node: only, name: only < 0 ? `${id}` : `${id} · ${history.nodes[only]}` }
  })
  const order = (node: number) => (node < 0 ? Number.POSITIVE_INFINITY : [...history.nodes].sort().indexOf(history.nodes[node]!))
  return lanes.sort((a, b) => order(a.node) - order(b.node) || a.id - b.id).slice(0, lanesMax).map(({ id, name }) => ({ id, name }))
}

function columnsOf(history: History, rows: Uint32Array, unit_ns: number): { columns: OperationColumns; texts: string[] } {
  const length = rows.length
  const columns = { length, start: new Float64Array(length), duration: new Uint32Array(length), process: new Int32Array(length), kind: new Uint8Array(length), key: new Int32Array(length), value: new Int32Array(length), row: rows, node: new Uint8Array(length) }
  const texts: string[] = []
  const known = new Map<number, number>()
  let spent = 0
  const text = (code: number): number => {
    if (code >= -1) return code
    let mine = known.get(code)
    if (mine === undefined) {
      const words = formatValue(history.values.decode(code), spent < textsMax ? 120 : 12)
      spent += words.length
      known.set(code, (mine = -1 - texts.push(words)))
    }
    return mine
  }
  rows.forEach((row, index) => {
    const end = history.pair[row]!
    const type = end < 0 ? INFO : history.type[end]!
    columns.start[index] = Math.round(history.timeAt(row) / unit_ns)
    columns.duration[index] = end < 0 ? open : Math.min(open - 1, Math.max(0, Math.round((history.timeAt(end) - history.timeAt(row)) / unit_ns)))
    columns.process[index] = history.process[row]!
    columns.kind[index] = Math.min(63, history.f[row]!) * 4 + (type === OK ? 0 : type === FAIL ? 1 : 2)
    columns.key[index] = text(history.key[row]!)
    columns.value[index] = text(history.value[type === OK ? end : row]!)
    columns.node[index] = Math.min(255, history.node[row]! + 1)
  })
  return { columns, texts }
}

function densityOf(history: History): TimelineHeader['density'] {
  const span = spanOf(history) * 1e9
  const counts = { ok: new Array<number>(densitySlices).fill(0), fail: new Array<number>(densitySlices).fill(0), info: new Array<number>(densitySlices).fill(0) }
  for (let row = 0; row < history.length; row++) {
    const type = history.type[row]!
    if (history.process[row]! < 0 || type === INVOKE) continue
    const slice = Math.min(densitySlices - 1, Math.floor((history.timeAt(row) / span) * densitySlices))
    counts[type === OK ? 'ok' : type === FAIL ? 'fail' : 'info'][slice]!++
  }
  return counts
}
