/**
 * Child processes of a bisection: builds and runs. Each leads a process group of its own, so that Ctrl-C reaches it once
 * and only through us, and nothing that it started goes on when it is ended.
 */
import { execa } from 'execa'

/** How to start one, and when it has to end. */
export interface ChildOptions {
  readonly cwd: string
  /** Ends the child; what it left is then of no interest. */
  readonly signal: AbortSignal
  /** Ends the child when it takes longer. */
  readonly limitMs: number
  /** Whether a shell reads `file` as a command line. */
  readonly shell?: boolean
}

/** How a child ended. */
export interface Ended {
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined
  readonly timedOut: boolean
  /** What it wrote to its output and its errors, without empty lines. */
  readonly lines: readonly string[]
}

/** How long a child that was told to end may take to tear down what it started. */
const GRACE_MS = 60_000

/** An environment without what points git at a certain repository, as it is when a git hook has started us. */
export const withoutRepository = { GIT_DIR: undefined, GIT_WORK_TREE: undefined, GIT_INDEX_FILE: undefined, GIT_PREFIX: undefined, GIT_OBJECT_DIRECTORY: undefined, GIT_COMMON_DIR: undefined }

/** Runs a program to its end. Rejects with the signal's reason when that is aborted, once the child is gone. */
export async function runChild(file: string, args: readonly string[], { cwd, signal, limitMs, shell = false }: ChildOptions): Promise<Ended> {
  signal.throwIfAborted()
  const child = execa(file, args, { cwd, shell, env: withoutRepository, detached: true, cleanup: false, all: true, stdin: 'ignore', reject: false })
  let killing: NodeJS.Timeout | undefined
  const end = (): void => {
    signalGroup(child.pid, 'SIGTERM')
    killing = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), GRACE_MS)
  }
  const leave = (): void => signalGroup(child.pid, 'SIGKILL')
  const limit = AbortSignal.timeout(limitMs)
  const over = AbortSignal.any([signal, limit])
  over.addEventListener('abort', end)
  // Before the tree is removed in which it works.
  process.prependListener('exit', leave)
  try {
    const { exitCode, all } = await child
    signal.throwIfAborted()
    return { exitCode, timedOut: limit.aborted, lines: all.split('\n').map((line) => line.trim()).filter((line) => line !== '') }
  } finally {
    clearTimeout(killing)
    over.removeEventListener('abort', end)
    process.off('exit', leave)
  }
}

/** The group may be gone already. */
function signalGroup(leader: number | undefined, signal: NodeJS.Signals): void {
  if (leader === undefined) return
  try {
    process.kill(-leader, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
