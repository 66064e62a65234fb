/**
 * A page as one file: markup, style, code, data and nothing else. It opens offline, asks nobody for anything,
 * and its Content-Security-Policy would not let it: `default-src 'none'`, script and style by their hashes.
 *
 * The code and style that run in the page are bundled when the project is built (`reports/html/build.mjs`), so that
 * an installed package writes reports without a bundler.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { html, Html, scriptJson } from './escape.ts'
import { paletteCss } from './palette.ts'
import type { Charts } from './data.ts'

/** What a page consists of. */
export interface Page {
  readonly title: string
  readonly body: Html
  /** What the page's own code draws; nothing by default. */
  readonly charts?: Charts
  /** Packed columns by the id of the element that holds them. */
  readonly columns?: readonly { readonly id: string; readonly text: string }[]
  /** The page's own code; `browse-client` asks the server that it came from, and nobody else. Default: `client`. */
  readonly code?: 'client' | 'browse-client'
}

/** The whole file. */
export function renderShell({ title, body, charts, columns = [], code = 'client' }: Page): string {
  const script = asset(`${code}.js`)
  const style = `${paletteCss()}\n${asset('client.css')}`
  const policy = `default-src 'none'; script-src 'sha256-${sha256(script)}'; style-src 'sha256-${sha256(style)}'; ${code === 'browse-client' ? "connect-src 'self'; " : ''}base-uri 'none'; form-action 'none'`
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="generator" content="splitbrain"><title>${title}</title><style>${new Html(style)}</style></head>
<body>${body}
<script type="application/json" id="charts">${scriptJson(charts ?? { cap: { levels: [], entries: [], impossible: { from: '', to: '', share: 1 } }, runs: [] })}</script>
${columns.map(({ id, text }) => html`<script type="text/plain" id="${id}">${new Html(text)}</script>`)}
<script>${new Html(script)}</script></body></html>
`.text
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
