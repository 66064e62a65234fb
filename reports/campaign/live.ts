/**
 * A campaign on a terminal: the matrix filling in, how fast it goes, and the last runs that did not hold, redrawn in
 * place four times a second.
 *
 * What stands on the screen is computed by `screenOf` from what was told and the size of the window, and is never
 * higher than that; `createLiveTable` draws it. Each line is written with wrapping switched off, because nobody knows
 * how wide a terminal draws a character of a foreign name.
 */
import { formatNoun, shortened, visible } from '../format.ts'
import { createRedraw } from '../redraw.ts'
import { marks, painter, type Paint } from '../terminal.ts'
import { endLines, resultLine } from './lines.ts'
import { createPace, paceWords } from './pace.ts'
import { cellName, verdictOf, type CellCounts } from './summary.ts'
import type { CampaignProgress, CampaignReporter } from './events.ts'
import type { Result } from './results.ts'

/** Where it is drawn. */
export interface LiveOptions {
  write(text: string): void
  readonly colour: boolean
  /** The window's width and height now, in characters. */
  columns(): number
  rows(): number
  /** Milliseconds since some fixed point. */
  nowMs(): number
  every?(ms: number, callback: () => void): () => void
}

/** What is shown. */
interface LiveState {
  readonly progress: Omit<CampaignProgress, 'type'>
  /** Runs a second, where known. */
  readonly perSecond: number | undefined
  /** The last runs that did not hold, the newest last. */
  readonly failures: readonly Result[]
}

const everyMs = 250
const failuresShown = 5
const wrapOff = '\u001b[?7l'
const wrapOn = '\u001b[?7h'

/** A reporter that draws the table and, at the end, writes what is said everywhere. */
export function createLiveTable(options: LiveOptions): CampaignReporter {
  const paint = painter(options.colour)
  const pace = createPace()
  let progress: LiveState['progress'] = { cells: [], done: 0, total: null, workers: 0, waiting: null }
  let failures: readonly Result[] = []
  const live = createRedraw({ ...options, live: true, everyMs }, () => screenOf({ progress, perSecond: pace.perSecond(options.nowMs()), failures }, options.columns(), options.rows(), paint).map((line) => `${wrapOff}${line}${wrapOn}`))
  return {
    on(event) {
      switch (event.type) {
        case 'warning':
          return live.say(visible(event.message))
        case 'result':
          progress = { ...progress, done: Math.max(progress.done, event.done), total: event.total }
          pace.tell(event.done, options.nowMs())
          if (event.result.verdict !== 'holds') failures = [...failures, event.result].slice(-failuresShown)
          return live.refresh()
        case 'progress':
          progress = event
          pace.tell(event.done, options.nowMs())
          return live.refresh()
        case 'end':
          live.stop()
          return options.write(endLines(event))
      }
    },
  }
}

/** The screen's lines: the matrix where it fits the width, otherwise a list; the status; the failures that still fit. */
function screenOf({ progress, perSecond, failures }: LiveState, columns: number, rows: number, paint: Paint): string[] {
  // The cursor stands on a line of its own below.
  const room = rows - 1
  const status = shortened(paceWords(progress, perSecond), columns - 1)
  const told = failures.slice(-Math.max(0, Math.min(failuresShown, Math.floor((room - 2) / 3)))).map((one) => paint(one.verdict, shortened(resultLine(one), columns - 1)))
  const bottom = [progress.waiting === null ? paint('bold', status) : paint('fault', status), ...(room < 4 || failures.length === 0 ? [] : told)]
  const left = room - bottom.length - 1
  const table = left < 1 ? [] : (matrixLines(progress.cells, columns, left, paint) ?? listLines(progress.cells, columns, left, paint))
  return [...table, ...(table.length === 0 ? [] : ['']), ...bottom].slice(-Math.max(1, room))
}

/** "◆ 3/10", with "+1?" for what came to nothing and "=" where enough is known. */
function cellText({ violated, decided, unknown, stopped }: CellCounts): string {
  return `${violated}/${decided}${unknown === 0 ? '' : ` +${unknown}?`}${stopped ? ' =' : ''}`
}

/** A cell that nothing has happened in yet is a dot, one that no machine can run a dash. */
function markOf(cell: CellCounts): string {
  if (cell.impossible !== null) return '–'
  return cell.decided + cell.unknown === 0 ? '·' : marks[verdictOf(cell)]
}

