/**
 * One node: a container that joins the network namespace of its network container and keeps its data in a volume,
 * so that a kill takes its memory and nothing else.
 */
import type Docker from 'dockerode'
import { pipeline } from 'node:stream/promises'
import { extract } from 'tar-stream'
import type { NodeId } from '../../../harness/env.ts'
import { ClusterError } from '../../cluster.ts'
import type { NodeClock, NodeDisk, NodeFiles, NodeState } from '../../cluster.ts'
import { filesIn } from '../real/files.ts'
import type { PreparedNode } from '../roster.ts'
import { engineMessage, engineStatus, explaining } from './errors.ts'
import { unframe } from './output.ts'

/** Length of the scheduler's accounting period, in microseconds: short enough that a throttled node is slow, not stopping and going. */
const CPU_PERIOD_US = 20_000

/** The engine's lower bound. */
const CPU_QUOTA_MIN_US = 1_000

/** What a squeezed container may use beyond what it uses: room to start a shell in. */
const HEADROOM_BYTES = 24 * 2 ** 20

const POLL_MS = 20
const LOG_TAIL_LINES = 5

/** Limits on one node's container. Left out: the machine's own. */
export interface ResourceLimits {
  /** Processors, in fractions. */
  readonly cpus?: number
  readonly memoryMb?: number
  /** Processes and threads. */
  readonly pids?: number
}

/** The scheduler settings that leave a container this many processors; -1 removes the limit. */
export function cpuSettings(cpus: number | undefined): { CpuPeriod: number; CpuQuota: number } {
  const quota = cpus === undefined ? -1 : Math.max(CPU_QUOTA_MIN_US, Math.round(cpus * CPU_PERIOD_US))
  return { CpuPeriod: CPU_PERIOD_US, CpuQuota: quota }
}

/** What a node is made of. */
export interface NodeParts {
  readonly id: NodeId
  /** Makes the node's container, on an empty volume: for members that start, and for spares that join `joining`. */
  make(joining: readonly NodeId[] | undefined): Promise<Docker.Container>
  /** Removes what `make` made. */
  unmake(container: Docker.Container): Promise<void>
  /** Files that belong to the log, by their paths in the container. */
  readonly logs: readonly string[]
  readonly limits: ResourceLimits
  readonly startDeadlineMs: number
  /** The engine can change a running container's share of the processor. */
  readonly canThrottle: boolean
  answers(deadlineMs: number): Promise<boolean>
  ownClock(): NodeClock | undefined
  ownDisk(): NodeDisk | undefined
  /** Where the engine keeps the node's volume, if this process may look there. */
  volume(): Promise<string> | undefined
  /** The memory of the engine's machine. */
  memoryBytes(): Promise<number>
}

/** A node's container as a node. */
export class DockerNode implements PreparedNode {
  readonly id: NodeId
  joining: readonly NodeId[] | undefined
  #container: Docker.Container | undefined
  /** What containers before this one have printed. */
  #said: Buffer = Buffer.of()
  readonly throttle?: (share: number) => Promise<void>
  readonly #parts: NodeParts

  constructor(parts: NodeParts) {
    this.id = parts.id
    this.#parts = parts
    if (parts.canThrottle) this.throttle = (share) => this.#throttle(share)
  }

  async state(): Promise<NodeState> {
    const container = this.#container
    if (container === undefined) return 'stopped'
    const { State } = await this.#explaining('Looking at', () => container.inspect())
    if (State.Paused) return 'paused'
    return State.Running ? 'running' : 'stopped'
  }

  get disk(): NodeDisk | undefined {
    return this.#parts.ownDisk()
  }

  get clock(): NodeClock | undefined {
    return this.#parts.ownClock()
  }

  answers(deadlineMs: number): Promise<boolean> {
    return this.#parts.answers(deadlineMs)
  }

