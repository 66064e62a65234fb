/**
 * The report as one file: markup, style, code, data and nothing else. It opens offline, asks nobody for anything,
 * and its Content-Security-Policy would not let it: `default-src 'none'`, script and style by their hashes.
 *
 * The code and style that run in the page are bundled when the project is built (`reports/html/build.mjs`), so that
 * an installed package writes reports without a bundler.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { configurationSection } from './configuration.ts'
import { pageContent } from './data.ts'
import { html, Html, scriptJson } from './escape.ts'
import { formatDate } from '../format.ts'
import { paletteCss } from './palette.ts'
import { capSection, command, comparison, glyph, verdictStrip } from './sections.ts'
import type { Charts, PageContent, ReportInput } from './data.ts'

/** Writes a report of one run, or of several configurations under the same faults. */
export function renderReport(input: ReportInput): string {
  return renderPage(pageContent(input))
}

function renderPage(content: PageContent): string {
  const script = asset('client.js')
  const style = `${paletteCss()}\n${asset('client.css')}`
  const charts: Charts = { cap: content.cap, runs: content.configurations.map((configuration) => configuration.charts) }
  const policy = `default-src 'none'; script-src 'sha256-${sha256(script)}'; style-src 'sha256-${sha256(style)}'; base-uri 'none'; form-action 'none'`
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="generator" content="splitbrain"><title>${pageTitle(content)}</title><style>${new Html(style)}</style></head>
<body><a class="skip" href="#main">Skip to the verdict</a>
${masthead(content)}
<main id="main">${verdictStrip(content)}${capSection(content)}${comparison(content)}${content.configurations.map(configurationSection)}</main>
<footer><p>Written by splitbrain${content.configurations[0]?.document.run === undefined || content.configurations[0].document.run === null ? '' : ` ${content.configurations[0].document.run.version}`}. "Holds" means: not refuted by the operations of this run, and the checker was complete.</p></footer>
<script type="application/json" id="charts">${scriptJson(charts)}</script>
${content.configurations.map((configuration) => html`<script type="text/plain" id="${configuration.id}-columns">${new Html(configuration.columns)}</script>`)}
<script>${new Html(script)}</script></body></html>
`
  return page.text
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
<nav aria-label="Sections"><ul><li><a href="#cap">CAP map</a></li><li><a href="#comparison">Numbers</a></li>${content.configurations.map((configuration) => html`<li><a href="#${configuration.id}">${glyph(configuration.document.verdict)}${configuration.name}</a></li>`)}</ul></nav></header>`
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}

const assets = new Map<string, string>()

/** What the build put beside this file; when this file itself runs from source, what it put into dist. */
function asset(name: string): string {
  let text = assets.get(name)
  if (text === undefined) {
    const places = [new URL(`./${name}`, import.meta.url), new URL(`../../dist/reports/html/${name}`, import.meta.url)]
    const found = places.find((place) => existsSync(place))
    if (found === undefined) throw new Error(`The report's code is not built: ${name} is missing. Run npm run build.`)
    text = readFileSync(found, 'utf8').replace(/<\/(script|style)/gi, '<\\/$1')
    assets.set(name, text)
  }
  return text
}
