/**
 * Where a worker's runs have their folders while they go on: `runs/.work/<worker>/`. What a killed worker left is
 * removed by the next one on the machine, and by `splitbrain clean`.
 */
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { isAlive } from '../alive.ts'
import { runsDir } from '../run-folder.ts'

/** A worker's own folder. */
export interface WorkFolder {
  readonly dir: string
  release(): Promise<void>
}

const placeOf = (): string => path.join(runsDir(), '.work')

/** Makes a folder for a worker of this process. */
export async function claimWorkFolder(worker: string): Promise<WorkFolder> {
  await sweepWorkFolders()
  const dir = path.join(placeOf(), worker)
  await mkdir(dir, { recursive: true })
  await writeFile(path.join(dir, 'pid'), String(process.pid))
  return { dir, release: () => rm(dir, { recursive: true, force: true }) }
}

/** Removes the folders of workers that are gone. Resolves to their paths. */
export async function sweepWorkFolders(): Promise<string[]> {
  const removed: string[] = []
  for (const name of await readdir(placeOf()).catch(() => [])) {
    const dir = path.join(placeOf(), name)
    const pid = Number(await readFile(path.join(dir, 'pid'), 'utf8').catch(() => ''))
    // One without a pid is being made at this moment, or its maker died in the same: it is empty.
    if (pid === 0 || isAlive(pid)) continue
    await rm(dir, { recursive: true, force: true })
    removed.push(dir)
  }
  return removed
}
