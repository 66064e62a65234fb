/**
 * The report's sections as markup: verdicts, CAP map, comparison, and what is common to all of them.
 * One configuration's own sections are in `configuration.ts`.
 */
import { convergeText, strongestText } from '../facts.ts'
import { formatCount, formatMs, formatShare, keptTogether, visible } from '../format.ts'
import { headlineOf } from '../promise.ts'
import { html, Html } from './escape.ts'
import type { CapMap } from '../cap-svg.ts'
import type { Configuration, PageContent } from './data.ts'
import type { VerdictDocument, VerdictWord } from '../../checker/verdict.ts'

const shapes: Readonly<Record<VerdictWord, string>> = {
  holds: '<circle cx="12" cy="12" r="10" class="fill"/><path d="M7 12.4l3.4 3.4 6.6-7" class="cut"/>',
  violated: '<path d="M12 .8 23.2 12 12 23.2.8 12z" class="fill"/><path d="M12 6.8v6.4M12 16.2v.6" class="cut"/>',
  unknown: '<circle cx="12" cy="12" r="9.4" class="line"/><path d="M9.3 9.6a2.8 2.8 0 1 1 3.9 2.6c-.9.4-1.2.9-1.2 1.8M12 16.6v.4" class="ask"/>',
}

/** The verdict's shape as the content of an SVG of 24 by 24. */
export function shapeOf(verdict: VerdictWord): string {
  return shapes[verdict]
}

/** The verdict's shape; colour comes from the style sheet. Decoration: the word stands beside it. */
export function glyph(verdict: VerdictWord): Html {
  return html`<svg class="glyph ${verdict}" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">${new Html(shapes[verdict])}</svg>`
}

/** A number with the unrounded value beside it, for tests and for whoever reads the page with a program. */
export function value(field: string, raw: number | string | boolean | null | undefined, text: string): Html {
  return html`<data class="n" data-field="${field}" value="${String(raw ?? '')}">${text}</data>`
}

/** A command and a button that copies it. */
export function command(text: string, label: string): Html {
  return html`<div class="command"><code>${wholeWords(text)}</code><button type="button" class="copy" data-copy="${text}" aria-label="Copy ${label}">Copy</button></div>`
}

/** A command is broken between its words only, never at a hyphen of an option; a word that is longer than the line, within. */
function wholeWords(text: string): Html[] {
  return text.split(/(?<= )(?=[^ ])/).map((word) => html`<span>${word.trimEnd()}</span>${word.slice(word.trimEnd().length)}`)
}

/** The first thing one sees: what was promised, what held, what broke. */
export function verdictStrip(content: PageContent): Html {
  return html`<section id="verdicts" class="verdicts" aria-labelledby="verdicts-heading"><h2 id="verdicts-heading" class="quiet">The verdict</h2>
<div class="columns">${content.configurations.map(verdictCard)}</div></section>`
}

function verdictCard(configuration: Configuration): Html {
  const { id, name, document, sentences, warnings } = configuration
  return html`<article class="verdict ${document.verdict}"><header>${glyph(document.verdict)}<div><h3><a href="#${id}">${name}</a></h3><p class="word">${headline(document)}</p></div></header>
<p class="lead">${keptTogether(document.sentence)}</p>
<p>${strongestSentence(configuration)} ${sentences.map((sentence) => `${sentence} `)}</p>
${warnings.map((warning) => html`<p class="warning"><span aria-hidden="true">▲</span> ${warning}</p>`)}</article>`
}

/** "Broke its promise · linearizable". */
export function headline(document: VerdictDocument): Html {
  const { word, about } = headlineOf(document)
  return html`${word}<span class="about"> · ${about}</span>`
}

