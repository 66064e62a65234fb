/**
 * Worker threads for keys that need the window engine. Each has an engine and a share of the memory limit. Where there
 * are no worker threads (browsers, a process that forbids them) there is no pool, and keys are decided in place.
 */
import type { RegisterOperations } from './register.ts'
import type { WindowResult } from './window.ts'

export interface Job {
  readonly id: number
  readonly ops: RegisterOperations
  readonly initial: number
  readonly timeLimitMs: number
  readonly memoryLimitMb: number
}

export interface Outcome {
  readonly id: number
  readonly result: WindowResult
}

interface Thread {
  postMessage(job: Job): void
  on(event: 'message', listener: (outcome: Outcome) => void): void
  on(event: 'error', listener: (error: Error) => void): void
  terminate(): Promise<number>
}

interface Waiting {
  readonly job: Omit<Job, 'id'>
  readonly resolve: (result: WindowResult) => void
}

export interface Pool {
  /** Decides one key; jobs wait for a free thread. */
  run(job: Omit<Job, 'id'>): Promise<WindowResult>
  close(): Promise<void>
}

/** Starts threads; undefined where that is impossible. */
export async function createPool(size: number): Promise<Pool | undefined> {
  if (typeof process === 'undefined' || process.versions?.node === undefined) return undefined
  const { Worker } = await import('node:worker_threads')
  const threads: Thread[] = Array.from({ length: size }, () => new Worker(new URL('./worker.js', import.meta.url)))
  return new ThreadPool(threads)
}

class ThreadPool implements Pool {
  readonly #threads: readonly Thread[]
  readonly #idle: Thread[]
  readonly #waiting: Waiting[] = []
  readonly #running = new Map<Thread, Waiting>()
  #jobs = 0

  constructor(threads: readonly Thread[]) {
    this.#threads = threads
    this.#idle = [...threads]
    for (const thread of threads) {
      thread.on('message', ({ result }) => this.#finish(thread, result, true))
      // A thread that dies (out of memory, say) leaves its key undecided and takes no further ones.
      thread.on('error', (error) => this.#finish(thread, lost(error.message), false))
    }
  }

  run(job: Omit<Job, 'id'>): Promise<WindowResult> {
    return new Promise((resolve) => {
      this.#waiting.push({ job, resolve })
      this.#dispatch()
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()))
  }

  #finish(thread: Thread, result: WindowResult, alive: boolean): void {
    this.#running.get(thread)?.resolve(result)
    this.#running.delete(thread)
    if (alive) this.#idle.push(thread)
    if (this.#idle.length === 0 && this.#running.size === 0) for (const { resolve } of this.#waiting.splice(0)) resolve(lost('no worker thread is left'))
    this.#dispatch()
  }

  #dispatch(): void {
    while (this.#idle.length > 0 && this.#waiting.length > 0) {
      const thread = this.#idle.pop()!
      const next = this.#waiting.shift()!
      this.#running.set(thread, next)
      thread.postMessage({ id: this.#jobs++, ...next.job })
    }
  }
}

function lost(reason: string): WindowResult {
  return { type: 'unknown', reason: `a worker thread failed: ${reason}`, events: 0, states: [], visits: 0, peak: 0, bytes: 0 }
}
