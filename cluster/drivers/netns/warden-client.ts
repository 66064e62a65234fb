/**
 * The controller's end of the warden: starts it in fresh namespaces and asks it for things.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess, SendHandle } from 'node:child_process'
import type { Socket } from 'node:net'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Stream } from '../../../harness/env.ts'
import { ClusterError } from '../../cluster.ts'
import { DIR_VARIABLE, RUN_VARIABLE } from '../process/proc.ts'
import { SocketStream } from '../real/socket-stream.ts'
import type { Answer, RequestType, Requests } from './messages.ts'

/**
 * Fresh namespaces of every kind that is needed, with the rights to set them up; no root is needed for that. The kernel
 * itself kills `unshare` when the controller is gone, and with it what it has started: a first process that is stopped,
 * or busy, or has missed the end of its channel could not be relied upon to end by itself.
 */
const NAMESPACES = ['setpriv', '--pdeathsig', 'KILL', 'unshare', '--user', '--map-root-user', '--net', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child=SIGKILL'] as const
/** A warden that has not ended by then is killed. */
const DEAF_AFTER_MS = 3_000
/** iptables and ip lie where only root's path leads. */
const PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`

const extension = extname(fileURLToPath(import.meta.url))
const program = fileURLToPath(new URL(`./warden${extension}`, import.meta.url))

/** Runs a shell script in namespaces of its own and returns what it printed; rejects when there cannot be any. */
export async function inNamespaces(script: string): Promise<string> {
  const { execa } = await import('execa')
  const { stdout } = await execa(NAMESPACES[0], [...NAMESPACES.slice(1), 'sh'], { input: script, env: { PATH }, timeout: 10_000 })
  return stdout
}

interface Waiting {
  resolve(answer: { readonly result: unknown; readonly socket: Socket | undefined }): void
  reject(error: Error): void
}

/** A running warden. */
export class Warden {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  readonly #gone: Promise<void>
  #complaints = ''
  #requests = 0

  /** `started` is told the process id of what holds the namespaces, before anything runs in them. */
  constructor(runId: string, dir: string, started: (pid: number) => void) {
    const node = [process.execPath, ...(extension === '.ts' ? ['--import', import.meta.resolve('tsx')] : []), program]
    this.#child = spawn(NAMESPACES[0], [...NAMESPACES.slice(1), ...node], {
      env: { ...process.env, PATH, [RUN_VARIABLE]: runId, [DIR_VARIABLE]: dir },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      detached: true,
    })
    if (this.#child.pid !== undefined) started(this.#child.pid)
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.#complaints = (this.#complaints + chunk.toString()).slice(-2_000)
    })
    this.#child.on('message', (answer: Answer, socket: SendHandle) => this.#answered(answer, socket as Socket | undefined))
    // Not `close`: a child whose channel was closed from this side never says that.
    const ended = new Promise<string>((resolve) => {
      this.#child.once('error', (error) => resolve(error.message))
      this.#child.once('exit', () => resolve(''))
    })
    const complained = new Promise<void>((resolve) => void this.#child.stderr!.once('close', resolve))
    this.#gone = Promise.all([ended, complained]).then(([error]) => this.#end(error === '' ? this.#complaints.trim() : error))
  }

  async ask<T extends RequestType>(type: T, ask: Requests[T]['ask']): Promise<Requests[T]['result']> {
    return (await this.#send(type, ask)).result as Requests[T]['result']
  }

  /** Connects from the hub of the cluster's network. */
  async dial(address: string, deadlineMs: number): Promise<Stream> {
    return new SocketStream(await this.dialSocket(address, deadlineMs))
  }

  /** The same, for who wants the socket itself. */
  async dialSocket(address: string, deadlineMs: number): Promise<Socket> {
    const { socket } = await this.#send('dial', { address, deadlineMs })
    if (socket === undefined) throw new ClusterError('warden', `the connection to ${address} was lost on its way out of the namespace`)
    return socket
  }

  /**
   * Lets the warden end, and with it everything in its namespaces. `unshare` waits for that: a first process is gone
   * when all others are. Killed itself it could not wait, so that is left for a warden that does not hear.
   */
  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
    const deaf = setTimeout(() => this.#child.kill('SIGKILL'), DEAF_AFTER_MS)
    await this.#gone
    clearTimeout(deaf)
  }

  #send<T extends RequestType>(type: T, ask: Requests[T]['ask']): Promise<{ readonly result: unknown; readonly socket: Socket | undefined }> {
    const id = ++this.#requests
    return new Promise((resolve, reject) => {
      if (!this.#child.connected) return reject(new ClusterError('warden-gone', 'the process that holds the cluster\'s namespaces is gone'))
      this.#waiting.set(id, { resolve, reject })
      this.#child.send({ id, type, ask })
    })
  }

  #answered(answer: Answer, socket: Socket | undefined): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if (answer.type === 'result') waiting?.resolve({ result: answer.result, socket })
    else waiting?.reject(new ClusterError(answer.code, answer.message))
  }

  #end(complaint: string): void {
    const reason = complaint === '' ? '' : `: ${complaint}`
    for (const { reject } of this.#waiting.values()) reject(new ClusterError('warden-gone', `the process that holds the cluster's namespaces has ended${reason}`))
    this.#waiting.clear()
  }
}
