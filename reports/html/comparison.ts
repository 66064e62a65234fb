/**
 * The page of a comparison: what is new first, then by how much the numbers moved, each with its interval.
 * `compare.ts` and `campaign/compare.ts` decide; this writes down what they found.
 */
import { formatDifference, formatNumberOf, headlineOf, type Comparison, type ConfigurationChange, type Finding, type NumberChange } from '../compare.ts'
import { cellChanges, headlineOf as headlineOfCampaigns, newlyBroken, rarityOf, type CampaignComparison, type CellChange, type CellSide, type FindingChange } from '../campaign/compare.ts'
import { cellName } from '../campaign/summary.ts'
import { formatNoun, shortened } from '../format.ts'
import { html, type Html } from './escape.ts'
import { command, glyph } from './sections.ts'
import { renderShell } from './shell.ts'
import type { VerdictWord } from '../../checker/verdict.ts'

/** What is compared, in words: folders as they were given. */
export interface ComparedPaths {
  readonly before: string
  readonly after: string
}

/** Two runs or tours. */
export function renderComparisonPage(paths: ComparedPaths, comparison: Comparison): string {
  return page(paths, headlineOf(comparison), html`${comparison.configurations.map(configuration)}${leftOver(comparison, 'Configurations')}`, 'Differences: after minus before, with the 95 % interval of a block bootstrap. An interval that contains zero is no more than chance.')
}

/** Two campaigns. */
export function renderCampaignComparisonPage(paths: ComparedPaths, comparison: CampaignComparison): string {
  const list = comparison.findings.length === 0 ? html`<p class="note">Neither of them found a violation.</p>` : html`<ol class="findings">${comparison.findings.map(campaignFinding)}</ol>`
  return page(paths, headlineOfCampaigns(comparison), html`${cellsSection(comparison)}${brokenCells(comparison)}<section aria-labelledby="findings-heading" id="findings"><h2 id="findings-heading">${formatNoun(comparison.findings.length, 'finding')}</h2>${list}</section>${leftOver(comparison, 'Cells')}`, 'A cell is newly broken by one violation where as many runs had none before, or enough of them to show one with a probability of 95 %; it is mended when the 95 % intervals (Wilson) of both failure rates lie apart.')
}

function page({ before, after }: ComparedPaths, headline: string, sections: Html, reading: string): string {
  return renderShell({
    title: `Before and after · ${headline}`,
    body: html`<a class="skip" href="#main">Skip to what changed</a>
<header class="masthead"><p class="wordmark">splitbrain</p><h1>${headline}</h1><p class="dek">Before: ${before}. After: ${after}.</p>${command(`npx splitbrain compare ${before} ${after}`, 'the command that compares them again')}</header>
<main id="main" class="campaign">${sections}</main>
<footer><p>Written by splitbrain. ${reading}</p></footer>`,
  })
}

const wordOf: Readonly<Record<Finding['change'] | FindingChange['change'], VerdictWord>> = { new: 'violated', 'still there': 'violated', resolved: 'holds', 'no longer known': 'unknown', 'newly unknown': 'unknown', rare: 'unknown' }

function configuration({ name, verdict, incomparable, findings, numbers }: ConfigurationChange, index: number): Html {
  const id = `configuration-${index}`
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${glyph(verdict.after)} ${name}: ${verdict.before === verdict.after ? `${verdict.after}, as before` : `${verdict.before} before, ${verdict.after} now`}</h2>
${incomparable.length === 0 ? null : html`<p class="warning"><span aria-hidden="true">▲</span> They are not comparable: ${incomparable.join('; ')}.</p>`}
${findings.length === 0 ? html`<p class="note">No judgement changed, and none is violated.</p>` : html`<ul class="findings">${findings.map((one) => html`<li><h3>${glyph(wordOf[one.change])} ${one.judgement}: ${one.change}${one.promised ? '' : ' (does not count)'}</h3>${one.explanation === null ? null : html`<p>${shortened(one.explanation, 600)}</p>`}</li>`)}</ul>`}
${numbers.length === 0 ? null : numbersTable(name, numbers)}</section>`
}

function numbersTable(name: string, numbers: readonly NumberChange[]): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Numbers of ${name}"><table><thead><tr><th scope="col">Number</th><th scope="col" class="right">Before</th><th scope="col" class="right">After</th><th scope="col" class="right">Difference</th><th scope="col">95 % interval</th><th scope="col">More than chance?</th></tr></thead>
<tbody>${numbers.map((one) => html`<tr><th scope="row">${one.what}</th><td class="right">${formatNumberOf(one, one.before)}</td><td class="right">${formatNumberOf(one, one.after)}</td><td class="right">${formatDifference(one, one.after - one.before)}</td><td>${interval(one)} ${formatDifference(one, one.low)} to ${formatDifference(one, one.high)}</td><td>${one.real ? html`<strong>yes</strong>` : 'no'}</td></tr>`)}</tbody></table></div>`
}

