/**
 * What transactions allow: the isolation levels as a lattice and as text, and which anomalies were found how often.
 */
import { anomalyNames, impliedLevels, type AnomalyType } from '../../checker/transactions/levels.ts'
import { isolationLevels } from '../../checker/verdict.ts'
import { formatCount } from '../format.ts'
import { html } from './escape.ts'
import { latticeSvg } from './lattice-svg.ts'
import { glyph, value } from './sections.ts'
import type { Configuration } from './data.ts'
import type { Html } from './escape.ts'

/** The section; nothing where clients carried out no transactions. */
export function isolationSection({ id, document: { isolation }, facts, witnesses }: Configuration): Html | null {
  if (isolation === undefined) return null
  const first = witnesses.find((card) => card.judgement === 'transactions')
  const witness = first === undefined ? null : `${id}-witness-${first.number}`
  const rungs = isolationLevels.flatMap((level) => {
    const verdict = isolation.levels[level]
    return verdict === undefined ? [] : [{ model: level, verdict, witness: verdict === 'violated' ? witness : null }]
  })
  const anomalies = Object.entries(isolation.anomalies)
  return html`<h3 id="${id}-isolation">Isolation levels of the transactions</h3>
<div class="scroll lattice-card" tabindex="0" role="region" aria-label="Lattice of isolation levels">${latticeSvg({ rungs, implied: impliedLevels, promised: isolation.promised, expected: false, strongest: facts.answered === 0 ? [] : isolation.strongest, label: 'Lattice of isolation levels, stronger ones above' })}</div>
<p class="note">${anomalies.length === 0 ? 'No anomaly was found.' : html`Found: ${anomalies.map(([type, count], index) => `${index === 0 ? '' : ', '}${formatCount(count)} × ${anomalyNames[type as AnomalyType] ?? type}`)}.`}</p>
<details class="statistics"><summary>The same in words, strongest first</summary><ol class="ladder">${rungs.map((rung) => html`<li class="${rung.verdict}">${glyph(rung.verdict)}<span class="model">${rung.witness === null ? rung.model : html`<a href="#${rung.witness}">${rung.model}</a>`}</span><span class="by">${rung.model === isolation.promised ? 'promised' : ''}</span><span class="word">${value(`isolation.${rung.model}`, rung.verdict, rung.verdict)}</span></li>`)}</ol></details>`
}
