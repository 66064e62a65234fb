/**
 * What the nodes counted of their own work, one row per counter and one column per node: whether what the store has
 * against faults (hints, repairs, elections) was at work in this run, or was never needed.
 */
import { formatCount, formatNoun } from '../format.ts'
import { html } from './escape.ts'
import { value } from './sections.ts'
import type { Configuration } from './data.ts'
import type { Html } from './escape.ts'

/** The table; nothing where no node told anything. */
export function countersTable({ id, document: { counters, run } }: Configuration): Html | null {
  const told = Object.entries(counters ?? {})
  if (told.length === 0) return null
  const names = [...new Set(told.flatMap(([, counts]) => Object.keys(counts)))]
  const silent = (run?.nodes ?? []).filter((node) => told.every(([one]) => one !== node))
  const cell = (node: string, name: string, count: number | undefined): Html => html`<td class="right">${count === undefined ? '–' : value(`counters.${node}.${name}`, count, formatCount(count))}</td>`
  return html`<h3 id="${id}-counters">What the nodes counted</h3>
<p class="note">As each node told at the end of the run, counted since its last start.${silent.length === 0 ? '' : ` ${formatNoun(silent.length, 'node')} did not answer: ${silent.join(', ')}.`}</p>
<div class="scroll counters" tabindex="0" role="region" aria-labelledby="${id}-counters"><table><thead><tr><th scope="col">Counter</th>${told.map(([node]) => html`<th scope="col" class="right">${node}</th>`)}</tr></thead><tbody>${names.map((name) => html`<tr><th scope="row">${name.replaceAll('_', ' ')}</th>${told.map(([node, counts]) => cell(node, name, Object.hasOwn(counts, name) ? counts[name] : undefined))}</tr>`)}</tbody></table></div>`
}
