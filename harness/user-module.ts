/**
 * Modules of the user's own, in TypeScript or JavaScript: a file is bundled with the files that it imports (packages
 * stay where they are) and imported. Bundling is what lets Node 20 read TypeScript; the bundle lies beside the file for
 * the moment of its import, so that packages are found from where the user wrote it.
 */
import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Loader, Plugin } from 'esbuild'
import { UsageError } from './usage-error.ts'

const LOADERS: Readonly<Record<string, Loader>> = { '.ts': 'ts', '.mts': 'ts', '.js': 'js', '.mjs': 'js' }

/** Imports a user's file. Throws UsageError with the file and what is wrong with it. */
export async function importUserModule(file: string): Promise<Readonly<Record<string, unknown>>> {
  const absolute = path.resolve(file)
  if (!existsSync(absolute)) throw new UsageError(`There is no file ${file}.`)
  if (!(path.extname(absolute) in LOADERS)) throw new UsageError(`${file} cannot be imported: it must end in ${Object.keys(LOADERS).join(', ')}.`)
  const target = path.join(path.dirname(absolute), `.${path.basename(absolute)}.${process.pid}.${Date.now()}.mjs`)
  const { build } = await import('esbuild')
  try {
    await build({
      entryPoints: [absolute],
      outfile: target,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      sourcemap: 'inline',
      logLevel: 'silent',
      plugins: [keepPackages, ownPlaces],
    })
  } catch (error) {
    throw new UsageError(`${file} cannot be compiled: ${explainBuild(error)}`, { cause: error })
  }
  try {
    return (await import(pathToFileURL(target).href)) as Record<string, unknown>
  } catch (error) {
    throw new UsageError(`${file} fails while it is imported: ${(error as Error).message.replaceAll(path.basename(target), path.basename(absolute))}`, { cause: error })
  } finally {
    await rm(target, { force: true })
  }
}

/** The first complaint of the bundler, with its place. */
function explainBuild(error: unknown): string {
  const [first] = (error as { errors?: { text: string; location: { file: string; line: number } | null }[] }).errors ?? []
  if (first === undefined) return (error as Error).message
  return `${first.text}${first.location === null ? '' : ` (${first.location.file}:${first.location.line})`}`
}

/** Packages are not bundled, and `splitbrain` is this one, wherever the user's file lies. */
const keepPackages: Plugin = {
  name: 'keep-packages',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^[^./]/ }, ({ path: name, kind }) => {
      if (kind === 'entry-point') return undefined
      const own = new URL(`./index${path.extname(fileURLToPath(import.meta.url))}`, import.meta.url)
      return { path: name === 'splitbrain' ? own.href : name, external: true }
    })
  },
}

/** `import.meta.url` names the file in which it is written, not the bundle. */
const ownPlaces: Plugin = {
  name: 'own-places',
  setup: ({ initialOptions, onLoad }) => {
    initialOptions.define = { 'import.meta.url': '__file_url', 'import.meta.dirname': '__file_dir', 'import.meta.filename': '__file_name' }
    onLoad({ filter: /\.m?[jt]s$/ }, async ({ path: name }) => {
      const places = { __file_url: pathToFileURL(name).href, __file_dir: path.dirname(name), __file_name: name }
      const declared = Object.entries(places).map(([variable, place]) => `const ${variable} = ${JSON.stringify(place)};`)
      // On the first line, so that errors keep their line numbers.
      return { contents: `${declared.join(' ')} ${await readFile(name, 'utf8')}`, loader: LOADERS[path.extname(name)]! }
    })
  },
}
