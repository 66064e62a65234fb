/**
 * Reaching an engine by ssh, the way the Docker command does: `ssh host docker system dial-stdio` carries one
 * connection to the engine's socket, and `ssh -L` carries clients to the nodes' ports.
 *
 * The system's own ssh is used, not a library's, so that the user's keys, agent, jump hosts and above all
 * known_hosts apply.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { Agent } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { Duplex } from 'node:stream'
import { ClusterError } from '../../cluster.ts'

const FORWARD_DEADLINE_MS = 15_000

/** A way to an engine on another machine. */
export interface Tunnel {
  /** Opens the connections of Engine API calls. */
  readonly agent: Agent
  /** Carries local ports to ports of the engine's machine: remote port -> local port. */
  forward(remotePorts: readonly number[]): Promise<ReadonlyMap<number, number>>
  /** What ssh last complained about. */
  complaint(): string
  close(): void
}

/** A pipe through a child's standard streams, dressed as the socket that an HTTP agent wants. */
function throughChild(child: ChildProcess): Duplex {
  const { stdin, stdout } = child
  if (stdin === null || stdout === null) throw new ClusterError('docker-ssh', 'ssh was started without pipes.')
  const duplex = Duplex.from({ readable: stdout, writable: stdin })
  child.once('error', (error) => duplex.destroy(error))
  const asSocket = { setNoDelay: () => duplex, setKeepAlive: () => duplex, setTimeout: () => duplex, ref: () => duplex, unref: () => duplex }
  return Object.assign(duplex, asSocket)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function destination(url: URL): string[] {
  return [...(url.port === '' ? [] : ['-p', url.port]), url.username === '' ? url.hostname : `${decodeURIComponent(url.username)}@${url.hostname}`]
}

/** Prepares a tunnel; nothing is opened before the first connection. */
export function sshTunnel(url: URL): Tunnel {
  const children = new Set<ChildProcess>()
  let complaint = ''
  const ssh = (options: readonly string[], remoteCommand: readonly string[]): ChildProcess => {
    const child = spawn('ssh', ['-T', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=10', ...options, ...destination(url), ...remoteCommand], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    children.add(child)
    child.once('exit', () => children.delete(child))
    child.once('error', (error) => (complaint = error.message))
    child.stderr.on('data', (chunk: Buffer) => (complaint = chunk.toString().trim().split('\n').at(-1) ?? ''))
    return child
  }
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  Object.assign(agent, { createConnection: () => throughChild(ssh([], ['docker', 'system', 'dial-stdio'])) })

  const forward = async (remotePorts: readonly number[]): Promise<ReadonlyMap<number, number>> => {
    const pairs: (readonly [number, number])[] = []
    for (const remote of remotePorts) pairs.push([remote, await freePort()])
    const forwards = pairs.flatMap(([remote, local]) => ['-L', `127.0.0.1:${local}:127.0.0.1:${remote}`])
    // The remote command says when the forwards stand, and ends with its standard input: with us.
    const child = ssh(['-o', 'ExitOnForwardFailure=yes', ...forwards], ['sh', '-c', "'echo ready; exec cat'"])
    await ready(child, () => complaint)
    return new Map(pairs)
  }
  const close = (): void => {
    agent.destroy()
    for (const child of children) child.kill()
  }
  return { agent, forward, complaint: () => complaint, close }
}

function ready(child: ChildProcess, complaint: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (): void => {
      clearTimeout(timer)
      child.kill()
      reject(new ClusterError('docker-ssh', `ssh could not forward the nodes' ports (${complaint() || 'no answer'}). Allow TCP forwarding on the engine's machine, or use its address with tcp://.`))
    }
    const timer = setTimeout(refuse, FORWARD_DEADLINE_MS)
    child.once('exit', refuse)
    child.stdout?.once('data', () => {
      clearTimeout(timer)
      child.off('exit', refuse)
      resolve()
    })
  })
}
