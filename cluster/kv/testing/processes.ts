/**
 * Nodes of the store as processes on loopback, without a driver: for tests and benchmarks of the node itself.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realClock } from '../../../harness/clock.ts'
import { freePorts } from '../../drivers/real/ports.ts'
import { dialAddress } from '../../drivers/real/socket-stream.ts'
import { kvSystem } from '../../systems/kv.ts'
import type { KvOptions } from '../../systems/kv.ts'
import { RespConnection } from '../../systems/resp-connection.ts'
import type { NodeAddresses } from '../../system.ts'

/** One node's process, and where it listens. It can be started again on the same disk. */
export class NodeProcess {
  readonly addresses: NodeAddresses
  child: ChildProcess | undefined
  readonly #start: () => ChildProcess

  constructor(addresses: NodeAddresses, start: () => ChildProcess) {
    this.addresses = addresses
    this.#start = start
  }

  /** Resolves when the node says that its ports accept. */
  async start(): Promise<void> {
    const child = this.#start()
    this.child = child
    const said: string[] = []
    child.stderr!.on('data', (chunk: Buffer) => said.push(chunk.toString()))
    const [line] = (await Promise.race([once(child.stdout!, 'data'), once(child, 'exit').then(() => [Buffer.from(`it ended: ${said.join('')}`)])])) as [Buffer]
    if (line.toString() !== 'ready\n') throw new Error(`a node did not start: ${line.toString()}`)
    child.stdout!.resume()
  }

  /** Waits for the end of the process and resolves to its exit code and signal. */
  async ended(): Promise<readonly [code: number | null, signal: string | null]> {
    const { child } = this
    if (child === undefined) return [null, null]
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    return [child.exitCode, child.signalCode]
  }

  async kill(): Promise<void> {
    this.child?.kill('SIGKILL')
    await this.ended()
  }

  async connect(port: 'client' | 'admin'): Promise<RespConnection> {
    return new RespConnection(await dialAddress(this.addresses.listen[port], 2000), realClock())
  }
}

/** A cluster of processes. */
export interface Processes extends KvOptions {
  readonly processes: number
  readonly token: string
  /** Machines that may join: they come last, and whoever is to join is started by `body`. */
  readonly spares?: number
  /** Called with every member's folder before it starts. */
  readonly prepare?: (dataDir: string) => Promise<void>
}

/** Starts a cluster of processes, runs `body`, and removes everything. */
export async function withProcesses({ processes, token, spares = 0, prepare, ...options }: Processes, body: (nodes: readonly NodeProcess[]) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'splitbrain-kv-'))
  const ids = Array.from({ length: processes + spares }, (_, i) => `n${i + 1}`)
  const members = ids.slice(0, processes)
  const ports = await freePorts(3 * ids.length)
  const host = (index: number): string => `127.0.0.1:${ports[index]!}`
  const peers = Object.fromEntries(ids.map((id, i) => [id, host(3 * i)]))
  const nodes = kvSystem(options).nodes(members, ids.slice(processes)).map((spec, i) => {
    const listen = { peer: host(3 * i), client: host(3 * i + 1), admin: host(3 * i + 2) }
    const addresses: NodeAddresses = { listen, peers, dataDir: join(dir, spec.id), token }
    const { file, args, env } = spec.command(addresses, i < processes ? undefined : members)
    return new NodeProcess(addresses, () => spawn(file, args, { env: { ...process.env, ...env, SPLITBRAIN_PARENT: '1' }, stdio: ['pipe', 'pipe', 'pipe'] }))
  })
  try {
    if (prepare !== undefined) for (const { addresses } of nodes.slice(0, processes)) await prepare(addresses.dataDir)
    await Promise.all(nodes.slice(0, processes).map((node) => node.start()))
    await body(nodes)
  } finally {
    await Promise.all(nodes.map((node) => node.kill()))
    await rm(dir, { recursive: true, force: true })
  }
}
