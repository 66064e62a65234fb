/**
 * What a cluster that was started by hand leaves for those who ask about it later: `cluster.json` in its folder
 * `runs/cluster/<time>/`. It holds the token of the admin ports and is readable by its owner alone.
 */
import { readFile, readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { isAlive } from './alive.ts'
import { runsDir } from './run-folder.ts'
import { UsageError } from './usage-error.ts'

const FILE = 'cluster.json'

const clusterFileSchema = z.strictObject({
  schema: z.literal('splitbrain-cluster/1'),
  preset: z.string(),
  /** The process that keeps the cluster, and where it takes commands (`cluster-control.ts`). */
  pid: z.int().positive(),
  control: z.string(),
  token: z.string(),
  nodes: z.array(z.strictObject({ id: z.string(), client: z.string(), admin: z.string() })),
  overrides: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
})
export type ClusterFile = z.infer<typeof clusterFileSchema>

export const saveCluster = (dir: string, cluster: ClusterFile): Promise<void> => writeFile(path.join(dir, FILE), `${JSON.stringify(cluster, null, 2)}\n`, { mode: 0o600 })

export const forgetCluster = (dir: string): Promise<void> => rm(path.join(dir, FILE), { force: true })

/** The cluster of a folder; undefined when it has none (yet). */
export async function clusterIn(dir: string): Promise<ClusterFile | undefined> {
  const text = await readFile(path.join(dir, FILE), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : clusterFileSchema.parse(JSON.parse(text))
}

/** The newest cluster that is running. Throws UsageError when there is none. */
export async function runningCluster(): Promise<{ readonly dir: string; readonly cluster: ClusterFile }> {
  const parent = path.join(runsDir(), 'cluster')
  const folders = await readdir(parent).catch((): string[] => [])
  for (const folder of folders.sort().reverse()) {
    const dir = path.join(parent, folder)
    const cluster = await clusterIn(dir)
    if (cluster !== undefined && isAlive(cluster.pid)) return { dir, cluster }
  }
  throw new UsageError('No cluster is running here. Start one with splitbrain cluster start.')
}