function strongestSentence({ document, facts }: Configuration): Html {
  const broken = document.ladder.filter((rung) => rung.verdict === 'violated').map((rung) => rung.model)
  const listed = broken.length < 3 ? broken.join(' and ') : `${broken.slice(0, -1).join(', ')} and ${broken.at(-1)}`
  const also = broken.length === 0 ? null : html` <strong class="broke">It broke ${broken.length > 3 ? `${broken.length} rungs of the ladder, ${broken[0]} first` : listed}.</strong>`
  return html`${facts.answered === 0 ? html`Nothing was answered, so no model was seen to hold.` : facts.strongest === null ? html`No ${facts.byIsolation ? 'isolation level' : 'model'} was seen to hold.` : html`The strongest ${facts.byIsolation ? 'isolation level' : 'model'} that held is <strong>${facts.strongest}</strong>.`}${also}`
}

/** Availability during the partition against the strongest model held. */
export function capSection(content: PageContent): Html {
  const several = content.configurations.length > 1
  return html`<section id="cap" aria-labelledby="cap-heading"><h2 id="cap-heading">${several ? 'What each configuration gave up' : 'What it gave up'}</h2>
${placed(content.cap) ? html`<div class="cap-grid">${capFigure(content.cap)}${reading(content)}</div>` : reading(content)}</section>`
}

const placed = (cap: CapMap): boolean => cap.entries.some((entry) => entry.majority !== null || entry.minority !== null)

function capFigure(cap: CapMap): Html {
  return figure({
    id: 'cap-map',
    kind: 'cap',
    title: 'CAP map',
    says: 'Share of operations answered during the partition, against the strongest model that held over the whole run.',
    label: capLabel(cap),
    legend: [
      ['disc', 'ink', 'majority side'],
      ['square', 'ink', 'minority side'],
      ['corner', 'violated', 'the corner that CAP forbids to a square'],
    ],
  })
}

/** What the map says, in words; and where it is missing, what latency was paid. */
function reading({ cap, configurations }: PageContent): Html {
  return html`<div class="reading"><ol class="trades">${configurations.map((configuration) => html`<li><h3>${configuration.name}</h3><p>${configuration.tradeOff}</p></li>`)}</ol>
${placed(cap) ? html`<p class="note">A disc and a square joined by a line are one configuration on the two sides of the same partition. A minority that answers everything cannot know what the majority has written, so no square can stand in the hatched corner: that is the CAP theorem.</p>` : null}</div>`
}

function capLabel(cap: CapMap): string {
  return `CAP map. ${cap.entries.map((entry) => `${entry.name}: ${entry.level}, majority side ${formatShare(entry.majority)} available, minority side ${formatShare(entry.minority)}.`).join(' ')}`
}

/** What a chart needs around it. */
export interface Figure {
  readonly id: string
  /** What the page's own code draws here. */
  readonly kind: string
  /** Which configuration's curves; none for the CAP map. */
  readonly run?: string
  readonly title: string
  readonly says: string
  /** The picture in words. */
  readonly label: string
  /** Shape or dash, colour, words. */
  readonly legend: readonly (readonly [shape: string, colour: string, words: string])[]
}

/** A chart: title, one sentence, legend with shapes, canvas, and the same numbers as a table. */
export function figure(chart: Figure): Html {
  return html`<figure class="chart" data-kind="${chart.kind}" data-run="${chart.run ?? ''}" id="${chart.id}"><figcaption><h4>${chart.title}</h4><p>${chart.says}</p></figcaption>
<ul class="legend">${chart.legend.map(([shape, colour, text]) => html`<li>${swatch(shape, colour)}${text}</li>`)}</ul>
<div class="plot ${chart.kind}"><canvas role="img" aria-label="${chart.label}"></canvas></div>
<details class="numbers"><summary>The same numbers as a table</summary><div class="scroll" tabindex="0" role="region" aria-label="${chart.title}: numbers"></div></details></figure>`
}

