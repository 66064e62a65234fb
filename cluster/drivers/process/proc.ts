/**
 * What the operating system says about a process: its state, when it started, and the run that its environment names.
 * From /proc where there is one, otherwise from `ps`.
 */
import { readFile, readdir } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { execa } from 'execa'

/** Names of environment variables that every node is started with. */
export const RUN_VARIABLE = 'SPLITBRAIN_RUN'
export const DIR_VARIABLE = 'SPLITBRAIN_DIR'

/** A process as it was seen. */
export interface Seen {
  /** `T`: stopped; `Z`, `X`: dead; anything else: alive. */
  readonly state: string
  /** When it started, in the system's own words: a process id alone may have been given to another since. */
  readonly started: string
}

/** Looks at a process; undefined when there is none. */
export async function look(pid: number): Promise<Seen | undefined> {
  if (process.platform !== 'linux') return lookWithPs(pid)
  try {
    return parseStat(await readFile(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return undefined
  }
}

/** Fields of /proc/PID/stat; the second is the program's name in parentheses and may contain anything. */
function parseStat(stat: string): Seen {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0]!, started: fields[19]! }
}

async function lookWithPs(pid: number): Promise<Seen | undefined> {
  const { stdout, exitCode } = await execa('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { reject: false })
  const line = stdout.trim()
  return exitCode !== 0 || line === '' ? undefined : { state: line[0]!, started: line.replace(/^\S+\s+/, '') }
}

/** Whether that process, and not a later one with its id, is there and not dead. */
export async function isAlive(pid: number, started: string): Promise<boolean> {
  const seen = await look(pid)
  return seen !== undefined && seen.started === started && !isDead(seen)
}

/** Whether what was seen is a process that has ended and only waits to be noticed. */
export function isDead({ state }: Seen): boolean {
  return state === 'Z' || state === 'X'
}

/** The environment of a process that we may look at, one assignment an element. */
export async function environment(pid: number): Promise<readonly string[]> {
  if (process.platform === 'linux') return (await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')).split('\0')
  const { stdout } = await execa('ps', ['eww', '-o', 'command=', '-p', String(pid)], { reject: false })
  return stdout.split(' ')
}

/** Every process whose environment has all these assignments. Empty where there is no /proc. */
export async function processesWith(assignments: readonly string[]): Promise<number[]> {
  if (process.platform !== 'linux') return []
  const pids = (await readdir('/proc')).map(Number).filter((pid) => Number.isInteger(pid) && pid !== process.pid)
  const found = await Promise.all(pids.map(async (pid) => {
    const set = await environment(pid)
    return assignments.every((assignment) => set.includes(assignment)) ? pid : undefined
  }))
  return found.filter((pid) => pid !== undefined)
}

/** When a process started, at once: for a record that must be written before anything else happens. */
export function startedSync(pid: number): string {
  if (process.platform !== 'linux') return ''
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8')).started
  } catch {
    return ''
  }
}

/** Sends a signal to a process group; false when there is none. */
export function signalGroup(leader: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-leader, signal)
    return true
  } catch {
    return false
  }
}
