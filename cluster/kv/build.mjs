/**
 * Bundles the node's program, in the place of its compiled module: one file is read in half the time of the hundred that it
 * is made of, and a run of a few seconds starts half a dozen nodes or more. Run by `npm run build`, after the compiler.
 */
import { build } from 'esbuild'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
await build({
  entryPoints: [here('./main.ts')],
  outdir: here('../../dist/cluster/kv'),
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: true,
  // They look for native code beside themselves.
  external: ['classic-level', 'msgpackr-extract'],
  logLevel: 'warning',
})
