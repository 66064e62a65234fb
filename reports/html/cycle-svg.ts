/**
 * Draws a cycle of transactions, and says every edge in words below: who must come before whom, and why.
 */
import { html } from './escape.ts'
import type { Html } from './escape.ts'
import type { CycleLayout, PlacedTransaction } from './cycle.ts'

/** The drawing and the list. `id` must be unique in the page. */
export function cycleFigure(layout: CycleLayout, id: string): Html {
  const { width, height, transactions, edges } = layout
  return html`<div class="scroll diagram" tabindex="0" role="region" aria-label="Cycle of transactions"><svg class="witness-svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="${id}-cycle">
<title id="${id}-cycle">Cycle of transactions: ${edges.map((edge) => `${transactions[edge.from]!.name} ${edge.words} ${transactions[edge.to]!.name}`).join(', ')}</title>
<defs><marker id="${id}-edge" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="w-cyclehead" d="M0 0 8 4 0 8z"/></marker></defs>
${edges.map((edge, index) => arrow(transactions[edge.from]!, transactions[edge.to]!, `${edge.kind}: ${edge.words}`, index, transactions.length, id))}
${transactions.map(box)}</svg></div>
<ol class="cycle">${edges.map((edge) => html`<li><strong>${transactions[edge.from]!.name} → ${transactions[edge.to]!.name}</strong> <span class="kind">${edge.kind}</span> because ${edge.because}</li>`)}</ol>
<p class="note">Each would have to come before the next, and the last before the first: there is no such order.</p>`
}

function box({ name, who, lines, x, y, width, height }: PlacedTransaction): Html {
  const [left, top] = [x - width / 2, y - height / 2]
  return html`<rect class="w-bar w-ok" x="${left.toFixed(1)}" y="${top.toFixed(1)}" width="${width.toFixed(1)}" height="${height}" rx="6"/><text class="w-label" x="${(left + 12).toFixed(1)}" y="${(top + 19).toFixed(1)}"><tspan font-weight="bold">${name}</tspan> <tspan class="w-who">${who}</tspan></text>${lines.map((line, index) => html`<text class="w-label" x="${(left + 12).toFixed(1)}" y="${(top + 36 + index * 17).toFixed(1)}">${line}</text>`)}`
}

/** From edge to edge of the boxes; of two between the same pair one bends up and one down. */
function arrow(from: PlacedTransaction, to: PlacedTransaction, words: string, index: number, count: number, id: string): Html {
  const bend = count === 2 ? 34 : 0
  const side = count === 2 && index % 2 === 1 ? 1 : -1
  const [dx, dy] = [to.x - from.x, to.y - from.y]
  const start = boundary(from, dx, dy + (count === 2 ? side * 40 : 0))
  const end = boundary(to, -dx, -dy + (count === 2 ? side * 40 : 0))
  const [cx, cy] = [(start.x + end.x) / 2, (start.y + end.y) / 2 + side * bend]
  return html`<path class="w-cycle" d="M${start.x.toFixed(1)} ${start.y.toFixed(1)}Q${cx.toFixed(1)} ${cy.toFixed(1)} ${end.x.toFixed(1)} ${end.y.toFixed(1)}" marker-end="url(#${id}-edge)"/><text class="w-edge" x="${cx.toFixed(1)}" y="${(cy + (side < 0 ? -4 : 14) - (count === 2 ? 0 : 2)).toFixed(1)}" text-anchor="middle">${words}</text>`
}

/** Where a ray from the middle of a box leaves it. */
function boundary({ x, y, width, height }: PlacedTransaction, dx: number, dy: number): { x: number; y: number } {
  const scale = Math.min(dx === 0 ? Infinity : (width / 2 + 4) / Math.abs(dx), dy === 0 ? Infinity : (height / 2 + 4) / Math.abs(dy))
  return { x: x + dx * scale, y: y + dy * scale }
}
