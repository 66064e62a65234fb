/**
 * Makes a source checkout ready to run: installs the libraries when they are missing or do not match
 * package-lock.json, and compiles when a source has changed since the last build. Both only when needed, both under
 * one lock, so that `npm start` and `npm test` may be started at the same moment in a fresh clone.
 *
 * Freshness is judged by content, never by time stamps: git, tar and copies set those as they like.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir, userInfo } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withLock } from './lock.mjs'

/** The repository's (or the installed package's) root. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

const sourceFolders = ['checker', 'cluster', 'harness', 'nemesis', 'reports', 'workloads']
const sourceFiles = ['package.json', 'package-lock.json', 'tsconfig.json']
const stampFile = join(root, 'dist', '.sources')

/** A sentence for the user; the process ends with 255. */
class PrepareError extends Error {}

const say = (line) => process.stderr.write(`splitbrain: ${line}\n`)

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

/**
 * Whether node_modules holds what package-lock.json asks for, by the record that npm leaves when an installation is
 * complete. Optional packages may be absent: they are other platforms' binaries.
 */
function isInstalled() {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages ?? {}
  const there = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages
  if (there === undefined) return false
  return Object.entries(wanted).every(([path, { version, link, optional }]) => {
    if (!path.startsWith('node_modules/')) return true // the root and the workspaces themselves
    const entry = there[path]
    return entry === undefined ? optional === true : entry.version === version && entry.link === link
  })
}

/** Every file that the build may depend on, in a fixed order. */
function* sources(folder) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    if (entry.name.startsWith('.') || entry.name.endsWith('.md')) continue
    const path = `${folder}/${entry.name}`
    if (entry.isFile()) yield path
    else if (entry.isDirectory() && !['dist', 'build', 'node_modules'].includes(entry.name)) yield* sources(path)
  }
}

function sourcesHash() {
  const hash = createHash('sha256')
  const folders = sourceFolders.filter((folder) => existsSync(join(root, folder)))
  for (const path of [...sourceFiles, ...folders.flatMap((folder) => [...sources(folder)])]) {
    hash.update(`${path}\0`)
    if (existsSync(join(root, path))) hash.update(readFileSync(join(root, path)))
  }
  return hash.digest('hex')
}

function isBuilt() {
  try {
    return readFileSync(stampFile, 'utf8') === sourcesHash()
  } catch {
    return false
  }
}

/** npm as it started us, else the one on the PATH. */
function npmCommand() {
  const started = process.env.npm_execpath
  return started && basename(started) === 'npm-cli.js' ? [process.execPath, started] : ['npm']
}

/** The outer npm's choices that must not leak into ours: `npm test -w x` is not `npm ci -w x`. */
function npmEnvironment() {
  const dropped = /^npm_config_(workspaces?|include_workspace_root|omit|only|production|dry_run|global|location|call|package)$/i
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !dropped.test(name)))
}

/** A cache for npm where the usual one cannot be written (a user without a home). */
function cacheArguments() {
  let folder = process.env.npm_config_cache ?? join(homedir(), '.npm')
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder)
  try {
    accessSync(folder, constants.W_OK)
    return []
  } catch {
    return ['--cache', join(tmpdir(), `splitbrain-npm-${userInfo().uid}`)]
  }
}

/** Runs npm and resolves to its exit code and output. Signals that would end us end npm too. */
async function npm(args) {
  const [file, ...first] = npmCommand()
  const child = spawn(file, [...first, ...args], { cwd: root, env: npmEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk) => { output += chunk })
  child.stderr.on('data', (chunk) => { output += chunk })
  const passOn = (signal) => {
    child.kill(signal)
    child.once('exit', () => process.exit(signal === 'SIGINT' ? 130 : 143))
  }
  process.once('SIGINT', passOn)
  process.once('SIGTERM', passOn)
  try {
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    return { code, output }
  } catch (error) {
    throw new PrepareError(`npm could not be started (${error.message}). It comes with Node: is it on the PATH?`)
  } finally {
    process.off('SIGINT', passOn)
    process.off('SIGTERM', passOn)
  }
}

/** Why npm failed, as far as its output tells. */
function installAdvice(output) {
  if (/ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|ECONNRESET|network/.test(output)) return 'The package registry cannot be reached from here: check the network, or set a registry with "npm config set registry URL".'
  if (/EACCES|EPERM|EROFS/.test(output)) return `This user may not write to ${root}: clone it somewhere of your own.`
  if (/ENOSPC/.test(output)) return 'The disk is full.'
  return 'Run "npm ci" yourself to see more.'
}

async function install() {
  say('installing its libraries with npm (only now, and after an update) ...')
  // No install scripts: every native library here ships prebuilt binaries.
  const options = ['--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...cacheArguments()]
  let result = await npm(['ci', ...options])
  if (result.code !== 0 && /\bEUSAGE\b/.test(result.output)) {
    say('package-lock.json does not match package.json; installing what it does name ...')
    result = await npm(['install', '--no-save', ...options])
  }
  if (result.code !== 0) throw new PrepareError(`npm could not install the libraries. ${installAdvice(result.output)}\n\n${result.output.trimEnd()}`)
}

async function build() {
  say('compiling ...')
  const hash = sourcesHash() // before, so that a source that changes meanwhile counts as new
  const { code, output } = await npm(['run', 'build', '--silent'])
  if (code !== 0) throw new PrepareError(`The sources do not compile:\n\n${output.trimEnd()}`)
  mkdirSync(dirname(stampFile), { recursive: true })
  writeFileSync(stampFile, hash)
}

/**
 * Installs and compiles whatever is missing. Ends the process with 255 and a sentence when that fails.
 * An installed package (no sources beside it) is ready as it is, and so is a checkout whose parent process prepared it.
 */
export async function prepare() {
  if (!existsSync(join(root, 'tsconfig.json')) || process.env.SPLITBRAIN_PREPARED === root) return
  try {
    if (!isInstalled() || !isBuilt()) {
      const onWait = (pid) => say(`waiting for another splitbrain command${pid ? ` (process ${pid})` : ''} that is installing or compiling here ...`)
      await withLock(join(root, '.prepare.lock'), onWait, async () => {
        if (!isInstalled()) await install()
        if (!isBuilt()) await build()
      })
    }
    process.env.SPLITBRAIN_PREPARED = root
  } catch (error) {
    if (!(error instanceof PrepareError) && !['EACCES', 'EPERM', 'EROFS'].includes(error.code)) throw error
    say(error instanceof PrepareError ? error.message : `${error.message}. It has to write node_modules and dist into ${root}: clone it somewhere of your own.`)
    process.exit(255)
  }
}
