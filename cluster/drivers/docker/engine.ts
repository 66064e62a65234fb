/**
 * Connecting to container engines: Docker here, Docker elsewhere (`tcp://`, `ssh://`), Podman's socket.
 *
 * Without a name we look where the Docker command looks: DOCKER_HOST, then the current Docker context, then the
 * sockets that Docker, rootless Docker and Podman are known to use.
 */
import { subscribe } from 'node:diagnostics_channel'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { homedir, hostname, release } from 'node:os'
import { join } from 'node:path'
import type Docker from 'dockerode'
import type { DockerOptions } from 'dockerode'
import { ClusterError } from '../../cluster.ts'
import { explain, explaining } from './errors.ts'
import { sshTunnel } from './ssh.ts'
import type { Tunnel } from './ssh.ts'

/** The oldest Engine API that this driver was written for, 1.40: Docker 19.03. */
const API_MINOR_MIN = 40

/** No single answer of an engine takes longer than this; past it the engine hangs. */
const ANSWER_DEADLINE_MS = 120_000

/** By this our requests to engines are known. */
const USER_AGENT = 'splitbrain'

/**
 * The library listens to errors of a request, not of its answer: one that breaks off in the middle it would await for
 * ever, with nothing left that keeps this process alive. So the request is told.
 */
subscribe('http.client.response.finish', (message) => {
  const { request, response } = message as { readonly request: ClientRequest; readonly response: IncomingMessage }
  if (request.getHeader('user-agent') !== USER_AGENT) return
  response.once('close', () => {
    if (!response.complete) request.emit('error', Object.assign(new Error('its answer broke off'), { code: 'ECONNRESET' }))
  })
})

/** One engine that nodes run on. */
export interface Engine {
  /** Its address, as a person would write it. */
  readonly name: string
  readonly docker: Docker
  readonly kind: 'docker' | 'podman'
  readonly version: string
  /** Processor architecture in Node's words: x64, arm64. */
  readonly arch: string
  /** This process runs on the engine's own machine, under the same kernel. */
  readonly isHere: boolean
  /** Its wall clock minus ours, in ms. */
  readonly clockOffsetMs: number
  /** The machine's address for nodes on other engines; undefined until one is needed and none was given. */
  readonly address: string | undefined
  /** Carries connections to an engine that is reached by ssh. */
  readonly tunnel: Tunnel | undefined
  close(): void
}

/** What `--docker-host` may say: a URL, optionally followed by `#ADDRESS`, where other engines reach this one's machine. */
interface Target {
  readonly url: URL
  readonly name: string
  readonly address: string | undefined
}

const PROTOCOLS = ['unix:', 'tcp:', 'http:', 'https:', 'ssh:']

