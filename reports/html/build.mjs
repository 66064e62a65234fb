/**
 * Bundles what runs in the report's page: `client/main.ts` with Chart.js, `client/browse.ts`, and
 * `client/style.css`, into dist/reports/html, where `shell.ts` finds them. Run by `npm run build`.
 */
import { build } from 'esbuild'
import { fileURLToPath } from 'node:url'

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
await build({
  entryPoints: [
    { in: here('./client/main.ts'), out: 'client' },
    { in: here('./client/browse.ts'), out: 'browse-client' },
    { in: here('./client/style.css'), out: 'client' },
  ],
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['chrome111', 'firefox114', 'safari16.4'],
  charset: 'utf8',
  legalComments: 'eof',
  outdir: here('../../dist/reports/html'),
  logLevel: 'warning',
})
