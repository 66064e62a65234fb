/**
 * The timeline: what is seen, and how one moves through it with pointer, wheel and keyboard.
 */
import { axisHeight, drawOverview, drawRows, prepared, topHeight } from './timeline-draw.ts'
import { cellHeads, unpack } from './operations.ts'
import { Details } from './details.ts'
import { Filter } from './filter.ts'
import { table } from './tables.ts'
import type { RunCharts } from '../data.ts'
import type { Operations } from './operations.ts'
import type { View } from './timeline-draw.ts'

const overviewHeight = 44
const tableRowsMax = 300

/** One timeline in the page. */
export class Timeline {
  readonly #root: HTMLElement
  readonly #run: RunCharts
  readonly #rows: HTMLElement
  readonly #canvas: HTMLCanvasElement
  readonly #overview: HTMLCanvasElement
  readonly #moments: HTMLSelectElement
  readonly #filter: Filter
  readonly #details: Details
  readonly #moved: (view: View, followed: boolean) => void
  #operations: Operations | undefined
  #view: View
  #moment = 0
  #marked: ReadonlySet<number> = new Set()
  #hovered = -1
  /** The operation in question was chosen: pointing at others does not change it. */
  #pinned = false
  /** The curves show the same part of the run. */
  #followed = false
  #queued = false

  /** `moved` is told what part of the run is seen, and whether the curves are to show the same. */
  constructor(root: HTMLElement, run: RunCharts, moved: (view: View, followed: boolean) => void) {
    this.#root = root
    this.#run = run
    this.#rows = root.querySelector<HTMLElement>('.rows')!
    this.#canvas = this.#rows.querySelector('canvas')!
    this.#overview = root.querySelector<HTMLCanvasElement>('.overview canvas')!
    this.#moments = root.querySelector<HTMLSelectElement>('select.moments')!
    this.#moved = moved
    this.#filter = new Filter(root.querySelector<HTMLElement>('.filters')!, () => this.#operations, () => this.redraw())
    this.#details = new Details(root, () => this.#operations, this.#filter)
    this.#view = { from_s: 0, to_s: run.timeline.span_s }
    this.#listen()
  }

  /** Unpacks the operations and shows the first moment. */
  async load(columns: string): Promise<void> {
    this.#operations = await unpack(columns, this.#run.timeline)
    this.goTo(0)
    this.#root.dataset['ready'] = 'true'
  }

  /** Shows a moment: a witness with its operations marked, or a fault from its beginning to its end. */
  goTo(index: number): void {
    const moment = this.#run.timeline.moments[index]
    if (moment === undefined) return this.#show(0, this.#run.timeline.span_s)
    this.#moment = index
    this.#moments.value = String(index)
    this.#marked = this.#operations?.withRows(moment.rows) ?? new Set()
    const length = moment.to_s - moment.from_s
    const pad = moment.kind === 'anomaly' ? Math.max(length * 0.35, 0.004) : Math.max(length * 0.12, 0.05)
    this.#show(moment.from_s - pad, moment.to_s + pad)
  }

  /** Brings the timeline into sight at a moment. */
  reveal(index: number): void {
    this.goTo(index)
    this.#root.scrollIntoView({ block: 'center' })
    this.#rows.focus({ preventScroll: true })
  }

  /** Brings an instant into sight, in a window of at most a second. */
  revealTime(time_s: number): void {
    const half = Math.min(0.5, (this.#view.to_s - this.#view.from_s) / 2)
    this.#show(time_s - half, time_s + half)
    this.#root.scrollIntoView({ block: 'center' })
  }

  /** Draws at the next frame. */
  redraw(): void {
    if (this.#queued) return
    this.#queued = true
    requestAnimationFrame(() => {
      this.#queued = false
      this.#draw()
    })
  }

  #show(from_s: number, to_s: number): void {
    const span = this.#run.timeline.span_s
    const width = Math.min(span, Math.max(to_s - from_s, 20e-6))
    const from = Math.min(span - width, Math.max(0, from_s))
    this.#view = { from_s: from, to_s: from + width }
    this.redraw()
  }

  #zoom(factor: number, at_s = (this.#view.from_s + this.#view.to_s) / 2): void {
    const { from_s, to_s } = this.#view
    this.#show(at_s - (at_s - from_s) * factor, at_s + (to_s - at_s) * factor)
  }

  #pan(share: number): void {
    const { from_s, to_s } = this.#view
    this.#show(from_s + share * (to_s - from_s), to_s + share * (to_s - from_s))
  }

