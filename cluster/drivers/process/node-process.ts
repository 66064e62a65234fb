/**
 * One node as a child process: a process group of its own, so that a Ctrl-C at the terminal reaches the controller
 * alone and signals reach whatever the node has started itself.
 */
import { closeSync, fstatSync, openSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { execa } from 'execa'
import type { ResultPromise } from 'execa'
import { sleep } from '../../../harness/clock.ts'
import type { Clock, NodeId } from '../../../harness/env.ts'
import type { NodeState } from '../../cluster.ts'
import { ClusterError } from '../../cluster.ts'
import type { Command } from '../../system.ts'
import { DIR_VARIABLE, RUN_VARIABLE, isDead, look, signalGroup } from './proc.ts'

/** Length of a slow node's duty cycle. */
const PERIOD_MS = 50
/** Below what any program holds: what it holds it keeps, and it gets no more. */
const SQUEEZED_BYTES = 1 << 20
const GONE_DEADLINE_MS = 5_000

/** How a node is left without memory, in words for the doctor. */
export const MEMORY_LIMIT = 'prlimit takes it the right to more data (RLIMIT_DATA): its allocations fail'

/** What a node's processes have in common. */
export interface ProcessOptions {
  readonly id: NodeId
  readonly runId: string
  /** The run's folder. */
  readonly dir: string
  readonly dataDir: string
  readonly logFile: string
  readonly clock: Clock
  /** Told of every new process before it can matter. */
  readonly started: (pid: number) => void
}

/** Children that are alive: they end with the controller, however it ends, unless it is killed. */
const groups = new Set<number>()
process.on('exit', () => {
  for (const pid of groups) signalGroup(pid, 'SIGKILL')
})

/** Starts, stops and slows the processes of one node, one after another. */
export class NodeProcess {
  readonly #options: ProcessOptions
  #pid: number | undefined
  #child: ResultPromise | undefined
  #logFrom = 0
  #paused = false
  #share = 1
  #cycle: NodeJS.Timeout | undefined

  constructor(options: ProcessOptions) {
    this.#options = options
  }

  /** The process that was started; undefined while there is none. */
  get pid(): number | undefined {
    return this.#pid
  }

  get alive(): boolean {
    return this.#pid !== undefined
  }

  /** Starts `command`. Throws when there is no such program. */
  async spawn({ file, args, env }: Command): Promise<void> {
    const { id, runId, dir, dataDir, logFile, started } = this.#options
    await mkdir(dataDir, { recursive: true })
    // A file of the child's own, not a pipe: it can be written to whatever becomes of the controller. Any descriptor will do; execa's types know only the standard ones.
    const log = openSync(logFile, 'a') as 1
    this.#logFrom = fstatSync(log).size
    const child = execa(file, args, {
      env: { ...env, [RUN_VARIABLE]: runId, [DIR_VARIABLE]: dir, SPLITBRAIN_PARENT: '1' },
      stdin: 'pipe',
      stdout: log,
      stderr: log,
      buffer: false,
      reject: false,
      detached: true,
      cleanup: false,
    })
    closeSync(log)
    const { pid } = child
    if (pid === undefined) throw new ClusterError('no-program', `${id} cannot be started: ${(await child).originalMessage ?? file}`)
    started(pid)
    groups.add(pid)
    this.#pid = pid
    this.#child = child
    this.#paused = false
    this.#share = 1
    child.stdin?.on('error', () => undefined)
    void child.then(() => this.#ended(pid))
  }

  #ended(pid: number): void {
    groups.delete(pid)
    signalGroup(pid, 'SIGKILL')
    if (this.#pid !== pid) return
    this.#pid = undefined
    this.#stopCycle()
  }

  /** What the node's present (or last) process has written. */
  async log(): Promise<string> {
    return (await readFile(this.#options.logFile)).subarray(this.#logFrom).toString()
  }

  async kill(): Promise<void> {
    const { id, clock } = this.#options
    const child = this.#child
    const pid = this.#pid
    if (pid === undefined || child === undefined) return
    this.#stopCycle()
    signalGroup(pid, 'SIGKILL')
    const abort = new AbortController()
    await Promise.race([
      child,
      sleep(clock, GONE_DEADLINE_MS, abort.signal).then(() => {
        throw new ClusterError('not-gone', `${id} (process ${pid}) is still there ${GONE_DEADLINE_MS} ms after SIGKILL`)
      }, () => undefined),
    ])
    abort.abort()
    this.#ended(pid)
  }

  /** Asks the process to end. One that stands still hears it when it goes on. */
  terminate(): void {
    if (this.#pid !== undefined) process.kill(this.#pid, 'SIGTERM')
  }

  /** What the operating system says. A slow node is stopped most of the time, so it is looked at for more than a period. */
  async state(): Promise<NodeState> {
    const pid = this.#pid
    if (pid === undefined) return 'stopped'
    const looks = this.#share < 1 && !this.#paused ? 40 : 1
    for (let i = 0; i < looks; i++) {
      const seen = await look(pid)
      if (seen === undefined || isDead(seen)) return 'stopped'
      if (seen.state !== 'T' && seen.state !== 't') return 'running'
      if (looks > 1) await sleep(this.#options.clock, PERIOD_MS / 20)
    }
    return 'paused'
  }

  async pause(): Promise<void> {
    if (this.#pid === undefined) return
    this.#paused = true
    this.#stopCycle()
    signalGroup(this.#pid, 'SIGSTOP')
    await this.#settled('T')
  }

  async resume(): Promise<void> {
    if (this.#pid === undefined) return
    this.#paused = false
    signalGroup(this.#pid, 'SIGCONT')
    if (this.#share < 1) this.#startCycle(this.#pid)
    else await this.#settled('running')
  }

  async throttle(share: number): Promise<void> {
    if (!(share > 0 && share <= 1)) throw new ClusterError('bad-share', `a node's share of its processor time must be above 0 and at most 1, not ${share}`)
    if (this.#pid === undefined) return
    this.#share = share
    this.#stopCycle()
    if (this.#paused) return
    if (share < 1) {
      this.#startCycle(this.#pid)
    } else {
      signalGroup(this.#pid, 'SIGCONT')
      await this.#settled('running')
    }
  }

  /** With hardly any memory beyond what it holds, its next allocations fail. Ends with the process. */
  async squeeze(squeezed: boolean): Promise<void> {
    const pid = this.#pid
    if (pid === undefined) return
    const { failed, shortMessage } = await execa('prlimit', ['--pid', String(pid), `--data=${squeezed ? SQUEEZED_BYTES : 'unlimited'}`], { reject: false })
    if (failed && this.#pid === pid && (await this.state()) !== 'stopped') throw new ClusterError('no-limit', `the memory of ${this.#options.id} cannot be limited: ${shortMessage}`)
  }

  /** A signal takes a moment: waits until the process is seen stopped, or seen not to be. */
  async #settled(state: 'T' | 'running'): Promise<void> {
    for (let i = 0; i < 100 && this.#pid !== undefined; i++) {
      const seen = await look(this.#pid)
      if (seen === undefined || (seen.state === 'T') === (state === 'T')) return
      await sleep(this.#options.clock, 1)
    }
  }

  #startCycle(pid: number): void {
    const run = (): void => {
      signalGroup(pid, 'SIGCONT')
      this.#cycle = setTimeout(stand, PERIOD_MS * this.#share)
    }
    const stand = (): void => {
      signalGroup(pid, 'SIGSTOP')
      this.#cycle = setTimeout(run, PERIOD_MS * (1 - this.#share))
    }
    run()
  }

  #stopCycle(): void {
    clearTimeout(this.#cycle)
    this.#cycle = undefined
  }
}
