/**
 * Draws the timeline on a canvas. Close up every operation is a bar with its value; far away each row becomes
 * density, in which outcomes keep their proportions (the worst outcome per pixel would let two failures in a
 * hundred flood the view), and anomalies are pinned on top of everything.
 */
import { colour, hatch } from './theme.ts'
import type { Band } from '../data.ts'
import type { TimelineHeader } from '../columns.ts'
import type { Operations } from './operations.ts'

/** What part of the run is seen. */
export interface View {
  readonly from_s: number
  readonly to_s: number
}

/** Everything a frame depends on. */
export interface Frame {
  readonly context: CanvasRenderingContext2D
  readonly width: number
  readonly height: number
  readonly left: number
  readonly rowHeight: number
  readonly view: View
  readonly operations: Operations
  readonly bands: readonly Band[]
  /** Operations of the witness in question. */
  readonly marked: ReadonlySet<number>
  readonly hovered: number
  /** 1 for each operation that is shown; null: all are. */
  readonly mask: Uint8Array | null
}

export const axisHeight = 24
export const topHeight = 18

/** Sizes a canvas for the screen's pixels and clears it. */
export function prepared(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
  const ratio = window.devicePixelRatio || 1
  canvas.width = Math.max(1, Math.round(width * ratio))
  canvas.height = Math.max(1, Math.round(height * ratio))
  const context = canvas.getContext('2d')
  context?.setTransform(ratio, 0, 0, ratio, 0, 0)
  context?.clearRect(0, 0, width, height)
  return context
}

/** One frame. */
export function drawRows(frame: Frame): void {
  const inks = inksOf(frame.context)
  drawBands(frame)
  drawLanes(frame, inks)
  for (let lane = 0; lane < frame.operations.header.lanes.length; lane++) {
    const first = Math.max(frame.operations.offsets[lane]!, frame.operations.firstAt(lane, frame.view.from_s) - 2)
    const last = frame.operations.firstAt(lane, frame.view.to_s)
    if ((last - first) * 3 > frame.width - frame.left) drawDensity(frame, lane, first, last, inks)
    else for (let position = first; position < last; position++) drawBar(frame, lane, frame.operations.order[position]!, inks)
  }
  for (const index of frame.marked) drawMark(frame, index, inks)
  drawAxis(frame)
}

interface Inks {
  readonly ok: string
  readonly fail: string
  readonly info: string
  readonly infoHatch: CanvasPattern | string
  readonly anomaly: string
  readonly ink: string
  readonly muted: string
  readonly surface: string
  readonly rule: string
}

function inksOf(context: CanvasRenderingContext2D): Inks {
  return { ok: colour('ok'), fail: colour('fail'), info: colour('info'), infoHatch: hatch(context, colour('info')), anomaly: colour('anomaly'), ink: colour('ink'), muted: colour('muted'), surface: colour('surface'), rule: colour('grid') }
}

function xOf({ view, left, width }: Frame, time_s: number): number {
  return left + ((time_s - view.from_s) / (view.to_s - view.from_s)) * (width - left)
}

function rowTop(frame: Frame, lane: number): number {
  return topHeight + lane * frame.rowHeight
}

function drawBands(frame: Frame): void {
  const { context } = frame
  context.font = '11px ui-sans-serif, system-ui, "DejaVu Sans", sans-serif'
  context.textBaseline = 'middle'
  context.textAlign = 'left'
  for (const band of frame.bands) {
    const x0 = Math.max(frame.left, xOf(frame, band.from_s))
    const x1 = Math.min(frame.width, xOf(frame, band.to_s))
    if (x1 <= x0) continue
    context.fillStyle = colour('fault')
    context.fillRect(x0, topHeight - 2, x1 - x0, frame.height - axisHeight - topHeight + 2)
    context.save()
    context.beginPath()
    context.rect(x0, 0, x1 - x0, topHeight)
    context.clip()
    context.fillStyle = colour('faultInk')
    context.fillText(band.label, x0 + 3, 8)
    context.restore()
  }
}

function drawLanes(frame: Frame, inks: Inks): void {
  const { context, operations, rowHeight } = frame
  const every = Math.max(1, Math.ceil(11 / rowHeight))
  context.textAlign = 'left'
  operations.header.lanes.forEach((lane, index) => {
    const y = rowTop(frame, index) + rowHeight / 2
    context.fillStyle = inks.rule
    context.fillRect(frame.left, Math.round(y), frame.width - frame.left, 1)
    if (index % every !== 0) return
    context.fillStyle = inks.muted
    context.fillText(lane.name, 2, y, frame.left - 6)
  })
}

