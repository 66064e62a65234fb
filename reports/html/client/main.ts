/**
 * What runs in the page: charts, timelines, copy buttons, tables on demand. It asks nobody for anything, and
 * writes text only as text.
 */
import { applyDefaults, drawChart, narrowChart } from './charts.ts'
import { LogView } from './logs.ts'
import { numbersOf } from './tables.ts'
import { onThemeChange } from './theme.ts'
import { Timeline } from './timeline.ts'
import type { Chart } from 'chart.js'
import type { Charts } from '../data.ts'

const data = JSON.parse(document.getElementById('charts')!.textContent ?? '') as Charts
const runs = new Map(data.runs.map((run) => [run.id, run]))
const figures = [...document.querySelectorAll<HTMLElement>('figure.chart:not(.static)')]
const drawn = new Map<HTMLElement, Chart>()
const timelines = new Map<string, Timeline>()
const logs = new Map<string, LogView>()

function drawCharts(): void {
  applyDefaults()
  for (const figure of figures) {
    drawn.get(figure)?.destroy()
    const chart = drawChart(figure.querySelector('canvas')!, figure.dataset['kind'] ?? '', data, runs.get(figure.dataset['run'] ?? ''))
    if (chart !== undefined) drawn.set(figure, chart)
  }
}

function redraw(): void {
  drawCharts()
  for (const timeline of timelines.values()) timeline.redraw()
}

/** Fills the table behind a figure when it is opened for the first time. */
function listenForTables(): void {
  for (const figure of figures) {
    const details = figure.querySelector<HTMLDetailsElement>('details.numbers')!
    details.addEventListener('toggle', () => {
      const place = details.querySelector('.scroll')!
      if (!details.open || place.childElementCount > 0) return
      const table = numbersOf(figure.dataset['kind'] ?? '', data, runs.get(figure.dataset['run'] ?? ''))
      if (table !== undefined) place.append(table)
    })
  }
}

async function copy(button: HTMLElement, text: string): Promise<void> {
  const label = button.textContent ?? ''
  try {
    await navigator.clipboard.writeText(text)
    button.textContent = 'Copied'
  } catch {
    button.textContent = 'Select and copy by hand'
  }
  setTimeout(() => (button.textContent = label), 1600)
}

function listenForButtons(): void {
  document.addEventListener('click', (event) => {
    const button = (event.target as Element).closest<HTMLElement>('button')
    if (button === null) return
    const from = button.dataset['copyFrom']
    const text = from === undefined ? button.dataset['copy'] : document.getElementById(from)?.textContent
    if (text !== undefined && text !== null) void copy(button, text)
    if (button.classList.contains('show')) timelines.get(button.dataset['run'] ?? '')?.reveal(Number(button.dataset['moment']))
  })
  window.addEventListener('hashchange', openTarget)
  openTarget()
}

/** A witness that is linked to may stand in a closed fold. */
function openTarget(): void {
  const target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null
  const fold = target?.closest('details')
  if (fold !== null && fold !== undefined && !fold.open) {
    fold.open = true
    target!.scrollIntoView()
  }
}

drawCharts()
listenForTables()
listenForButtons()
onThemeChange(redraw)
for (const run of data.runs) {
  const root = document.getElementById(`${run.id}-timeline`)
  if (root === null) continue
  const own = figures.filter((figure) => figure.dataset['run'] === run.id)
  let narrowed = false
  const timeline = new Timeline(root, run, (view, followed) => {
    logs.get(run.id)?.moved(view)
    if (!followed && !narrowed) return
    narrowed = followed
    for (const figure of own) {
      const chart = drawn.get(figure)
      if (chart !== undefined) narrowChart(chart, run, followed ? view : null)
    }
  })
  timelines.set(run.id, timeline)
  const place = document.getElementById(`${run.id}-logs`)
  if (place !== null && run.logs !== null) logs.set(run.id, new LogView(place, run.logs.lines, (time_s) => timeline.revealTime(time_s)))
}
async function loadTimelines(): Promise<void> {
  for (const [id, timeline] of timelines) await timeline.load(document.getElementById(`${id}-columns`)?.textContent ?? '')
  document.documentElement.dataset['ready'] = 'true'
}
void loadTimelines()