const swatches: Readonly<Record<string, string>> = {
  disc: '<circle cx="11" cy="6" r="5" fill="currentColor"/>',
  square: '<rect x="6" y="1" width="10" height="10" fill="currentColor"/>',
  diamond: '<path d="M11 0l6 6-6 6-6-6z" fill="currentColor"/>',
  solid: '<path d="M0 6h22" stroke="currentColor" stroke-width="2.4"/>',
  dash: '<path d="M0 6h22" stroke="currentColor" stroke-width="2.4" stroke-dasharray="7 4"/>',
  dot: '<path d="M1 6h22" stroke="currentColor" stroke-width="2.6" stroke-dasharray="2 4"/>',
  area: '<rect width="22" height="12" fill="currentColor"/>',
  pale: '<rect width="22" height="12" fill="currentColor" opacity=".55"/>',
  hatch: '<path d="M0 12 12 0M5 12 17 0M10 12 22 0" stroke="currentColor" stroke-width="2"/><rect x=".5" y=".5" width="21" height="11" fill="none" stroke="currentColor"/>',
  band: '<rect x=".5" y=".5" width="21" height="11" fill="currentColor"/>',
  corner: '<rect x="1" y="1" width="20" height="10" fill="currentColor" fill-opacity=".12" stroke="currentColor" stroke-dasharray="4 3"/>',
}

function swatch(shape: string, colour: string): Html {
  return html`<svg class="swatch c-${colour}" viewBox="0 0 22 12" width="22" height="12" aria-hidden="true">${new Html(swatches[shape] ?? '')}</svg>`
}

const comparisonHeads = ['Configuration', 'Strongest model that holds', 'Majority answered', 'Minority answered', 'p50', 'p99', 'p99.9', 'Converged after', 'Lost writes'] as const

/** One row per configuration: the table that could go into a lecture. */
export function comparison(content: PageContent): Html {
  return html`<section id="comparison" aria-labelledby="comparison-heading"><h2 id="comparison-heading">${content.configurations.length > 1 ? 'Side by side' : 'In numbers'}</h2>
<table class="comparison stacked" role="table"><thead role="rowgroup"><tr role="row">${comparisonHeads.map((head, index) => html`<th scope="col" role="columnheader" class="${index > 1 ? 'right' : ''}">${head}</th>`)}</tr></thead>
<tbody role="rowgroup">${content.configurations.map(comparisonRow)}</tbody></table>
<p class="note">Answered: ok divided by attempted, among the operations of clients on that side while the partition lasted; a dash means that there was no partition or nobody tried. Latency: of ok operations over the whole run, from the intended start. Converged: from the last heal or, where that is later, the last write, until all replicas agreed for good. Lost: acknowledged writes that were gone at the end although nothing newer had replaced them.</p></section>`
}

function comparisonRow({ id, name, facts }: Configuration): Html {
  const cells: readonly (readonly [number, Html])[] = [
    [1, html`${glyph(facts.answered === 0 ? 'unknown' : facts.strongest === null ? 'violated' : 'holds')}${value('strongest', facts.strongest, strongestText(facts))}`],
    [2, value('majority', facts.majority?.share, formatShare(facts.majority?.share))],
    [3, value('minority', facts.minority?.share, formatShare(facts.minority?.share))],
    [4, value('p50_ms', facts.latency?.p50_ms, formatMs(facts.latency?.p50_ms))],
    [5, value('p99_ms', facts.latency?.p99_ms, formatMs(facts.latency?.p99_ms))],
    [6, value('p999_ms', facts.latency?.p999_ms, formatMs(facts.latency?.p999_ms))],
    [7, value('time_to_converge_ms', facts.convergeMs, convergeText(facts))],
    [8, value('lost', facts.lost, formatCount(facts.lost))],
  ]
  return html`<tr role="row" data-configuration="${visible(name)}"><th scope="row" role="rowheader"><a href="#${id}">${name}</a></th>${cells.map(([index, cell]) => html`<td role="cell" data-label="${comparisonHeads[index]}" class="${index > 1 ? 'right' : ''}"><span>${cell}</span></td>`)}</tr>`
}