function faded(frame: Frame, index: number): boolean {
  return frame.mask !== null && frame.mask[index] === 0
}

function drawBar(frame: Frame, lane: number, index: number, inks: Inks): void {
  const { context, operations, rowHeight } = frame
  const start = operations.start(index)
  const end = operations.end(index)
  const x0 = xOf(frame, start)
  const x1 = Math.max(x0 + 2, end === Number.POSITIVE_INFINITY ? x0 + 16 : xOf(frame, end))
  if (x1 < frame.left) return
  const from = Math.max(frame.left, x0)
  const pad = rowHeight > 14 ? 3 : 1
  const y = rowTop(frame, lane) + pad
  const height = rowHeight - 2 * pad
  const outcome = operations.outcome(index)
  context.globalAlpha = faded(frame, index) ? 0.15 : 1
  context.fillStyle = inks.surface
  context.fillRect(from, y, x1 - from, height)
  if (outcome === 2) {
    context.fillStyle = inks.infoHatch
    context.fillRect(from, y, x1 - from, height)
    outline(context, inks.info, from, y, x1 - from, height)
  } else {
    context.fillStyle = outcome === 0 ? inks.ok : inks.fail
    context.globalAlpha *= x1 - from <= 5 ? 0.8 : outcome === 0 ? 0.55 : 0.3
    context.fillRect(from, y, x1 - from, height)
    context.globalAlpha = faded(frame, index) ? 0.15 : 1
    if (x1 - from > 5) outline(context, outcome === 0 ? inks.ok : inks.fail, from, y, x1 - from, height, outcome === 1 ? [3, 2] : [])
  }
  if (index === frame.hovered) outline(context, inks.ink, from, y, x1 - from, height, [], 2)
  if (x1 - from > 22 && rowHeight >= 16) label(frame, index, from, y, x1 - from, height, inks)
  context.globalAlpha = 1
}

function outline(context: CanvasRenderingContext2D, ink: string, x: number, y: number, width: number, height: number, dash: number[] = [], weight = 1): void {
  context.strokeStyle = ink
  context.lineWidth = weight
  context.setLineDash(dash)
  context.strokeRect(x + 0.5, y + 0.5, Math.max(1, width - 1), height - 1)
  context.setLineDash([])
}

/** The longest form of an operation's words that fits into its bar. */
function label(frame: Frame, index: number, x: number, y: number, width: number, height: number, inks: Inks): void {
  const { context, operations } = frame
  const key = operations.columns.key[index]!
  const f = operations.functionOf(index)
  const value = operations.valueOf(index)
  const texts = [`${f}${key === -1 ? '' : ` ${operations.text(key)}`} ${value}`, `${f[0] ?? ''} ${value}`, value]
  const text = texts.find((one) => context.measureText(one).width <= width - 8)
  if (text === undefined) return
  context.fillStyle = inks.ink
  context.fillText(text, x + 4, y + height / 2 + 0.5)
}

/** Counts per pixel column, drawn as a stack: fail above, info below, ok between; paler where there is less. */
function drawDensity(frame: Frame, lane: number, first: number, last: number, inks: Inks): void {
  const { context, operations, view, left, rowHeight } = frame
  const columns = Math.ceil(frame.width - left)
  const counts = [new Uint32Array(columns), new Uint32Array(columns), new Uint32Array(columns)] as const
  const { order, startAt, kindAt } = operations
  const unit = operations.header.unit_us / 1e6
  const scale = (columns / (view.to_s - view.from_s)) * unit
  const from = view.from_s / unit
  for (let position = first; position < last; position++) {
    if (frame.mask !== null && frame.mask[order[position]!] === 0) continue
    const at = Math.floor((startAt[position]! - from) * scale)
    if (at >= 0 && at < columns) counts[kindAt[position]! & 3]![at]!++
  }
  let most = 1
  for (let at = 0; at < columns; at++) most = Math.max(most, counts[0][at]! + counts[1][at]! + counts[2][at]!)
  const pad = rowHeight > 14 ? 3 : 1
  const top = rowTop(frame, lane) + pad
  const height = rowHeight - 2 * pad
  for (let at = 0; at < columns; at++) {
    const all = counts[0][at]! + counts[1][at]! + counts[2][at]!
    if (all === 0) continue
    context.globalAlpha = 0.35 + 0.65 * (all / most)
    let y = top
    for (const [which, ink] of [[1, inks.fail], [0, inks.ok], [2, inks.info]] as const) {
      const share = (counts[which][at]! / all) * height
      if (share === 0) continue
      context.fillStyle = ink
      context.fillRect(left + at, y, 1, share)
      y += share
    }
  }
  context.globalAlpha = 1
}