function parseTarget(text: string): Target {
  const name = text.startsWith('/') ? `unix://${text}` : text.includes('://') ? text : `tcp://${text}`
  const url = URL.canParse(name) ? new URL(name) : undefined
  if (url === undefined || !PROTOCOLS.includes(url.protocol))
    throw new ClusterError('docker-host', `${text} is not an engine's address. Write unix:///path/to/docker.sock, tcp://host:2375 or ssh://user@host.`)
  return { url, name: name.replace(/#.*$/, ''), address: url.hash.slice(1) || (url.protocol === 'unix:' ? undefined : url.hostname) }
}

/** The endpoint of the Docker command's current context, when it has one. */
function contextHost(): string | undefined {
  const folder = process.env['DOCKER_CONFIG'] ?? join(homedir(), '.docker')
  const json = (path: string): Record<string, unknown> => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  try {
    const name = process.env['DOCKER_CONTEXT'] ?? json(join(folder, 'config.json'))['currentContext']
    if (typeof name !== 'string' || name === 'default') return undefined
    const contexts = join(folder, 'contexts', 'meta')
    const metas = readdirSync(contexts).map((entry) => json(join(contexts, entry, 'meta.json')))
    const meta = metas.find((candidate) => candidate['Name'] === name) as { Endpoints?: { docker?: { Host?: string } } } | undefined
    return meta?.Endpoints?.docker?.Host
  } catch {
    return undefined // no configuration, or none that we can read: the sockets decide
  }
}

/** Where an engine is when nobody says where. */
function defaultHost(): string {
  const configured = process.env['DOCKER_HOST'] || contextHost()
  if (configured !== undefined) return configured
  const runtime = process.env['XDG_RUNTIME_DIR'] ?? `/run/user/${process.getuid?.() ?? 0}`
  const sockets = [
    '/var/run/docker.sock',
    join(homedir(), '.docker/run/docker.sock'),
    join(runtime, 'docker.sock'),
    join(runtime, 'podman/podman.sock'),
    '/run/podman/podman.sock',
  ]
  return `unix://${sockets.find((socket) => existsSync(socket)) ?? sockets[0]}`
}

function tlsOptions(): DockerOptions {
  const folder = process.env['DOCKER_CERT_PATH']
  if (folder === undefined) return {}
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
  return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') }
}

function connectionOptions({ url }: Target, tunnel: Tunnel | undefined): DockerOptions {
  // `host: undefined` is meant: otherwise DOCKER_HOST, read by the library itself, would outrank the socket that we name.
  const base = { timeout: ANSWER_DEADLINE_MS, headers: { 'User-Agent': USER_AGENT }, host: undefined, protocol: 'http' as const }
  if (tunnel !== undefined) return { ...base, socketPath: tunnel.socketPath }
  if (url.protocol === 'unix:') return { ...base, socketPath: decodeURIComponent(url.pathname) }
  const tls = url.protocol === 'https:' || url.port === '2376' || process.env['DOCKER_TLS_VERIFY'] === '1'
  const secure = tls ? { protocol: 'https' as const, ...tlsOptions() } : {}
  return { ...base, host: url.hostname, port: url.port || 2375, ...secure }
}

interface EngineVersion {
  readonly Version: string
  readonly ApiVersion: string
  readonly Arch: string
  readonly Components?: readonly { readonly Name: string }[]
}

const NODE_ARCH: Readonly<Record<string, string>> = { amd64: 'x64', '386': 'ia32' }

function assertNewEnough(target: Target, version: EngineVersion): void {
  // "1.41" is version 41 of the first API, not a fraction: compare the parts.
  const [major = 0, minor = 0] = version.ApiVersion.split('.').map(Number)
  if (major > 1 || minor >= API_MINOR_MIN) return
  throw new ClusterError(
    'docker-too-old',
    `The engine at ${target.name} is too old (${version.Version}, API ${version.ApiVersion}); Docker 19.03 (API 1.40) is the oldest that works. Update it, or use --driver process.`,
  )
}

/** Connects to one engine and asks it what it is. */
async function connectEngine(host: string): Promise<Engine> {
  const target = parseTarget(host)
  const tunnel = target.url.protocol === 'ssh:' ? await sshTunnel(target.url) : undefined
  const doing = `Connecting to the container engine at ${target.name}`
  try {
    const { default: DockerClient } = await explaining(doing, () => import('dockerode'))
    const docker = new DockerClient(connectionOptions(target, tunnel))
    const version = (await docker.version()) as EngineVersion
    assertNewEnough(target, version)
    const before = Date.now()
    const info = (await docker.info()) as { SystemTime?: string; KernelVersion: string; Name: string; OSType?: string }
    const after = Date.now()
    if (info.OSType !== undefined && info.OSType !== 'linux')
      throw new ClusterError('docker-not-linux', `The engine at ${target.name} runs ${info.OSType} containers. Switch it to Linux containers, or use --driver process.`)
    const sameKernel = info.KernelVersion === release() && info.Name === hostname()
    return {
      name: target.name,
      docker,
      kind: version.Components?.some(({ Name }) => Name.startsWith('Podman')) === true ? 'podman' : 'docker',
      version: version.Version,
      arch: NODE_ARCH[version.Arch] ?? version.Arch,
      isHere: target.url.protocol === 'unix:' && sameKernel,
      clockOffsetMs: info.SystemTime === undefined ? 0 : Date.parse(info.SystemTime) - (before + after) / 2,
      address: target.address,
      tunnel,
      close: () => tunnel?.close(),
    }
  } catch (error) {
    tunnel?.close()
    throw explain(error, doing)
  }
}

/** Connects to all of them, or to the default one. Hands back what was connected before the error to nobody: it is closed. */
export async function connectEngines(hosts: readonly string[] = []): Promise<readonly Engine[]> {
  const wanted = hosts.length > 0 ? [...new Set(hosts)] : [defaultHost()]
  const results = await Promise.allSettled(wanted.map(connectEngine))
  const engines = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed === undefined) return engines
  for (const engine of engines) engine.close()
  throw failed.reason
}
