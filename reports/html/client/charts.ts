/**
 * The curves and the CAP map, drawn with Chart.js from the numbers in the page.
 *
 * Only what is used is registered: an unregistered component of Chart.js silently does nothing, so a test looks at
 * what is really drawn. All curves of one configuration share the same axis of time and the same shading of faults.
 */
import { CategoryScale, Chart, Filler, LinearScale, LineController, LineElement, LogarithmicScale, PointElement, ScatterController, Tooltip } from 'chart.js'
import annotationPlugin from 'chartjs-plugin-annotation'
import { formatMs, formatShare } from '../../format.ts'
import { colour, hatch } from './theme.ts'
import type { ChartConfiguration, ChartDataset } from 'chart.js'
import type { AnnotationOptions } from 'chartjs-plugin-annotation'
import type { Charts, RunCharts } from '../data.ts'
import type { Palette } from '../palette.ts'
import type { Series } from '../series.ts'
import type { View } from './timeline-draw.ts'

Chart.register(CategoryScale, Filler, LinearScale, LineController, LineElement, LogarithmicScale, PointElement, ScatterController, Tooltip, annotationPlugin)

interface Point {
  readonly x: number
  readonly y: number
  /** The value itself, where y is a sum. */
  readonly own?: number
}
type Line = ChartDataset<'line', Point[]>

const font = 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif'

/** Sets what all charts have in common, in the colours of the moment. */
export function applyDefaults(): void {
  Chart.defaults.color = colour('muted')
  Chart.defaults.borderColor = colour('grid')
  Chart.defaults.font.family = font
  Chart.defaults.font.size = 12
  Chart.defaults.animation = false
  Chart.defaults.maintainAspectRatio = false
  Chart.defaults.responsive = true
  Object.assign(Chart.defaults.plugins.tooltip, { backgroundColor: colour('ink'), titleColor: colour('paper'), bodyColor: colour('paper'), usePointStyle: true, boxPadding: 4, padding: 9, cornerRadius: 4 })
}

/** Draws one figure's chart. */
export function drawChart(canvas: HTMLCanvasElement, kind: string, data: Charts, run: RunCharts | undefined): Chart | undefined {
  const context = canvas.getContext('2d')
  if (context === null) return undefined
  const configuration = kind === 'cap' ? capConfiguration(data, canvas) : run === undefined ? undefined : overTime(kind, run, context)
  return configuration === undefined ? undefined : new Chart(canvas, configuration)
}

function points(series: Series, index: number, scale = 1): Point[] {
  const values = series.curves[index]?.values ?? []
  return series.times_s.map((x, at) => ({ x, y: values[at] === null || values[at] === undefined ? Number.NaN : values[at] * scale }))
}

/** A value holds from the beginning of its slice to its end. */
function stepped(series: Series, index: number, scale = 1): Point[] {
  const width = series.width_s ?? 0
  return points(series, index, scale).flatMap(({ x, y }) => [{ x, y }, { x: x + width, y }])
}

function line(label: string, data: Point[], ink: string, dash: number[] = []): Line {
  return { type: 'line', label, data, borderColor: ink, backgroundColor: ink, borderWidth: 2, borderDash: dash, clip: false, pointRadius: 0, pointHitRadius: 6, pointStyle: 'line', spanGaps: false }
}

function overTime(kind: string, run: RunCharts, context: CanvasRenderingContext2D): ChartConfiguration<'line', Point[]> | undefined {
  const base = { run, context }
  switch (kind) {
    case 'operations':
      return timeChart({ ...base, lines: operationLines(run, context), y: { beginAtZero: true }, words: (y) => `${Math.round(y).toLocaleString('en-US')}/s` })
    case 'availability':
      return timeChart({ ...base, lines: run.series.availability.curves.map((curve, index) => ({ ...line(curve.name, stepped(run.series.availability, index, 100), colour((['majority', 'minority', 'p999'] as const)[index % 3]!), [[], [7, 4], [2, 4]][index % 3]), borderWidth: 2.4, spanGaps: 3 * (run.series.availability.width_s ?? 0) })), y: { min: -3, max: 103, percent: true }, words: (y) => formatShare(y / 100) })
    case 'latency':
      return timeChart({ ...base, lines: (['p50', 'p99', 'p999'] as const).map((name, index) => line(run.series.latency.curves[index]?.name ?? name, points(run.series.latency, index), colour(name), [[], [7, 4], [2, 4]][index])), y: { logarithmic: true }, words: formatMs })
    case 'divergence':
      return timeChart({ ...base, lines: [{ ...line('keys that differ', points(run.series.divergence, 0), colour('accent')), stepped: 'before' as const, fill: 'origin', backgroundColor: `${colour('accent')}2e` }], y: { beginAtZero: true, whole: true, suggestedMax: 4 }, words: (y) => `${y} ${y === 1 ? 'key' : 'keys'}` })
    default:
      return undefined
  }
}

