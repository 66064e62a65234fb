/**
 * The page of `splitbrain serve`: the run that goes on, and a list of all runs to search, sort and filter. It is empty
 * when it comes; `client/browse.ts` asks the server for what stands in it.
 */
import { html, Html } from './escape.ts'
import { renderShell } from './shell.ts'

/** The heads of the list: what they sort by, and what they say. */
const heads = [['state', 'Verdict'], ['path', 'Run'], ['configuration', 'Configuration'], ['workload', 'Workload'], ['faults', 'Faults'], ['strongest', 'Strongest model'], ['majority', 'Majority'], ['minority', 'Minority'], ['p99_ms', 'p99'], ['operations', 'Operations'], ['started', 'Started']] as const
const numeric: ReadonlySet<string> = new Set(['majority', 'minority', 'p99_ms', 'operations'])

/** The whole page. */
export function renderBrowser(): string {
  return renderShell({
    title: 'splitbrain runs',
    code: 'browse-client',
    body: html`<a class="skip" href="#runs">Skip to the list</a>
<header class="masthead"><p class="wordmark">splitbrain</p><h1>Runs</h1></header>
<main id="main" class="browse">
<section id="live" class="live" aria-labelledby="live-heading" hidden><h2 id="live-heading">Now</h2><p class="lead"></p><p class="faults"></p><div class="pulse" role="img" aria-label="Completions per second, the last minute"></div><dl class="tally"></dl><ul class="refuted"></ul></section>
<section id="runs" aria-labelledby="runs-heading"><h2 id="runs-heading" class="quiet">All runs</h2>
<div class="toolbar" role="search"><label>Search <input name="text" type="search" size="26" autocomplete="off" spellcheck="false" placeholder="abd partition seed:7"></label>
<label>Verdict <select name="state"><option value="">all</option>${['violated', 'unknown', 'holds', 'running', 'cut short'].map((state) => html`<option>${state}</option>`)}</select></label>
<label>Kind <select name="kind"><option value="">all</option>${['run', 'tour', 'campaign'].map((kind) => html`<option>${kind}</option>`)}</select></label><output role="status"></output></div>
<div class="scroll list" tabindex="0" role="region" aria-labelledby="runs-heading"><table><thead><tr>${heads.map(([field, text]) => html`<th scope="col" class="${numeric.has(field) ? 'right' : ''}"${field === 'started' ? new Html(' aria-sort="descending"') : ''}><button type="button" data-sort="${field}">${text}</button></th>`)}</tr></thead><tbody></tbody></table></div>
<p class="note">Search in everything that a row says; <code>seed:7</code>, <code>driver:sim</code>, <code>faults:kill</code> look in one column only.</p></section></main>`,
  })
}
