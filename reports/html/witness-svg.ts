/**
 * Draws a witness as a space-time diagram: SVG that needs no code in the page, prints, and says in words what it shows.
 */
import { html } from './escape.ts'
import { barHeight } from './witness.ts'
import type { Html } from './escape.ts'
import type { PlacedOperation, WitnessLayout } from './witness.ts'

/** The diagram. `id` must be unique in the page. */
export function witnessSvg(layout: WitnessLayout, id: string): Html {
  const { width, height, left } = layout
  const bottom = height - 26
  return html`<svg class="witness-svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="${id}-title" aria-describedby="${id}-description">
<title id="${id}-title">Space-time diagram of the witness</title>
<desc id="${id}-description">${layout.operations.map((operation) => `${layout.lanes[operation.lane]!.name}: ${operation.title}${operation.last ? '; from its completion on, the history is impossible' : ''}.`).join(' ')}</desc>
<defs><pattern id="${id}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line class="w-hatch" x1="0" y1="0" x2="0" y2="6"/></pattern>
<marker id="${id}-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="w-arrowhead" d="M0 0 8 4 0 8z"/></marker>
<marker id="${id}-read" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="w-readshead" d="M0 0 8 4 0 8z"/></marker></defs>
${layout.lanes.map((lane) => html`<text class="w-lane" x="0" y="${lane.y + 4}">${lane.name}</text><line class="w-rule" x1="${left}" x2="${width - 8}" y1="${lane.y}" y2="${lane.y}"/>`)}
${layout.ticks.map((tick) => html`<line class="w-tick" x1="${tick.x}" x2="${tick.x}" y1="6" y2="${bottom}"/><text class="w-time" x="${tick.x}" y="${bottom + 17}" text-anchor="middle">${tick.label}</text>`)}
${layout.operations.filter((operation) => operation.last).map((operation) => html`<line class="w-last" x1="${operation.x1}" x2="${operation.x1}" y1="6" y2="${bottom}"/>`)}
${layout.operations.map((operation) => bar(operation, layout, id))}
${layout.reads.map(({ from, to }) => readFrom(layout.operations[from]!, layout.operations[to]!, layout, id))}
${layout.orders.map(({ from, to }) => order(layout.operations[from]!, layout.operations[to]!, layout, id))}
</svg>`
}

function bar(operation: PlacedOperation, layout: WitnessLayout, id: string): Html {
  const y = layout.lanes[operation.lane]!.y
  const half = barHeight / 2
  const { x0, x1 } = operation
  const outline =
    operation.end_ns === null
      ? html`<path class="w-bar w-info" d="M${x1} ${y - half}H${x0 + 4}a4 4 0 0 0-4 4V${y + half - 4}a4 4 0 0 0 4 4H${x1}" fill="url(#${id}-hatch)"/>`
      : html`<rect class="w-bar ${operation.last ? 'w-broken' : `w-${operation.outcome}`}" x="${x0}" y="${y - half}" width="${x1 - x0}" height="${barHeight}" rx="4"/>`
  const diamond = operation.last ? html`<path class="w-diamond" d="M${x1} ${y - 8}l8 8-8 8-8-8z"/>` : null
  const room = x1 - x0 >= operation.label.length * 7.6 + 12
  const text = room ? html`<text class="w-label" x="${(x0 + x1) / 2 - (operation.last ? 3 : 0)}" y="${y + 4.5}" text-anchor="middle">${operation.label}</text>` : html`<text class="w-label" x="${x0}" y="${y - half - 4}">${operation.label}</text>`
  return html`<g><title>${operation.title}</title>${outline}${text}${diamond}</g>`
}

/** Real-time order between different processes; within one it is plain to see. */
function order(from: PlacedOperation, to: PlacedOperation, layout: WitnessLayout, id: string): Html | null {
  if (from.lane === to.lane) return null
  const down = to.lane > from.lane ? 1 : -1
  const y0 = layout.lanes[from.lane]!.y + (down * barHeight) / 2
  const y1 = layout.lanes[to.lane]!.y - (down * barHeight) / 2
  const x0 = from.x1 - 2
  const x1 = to.x0 + 3
  return html`<path class="w-order" d="M${x0} ${y0 + down}C${x0} ${(y0 + y1) / 2} ${x1} ${(y0 + y1) / 2} ${x1} ${y1 - down}" marker-end="url(#${id}-arrow)"/>`
}

/** The value went from the middle of the write to the end of the read, where it was returned. */
function readFrom(from: PlacedOperation, to: PlacedOperation, layout: WitnessLayout, id: string): Html | null {
  if (from.lane === to.lane) return null
  const down = to.lane > from.lane ? 1 : -1
  const y0 = layout.lanes[from.lane]!.y + (down * barHeight) / 2
  const y1 = layout.lanes[to.lane]!.y - (down * barHeight) / 2
  const x0 = (from.x0 + from.x1) / 2
  const x1 = to.x1 - 10
  return html`<path class="w-reads" d="M${x0} ${y0 + down}C${x0} ${(y0 + y1) / 2} ${x1} ${(y0 + y1) / 2} ${x1} ${y1 - down}" marker-end="url(#${id}-read)"><title>${from.label} was read by ${to.label}</title></path>`
}