/** Outcomes on top of one another. Summed here: Chart.js stacks by x, and a step has two points at the same one. */
function operationLines(run: RunCharts, context: CanvasRenderingContext2D): Line[] {
  const series = run.series.operations
  const fills: [keyof Palette, string | CanvasPattern][] = [['ok', `${colour('ok')}b0`], ['fail', `${colour('fail')}d0`], ['info', hatch(context, colour('info'))]]
  let below: readonly Point[] = []
  return fills.map(([name, fill], index) => {
    const data = stepped(series, index).map((point, at) => ({ x: point.x, y: point.y + (below[at]?.y ?? 0), own: point.y }))
    below = data
    return { ...line(name, data, colour(name)), borderWidth: index === 0 ? 1 : 1.4, backgroundColor: fill as string, fill: index === 0 ? 'origin' : '-1' }
  })
}

interface TimeChart {
  readonly run: RunCharts
  readonly lines: Line[]
  readonly y: { readonly beginAtZero?: boolean; readonly min?: number; readonly max?: number; readonly suggestedMax?: number; readonly logarithmic?: boolean; readonly whole?: boolean; readonly percent?: boolean }
  readonly words: (y: number) => string
}

function timeChart({ run, lines, y, words }: TimeChart): ChartConfiguration<'line', Point[]> {
  const { percent, logarithmic, whole, ...limits } = y
  const ticks = { maxTicksLimit: 6, padding: 6, ...(whole === true ? { precision: 0 } : {}) }
  const fixed = { afterFit: (scale: { width: number }) => { scale.width = axisWidth } }
  const lowest = Math.min(...lines.flatMap((one) => one.data.map((point) => point.y).filter((value) => value > 0)))
  return {
    type: 'line',
    data: { datasets: lines },
    options: {
      parsing: false,
      normalized: true,
      interaction: { mode: 'index', intersect: false },
      layout: { padding: { top: 16, right: 6 } },
      scales: {
        x: { type: 'linear', min: 0, max: run.series.span_s, grid: { display: false }, border: { color: colour('rule') }, ticks: { maxTicksLimit: 9, callback: (tick) => `${Number(Number(tick).toPrecision(7))} s`, includeBounds: false, maxRotation: 0 } },
        y: logarithmic === true
          ? { ...fixed, type: 'logarithmic', ...(Number.isFinite(lowest) ? { min: lowest * 0.7 } : {}), border: { display: false }, grid: { color: (tick) => (isDecade(tick.tick.value) ? colour('grid') : 'transparent') }, ticks: { ...ticks, maxTicksLimit: 40, autoSkip: false, callback: (tick) => (isDecade(Number(tick)) ? decade(Number(tick)) : '') } }
          : { ...fixed, type: 'linear', border: { display: false }, ...limits, grid: { color: colour('grid') }, ticks: { ...ticks, includeBounds: false, callback: (tick) => (percent === true ? (Number(tick) >= 0 && Number(tick) <= 100 ? `${tick} %` : '') : Number(tick).toLocaleString('en-US')) } },
      },
      plugins: {
        tooltip: { callbacks: { title: (items) => `${(items[0]?.parsed.x ?? 0).toFixed(2)} s`, label: (item) => ` ${item.dataset.label ?? ''}  ${words((item.raw as Point).own ?? item.parsed.y ?? 0)}` } },
        annotation: { clip: false, annotations: shading(run, { from_s: 0, to_s: run.series.span_s }) },
      },
    },
  }
}

/** Makes a curve show a part of the run, or all of it again (null). */
export function narrowChart(chart: Chart, run: RunCharts, view: View | null): void {
  const { from_s, to_s } = view ?? { from_s: 0, to_s: run.series.span_s }
  const { scales, plugins } = chart.options
  if (scales?.['x'] === undefined || plugins?.annotation === undefined) return
  Object.assign(scales['x'], { min: from_s, max: to_s })
  plugins.annotation.annotations = shading(run, { from_s, to_s })
  for (const dataset of chart.data.datasets) dataset.clip = view === null ? false : 0
  chart.update('none')
}

/** Faults as bands behind the curves, named above; the first anomaly of each kind as a dashed red line. */
function shading(run: RunCharts, { from_s, to_s }: View): AnnotationOptions[] {
  const bands = run.bands.filter((band) => band.from_s < to_s && band.to_s > from_s).map((band): AnnotationOptions => {
    const [xMin, xMax] = [Math.max(from_s, band.from_s), Math.min(to_s, band.to_s)]
    return {
      type: 'box',
      xMin,
      xMax,
      backgroundColor: colour('fault'),
      borderWidth: 0,
      drawTime: 'beforeDatasetsDraw',
      label: { display: (xMax - xMin) / (to_s - from_s) > 0.05, content: shortName(band.label), position: { x: 'start', y: 'start' }, padding: 0, yAdjust: -15, color: colour('faultInk'), font: { size: 11, weight: 'normal' }, drawTime: 'afterDatasetsDraw' },
    }
  })
  const anomalies = [...new Set(run.anomalies_s)].filter((at) => at >= from_s && at <= to_s).map((at): AnnotationOptions => ({ type: 'line', xMin: at, xMax: at, borderColor: colour('anomaly'), borderWidth: 1.2, borderDash: [3, 3], drawTime: 'afterDatasetsDraw' }))
  return [...bands, ...anomalies]
}