function paintedCell(cell: CellCounts | undefined, width: number, paint: Paint): string {
  if (cell === undefined) return ''.padEnd(width)
  const started = cell.decided + cell.unknown > 0
  const text = `${markOf(cell)} ${started ? cellText(cell) : cell.impossible === null ? '' : 'impossible'}`.padEnd(width)
  return started ? paint(verdictOf(cell), text) : paint('dim', text)
}

/** What matters most comes first where not all fit: broken, unknown, going on, the rest. */
function urgency(cells: readonly CellCounts[]): number {
  if (cells.some(({ violated }) => violated > 0)) return 0
  if (cells.some(({ unknown }) => unknown > 0)) return 1
  return cells.some(({ pending }) => pending > 0) ? 2 : 3
}

/** The most urgent of them, in their own order, and how many are left out. */
function fitting<T>(items: readonly T[], limit: number, urgencyOf: (item: T) => number): { readonly shown: readonly T[]; readonly left: number } {
  if (items.length <= limit) return { shown: items, left: 0 }
  const kept = new Set(items.map((item, index) => ({ item, index })).toSorted((a, b) => urgencyOf(a.item) - urgencyOf(b.item) || a.index - b.index).slice(0, Math.max(0, limit - 1)).map(({ index }) => index))
  return { shown: items.filter((_, index) => kept.has(index)), left: items.length - kept.size }
}

/** Configurations down, nemeses across; undefined where that is wider than the window however much names are shortened. */
function matrixLines(cells: readonly CellCounts[], columns: number, height: number, paint: Paint): string[] | undefined {
  const configurations = [...new Set(cells.map(({ configuration }) => configuration))]
  const nemeses = [...new Set(cells.map(({ nemesis }) => nemesis))]
  const cellOf = new Map(cells.map((cell) => [cellName(cell), cell]))
  const textWidth = (nemesis: string): number => Math.max(...cells.filter((cell) => cell.nemesis === nemesis).map((cell) => 2 + (cell.impossible === null ? cellText(cell).length : 'impossible'.length)))
  for (const longest of [32, 20, 12]) {
    const names = configurations.map((name) => shortened(visible(name), longest))
    const heads = nemeses.map((name) => shortened(visible(name), longest))
    const first = Math.max(0, ...names.map(({ length }) => length))
    const widths = nemeses.map((nemesis, index) => Math.max(heads[index]!.length, textWidth(nemesis)))
    if (first + widths.reduce((sum, width) => sum + 2 + width, 0) >= columns) continue
    const rows = configurations.map((configuration, index) => ({ name: names[index]!, cells: nemeses.map((nemesis) => cellOf.get(cellName({ configuration, nemesis }))) }))
    const { shown, left } = fitting(rows, height - 1, (row) => urgency(row.cells.flatMap((cell) => cell ?? [])))
    return [
      paint('dim', `${''.padEnd(first)}${heads.map((head, index) => `  ${head.padEnd(widths[index]!)}`).join('')}`.trimEnd()),
      ...shown.map((row) => `${paint('bold', row.name.padEnd(first))}${row.cells.map((cell, index) => `  ${paintedCell(cell, widths[index]!, paint)}`).join('')}`),
      ...(left === 0 ? [] : [paint('dim', shortened(`and ${formatNoun(left, 'configuration')} more`, columns - 1))]),
    ].slice(0, height)
  }
  return undefined
}

/** A line for each cell. */
function listLines(cells: readonly CellCounts[], columns: number, height: number, paint: Paint): string[] {
  const { shown, left } = fitting(cells, height, (cell) => urgency([cell]))
  const lines = shown.map((cell) => {
    const counts = cell.impossible === null ? cellText(cell) : 'impossible'
    const name = shortened(visible(cellName(cell)), Math.max(1, columns - 1 - 2 - 2 - counts.length))
    return paint(cell.impossible === null && cell.decided + cell.unknown > 0 ? verdictOf(cell) : 'dim', shortened(`${markOf(cell)} ${name}  ${counts}`, columns - 1))
  })
  return [...lines, ...(left === 0 ? [] : [paint('dim', shortened(`and ${formatNoun(left, 'cell')} more`, columns - 1))])].slice(0, height)
}
