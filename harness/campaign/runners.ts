/**
 * The processes that carry out a worker's runs. A run has a process to itself while it lasts, so that as many go on at
 * once as there are processors, and one that crashes or hangs takes nothing else with it; the process then does the next.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Clock } from '../env.ts'
import { STOP_MS, type Outcome, type Task, type ToRunner } from './task.ts'

const MAIN = fileURLToPath(new URL('runner-main.js', import.meta.url))

/** Carries out runs. */
export interface Runners {
  /** Carries out a run within its limit; a run that takes longer is ended and has failed. */
  run(task: Task, limitMs: number): Promise<Outcome>
  /** Stops what goes on, whose outcome is then `stopped`. */
  stop(): void
  /** Ends the processes. */
  close(): Promise<void>
}

interface Child {
  readonly process: ChildProcess
  /** The last line that it wrote to its standard error: why it died, if it did. */
  lastWords: string
}

function startChild(cwd: string): Child {
  const child: Child = { process: fork(MAIN, [], { cwd, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] }), lastWords: '' }
  child.process.stderr!.setEncoding('utf8').on('data', (text: string) => {
    child.lastWords = text.trim().split('\n').findLast((line) => /error|memory/i.test(line))?.slice(0, 300) ?? child.lastWords
  })
  return child
}

/** Makes processes as they are needed, in the working directory `cwd`. */
export function createRunners(clock: Clock, cwd: string): Runners {
  const idle: Child[] = []
  const busy = new Set<Child>()
  let stopping = false
  // One that has just died says so by its end.
  const tell = (child: Child, message: ToRunner): void => void child.process.send(message, () => undefined)
  const finish = (child: Child, alive: boolean): void => {
    busy.delete(child)
    if (alive && !stopping) idle.push(child)
    else if (alive) child.process.kill('SIGKILL')
  }
  return {
    run: (task, limitMs) =>
      new Promise<Outcome>((resolve) => {
        const child = idle.pop() ?? startChild(cwd)
        busy.add(child)
        const begun = clock.now()
        let late = false
        // First in peace, so that nodes and faults are taken away; then by force.
        let limit = clock.after(limitMs, () => {
          late = true
          tell(child, { type: 'stop' })
          limit = clock.after(STOP_MS, () => child.process.kill('SIGKILL'))
        })
        const settle = (outcome: Outcome, alive: boolean): void => {
          limit.cancel()
          child.process.off('message', onMessage)
          child.process.off('exit', onExit)
          finish(child, alive)
          // One that was stopped because it was late is not one that nobody wanted any more.
          resolve(late && outcome.type === 'stopped' ? failed(`it did not end within ${Math.round(limitMs / 1000)} s`) : outcome)
        }
        const failed = (message: string): Outcome => ({ type: 'failed', message, elapsedMs: Math.round((clock.now() - begun) / 1e6), plan: null })
        const onMessage = (outcome: unknown): void => settle(outcome as Outcome, true)
        const onExit = (code: number | null, signal: string | null): void => settle(late || stopping ? { type: 'stopped' } : failed(`its process ended with ${signal ?? code ?? 'nothing'}${child.lastWords === '' ? '' : `: ${child.lastWords}`}`), false)
        child.process.on('message', onMessage)
        child.process.on('exit', onExit)
        tell(child, { type: 'task', task })
        if (stopping) tell(child, { type: 'stop' })
      }),
    stop() {
      stopping = true
      for (const child of busy) tell(child, { type: 'stop' })
    },
    async close() {
      stopping = true
      const children = [...idle, ...busy].filter(({ process: one }) => one.exitCode === null && one.signalCode === null)
      await Promise.all(children.map(({ process: one }) => new Promise<void>((resolve) => {
        one.once('exit', () => resolve())
        one.kill('SIGKILL')
      })))
    },
  }
}