/** Room for the vertical axis, the same in all charts so that they line up. */
const axisWidth = 58

function isDecade(value: number): boolean {
  return value > 0 && Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-9
}

/** "1 ms", "100 ms", "10 s", "100 µs". */
function decade(ms: number): string {
  return ms >= 1000 ? `${Math.round(ms / 1000)} s` : ms >= 1 ? `${Math.round(ms)} ms` : `${Math.round(ms * 1000)} µs`
}

function shortName(label: string): string {
  return label.replace(/\(.*\)$/, '')
}

const inks: readonly (keyof Palette)[] = ['series1', 'series2', 'series3', 'series4', 'series5', 'series6']

function capConfiguration({ cap }: Charts, canvas: HTMLCanvasElement): ChartConfiguration<'scatter', Point[]> {
  const narrow = (canvas.parentElement?.clientWidth ?? 0) < 480
  const shared = new Map<string, number>()
  const rows = cap.entries.map((entry) => {
    const before = shared.get(entry.level) ?? 0
    shared.set(entry.level, before + 1)
    return { entry, before }
  })
  const datasets = rows.map(({ entry, before }, index): ChartDataset<'scatter', Point[]> => {
    const beside = shared.get(entry.level)! - 1
    const y = cap.levels.indexOf(entry.level) + (before - beside / 2) * Math.min(0.34, 0.9 / (beside + 1))
    const ink = colour(inks[index % inks.length]!)
    const places = [entry.majority, entry.minority].flatMap((share, side) => (share === null ? [] : [{ x: share * 100, y, side }]))
    return { label: entry.name, data: places, showLine: true, borderColor: ink, backgroundColor: ink, borderWidth: 2, pointRadius: places.map((place) => (place.side === 0 ? 9 : 6.5)), pointHoverRadius: 10, pointStyle: places.map((place) => (place.side === 0 ? 'circle' : 'rect')), pointBorderColor: colour('surface'), pointBorderWidth: 1.5, clip: false }
  })
  const labels = datasets.flatMap((dataset, index): AnnotationOptions[] => {
    const at = dataset.data.at(-1)
    if (at === undefined) return []
    const rightward = at.x < 60
    const { before } = rows[index]!
    const aside = 15 + Math.floor(before / 2) * 70
    const joined = dataset.data.some((point) => Math.abs(point.x - at.x) > 15)
    return [{ type: 'label', xValue: at.x, yValue: at.y, xAdjust: rightward ? aside : -aside, yAdjust: joined ? (before % 2 === 0 ? -12 : 13) : 0, position: { x: rightward ? 'start' : 'end', y: 'center' }, content: dataset.label ?? '', color: dataset.borderColor as string, font: { weight: 'bold', size: 13 }, padding: 1 }]
  })
  const from = cap.levels.indexOf(cap.impossible.from)
  const to = cap.levels.indexOf(cap.impossible.to)
  return {
    type: 'scatter',
    data: { labels: [...cap.levels], datasets },
    options: {
      parsing: false,
      layout: { padding: { right: 14, top: 8 } },
      scales: {
        x: { type: 'linear', min: 0, max: 100, grid: { color: colour('grid') }, border: { color: colour('rule') }, title: { display: true, text: narrow ? 'answered during the partition' : 'share of operations answered during the partition' }, ticks: { stepSize: narrow ? 50 : 25, callback: (tick) => `${tick} %` } },
        y: { type: 'category', labels: [...cap.levels], offset: true, grid: { color: colour('grid') }, border: { display: false }, ticks: { autoSkip: false, font: { size: narrow ? 10.5 : 12 }, color: (context: { index: number }) => (cap.entries.some((entry) => entry.level === cap.levels[context.index]) ? colour('ink') : colour('muted')) } },
      },
      plugins: {
        tooltip: { callbacks: { label: (item) => ` ${item.dataset.label ?? ''}: ${formatShare((item.parsed.x ?? 0) / 100)} on the ${(item.raw as { side?: number }).side === 1 ? 'minority' : 'majority'} side` } },
        annotation: { clip: false, annotations: [impossible(from, to, cap.impossible.share), ...labels] },
      },
    },
  }
}

/** Where the square of a store that keeps a strong model cannot be. */
function impossible(from: number, to: number, share: number): AnnotationOptions {
  const ink = colour('violated')
  return {
    type: 'box',
    xMin: share * 100,
    xMax: 100,
    yMin: from - 0.5,
    yMax: to + 0.5,
    backgroundColor: (context: { chart: Chart }) => hatch(context.chart.ctx, `${ink}26`, 9),
    borderColor: `${ink}99`,
    borderDash: [4, 3],
    borderWidth: 1,
    drawTime: 'beforeDatasetsDraw',
  }
}
