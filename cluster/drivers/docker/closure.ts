/**
 * What of this machine goes into an image: executables with every shared library that they load, and Node programs
 * bundled into one file with the native add-on that they need. No registry is asked for anything.
 *
 * Files keep the paths that they have here, so that a program's command is the same in and out of the container.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { pack } from 'tar-stream'
import type { Pack } from 'tar-stream'
import { ClusterError } from '../../cluster.ts'

const run = promisify(execFile)

/** A file of an image: its path there, and what it holds. */
export interface ImageFile {
  readonly path: string
  readonly content: Buffer
  readonly executable: boolean
}

/** The libraries that the dynamic loader would map for `file`, by the paths under which it finds them. */
async function sharedLibraries(file: string): Promise<string[]> {
  // ldd fails for static executables: they need none.
  const listing = await run('ldd', [file]).then((result) => result.stdout).catch(() => '')
  const paths = [...listing.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x/gm)].map((match) => match[1] as string)
  return [...new Set(paths)]
}

/** Finds an executable by name as a shell would, and in the places where administration tools lie. */
export function findExecutable(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/bin', '/bin']
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

/** iptables loads its matches and targets at run time, from a folder beside its library: ldd cannot see them. */
async function iptablesExtensions(libraries: readonly string[]): Promise<string[]> {
  const xtables = libraries.find((library) => library.includes('libxtables'))
  if (xtables === undefined) return []
  const folders = [join(dirname(await realpath(xtables)), 'xtables'), join(dirname(xtables), 'xtables'), '/usr/lib/xtables', '/usr/lib64/xtables']
  const folder = folders.find((candidate) => existsSync(candidate))
  if (folder === undefined) return []
  const wanted = /^lib(xt|ipt)_(standard|tcp|udp|time|statistic|CLASSIFY|hashlimit|REJECT|TEE|connmark|CONNMARK|DNAT|NAT)\.so$/
  return (await readdir(folder)).filter((name) => wanted.test(name)).map((name) => join(folder, name))
}

/** The executables and all that they load, each path once. */
export async function closure(executables: readonly string[]): Promise<ImageFile[]> {
  const paths = new Set<string>()
  for (const executable of executables) {
    if (!existsSync(executable)) throw new ClusterError('executable-missing', `There is no ${executable} on this machine. Install it, or name an image that holds it.`)
    const libraries = await sharedLibraries(executable)
    for (const path of [executable, ...libraries, ...(await iptablesExtensions(libraries))]) paths.add(path)
  }
  return Promise.all(
    [...paths].sort().map(async (path) => ({ path, content: await readFile(path), executable: ((await stat(path)).mode & 0o111) !== 0 })),
  )
}

/** Where the loader must look besides its built-in folders. */
export function libraryFolders(files: readonly ImageFile[]): string {
  return [...new Set(files.filter(({ path }) => path.includes('.so')).map(({ path }) => dirname(path)))].sort().join(':')
}

/** A short name for exactly this content. */
export function contentHash(files: readonly ImageFile[], ...more: readonly string[]): string {
  const hash = createHash('sha256')
  for (const text of more) hash.update(`${text}\0`)
  for (const { path, content, executable } of files) hash.update(`${path}\0${content.length}\0${executable}\0`).update(content)
  return hash.digest('hex').slice(0, 12)
}

function addFile(tar: Pack, file: ImageFile): Promise<void> {
  return new Promise((resolve, reject) => {
    const header = { name: file.path.replace(/^\//, ''), mode: file.executable ? 0o755 : 0o644, mtime: new Date(0) }
    tar.entry(header, file.content, (error) => (error ? reject(error) : resolve()))
  })
}

/** The files as a tar stream. */
export function tarOf(files: readonly ImageFile[], folders: readonly string[] = []): NodeJS.ReadableStream {
  const tar = pack()
  const write = async (): Promise<void> => {
    for (const name of folders) tar.entry({ name, type: 'directory', mode: 0o1777, mtime: new Date(0) })
    for (const file of files) await addFile(tar, file)
    tar.finalize()
  }
  write().catch((error: Error) => tar.destroy(error))
  return tar
}

/** Where a bundled program lies in its image. */
export const PROGRAM_PATH = '/app/main.mjs'

/**
 * CommonJS packages inside an ES module: they expect `require` and `__dirname`. The latter also tells
 * node-gyp-build where to look for the add-on: beside the program.
 */
const BANNER = `import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __dirname = '/app', __filename = '${PROGRAM_PATH}';`

/** Bundles the Node program `entry` and the add-ons that it needs on Linux machines of this architecture. */
export async function bundleProgram(entry: string, arch: string): Promise<ImageFile[]> {
  if (!existsSync(entry)) throw new ClusterError('program-missing', `The node program ${entry} is not there. Build it first: npm run build.`)
  const { build } = await import('esbuild')
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    banner: { js: BANNER },
    logLevel: 'silent',
  }).catch((error: unknown) => {
    throw new ClusterError('bundle-failed', `Bundling ${entry} for its image failed: ${String(error)}. Build the project first: npm run build.`, { cause: error })
  })
  const text = outputFiles[0]?.contents ?? new Uint8Array()
  const program = { path: PROGRAM_PATH, content: Buffer.from(text), executable: false }
  return [program, ...(program.content.includes('node-gyp-build') ? await levelAddon(arch) : [])]
}

/** classic-level's compiled part, laid out as its package has it, so that node-gyp-build finds it. */
async function levelAddon(arch: string): Promise<ImageFile[]> {
  const root = dirname(createRequire(import.meta.url).resolve('classic-level/package.json'))
  const prebuilt = join('prebuilds', `linux-${arch}`)
  const folder = [prebuilt, join('build', 'Release')].find((candidate) => existsSync(join(root, candidate)))
  if (folder === undefined)
    throw new ClusterError('addon-missing', `classic-level has no compiled add-on for linux-${arch} in ${root}. Reinstall it (npm rebuild classic-level) and run again.`)
  const names = (await readdir(join(root, folder))).filter((name) => name.endsWith('.node'))
  return Promise.all(names.map(async (name) => ({ path: join('/app', folder, name), content: await readFile(join(root, folder, name)), executable: false })))
}