  #turn(step: number): void {
    const count = this.#run.timeline.moments.length
    if (count > 0) this.goTo((this.#moment + step + count) % count)
  }

  get #left(): number {
    const longest = Math.max(...this.#run.timeline.lanes.map((lane) => lane.name.length), 2)
    return Math.min(110, longest * 7 + 12)
  }

  get #rowHeight(): number {
    return Math.max(4, Math.min(24, Math.floor(520 / Math.max(1, this.#run.timeline.lanes.length))))
  }

  #draw(): void {
    const width = this.#rows.clientWidth
    const height = topHeight + this.#run.timeline.lanes.length * this.#rowHeight + axisHeight
    this.#canvas.style.height = `${height}px`
    const context = prepared(this.#canvas, width, height)
    if (context !== null && this.#operations !== undefined) {
      drawRows({ context, width, height, left: this.#left, rowHeight: this.#rowHeight, view: this.#view, operations: this.#operations, bands: this.#run.bands, marked: this.#marked, hovered: this.#hovered, mask: this.#filter.mask })
    }
    this.#overview.style.height = `${overviewHeight}px`
    const above = prepared(this.#overview, width, overviewHeight)
    if (above !== null) drawOverview(above, width, overviewHeight, this.#left, this.#run.timeline, this.#run.bands, this.#view)
    this.#fillTable()
    this.#moved(this.#view, this.#followed)
  }

  #select(index: number): void {
    if (this.#operations === undefined || index < 0) return
    this.#hovered = index
    this.#details.show(this.#operations, index)
    this.redraw()
  }

  #follow(on: boolean): void {
    this.#followed = on
    this.#root.querySelector('[data-act="follow"]')!.setAttribute('aria-pressed', String(on))
    this.redraw()
  }

  /** The next or previous operation in the same lane; the first in view when none is chosen. */
  #step(by: 1 | -1): void {
    const operations = this.#operations
    if (operations === undefined) return
    if (this.#hovered < 0) {
      const first = [...this.#marked][0] ?? operations.order[operations.firstAt(0, this.#view.from_s)]
      this.#pinned = true
      return this.#select(first ?? -1)
    }
    const lane = operations.laneOf[this.#hovered]!
    const [first, last] = [operations.offsets[lane]!, operations.offsets[lane + 1]!]
    let position = operations.order.indexOf(this.#hovered, operations.firstAt(lane, operations.start(this.#hovered))) + by
    while (position >= first && position < last && !this.#filter.shows(operations.order[position]!)) position += by
    if (position < first || position >= last) return
    this.#visit(operations.order[position]!)
  }

  #lane(by: number): void {
    const operations = this.#operations
    if (operations === undefined || this.#hovered < 0) return this.#step(1)
    const lane = operations.laneOf[this.#hovered]! + by
    if (lane < 0 || lane >= this.#run.timeline.lanes.length) return
    const position = Math.min(operations.offsets[lane + 1]! - 1, operations.firstAt(lane, operations.start(this.#hovered)))
    if (position >= operations.offsets[lane]!) this.#visit(operations.order[position]!)
  }

  #visit(index: number): void {
    this.#pinned = true
    const start = this.#operations!.start(index)
    const { from_s, to_s } = this.#view
    if (start < from_s || start > to_s) this.#show(start - (to_s - from_s) / 2, start + (to_s - from_s) / 2)
    this.#select(index)
  }

  #fillTable(): void {
    const details = this.#root.querySelector<HTMLDetailsElement>('details.numbers')!
    const operations = this.#operations
    if (!details.open || operations === undefined) return
    const { from_s, to_s } = this.#view
    const shown: number[] = []
    for (let lane = 0; lane < this.#run.timeline.lanes.length; lane++) {
      for (let position = operations.firstAt(lane, from_s); position < operations.firstAt(lane, to_s) && shown.length < tableRowsMax * 4; position++) if (this.#filter.shows(operations.order[position]!)) shown.push(operations.order[position]!)
    }
    const rows = shown.sort((a, b) => operations.start(a) - operations.start(b)).slice(0, tableRowsMax).map((index) => operations.cells(index))
    details.querySelector('.scroll')!.replaceChildren(table(cellHeads, rows))
  }

  #listen(): void {
    this.#moments.addEventListener('change', () => this.goTo(Number(this.#moments.value)))
    this.#root.querySelector('.toolbar')!.addEventListener('click', (event) => {
      const act = (event.target as HTMLElement).dataset['act']
      if (act !== undefined) this.#act(act)
    })
    this.#root.querySelector('details.numbers')!.addEventListener('toggle', () => this.redraw())
    this.#rows.addEventListener('keydown', (event) => this.#onKey(event))
    this.#rows.addEventListener('wheel', (event) => this.#onWheel(event), { passive: false })
    this.#drag(this.#rows, (from, to) => this.#pan((from - to) / (this.#rows.clientWidth - this.#left)))
    this.#brush()
    this.#rows.addEventListener('pointermove', (event) => this.#onPoint(event))
    this.#rows.addEventListener('click', () => (this.#pinned = this.#hovered >= 0))
    new ResizeObserver(() => this.redraw()).observe(this.#rows)
  }

  #act(act: string): void {
    const acts: Record<string, () => void> = { previous: () => this.#turn(-1), next: () => this.#turn(1), in: () => this.#zoom(0.5), out: () => this.#zoom(2), all: () => this.#show(0, this.#run.timeline.span_s), follow: () => this.#follow(!this.#followed) }
    acts[act]?.()
  }

  #onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const acts: Record<string, () => void> = {
      ArrowLeft: () => this.#pan(-0.2), ArrowRight: () => this.#pan(0.2), ArrowUp: () => this.#lane(-1), ArrowDown: () => this.#lane(1),
      '+': () => this.#zoom(0.5), '=': () => this.#zoom(0.5), '-': () => this.#zoom(2), Home: () => this.#show(0, this.#run.timeline.span_s),
      n: () => this.#turn(1), p: () => this.#turn(-1), '.': () => this.#step(1), ',': () => this.#step(-1), f: () => this.#follow(!this.#followed), Escape: () => (this.#pinned = false),
    }
    const act = acts[event.key]
    if (act === undefined) return
    event.preventDefault()
    act()
  }

  /** Sideways scrolling moves, with Ctrl or Cmd it zooms; plain scrolling is the page's. */
  #onWheel(event: WheelEvent): void {
    const sideways = event.shiftKey ? event.deltaY : event.deltaX
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault()
      this.#zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) / 150), this.#timeAt(event))
    } else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
      event.preventDefault()
      this.#pan(sideways / 900)
    }
  }

  #timeAt(event: MouseEvent): number {
    const x = event.clientX - this.#rows.getBoundingClientRect().left - this.#left
    return this.#view.from_s + (x / (this.#rows.clientWidth - this.#left)) * (this.#view.to_s - this.#view.from_s)
  }

  #onPoint(event: PointerEvent): void {
    if (event.buttons !== 0 || this.#pinned || this.#operations === undefined) return
    const y = event.clientY - this.#rows.getBoundingClientRect().top - topHeight
    const lane = Math.floor(y / this.#rowHeight)
    if (lane < 0 || lane >= this.#run.timeline.lanes.length) return
    const slack = ((this.#view.to_s - this.#view.from_s) / (this.#rows.clientWidth - this.#left)) * 4
    const found = this.#operations.at(lane, this.#timeAt(event), slack)
    if (found >= 0 && found !== this.#hovered && this.#filter.shows(found)) this.#select(found)
  }

  #drag(element: HTMLElement, move: (from: number, to: number) => void): void {
    let last = 0
    const local = (event: PointerEvent) => event.clientX - element.getBoundingClientRect().left
    element.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return
      element.setPointerCapture(event.pointerId)
      last = local(event)
    })
    element.addEventListener('pointermove', (event) => {
      if (!element.hasPointerCapture(event.pointerId)) return
      const here = local(event)
      move(last, here)
      last = here
    })
  }

  /** Dragging over the overview chooses a part of the run, for the curves too; a click moves the window there. */
  #brush(): void {
    let first = 0
    const timeAt = (event: PointerEvent) => Math.min(1, Math.max(0, (event.clientX - this.#overview.getBoundingClientRect().left - this.#left) / (this.#overview.clientWidth - this.#left))) * this.#run.timeline.span_s
    this.#overview.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return
      this.#overview.setPointerCapture(event.pointerId)
      first = timeAt(event)
      const half = (this.#view.to_s - this.#view.from_s) / 2
      this.#show(first - half, first + half)
    })
    this.#overview.addEventListener('pointermove', (event) => {
      if (!this.#overview.hasPointerCapture(event.pointerId)) return
      const here = timeAt(event)
      if (Math.abs(here - first) < this.#run.timeline.span_s / 250) return
      this.#show(Math.min(first, here), Math.max(first, here))
      if (!this.#followed) this.#follow(true)
    })
  }
}
