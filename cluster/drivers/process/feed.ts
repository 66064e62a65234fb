/**
 * A program of this machine, fed with its input and listened to until its end. By Node's own means: a library for processes
 * takes longer to load than `warden.ts`, which is started for every run, takes for all the rest.
 */
import { spawn } from 'node:child_process'

/** How long such a program may take. */
export const FEED_DEADLINE_MS = 20_000

/** Runs a program with this input, and hands back what it printed. Rejects with what it complained about. */
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
