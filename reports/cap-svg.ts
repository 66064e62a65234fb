/**
 * The CAP map: where each configuration stands between availability during the partition and the strongest model that
 * held; and a drawing of it that needs neither script nor style sheet, for where the report's page cannot go.
 */
import { nearlyAll, needsMajority } from './facts.ts'
import { shortened, visible } from './format.ts'
import { light } from './html/palette.ts'
import { models } from '../checker/verdict.ts'
import type { Facts } from './facts.ts'

/** The CAP map: one entry per configuration, models strongest first. */
export interface CapMap {
  readonly levels: readonly string[]
  readonly entries: readonly CapEntry[]
  /** The levels that no minority can keep while it answers everything, as first and last of `levels`, and from which share on. */
  readonly impossible: { readonly from: string; readonly to: string; readonly share: number }
}

/** Where a configuration stands. Shares in 0..1; null: nothing was tried there. */
export interface CapEntry {
  readonly name: string
  readonly level: string
  readonly majority: number | null
  readonly minority: number | null
}

/** The map of these configurations, as far as they answered anything and are told by models. */
export function capMapOf(facts: readonly Facts[]): CapMap {
  return {
    levels: [...models, 'none'],
    entries: facts.filter(({ byIsolation, answered }) => !byIsolation && answered > 0).map((one) => ({ name: visible(one.name), level: one.strongest ?? 'none', majority: one.majority?.share ?? null, minority: one.minority?.share ?? null })),
    impossible: { from: needsMajority[0]!, to: needsMajority.at(-1)!, share: nearlyAll },
  }
}

const left = 170
const plot = 460
const rowHeight = 26
const top = 34
const inks = [light.series1, light.series2, light.series3, light.series4, light.series5, light.series6]

/** The map as an SVG document: discs for the majority's side, squares for the minority's, the forbidden corner hatched. */
export function capSvg(map: CapMap): string {
  const levels = map.levels
  const height = top + levels.length * rowHeight + 50
  const x = (share: number) => (left + share * plot).toFixed(1)
  const y = (level: string) => top + levels.indexOf(level) * rowHeight + rowHeight / 2
  const grid = levels.map((level) => `<text x="${left - 12}" y="${y(level) + 4}" text-anchor="end" fill="${light.ink}">${level}</text><path d="M${left} ${y(level)}h${plot}" stroke="${light.grid}"/>`)
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => `<text x="${x(share)}" y="${height - 30}" text-anchor="middle" fill="${light.muted}">${share * 100} %</text>`)
  const corner = { y: y(map.impossible.from) - rowHeight / 2, height: y(map.impossible.to) - y(map.impossible.from) + rowHeight }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${left + plot + 150}" height="${height}" viewBox="0 0 ${left + plot + 150} ${height}" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="${light.surface}"/>
<text x="${left}" y="20" font-weight="bold" font-size="14" fill="${light.ink}">Strongest model that held, and share answered during the partition</text>
${grid.join('')}${ticks.join('')}<text x="${left}" y="${height - 10}" fill="${light.muted}">disc: majority side, square: minority side, dashed: the corner that CAP forbids to a square</text>
<rect x="${x(map.impossible.share)}" y="${corner.y}" width="${((1 - map.impossible.share) * plot).toFixed(1)}" height="${corner.height}" fill="${light.violated}" fill-opacity="0.1" stroke="${light.violated}" stroke-dasharray="4 3"/>
${map.entries.map((entry, index) => mark(entry, index, map, x, y)).join('\n')}</svg>`
}

function mark(entry: CapEntry, index: number, map: CapMap, x: (share: number) => string, y: (level: string) => number): string {
  const ink = inks[index % inks.length]!
  const beside = map.entries.filter((other) => other.level === entry.level)
  const at = y(entry.level) + (beside.indexOf(entry) - (beside.length - 1) / 2) * Math.min(11, 20 / beside.length)
  const { majority, minority } = entry
  const line = majority === null || minority === null ? '' : `<path d="M${x(majority)} ${at}H${x(minority)}" stroke="${ink}" stroke-width="2"/>`
  const disc = majority === null ? '' : `<circle cx="${x(majority)}" cy="${at}" r="7" fill="${ink}" stroke="${light.surface}"/>`
  const square = minority === null ? '' : `<rect x="${(Number(x(minority)) - 5).toFixed(1)}" y="${at - 5}" width="10" height="10" fill="${ink}" stroke="${light.surface}"/>`
  const name = shortened(entry.name, 22).replace(/&/g, '&amp;').replace(/</g, '&lt;')
  const furthest = Math.max(majority ?? minority ?? 0, minority ?? 0)
  return `${line}${disc}${square}<text x="${(Number(x(furthest)) + 13).toFixed(1)}" y="${at + 4}" font-weight="bold" fill="${ink}">${name}</text>`
}