/** The interval around zero, to the scale of its wider end. Decoration: the numbers stand beside it. */
function interval({ low, high, after, before }: NumberChange): Html {
  const scale = 48 / (Math.max(Math.abs(low), Math.abs(high)) || 1)
  const x = (value: number): string => (50 + value * scale).toFixed(1)
  return html`<svg class="interval" viewBox="0 0 100 12" width="100" height="12" aria-hidden="true"><path class="zero" d="M50 0V12"/><path class="range" d="M${x(low)} 6H${x(high)}"/><circle class="point" cx="${x(after - before)}" cy="6" r="2.6"/></svg>`
}

const cellWords: Readonly<Record<CellChange['change'], VerdictWord>> = { 'newly broken': 'violated', 'more often': 'violated', rare: 'unknown', 'newly unknown': 'unknown', 'newly known': 'holds', 'less often': 'violated', mended: 'holds' }

/** The matrix, without rows and columns in which nothing changed. */
function cellsSection({ cells, unchanged, configurations, nemeses }: CampaignComparison): Html {
  const total = cells.length + unchanged.length
  if (cells.length === 0) return html`<section aria-labelledby="cells-heading" id="cells"><h2 id="cells-heading">No cell changed</h2><p class="note">${formatNoun(total, 'cell')} of both, compared by how many of their runs were violated.</p></section>`
  const rows = configurations.filter((row) => cells.some((cell) => cell.configuration === row))
  const columns = nemeses.filter((column) => cells.some(({ nemesis }) => nemesis === column))
  const [changed, same] = [new Map(cells.map((cell) => [cellName(cell), cell])), new Set(unchanged)]
  const at = (row: string, column: string): Html => {
    const name = cellName({ configuration: row, nemesis: column })
    return changedCell(changed.get(name), same.has(name))
  }
  return html`<section aria-labelledby="cells-heading" id="cells"><h2 id="cells-heading">${formatNoun(cells.length, 'cell')} of ${total} changed</h2>
<p class="note">${tallies(cells)}. Each cell: runs that were violated, of those with a verdict, before and now. Configurations and faults without a change are left out.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Changed cells"><table class="matrix"><thead><tr><th scope="col">Configuration</th>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr><th scope="row">${row}</th>${columns.map((column) => at(row, column))}</tr>`)}</tbody></table></div></section>`
}

/** "1 newly broken, 2 rare". */
function tallies(cells: readonly CellChange[]): string {
  const counts = cellChanges.map((change) => ({ change, count: cells.filter((cell) => cell.change === change).length }))
  return counts.flatMap(({ change, count }) => (count === 0 ? [] : [`${count} ${change}`])).join(', ')
}

function changedCell(cell: CellChange | undefined, same: boolean): Html {
  if (cell === undefined) return html`<td class="quiet">${same ? 'as before' : '–'}</td>`
  const word = cellWords[cell.change]
  const side = ({ violated, decided, unknown }: CellSide): string => [...(decided === 0 ? [] : [`${violated}/${decided}`]), ...(unknown === 0 ? [] : [`${unknown} unknown`])].join(', ') || 'no run'
  return html`<td class="${word}">${glyph(word)} <span class="word ${word}">${cell.change}</span><br>${side(cell.before)} → ${side(cell.after)}${cell.change === 'rare' ? html`<small>${rarityOf(cell)}</small>` : null}</td>`
}

/** How to see each newly broken cell break. */
function brokenCells(comparison: CampaignComparison): Html | null {
  const broken = newlyBroken(comparison)
  if (broken.length === 0) return null
  return html`<section aria-labelledby="broken-heading" id="broken"><h2 id="broken-heading">To see them break</h2><ol class="findings">${broken.map((cell) => html`<li><h3>${glyph('violated')} ${cellName(cell)}</h3>${cell.repeat === null ? null : command(cell.repeat, 'the command that repeats the smallest failing run')}</li>`)}</ol></section>`
}

function campaignFinding({ fingerprint, change, before, after, explanation, repeat }: FindingChange): Html {
  const note = change === 'rare' ? ': seen on one side only, in no more runs than chance explains' : ''
  return html`<li><h3>${glyph(wordOf[change])} ${fingerprint}: ${change}</h3><p>In ${before.runs} of ${before.of} runs before, in ${after.runs} of ${after.of} now${note}.</p><p>${shortened(explanation, 600)}</p>${command(repeat, 'the command that repeats the smallest run')}</li>`
}

function leftOver({ onlyBefore, onlyAfter }: Pick<Comparison, 'onlyBefore' | 'onlyAfter'>, what: string): Html | null {
  if (onlyBefore.length + onlyAfter.length === 0) return null
  return html`<section aria-labelledby="only-heading"><h2 id="only-heading">${what} of one side only</h2>${([['Before', onlyBefore], ['After', onlyAfter]] as const).map(([side, names]) => (names.length === 0 ? null : html`<p>${side}: ${names.join('; ')}</p>`))}</section>`
}
