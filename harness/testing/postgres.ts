/**
 * A real PostgreSQL server of Debian's package, for tests: in a temporary folder, on a free port of 127.0.0.1, stopped
 * and started again at will. Root runs it in a user namespace as "nobody", because it refuses to run as root.
 */
import { execa } from 'execa'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'

/** A server that runs. */
export interface PostgresServer {
  /** As its owner, who may do everything. */
  readonly url: string
  /** The address of a database on it for another role. */
  urlFor(user: string, database?: string): string
  /** Carries out SQL as its owner, in a database. */
  sql(text: string, database?: string): Promise<string>
  start(): Promise<void>
  /** `immediate`: without saving anything, as a crash. */
  stop(mode: 'fast' | 'immediate'): Promise<void>
  /** Stops it and removes its data. */
  dispose(): Promise<void>
}

/** The folder of the server's programs; undefined when it is not installed. */
async function programs(): Promise<string | undefined> {
  const place = '/usr/lib/postgresql'
  const versions = (await readdir(place).catch(() => [])).sort((a, b) => Number(b) - Number(a))
  return versions.map((one) => path.join(place, one, 'bin')).find((dir) => existsSync(path.join(dir, 'initdb')))
}

/** Starts a server; undefined where none is installed. */
export async function startPostgres(): Promise<PostgresServer | undefined> {
  const bin = await programs()
  if (bin === undefined) return undefined
  const place = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-postgres-'))
  const data = path.join(place, 'data')
  const port = await freePort()
  const as = process.getuid?.() === 0 ? ['unshare', '--user', '--map-user=65534', '--map-group=65534', '--'] : []
  const command = async (program: string, ...args: string[]): Promise<void> => {
    const [file, ...rest] = [...as, path.join(bin, program), ...args]
    await execa(file!, rest, { stdio: 'ignore', env: { LC_ALL: 'C' } })
  }
  await command('initdb', '-D', data, '-U', 'owner', '-A', 'trust', '--no-locale', '-E', 'UTF8', '--no-sync')
  const urlFor = (user: string, database = 'postgres'): string => `postgres://${user}@127.0.0.1:${port}/${database}`
  const server: PostgresServer = {
    url: urlFor('owner'),
    urlFor,
    sql: async (text, database) => (await execa(path.join(bin, 'psql'), ['-X', '-q', '-t', '-A', '-v', 'ON_ERROR_STOP=1', '-d', urlFor('owner', database), '-c', text])).stdout,
    start: () => command('pg_ctl', '-D', data, '-w', '-l', path.join(place, 'log'), '-o', `-c port=${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off`, 'start'),
    stop: (mode) => command('pg_ctl', '-D', data, '-w', '-m', mode, 'stop'),
    async dispose() {
      await server.stop('immediate').catch(() => undefined)
      await rm(place, { recursive: true, force: true })
    },
  }
  await server.start()
  return server
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
