/**
 * The report of one run, or of several configurations under the same faults: verdict first, then the evidence.
 */
import { configurationSection } from './configuration.ts'
import { pageContent } from './data.ts'
import { html, type Html } from './escape.ts'
import { formatDate } from '../format.ts'
import { capSection, command, comparison, glyph, verdictStrip } from './sections.ts'
import { seedsSection } from './seeds.ts'
import { renderShell } from './shell.ts'
import type { PageContent, ReportInput } from './data.ts'

/** Writes a report of one run, or of several configurations under the same faults. */
export function renderReport(input: ReportInput): string {
  return renderPage(pageContent(input))
}

function renderPage(content: PageContent): string {
  return renderShell({
    title: pageTitle(content),
    body: html`<a class="skip" href="#main">Skip to the verdict</a>
${masthead(content)}
<main id="main">${verdictStrip(content)}${capSection(content)}${comparison(content)}${seedsSection(content.seeds)}${content.configurations.map(configurationSection)}</main>
<footer><p>Written by splitbrain${content.configurations[0]?.document.run === undefined || content.configurations[0].document.run === null ? '' : ` ${content.configurations[0].document.run.version}`}. "Holds" means: not refuted by the operations of this run, and the checker was complete.</p></footer>`,
    charts: { cap: content.cap, runs: content.configurations.map((configuration) => configuration.charts) },
    columns: content.configurations.map(({ id, columns }) => ({ id: `${id}-columns`, text: columns })),
  })
}

function pageTitle(content: PageContent): string {
  const broken = content.configurations.filter(({ document }) => document.verdict === 'violated').length
  return `${content.title} · ${broken > 0 ? `${broken} violated` : content.configurations.every(({ document }) => document.verdict === 'holds') ? 'holds' : 'unknown'}`
}

function masthead(content: PageContent): Html {
  const run = content.configurations.map(({ document }) => document.run).find((one) => one !== null)
  const about = run === undefined || run === null ? 'An imported history' : `${content.configurations.length === 1 ? `${run.system}${run.preset === null ? '' : `, preset ${run.preset}`}, ` : ''}${run.nodes.length} nodes, ${run.clients} clients, workload ${run.workload}, driver ${run.driver}, seed ${run.seed}`
  return html`<header class="masthead"><p class="wordmark">splitbrain</p><h1>${content.title}</h1><p class="dek">${about}${content.generated === '' ? '' : html` · <time datetime="${content.generated}">${formatDate(content.generated)}</time>`}</p>
${content.repeat === '' ? '' : command(content.repeat, 'the command that repeats everything')}
<nav aria-label="Sections"><ul><li><a href="#cap">Trade-off</a></li><li><a href="#comparison">Numbers</a></li>${content.configurations.map((configuration) => html`<li><a href="#${configuration.id}">${glyph(configuration.document.verdict)}${configuration.name}</a></li>`)}</ul></nav></header>`
}
