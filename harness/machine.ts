/** What machine this is, as runs and campaigns note it. */
import os from 'node:os'

/** A machine, in words. */
export interface Machine {
  /** Node.js's version. */
  readonly node: string
  readonly platform: string
  readonly processors: string
  readonly memory_mb: number
}

/** This machine. */
export function thisMachine(): Machine {
  const processors = os.cpus()
  return {
    node: process.version,
    platform: `${os.type()} ${os.release()} ${os.arch()}`,
    processors: `${processors.length} x ${processors[0]?.model ?? 'unknown'}`,
    memory_mb: Math.round(os.totalmem() / 2 ** 20),
  }
}
