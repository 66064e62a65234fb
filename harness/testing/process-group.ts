/**
 * Runs one program in a process group of its own, under a time limit, and tells what it left behind.
 *
 * Leftovers are found by process group and, on Linux, by a mark in the environment: a child that made a session of
 * its own (`detached`) leaves the group but keeps the mark.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** What to run, and for how long. */
export interface GroupOptions {
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** The whole group is killed after this long. */
  readonly limitMs: number
  /** Once `isDone(output)` is true, how long the process may take to end by itself. */
  readonly lingerMs: number
  readonly isDone: (output: string) => boolean
  /** Aborting kills the group. */
  readonly signal?: AbortSignal
}

/** How it went. */
export interface GroupResult {
  /** null when a signal ended it. */
  readonly code: number | null
  readonly output: string
  readonly ms: number
  readonly timedOut: boolean
  /** It was done and did not end: what kept it open, as far as known. */
  readonly lingered: boolean
  /** Command lines of the processes that it left running. They are dead now. */
  readonly leftovers: readonly string[]
}

/** Children that were told to end may take this long to be gone. */
const GRACE_MS = 1_000
/** A process that lingers is asked what keeps it open, and given this long to say so. */
const ANSWER_MS = 200
const MARK = 'SPLITBRAIN_TEST_MARK'

interface Found {
  readonly pid: number
  readonly command: string
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

/** Living processes of the group `pgid` or with the mark. Without /proc: whether the group has any, by signal 0. */
function survivors(pgid: number, mark: string): Found[] {
  let pids: number[]
  try {
    pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number)
  } catch {
    try {
      process.kill(-pgid, 0)
      return [{ pid: -pgid, command: `process group ${pgid}` }]
    } catch {
      return []
    }
  }
  return pids.flatMap((pid) => {
    const stat = readProc(pid, 'stat')
    const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (stat === '' || state === 'Z') return []
    if (Number(group) !== pgid && !readProc(pid, 'environ').includes(`${MARK}=${mark}`)) return []
    return [{ pid, command: readProc(pid, 'cmdline').replaceAll('\0', ' ').trim() || `process ${pid}` }]
  })
}

function killAll(found: readonly Found[]): void {
  for (const { pid } of found) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // it ended by itself meanwhile
    }
  }
}

/** Waits for the group to be empty, then kills and names whatever is still there. */
async function sweep(pgid: number, mark: string): Promise<string[]> {
  const deadline = performance.now() + GRACE_MS
  let found = survivors(pgid, mark)
  while (found.length > 0 && performance.now() < deadline) {
    await sleep(20)
    found = survivors(pgid, mark)
  }
  killAll(found)
  return found.map(({ command }) => command)
}

/** Runs `node args...` as its own group. Never rejects for what the program does. */
export async function runInGroup(options: GroupOptions): Promise<GroupResult> {
  const mark = randomUUID()
  const started = performance.now()
  const child = spawn(process.execPath, options.args, {
    cwd: options.cwd,
    env: { ...options.env, [MARK]: mark },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const pgid = child.pid!
  let output = ''
  let timedOut = false
  let lingered = false
  let lingerTimer: NodeJS.Timeout | undefined

  const killGroup = (): void => killAll(survivors(pgid, mark))
  const limitTimer = setTimeout(() => {
    timedOut = true
    killGroup()
  }, options.limitMs)
  options.signal?.addEventListener('abort', killGroup)
  const linger = async (): Promise<void> => {
    lingered = true
    child.kill('SIGUSR2') // preload.mjs answers
    await sleep(ANSWER_MS)
    killGroup()
  }
  const collect = (chunk: string): void => {
    output += chunk
    if (lingerTimer === undefined && options.isDone(output)) lingerTimer = setTimeout(() => void linger(), options.lingerMs)
  }
  child.stdout.setEncoding('utf8').on('data', collect)
  child.stderr.setEncoding('utf8').on('data', collect)

  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  clearTimeout(limitTimer)
  clearTimeout(lingerTimer)
  options.signal?.removeEventListener('abort', killGroup)
  const leftovers = await sweep(pgid, mark)
  await closed // no process is left that could hold the pipes
  return { code, output, ms: performance.now() - started, timedOut, lingered, leftovers }
}
