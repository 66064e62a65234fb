/**
 * Ways into a node's network namespace, to set its packet filter.
 *
 * Every node's namespace is held open by a small container of its own ("network container"), which the node's container
 * joins. So a killed node's addresses, ports and filter stay, as a machine's would, and any image can be tested as it is.
 *
 * - `nsenter`, when the controller is root on the engine's own machine: a few milliseconds.
 * - an exec in the network container, which alone has NET_ADMIN: works with engines elsewhere, needs no root.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type Docker from 'dockerode'
import { ClusterError } from '../../cluster.ts'
import { explaining } from './errors.ts'
import { textOf } from './output.ts'

/** One node's network namespace. */
export interface Namespace {
  /** Runs a program in it with this input. Rejects with what the program complained about. */
  feed(program: readonly [string, ...string[]], input: string): Promise<string>
}

/** How namespaces are entered, in words for the doctor. */
export type Mechanism = 'nsenter' | 'exec'

const FEED_DEADLINE_MS = 20_000

/** Runs a program of this machine, and hands back what it printed. */
export function feedHere(program: readonly [string, ...string[]], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const [file, ...args] = program
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: FEED_DEADLINE_MS, killSignal: 'SIGKILL' })
    const output: Buffer[] = []
    const complaints: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk))
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === 0) resolve(Buffer.concat(output).toString())
      else reject(new Error(`${program.join(' ')} ended with ${signal ?? `code ${code}`}: ${Buffer.concat(complaints).toString().trim()}`))
    })
    child.stdin.on('error', () => undefined) // it ended without reading all: its exit code says the rest
    child.stdin.end(input)
  })
}

/** Whether process `pid` of this machine is the container's: an engine in a virtual machine counts its own processes. */
function isProcessOf(pid: number, containerId: string): boolean {
  try {
    return pid > 1 && readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(containerId)
  } catch {
    return false
  }
}

/** Enters through `/proc/PID/ns/net`. Undefined when the process cannot be recognized as the container's. */
export function hostNamespace(containerId: string, pid: number): Namespace | undefined {
  if (!isProcessOf(pid, containerId)) return undefined
  return {
    feed: (program, input) => {
      // Checked each time: after the container's end its process id may be anybody's.
      if (!isProcessOf(pid, containerId)) throw new ClusterError('namespace-gone', `The network container ${containerId.slice(0, 12)} has ended. Was it removed by hand?`)
      return feedHere(['nsenter', '-t', String(pid), '-n', ...program], input)
    },
  }
}

/** Quotes a word for the shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}

/** Runs a shell script in a container, and hands back what it printed. */
async function execScript(container: Docker.Container, script: string): Promise<string> {
  const doing = 'Running a program in a container'
  return explaining(doing, async () => {
    const exec = await container.exec({ Cmd: ['sh', '-c', script], AttachStdout: true, AttachStderr: true })
    const stream = await exec.start({ hijack: true, stdin: false })
    const output = await textOf(stream, FEED_DEADLINE_MS)
    const { ExitCode } = await exec.inspect()
    if (ExitCode !== 0) throw new ClusterError('exec-failed', `A program in a container failed (code ${ExitCode}): ${output.trim()}`)
    return output
  })
}

/** Enters through the engine. The input travels inside the script: one round trip less than a stream. */
export function containerNamespace(container: Docker.Container): Namespace {
  return {
    feed: (program, input) => execScript(container, `printf %s ${quoted(input)} | ${program.map(quoted).join(' ')}`),
  }
}
