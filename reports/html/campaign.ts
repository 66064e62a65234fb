/**
 * The report of a campaign: the matrix first, then what was found, then what is not known. Links lead to the folders of
 * the runs, so the page is read where it was written.
 */
import { cellName, verdictOf, type CampaignSummary, type CellSummary, type FindingSummary, type UnknownSummary } from '../campaign/summary.ts'
import { formatCount, formatDate, formatMs, formatNoun, formatShare, shortened } from '../format.ts'
import { html, type Html } from './escape.ts'
import { command, glyph } from './sections.ts'
import { renderShell } from './shell.ts'
import type { Result } from '../campaign/results.ts'

/** One campaign of the same name, now or earlier. */
export interface TrendPoint {
  /** ISO 8601. */
  readonly started: string
  readonly runs: number
  readonly violated: number
  readonly unknown: number
}

/** What the page is made of. */
export interface CampaignPage {
  readonly title: string
  readonly started: string
  readonly repeat: string
  readonly summary: CampaignSummary
  /** Why it ended early, in words; null when it did not. */
  readonly cut: string | null
  /** Oldest first, this one included. */
  readonly trend: readonly TrendPoint[]
}

/** Writes the page. */
export function renderCampaign(page: CampaignPage): string {
  const { summary } = page
  return renderShell({
    title: `${page.title} · ${summary.violated > 0 ? `${summary.violated} violated` : 'none violated'}`,
    body: html`<a class="skip" href="#main">Skip to the matrix</a>
<header class="masthead"><p class="wordmark">splitbrain</p><h1>${page.title}</h1><p class="dek">${sentence(page)} · <time datetime="${page.started}">${formatDate(page.started)}</time></p>${command(page.repeat, 'the command that repeats the campaign')}</header>
<main id="main" class="campaign">${matrix(summary)}${findings(summary)}${unknowns(summary)}${slowest(summary)}${trend(page.trend)}</main>
<footer><p>Written by splitbrain. "Holds" means: not refuted by the operations of these runs. Intervals: Wilson, 95 %.</p></footer>`,
  })
}

function sentence({ summary, cut }: CampaignPage): string {
  const verdicts = summary.violated === 0 ? 'none was violated' : `${formatCount(summary.violated)} violated`
  const unknownWords = summary.unknown === 0 ? '' : `, nothing is known of ${formatCount(summary.unknown)}`
  return `${formatNoun(summary.runs, 'run')} of ${formatNoun(summary.cells.filter(({ impossible }) => impossible === null).length, 'cell')}: ${verdicts}${unknownWords}. ${formatMs(summary.elapsed_ms)} of running${cut === null ? '' : `; ${cut}`}`
}

function matrix(summary: CampaignSummary): Html {
  const cells = new Map(summary.cells.map((cell) => [cellName(cell), cell]))
  return html`<section aria-labelledby="matrix-heading" id="matrix"><h2 id="matrix-heading">Configurations and faults</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Matrix"><table class="matrix"><thead><tr><th scope="col">Configuration</th>${summary.nemeses.map((nemesis) => html`<th scope="col">${nemesis}</th>`)}</tr></thead>
<tbody>${summary.configurations.map((configuration) => html`<tr><th scope="row">${configuration}</th>${summary.nemeses.map((nemesis) => matrixCell(cells.get(cellName({ configuration, nemesis }))))}</tr>`)}</tbody></table></div>
<p class="note">Runs that were violated, of those with a verdict; below, the 95 % interval of the failure rate that this many runs allow. None of five still leaves room for a failure in every second run. A link leads to the failing run with the smallest witness.</p></section>`
}

function matrixCell(cell: CellSummary | undefined): Html {
  if (cell === undefined) return html`<td class="quiet">–</td>`
  if (cell.impossible !== null) return html`<td class="quiet">cannot be run</td>`
  if (cell.decided + cell.unknown === 0) return html`<td class="quiet">${cell.pending > 0 ? `${formatCount(cell.pending)} going on` : 'not run yet'}</td>`
  const word = verdictOf(cell)
  const counts = html`${formatCount(cell.violated)}/${formatCount(cell.decided)}`
  const notes = [
    ...(cell.decided === 0 ? [] : [`${formatShare(cell.interval.low)} to ${formatShare(cell.interval.high)}`]),
    ...(cell.unknown === 0 ? [] : [`${formatCount(cell.unknown)} unknown`]),
    ...(cell.pending === 0 ? [] : [`${formatCount(cell.pending)} going on`]),
    ...(cell.stopped ? ['enough is known'] : []),
  ]
  return html`<td class="${word}">${glyph(word)} <span class="word ${word}">${word}</span> ${cell.smallest === null ? counts : linked(cell.smallest, counts)}${notes.map((note) => html`<small>${note}</small>`)}</td>`
}