/** An operation of the witness: a red frame, and a diamond above where it would otherwise be too small to see. */
function drawMark(frame: Frame, index: number, inks: Inks): void {
  const { context, operations, rowHeight } = frame
  const lane = operations.laneOf[index]!
  if (lane >= operations.header.lanes.length) return
  const end = operations.end(index)
  const x0 = xOf(frame, operations.start(index))
  const x1 = Math.max(x0 + 3, end === Number.POSITIVE_INFINITY ? x0 + 16 : xOf(frame, end))
  if (x1 < frame.left || x0 > frame.width) return
  const pad = rowHeight > 14 ? 2 : 0
  const y = rowTop(frame, lane) + pad
  outline(context, inks.anomaly, Math.max(frame.left, x0) - 1, y, Math.min(frame.width, x1) - Math.max(frame.left, x0) + 2, rowHeight - 2 * pad, [], 2)
  diamond(context, inks.anomaly, inks.surface, Math.min(frame.width - 5, Math.max(frame.left + 5, (x0 + x1) / 2)), y, 5)
}

/** The sign of an anomaly. */
function diamond(context: CanvasRenderingContext2D, ink: string, rim: string, x: number, y: number, size: number): void {
  context.beginPath()
  context.moveTo(x, y - size)
  context.lineTo(x + size, y)
  context.lineTo(x, y + size)
  context.lineTo(x - size, y)
  context.closePath()
  context.fillStyle = ink
  context.fill()
  context.strokeStyle = rim
  context.lineWidth = 1
  context.stroke()
}

/** A round step for an axis with room for `most` labels. */
function tickStep(span: number, most: number): number {
  const rough = span / Math.max(1, most)
  const power = 10 ** Math.floor(Math.log10(rough))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough) ?? 10 * power
}

function drawAxis(frame: Frame): void {
  const { context, view, width, height, left } = frame
  const step = tickStep(view.to_s - view.from_s, (width - left) / 90)
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9))
  const y = height - axisHeight
  context.fillStyle = colour('rule')
  context.fillRect(left, y, width - left, 1)
  context.fillStyle = colour('muted')
  context.textAlign = 'center'
  for (let tick = Math.ceil(view.from_s / step) * step; tick <= view.to_s; tick += step) {
    const x = xOf(frame, tick)
    context.fillRect(Math.round(x), y, 1, 5)
    const text = `${tick.toFixed(digits)} s`
    const half = context.measureText(text).width / 2
    if (x - half >= left && x + half <= width) context.fillText(text, x, y + 14)
  }
}

/** The whole run as density, with the window that is seen below. */
export function drawOverview(context: CanvasRenderingContext2D, width: number, height: number, left: number, header: TimelineHeader, bands: readonly Band[], view: View): void {
  const x = (time_s: number) => left + (time_s / header.span_s) * (width - left)
  context.fillStyle = colour('fault')
  for (const band of bands) context.fillRect(x(band.from_s), 0, Math.max(1, x(band.to_s) - x(band.from_s)), height)
  const { ok, fail, info } = header.density
  const most = Math.max(1, ...ok.map((count, index) => count + fail[index]! + info[index]!))
  const slice = (width - left) / ok.length
  ok.forEach((count, index) => {
    let y = height
    for (const [amount, name] of [[count, 'ok'], [fail[index]!, 'fail'], [info[index]!, 'info']] as const) {
      const tall = (amount / most) * (height - 6)
      context.fillStyle = colour(name)
      context.fillRect(left + index * slice, y - tall, Math.max(0.6, slice + 0.2), tall)
      y -= tall
    }
  })
  context.fillStyle = `${colour('paper')}a0`
  context.fillRect(left, 0, x(view.from_s) - left, height)
  context.fillRect(x(view.to_s), 0, width - x(view.to_s), height)
  context.strokeStyle = colour('accent')
  context.lineWidth = 2
  context.strokeRect(x(view.from_s), 1, Math.max(3, x(view.to_s) - x(view.from_s)), height - 2)
  for (const moment of header.moments) if (moment.kind === 'anomaly') diamond(context, colour('anomaly'), colour('surface'), x(moment.to_s), 6, 5)
}
