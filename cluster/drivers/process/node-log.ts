/** A node's log for people: what its program wrote to the terminal, and then the files that its system names as logs (`NodeSpec.logs`). */
import { appendFile, copyFile, mkdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { NodeId } from '../../../harness/env.ts'

/** Where a node has written. */
export interface LogPlaces {
  readonly id: NodeId
  /** What came to the terminal. */
  readonly logFile: string
  readonly dataDir: string
  /** Further files, by their paths in `dataDir`. */
  readonly logs: readonly string[]
}

/** Writes the logs of nodes to `<dir>/<id>.log`, once. A file that a node has never written is left out. */
export async function collectNodeLogs(nodes: readonly LogPlaces[], dir: string): Promise<void> {
  await mkdir(dir, { recursive: true })
  await Promise.all(nodes.map(async ({ id, logFile, dataDir, logs }) => {
    const target = resolve(dir, `${id}.log`)
    if (target !== logFile) await copyFile(logFile, target)
    for (const path of logs) {
      const written = await readFile(join(dataDir, path)).catch(() => undefined)
      if (written !== undefined) await appendFile(target, written)
    }
  }))
}