/** A link to a run's report, where one was written. */
function linked(run: Result, text: Html): Html {
  return run.dir === null ? text : html`<a href="${run.dir.split('/').map(encodeURIComponent).join('/')}/report.html">${text}</a>`
}

function findings(summary: CampaignSummary): Html {
  return html`<section aria-labelledby="findings-heading" id="findings"><h2 id="findings-heading">${summary.findings.length === 0 ? 'Nothing was found' : formatNoun(summary.findings.length, 'finding')}</h2>
${summary.findings.length === 0 ? html`<p class="note">No run broke what its configuration promises, or what was expected of it.</p>` : html`<ol class="findings">${summary.findings.map(finding)}</ol>`}</section>`
}

function finding(one: FindingSummary): Html {
  return html`<li><h3>${glyph('violated')} ${one.fingerprint}</h3><p>In ${formatCount(one.runs)} of ${formatNoun(one.of, 'run')}${one.rare ? html` (<strong>rare</strong>)` : null}: ${one.cells.map(({ cell, runs }) => (one.cells.length === 1 ? cell : `${cell} (${formatCount(runs)})`)).join('; ')}.</p><p>${shortened(one.explanation, 600)}</p>
<p>${linked(one.smallest, html`The smallest failing run`)}: ${cellName(one.smallest)}, seed ${one.smallest.seed}</p>${command(one.smallest.repeat, 'the command that repeats this run')}</li>`
}

function unknowns({ unknowns: reasons, cells }: CampaignSummary): Html | null {
  const impossible = new Map<string, string[]>()
  for (const cell of cells) if (cell.impossible !== null) impossible.set(cell.impossible, [...(impossible.get(cell.impossible) ?? []), cellName(cell)])
  if (reasons.length === 0 && impossible.size === 0) return null
  return html`<section aria-labelledby="unknowns-heading" id="unknowns"><h2 id="unknowns-heading">What is not known</h2>
<ul class="findings">${reasons.map(unknownReason)}${[...impossible].map(([reason, names]) => html`<li><h3>${glyph('unknown')} Cannot be run: ${shortened(reason, 300)}</h3><p>${names.join('; ')}</p></li>`)}</ul></section>`
}

function unknownReason(one: UnknownSummary): Html {
  return html`<li><h3>${glyph('unknown')} ${shortened(one.reason, 300)}</h3><p>In ${formatNoun(one.runs, 'run')}: ${one.cells.join('; ')}.</p>${command(one.example.repeat, 'the command that repeats one of them')}</li>`
}

function slowest(summary: CampaignSummary): Html {
  return html`<section aria-labelledby="slowest-heading" id="slowest"><h2 id="slowest-heading">The slowest runs</h2><div class="scroll" tabindex="0" role="region" aria-label="The slowest runs"><table><thead><tr><th scope="col">Run</th><th scope="col" class="right">Took</th><th scope="col" class="right">Operations</th></tr></thead>
<tbody>${summary.slowest.map((run) => html`<tr><th scope="row">${cellName(run)}, seed ${run.seed}</th><td class="right">${formatMs(run.elapsed_ms)}</td><td class="right">${formatCount(run.operations)}</td></tr>`)}</tbody></table></div></section>`
}

function trend(points: readonly TrendPoint[]): Html | null {
  if (points.length < 2) return null
  return html`<section aria-labelledby="trend-heading" id="trend"><h2 id="trend-heading">Over time</h2><div class="scroll" tabindex="0" role="region" aria-label="Over time"><table><thead><tr><th scope="col">Campaign</th><th scope="col" class="right">Runs</th><th scope="col" class="right">Violated</th><th scope="col" class="right">Unknown</th><th scope="col">Share violated</th></tr></thead>
<tbody>${points.map((point) => html`<tr><th scope="row">${formatDate(point.started)}</th><td class="right">${formatCount(point.runs)}</td><td class="right">${formatCount(point.violated)}</td><td class="right">${formatCount(point.unknown)}</td><td>${bar(point)}</td></tr>`)}</tbody></table></div></section>`
}

function bar({ violated, unknown, runs }: TrendPoint): Html {
  const share = runs - unknown === 0 ? 0 : violated / (runs - unknown)
  return html`<svg class="trend-bar" viewBox="0 0 100 10" width="160" height="12" preserveAspectRatio="none" aria-hidden="true"><rect width="100" height="10" class="all"/><rect width="${(share * 100).toFixed(2)}" height="10" class="violated"/></svg> ${formatShare(share)}`
}
