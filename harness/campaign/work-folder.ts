/**
 * Where a worker's runs have their folders while they go on: `runs/.work/<worker>/`. What a killed worker left is
 * removed by the next one on the machine, and by `splitbrain clean`.
 */
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { abandonedFolders, claimFolder } from '../claimed-folder.ts'
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
  await claimFolder(dir)
  return { dir, release: () => rm(dir, { recursive: true, force: true }) }
}

/** Removes the folders of workers that are gone. Resolves to what was removed. */
export async function sweepWorkFolders(): Promise<string[]> {
  const abandoned = await abandonedFolders(placeOf())
  for (const dir of abandoned) await rm(dir, { recursive: true, force: true })
  return abandoned.map((dir) => `folder ${dir}`)
}
