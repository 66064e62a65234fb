/**
 * The numbers behind a picture as a table: made when it is opened, from exactly what was drawn.
 */
import { formatMs, formatShare } from '../../format.ts'
import type { Charts, RunCharts } from '../data.ts'
import type { Series } from '../series.ts'

/** A table of text cells; everything goes in as text. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): HTMLTableElement {
  const element = document.createElement('table')
  const row = (parent: HTMLTableSectionElement, cells: readonly string[], head: boolean) => {
    const line = parent.insertRow()
    cells.forEach((text, index) => {
      const cell = document.createElement(head || index === 0 ? 'th' : 'td')
      if (head || index === 0) cell.setAttribute('scope', head ? 'col' : 'row')
      cell.textContent = text
      line.append(cell)
    })
  }
  row(element.createTHead(), heads, true)
  const body = element.createTBody()
  for (const cells of rows) row(body, cells, false)
  return element
}

/** The table behind one figure. */
export function numbersOf(kind: string, data: Charts, run: RunCharts | undefined): HTMLTableElement | undefined {
  if (kind === 'cap') return table(['configuration', 'strongest model', 'majority side', 'minority side'], data.cap.entries.map((entry) => [entry.name, entry.level, formatShare(entry.majority), formatShare(entry.minority)]))
  if (run === undefined) return undefined
  switch (kind) {
    case 'operations':
      return seriesTable(run.series.operations, (value) => `${Number(value.toFixed(1)).toLocaleString('en-US')}/s`)
    case 'availability':
      return seriesTable(run.series.availability, formatShare)
    case 'latency':
      return seriesTable(run.series.latency, formatMs)
    case 'divergence':
      return seriesTable(run.series.divergence, (value) => String(value))
    default:
      return undefined
  }
}

function seriesTable(series: Series, words: (value: number) => string): HTMLTableElement {
  const digits = series.width_s === null || series.width_s < 0.01 ? 3 : series.width_s < 1 ? 2 : 0
  return table(['from', ...series.curves.map((curve) => curve.name)], series.times_s.map((time, index) => [`${time.toFixed(digits)} s`, ...series.curves.map((curve) => {
    const value = curve.values[index]
    return value === null || value === undefined ? '–' : words(value)
  })]))
}