  async kill(): Promise<void> {
    const container = this.#container
    if (container === undefined) return
    await this.#explaining('Killing', async () => {
      // The freezer holds back even SIGKILL: sent first, it takes effect at the thaw, before any other instruction.
      await container.kill({ signal: 'SIGKILL' }).catch(ignoring(409))
      if ((await container.inspect()).State.Paused) await container.unpause().catch(ignoring(409))
      await container.wait({ condition: 'not-running' })
    })
  }

  async terminate(): Promise<void> {
    await this.#explaining('Ending', () => this.#made.kill({ signal: 'SIGTERM' }).catch(ignoring(409)))
  }

  async erase(): Promise<void> {
    const container = this.#container
    if (container === undefined) return
    this.#said = await this.log()
    this.#container = undefined
    await this.#parts.unmake(container)
  }

  /** Makes the container unless it is there. */
  async prepare(): Promise<void> {
    this.#container ??= await this.#parts.make(this.joining)
  }

  get #made(): Docker.Container {
    if (this.#container === undefined) throw new ClusterError('not-started', `${this.id} has not been started.`)
    return this.#container
  }

  async start(): Promise<void> {
    await this.launch()
    await this.ready()
  }

  /** Starts the container without waiting for the node. */
  async launch(): Promise<void> {
    await this.prepare()
    await this.#explaining('Starting', () => this.#made.start().catch(ignoring(304)))
  }

  /** Waits until the node answers; rejects as soon as its program has ended. */
  async ready(): Promise<void> {
    const { startDeadlineMs } = this.#parts
    const container = this.#made
    const deadline = performance.now() + startDeadlineMs
    for (let round = 0; !(await this.answers(Math.max(POLL_MS, Math.min(1000, deadline - performance.now())))); round++) {
      const { State } = await this.#explaining('Starting', () => container.inspect())
      if (!State.Running) throw new ClusterError('node-ended', `Node ${this.id} ended while starting, with code ${State.ExitCode}${await this.#lastWords()}`)
      if (performance.now() > deadline)
        throw new ClusterError('node-silent', `Node ${this.id} did not answer on its client port within ${startDeadlineMs} ms${await this.#lastWords()}`)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  async pause(): Promise<void> {
    await this.#explaining('Pausing', () => this.#made.pause().catch(ignoring(409, /already paused/)))
  }

  async resume(): Promise<void> {
    await this.#explaining('Resuming', () => this.#made.unpause().catch(ignoring(409, /not paused/)))
  }

  get files(): NodeFiles | undefined {
    const place = this.#parts.volume()
    if (place === undefined) return undefined
    const files = place.then(filesIn)
    return {
      list: async () => (await files).list(),
      read: async (path) => (await files).read(path),
      write: async (path, offset, bytes) => (await files).write(path, offset, bytes),
      truncate: async (path, bytes) => (await files).truncate(path, bytes),
    }
  }

  /** The greedy shell stays smaller than the node: the OOM killer takes the largest of the container. */
  async squeeze(squeezed: boolean): Promise<void> {
    const { limits, memoryBytes } = this.#parts
    const limitTo = async (bytes: number): Promise<void> => void (await this.#explaining('Limiting the memory of', () => this.#made.update({ Memory: bytes, MemorySwap: bytes })))
    if (!squeezed) return limitTo(limits.memoryMb === undefined ? await memoryBytes() : limits.memoryMb * 2 ** 20)
    const { memory_stats: memory } = await this.#explaining('Looking at', () => this.#made.stats({ stream: false, 'one-shot': true }))
    await limitTo(memory.usage + HEADROOM_BYTES)
    await this.#explaining('Squeezing', async () => {
      const greedy = await this.#made.exec({ Cmd: ['sh', '-c', 'x=0123456789abcdef; while :; do x=$x$x; done'] })
      await greedy.start({ Detach: true })
    })
  }

  async #throttle(share: number): Promise<void> {
    const { cpus } = this.#parts.limits
    const settings = cpuSettings(share >= 1 ? cpus : share * (cpus ?? 1))
    await this.#explaining('Throttling', () => this.#made.update(settings))
  }

  /** Everything that the node has printed, over all its lives, and the files that are its logs. */
  async log(): Promise<Buffer> {
    if (this.#container === undefined) return this.#said
    const printed = unframe(await this.#made.logs({ stdout: true, stderr: true, follow: false }))
    return Buffer.concat([this.#said, printed, ...(await Promise.all(this.#parts.logs.map((path) => this.#file(path))))])
  }

  /** A file of the node's container; empty when there is none. */
  async #file(path: string): Promise<Buffer> {
    const archive = await this.#made.getArchive({ path }).catch(ignoring(404))
    if (archive === undefined) return Buffer.of()
    const chunks: Buffer[] = []
    const unpacking = extract().on('entry', (_, entry, next) => void entry.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', next))
    await pipeline(archive, unpacking)
    return Buffer.concat(chunks)
  }

  async #lastWords(): Promise<string> {
    const lines = (await this.log().catch(() => Buffer.of())).toString().trim().split('\n').slice(-LOG_TAIL_LINES)
    const said = lines.filter((line) => line !== '')
    return said.length === 0 ? ' and printed nothing.' : `. Its last words:\n  ${said.join('\n  ')}`
  }

  #explaining<T>(doing: string, action: () => Promise<T>): Promise<T> {
    return explaining(`${doing} node ${this.id}`, action)
  }
}

/** Swallows the engine's "it is so already". */
function ignoring(status: number, words = /./): (error: unknown) => void {
  return (error) => {
    if (engineStatus(error) !== status || !words.test(engineMessage(error))) throw error
  }
}
