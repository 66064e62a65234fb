/**
 * Systems of the user's own: `--system ./my-store.ts` is bundled with the files that it imports (packages stay where
 * they are), imported, and looked at before it may start anything. Bundling is what lets Node 20 read TypeScript; the
 * bundle lies beside the file for the moment of its import, so that packages are found from where the user wrote it.
 */
import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Loader, Plugin } from 'esbuild'
import { z } from 'zod'
import { models } from '../checker/verdict.ts'
import type { System } from '../cluster/system.ts'
import { UsageError } from './usage-error.ts'

const LOADERS: Readonly<Record<string, Loader>> = { '.ts': 'ts', '.mts': 'ts', '.js': 'js', '.mjs': 'js' }

const method = z.custom<(...args: unknown[]) => unknown>((value) => typeof value === 'function', 'must be a function')

/** What a user's `system` must look like. More than this is allowed: it may be a class with fields of its own. */
const systemSchema = z.looseObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/i, 'must be letters, digits, dots, dashes and underscores'),
  expected: z.enum(models),
  promise: z.string(),
  functions: z.array(z.string()).min(1),
  nodes: method,
  client: method,
  peek: method.optional(),
  ping: method.optional(),
  ready: method.optional(),
  probe: method.optional(),
  oneWayConnections: z.boolean().optional(),
  sharedAddresses: z.boolean().optional(),
  settleMs: z.number().positive().optional(),
  clock: z.looseObject({ read: method, set: method }).optional(),
  membership: z.looseObject({ admit: method, dismiss: method, members: method }).optional(),
})

const nodeSchema = z.looseObject({
  id: z.string(),
  command: method,
  start: method.optional(),
  image: z.union([z.string(), z.looseObject({ program: z.string().optional(), executables: z.array(z.string()).optional() })], 'must be the name of an image or {program, executables}').optional(),
  logs: z.array(z.string()).optional(),
})

/** Loads the system that `file` exports. Throws UsageError with the file and what is wrong with it. */
export async function loadSystemFile(file: string): Promise<System> {
  const absolute = path.resolve(file)
  if (!existsSync(absolute)) throw new UsageError(`There is no file ${file}; splitbrain init writes one to start from.`)
  if (!(path.extname(absolute) in LOADERS)) throw new UsageError(`${file} is no system: it must end in ${Object.keys(LOADERS).join(', ')}.`)
  const exported = await importBundled(file, absolute)
  const system = exported['system'] ?? exported['default']
  if (system === undefined) throw new UsageError(`${file} exports no system: write "export const system = defineSystem({ ... })" (it exports ${Object.keys(exported).join(', ') || 'nothing'}).`)
  return checkedSystem(file, system)
}

async function importBundled(file: string, absolute: string): Promise<Record<string, unknown>> {
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

/** Throws UsageError that names the first field that is not as it must be. */
function checkedSystem(file: string, value: unknown): System {
  refuse(file, 'system', systemSchema.safeParse(value))
  const system = value as System
  const ids = ['n1', 'n2', 'n3']
  const specs: unknown = system.nodes(ids)
  refuse(file, 'system.nodes(ids)', z.array(nodeSchema).safeParse(specs))
  const named = (specs as { id: string }[]).map(({ id }) => id)
  if (named.join() !== ids.join()) throw new UsageError(`${file}: system.nodes(ids) must return one node for each id, in their order; for ${ids.join(', ')} it returned ${named.join(', ') || 'none'}.`)
  return system
}

function refuse(file: string, what: string, { error }: z.ZodSafeParseResult<unknown>): void {
  if (error === undefined) return
  const [issue] = error.issues as [z.core.$ZodIssue]
  const field = issue.path.reduce<string>((text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}.${String(part)}`), what)
  throw new UsageError(`${file}: ${field} is not as it must be: ${issue.message}.`)
}
