/**
 * Before, during, after: a table in which the latency column is a picture. A bar reaches from the median to p99, a
 * cross stands at p99.9, on one logarithmic axis for all faults of a configuration.
 */
import { formatCount, formatMs, formatShare } from '../format.ts'
import { html } from './escape.ts'
import { latencyAxis, onAxis } from './phases.ts'
import { value } from './sections.ts'
import type { Html } from './escape.ts'
import type { FaultPhases, LatencyAxis, PhaseRow } from './phases.ts'

const plotWidth = 340

/** The table, or nothing when no fault bit. */
export function phasesTable(phases: readonly FaultPhases[], id: string): Html | null {
  const shown = phases.filter(({ rows }) => rows.length > 0)
  const axis = latencyAxis(shown)
  if (shown.length === 0 || axis === undefined) return null
  return html`<h3 id="${id}-phases">Before, during and after each fault</h3>
<p class="note">Answered: ok divided by attempted. The bar reaches from p50 to p99 of ok operations, the cross is p99.9; the axis is logarithmic. Before and after: healthy time, as long as the fault where no other fault is near.</p>
<div class="scroll phases" tabindex="0" role="region" aria-labelledby="${id}-phases"><table><thead><tr><th scope="col">Nodes</th><th scope="col">When</th><th scope="col" class="right">Answered</th><th scope="col" class="right">of</th><th scope="col">${axisSvg(axis)}</th><th scope="col" class="right">p50</th><th scope="col" class="right">p99</th><th scope="col" class="right">p99.9</th></tr></thead>
${shown.map(({ fault, rows }) => html`<tbody><tr class="fault"><th scope="rowgroup" colspan="8">${fault.fault}</th></tr>${rows.map((row, index) => phaseRow(row, rows[index - 1]?.group !== row.group, axis))}</tbody>`)}</table></div>`
}

function phaseRow(row: PhaseRow, first: boolean, axis: LatencyAxis): Html {
  const { when, group, availability, latency } = row
  const field = `phase.${latency.period}.${group}`
  return html`<tr class="${when}"><th scope="row">${first ? group : html`<span class="unseen">${group}</span>`}</th><td>${when}</td><td class="right">${value(`${field}.share`, availability.share, formatShare(availability.share))}</td><td class="right">${value(`${field}.attempted`, availability.attempted, formatCount(availability.attempted))}</td><td>${bar(row, axis)}</td><td class="right">${value(`${field}.p50_ms`, latency.p50_ms, formatMs(latency.p50_ms))}</td><td class="right">${value(`${field}.p99_ms`, latency.p99_ms, formatMs(latency.p99_ms))}</td><td class="right">${value(`${field}.p999_ms`, latency.p999_ms, formatMs(latency.p999_ms))}</td></tr>`
}

function bar({ when, group, latency }: PhaseRow, axis: LatencyAxis): Html {
  const x = (ms: number) => 6 + onAxis(axis, ms) * (plotWidth - 12)
  const grid = axis.decades.map((ms) => html`<line class="p-grid" x1="${x(ms).toFixed(1)}" x2="${x(ms).toFixed(1)}" y1="0" y2="20"/>`)
  const { p50_ms, p99_ms, p999_ms } = latency
  if (p50_ms === null || p99_ms === null || p999_ms === null) return html`<svg class="p-bar" viewBox="0 0 ${plotWidth} 20" width="${plotWidth}" height="20" aria-hidden="true">${grid}<text class="p-none" x="8" y="14">nothing was answered</text></svg>`
  const [from, to, far] = [x(p50_ms), x(p99_ms), x(p999_ms)]
  const side = group === 'minority' || group === 'struck' ? 'minority' : 'majority'
  return html`<svg class="p-bar c-${side}" viewBox="0 0 ${plotWidth} 20" width="${plotWidth}" height="20" aria-hidden="true">${grid}<rect class="${when === 'during' ? 'p-full' : 'p-pale'}" x="${from.toFixed(1)}" y="5" width="${Math.max(3, to - from).toFixed(1)}" height="10" rx="2"/><path class="p-cross" d="M${(far - 4).toFixed(1)} 6l8 8m0-8l-8 8"/></svg>`
}

function axisSvg(axis: LatencyAxis): Html {
  const x = (ms: number) => 6 + onAxis(axis, ms) * (plotWidth - 12)
  return html`<span class="unseen">Latency from p50 to p99</span><svg class="p-bar" viewBox="0 0 ${plotWidth} 16" width="${plotWidth}" height="16" aria-hidden="true">${axis.decades.map((ms, index) => html`<text class="p-tick" x="${x(ms).toFixed(1)}" y="12" text-anchor="${index === 0 ? 'start' : index === axis.decades.length - 1 ? 'end' : 'middle'}">${formatMs(ms).replace(/\.0+(?=\D)/, '')}</text>`)}</svg>`
}
