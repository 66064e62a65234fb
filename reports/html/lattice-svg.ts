/**
 * Draws the lattice of models: a box for each with the verdict's shape, lines downward to what it implies, what was
 * promised or expected in a double frame. The list beside it says the same in words.
 */
import { html, Html } from './escape.ts'
import { layoutLattice, rungHeight } from './lattice.ts'
import { shapeOf } from './sections.ts'
import type { Named, PlacedRung } from './lattice.ts'
import type { VerdictWord } from '../../checker/verdict.ts'

/** A model or an isolation level, its verdict, and the id of its witness in the page. */
export interface DrawnRung extends Named {
  readonly verdict: VerdictWord
  readonly witness: string | null
}

/** What is drawn. */
export interface DrawnLattice {
  readonly rungs: readonly DrawnRung[]
  /** What each implies directly. */
  readonly implied: Readonly<Record<string, readonly string[]>>
  readonly promised: string
  /** It was asked for, whatever the system promises. */
  readonly expected: boolean
  readonly strongest: readonly string[]
  readonly label: string
}

/** The diagram; violated rungs link to their witnesses. */
export function latticeSvg(lattice: DrawnLattice): Html {
  const { width, height, rungs, lines } = layoutLattice(lattice.rungs, lattice.implied)
  return html`<svg class="lattice" viewBox="-2 0 ${width} ${height}" width="${width}" height="${height}" role="group" aria-label="${lattice.label}">
${lines.map(([stronger, weaker]) => {
    const [y0, y1] = [stronger.y + rungHeight / 2, weaker.y - rungHeight / 2]
    return html`<path class="l-line" d="M${stronger.x.toFixed(1)} ${y0}C${stronger.x.toFixed(1)} ${(y0 + y1) / 2} ${weaker.x.toFixed(1)} ${(y0 + y1) / 2} ${weaker.x.toFixed(1)} ${y1}"/>`
  })}
${rungs.map((placed) => box(placed, placed.rung.model !== lattice.promised ? null : lattice.expected ? 'expected' : 'promised', lattice.strongest.includes(placed.rung.model)))}
</svg>`
}

function box({ rung, x, y, width }: PlacedRung<DrawnRung>, measure: string | null, strongest: boolean): Html {
  const left = x - width / 2
  const top = y - rungHeight / 2
  const notes = [...(measure === null ? [] : [measure]), ...(strongest ? ['strongest that holds'] : [])].join(', ')
  const frame = measure !== null ? html`<rect class="l-frame" x="${(left - 3).toFixed(1)}" y="${top - 3}" width="${(width + 6).toFixed(1)}" height="${rungHeight + 6}" rx="8"/>` : null
  const body = html`<title>${rung.model}: ${rung.verdict}${notes === '' ? '' : ` (${notes})`}</title>${frame}<rect class="l-box" x="${left.toFixed(1)}" y="${top}" width="${width.toFixed(1)}" height="${rungHeight}" rx="6"/>
<svg class="glyph ${rung.verdict}" x="${(left + 10).toFixed(1)}" y="${y - 8}" width="16" height="16" viewBox="0 0 24 24">${new Html(shapeOf(rung.verdict))}</svg>
<text class="l-name" x="${(left + 34).toFixed(1)}" y="${y + 4.5}">${rung.model}</text>${notes === '' ? null : html`<text class="l-note" x="${x.toFixed(1)}" y="${top - 7}" text-anchor="middle">${notes}</text>`}`
  return html`<g class="l-${rung.verdict}">${rung.witness === null ? body : html`<a href="#${rung.witness}">${body}</a>`}</g>`
}
