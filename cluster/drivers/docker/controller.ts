/**
 * Who a run belongs to, written on everything it makes, so that a later `clean` can tell a run whose controller
 * was killed from one that goes on beside it.
 *
 * A process id alone is reused; with the time the process started, the machine's boot and its process namespace
 * it is not.
 */
import { execFile } from 'node:child_process'
import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A controller's identity: what can be compared, and nothing else. */
export interface Controller {
  /** The machine, its boot and its process namespace: process ids mean something only within one scope. */
  readonly scope: string
  readonly pid: number
  /** When the process started, in whatever unit the operating system counts. */
  readonly started: string
}

const quietly = (promise: Promise<string>): Promise<string> => promise.catch(() => '')

async function scope(): Promise<string> {
  const boot = await quietly(readFile('/proc/sys/kernel/random/boot_id', 'utf8'))
  const namespace = await quietly(readlink('/proc/self/ns/pid'))
  return [hostname(), boot.trim(), namespace].join(' ')
}

/** When process `pid` started; undefined when there is none. */
async function startedAt(pid: number): Promise<string | undefined> {
  const stat = await quietly(readFile(`/proc/${pid}/stat`, 'utf8'))
  // The command's name, in parentheses, may hold spaces; the fields are counted from behind it. Field 22: start time.
  if (stat !== '') return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  if (process.platform === 'linux') return undefined
  const line = await quietly(run('ps', ['-o', 'lstart=', '-p', String(pid)]).then((result) => result.stdout))
  return line.trim() === '' ? undefined : line.trim()
}

/** This process. */
export async function thisController(): Promise<Controller> {
  return { scope: await scope(), pid: process.pid, started: (await startedAt(process.pid)) ?? '' }
}

/**
 * Whether a controller still runs. `elsewhere`: on another machine or in another container, where we cannot look.
 * An engine of this very machine was here before a reboot as we were; a remote one may serve another machine of our name.
 */
export async function whereabouts(controller: Controller, engineIsHere: boolean): Promise<'running' | 'gone' | 'elsewhere'> {
  const here = await scope()
  if (here === controller.scope) return (await startedAt(controller.pid)) === controller.started ? 'running' : 'gone'
  const [ourHost, ourBoot] = here.split(' ')
  const [theirHost, theirBoot] = controller.scope.split(' ')
  const beforeReboot = ourHost === theirHost && ourBoot !== theirBoot
  return beforeReboot && engineIsHere ? 'gone' : 'elsewhere'
}

const SEPARATOR = '|'

/** As a label's value. */
export function controllerLabel(controller: Controller): string {
  return [controller.scope, controller.pid, controller.started].join(SEPARATOR)
}

/** From a label's value; undefined when it is not one. */
export function parseControllerLabel(label: string): Controller | undefined {
  const [where, pid, started] = label.split(SEPARATOR)
  if (where === undefined || started === undefined || !/^\d+$/.test(pid ?? '')) return undefined
  return { scope: where, pid: Number(pid), started }
}
