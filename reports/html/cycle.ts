/**
 * A cycle of transactions (Adya 1999) as a drawing: transactions on a ring, clockwise in the order of the cycle, a
 * dependency from each to the next. Pure layout; `cycle-svg.ts` draws it.
 */
import { formatValue, shortened, visible } from '../format.ts'
import type { History, Json } from '../../checker/history/index.ts'
import type { Witness } from '../../checker/verdict.ts'

/** One transaction; `x`, `y` are the middle of its box. */
export interface PlacedTransaction {
  /** "T12": by the row of its invocation, as explanations name it. */
  readonly name: string
  /** "process 3, at n1". */
  readonly who: string
  /** Its micro-operations: "read x = [1]". */
  readonly lines: readonly string[]
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** A finished layout, in pixels. */
export interface CycleLayout {
  readonly width: number
  readonly height: number
  readonly transactions: readonly PlacedTransaction[]
  /** From the transaction of that index to the next one. */
  readonly edges: readonly { readonly from: number; readonly to: number; readonly kind: string; readonly words: string; readonly because: string }[]
}

/** What the kinds of dependencies mean. */
const edgeWords: Readonly<Record<string, string>> = { ww: 'overwritten by', wr: 'read by', rw: 'did not see', process: 'then, same process', realtime: 'ended before', forced: 'must precede' }

const lineHeight = 17
const characterWidth = 7.3
const linesMax = 6
/** A ring of more transactions explains nothing; the list of its edges stands below all the same. */
const drawnMax = 8

/** Places a cycle; null when there are too many transactions. */
export function layoutCycle(history: History, edges: NonNullable<Witness['edges']>): CycleLayout | null {
  const rows = [...new Set(edges.map((edge) => edge.from))].filter((row) => row >= 0 && row < history.length)
  if (rows.length < 2 || rows.length > drawnMax) return null
  const boxes = rows.map((row) => boxOf(history, row))
  const widest = Math.max(...boxes.map((box) => box.width))
  const tallest = Math.max(...boxes.map((box) => box.height))
  const count = rows.length
  // Neighbours on the ring are far enough apart for the words on the arrow between them.
  const across = count === 2 ? widest / 2 + 100 : Math.max(widest / 2 + 70, ((widest + 120) / 2) / Math.sin(Math.PI / count))
  const down = count === 2 ? 0 : Math.max(tallest + 40, across * 0.5)
  const angle = (index: number) => (count === 2 ? Math.PI + index * Math.PI : -Math.PI / 2 + (2 * Math.PI * index) / count)
  const heights = boxes.map((_, index) => Math.sin(angle(index)) * down)
  const top = Math.min(...heights)
  const placed = boxes.map((box, index) => ({ ...box, x: across + widest / 2 + 10 + Math.cos(angle(index)) * across, y: heights[index]! - top + tallest / 2 + 24 }))
  return {
    width: Math.ceil(2 * across + widest + 20),
    height: Math.ceil(Math.max(...heights) - top + tallest + 48),
    transactions: placed,
    edges: edges.flatMap((edge) => {
      const [from, to] = [rows.indexOf(edge.from), rows.indexOf(edge.to)]
      return from < 0 || to < 0 ? [] : [{ from, to, kind: edge.kind, words: edgeWords[edge.kind] ?? edge.kind, because: edge.because }]
    }),
  }
}

function boxOf(history: History, row: number): Omit<PlacedTransaction, 'x' | 'y'> {
  const end = history.pair[row]!
  const micros = history.values.decode(history.value[end >= 0 && history.event(end).type === 'ok' ? end : row]!)
  const all = Array.isArray(micros) ? micros.map(microWords) : [formatValue(micros, 40)]
  const lines = all.length <= linesMax ? all : [...all.slice(0, linesMax - 1), `... ${all.length - linesMax + 1} more`]
  const node = history.node[row]! < 0 ? '' : `, ${history.nodes[history.node[row]!]}`
  const who = `process ${history.processName(row)}${node}`
  const longest = Math.max(who.length + `T${row}`.length + 2, ...lines.map((line) => line.length))
  return { name: `T${row}`, who, lines, width: longest * characterWidth + 24, height: (lines.length + 1) * lineHeight + 16 }
}

/** "read x = [1]", "append 2 to y". */
export function microWords(micro: Json): string {
  if (!Array.isArray(micro)) return formatValue(micro, 30)
  const [f, key, value] = micro
  const on = formatValue(key, 14)
  switch (f) {
    case 'r':
      return `read ${on} = ${formatValue(value, 24)}`
    case 'w':
      return `write ${on} = ${formatValue(value, 24)}`
    case 'append':
      return `append ${formatValue(value, 20)} to ${on}`
    default:
      return shortened(visible(JSON.stringify(micro)), 36)
  }
}
