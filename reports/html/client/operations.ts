/**
 * The operations in the page: unpacked, sorted into lanes, searched and put in words. No drawing here.
 */
import { formatMs } from '../../format.ts'
import { decodeColumns, open, outcomes } from '../columns.ts'
import type { OperationColumns, TimelineHeader } from '../columns.ts'

/** Unpacks base64 of gzip of columns. */
export async function unpack(base64: string, header: TimelineHeader): Promise<Operations> {
  const packed = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'))
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer())
  return new Operations(decodeColumns(bytes, header.length), header)
}

/** Operations by lane, in order of their start. */
export class Operations {
  readonly columns: OperationColumns
  readonly header: TimelineHeader
  /** Operation indices, lane after lane. */
  readonly order: Uint32Array
  /** Where each lane begins in `order`; one more than there are lanes. */
  readonly offsets: Uint32Array
  readonly laneOf: Uint16Array
  /** Start (in units) and kind by position in `order`: what a frame walks through lies side by side. */
  readonly startAt: Float64Array
  readonly kindAt: Uint8Array
  readonly #unit_s: number

  constructor(columns: OperationColumns, header: TimelineHeader) {
    this.columns = columns
    this.header = header
    this.#unit_s = header.unit_us / 1e6
    const { length } = columns
    const lanes = header.lanes.length
    const laneOfId = new Map(header.lanes.map((lane, index) => [lane.id, index]))
    this.laneOf = new Uint16Array(length)
    this.offsets = new Uint32Array(lanes + 2)
    for (let index = 0; index < length; index++) {
      const process = columns.process[index]!
      const lane = laneOfId.get(header.threads === null ? process : process % header.threads) ?? lanes
      this.laneOf[index] = lane
      this.offsets[lane + 1]!++
    }
    for (let lane = 0; lane <= lanes; lane++) this.offsets[lane + 1]! += this.offsets[lane]!
    const next = this.offsets.slice()
    this.order = new Uint32Array(length)
    for (let index = 0; index < length; index++) this.order[next[this.laneOf[index]!]!++] = index
    this.startAt = Float64Array.from(this.order, (index) => columns.start[index]!)
    this.kindAt = Uint8Array.from(this.order, (index) => columns.kind[index]!)
  }

  start(index: number): number {
    return this.columns.start[index]! * this.#unit_s
  }

  /** Seconds; infinite when it never completed. */
  end(index: number): number {
    const duration = this.columns.duration[index]!
    return duration === open ? Number.POSITIVE_INFINITY : (this.columns.start[index]! + duration) * this.#unit_s
  }

  /** 0 ok, 1 fail, 2 info. */
  outcome(index: number): number {
    return this.columns.kind[index]! & 3
  }

  /** The first position in `order` within a lane whose operation starts at or after a time. */
  firstAt(lane: number, time_s: number): number {
    let low = this.offsets[lane]!
    let high = this.offsets[lane + 1]!
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.startAt[middle]! * this.#unit_s < time_s) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The operation that is open in a lane at a time, give or take `slack_s`; -1 when there is none. */
  at(lane: number, time_s: number, slack_s: number): number {
    let best = -1
    let least = slack_s
    const position = this.firstAt(lane, time_s)
    for (let look = Math.max(this.offsets[lane]!, position - 2); look <= position && look < this.offsets[lane + 1]!; look++) {
      const index = this.order[look]!
      const end = this.end(index)
      const distance = time_s < this.start(index) ? this.start(index) - time_s : end === Number.POSITIVE_INFINITY ? 0 : Math.max(0, time_s - end)
      if (distance <= least) {
        best = index
        least = distance
      }
    }
    return best
  }

  /** Indices of the invocations at these rows of history.jsonl. */
  withRows(rows: readonly number[]): Set<number> {
    const wanted = new Set(rows)
    const found = new Set<number>()
    for (let index = 0; index < this.columns.length && found.size < wanted.size; index++) if (wanted.has(this.columns.row[index]!)) found.add(index)
    return found
  }

  text(code: number): string {
    return code >= 0 ? String(code) : code === -1 ? 'nil' : this.header.texts[-2 - code] ?? '?'
  }

  /** Codes of the keys that are written like this. */
  keysLike(text: string): Set<number> {
    const codes = new Set<number>()
    if (/^\d+$/.test(text)) codes.add(Number(text))
    this.header.texts.forEach((one, index) => {
      if (one === text || one === JSON.stringify(text)) codes.add(-2 - index)
    })
    return codes
  }

  /** The key as one would type it to find it again. */
  keyText(index: number): string {
    const key = this.columns.key[index]!
    return key === -1 ? '' : this.text(key)
  }

  functionOf(index: number): string {
    return this.header.functions[this.columns.kind[index]! >> 2] ?? '?'
  }

  /** "→ 7" for what was read, "12" for what was written. */
  valueOf(index: number): string {
    const words = this.text(this.columns.value[index]!)
    return this.functionOf(index) === 'read' ? (this.outcome(index) === 0 ? `→ ${words}` : '→ ?') : words
  }

  /** One operation as the cells of a table. */
  cells(index: number): string[] {
    const { columns, header } = this
    const key = columns.key[index]!
    const end = this.end(index)
    return [
      `${this.start(index).toFixed(6)} s`,
      String(columns.process[index]),
      header.nodes[columns.node[index]! - 1] ?? '–',
      this.functionOf(index),
      key === -1 ? '–' : this.text(key),
      this.valueOf(index),
      outcomes[this.outcome(index)] ?? '?',
      end === Number.POSITIVE_INFINITY ? 'never completed' : formatMs((end - this.start(index)) * 1000),
    ]
  }

  /** One operation in a sentence. */
  describe(index: number): string {
    const [start, process, node, f, key, value, outcome, took] = this.cells(index)
    return `process ${process}${node === '–' ? '' : ` at ${node}`}: ${f}${key === '–' ? '' : ` ${key}`} ${value} · ${outcome} · from ${start}, ${took} · line ${this.columns.row[index]! + 1} of history.jsonl`
  }
}

/** The heads of `cells`. */
export const cellHeads = ['start', 'process', 'node', 'function', 'key', 'value', 'outcome', 'took'] as const
