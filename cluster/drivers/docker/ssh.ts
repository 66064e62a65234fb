/**
 * Reaching an engine by ssh: one connection carries the engine's socket and the nodes' ports, each forwarded here.
 *
 * The system's own ssh is used, not a library's, so that the user's keys, agent, jump hosts and above all known_hosts
 * apply. It ends with its standard input, and so with the controller, however that ends.
 */
import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ClusterError } from '../../cluster.ts'

const run = promisify(execFile)

const CONNECT_DEADLINE_MS = 20_000

/** Says where the engine's socket is, and ends when its input does. */
const REMOTE = 'echo "${DOCKER_HOST:-unix:///var/run/docker.sock}"; exec cat'

/** A way to an engine on another machine. */
export interface Tunnel {
  /** The engine's socket, forwarded here. */
  readonly socketPath: string
  /** Carries local ports to ports of the engine's machine: remote port -> local port. */
  forward(remotePorts: readonly number[]): Promise<ReadonlyMap<number, number>>
  close(): void
}

function destination(url: URL): string[] {
  return [...(url.port === '' ? [] : ['-p', url.port]), url.username === '' ? url.hostname : `${decodeURIComponent(url.username)}@${url.hostname}`]
}

function refusal(url: URL, words: string): ClusterError {
  return new ClusterError(
    'docker-ssh',
    `ssh could not reach the container engine at ${url.href} (${words || 'no answer'}). Check that \`ssh ${destination(url).join(' ')} docker version\` works without a password.`,
  )
}

/** The first line that the far side says. */
function firstLine(child: ChildProcess, url: URL): Promise<string> {
  return new Promise((resolve, reject) => {
    let complaint = ''
    const refuse = (error?: Error): void => {
      clearTimeout(timer)
      child.kill()
      reject(refusal(url, complaint.trim().split('\n').at(-1) || error?.message || ''))
    }
    const timer = setTimeout(refuse, CONNECT_DEADLINE_MS)
    child.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
    child.once('error', refuse)
    child.once('exit', () => refuse())
    child.stdout?.once('data', (chunk: Buffer) => {
      clearTimeout(timer)
      child.off('exit', refuse)
      resolve(chunk.toString().split('\n')[0] ?? '')
    })
  })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

const FOLDER = 'splitbrain-ssh-'

/** Removes the folders of controllers that were killed. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = new RegExp(`^${FOLDER}(\\d+)-`).exec(name)?.[1]
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined)
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Connects, and forwards the engine's socket. */
export async function sshTunnel(url: URL): Promise<Tunnel> {
  await sweep()
  const folder = await mkdtemp(join(tmpdir(), `${FOLDER}${process.pid}-`))
  const control = join(folder, 'control')
  const socketPath = join(folder, 'engine')
  const options = ['-T', '-M', '-S', control, '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=10', '-o', 'ServerAliveInterval=15']
  const child = spawn('ssh', [...options, ...destination(url), REMOTE], { stdio: ['pipe', 'pipe', 'pipe'] })
  const close = (): void => {
    child.kill()
    rmSync(folder, { recursive: true, force: true })
  }
  const add = async (forwards: readonly string[]): Promise<void> => {
    try {
      await run('ssh', ['-S', control, '-O', 'forward', ...forwards.flatMap((forward) => ['-L', forward]), ...destination(url)], { timeout: CONNECT_DEADLINE_MS })
    } catch (error) {
      throw refusal(url, `forwarding failed: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  try {
    const remote = await firstLine(child, url)
    if (!remote.startsWith('unix://')) throw refusal(url, remote)
    const remoteSocket = url.pathname.length > 1 ? decodeURIComponent(url.pathname) : remote.replace(/^unix:\/\//, '')
    await add([`${socketPath}:${remoteSocket}`])
  } catch (error) {
    close()
    throw error
  }
  const forward = async (remotePorts: readonly number[]): Promise<ReadonlyMap<number, number>> => {
    const pairs: (readonly [remote: number, local: number])[] = []
    for (const remote of remotePorts) pairs.push([remote, await freePort()])
    await add(pairs.map(([remote, local]) => `127.0.0.1:${local}:127.0.0.1:${remote}`))
    return new Map(pairs)
  }
  return { socketPath, forward, close }
}
