/** Folders that are a process's own as long as it lives; what it left when it was killed may be removed. */
import { readFile, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { isAlive } from './alive.ts'

const FILE = 'pid'

/** Notes that a folder belongs to this process. */
export const claimFolder = (dir: string): Promise<void> => writeFile(path.join(dir, FILE), String(process.pid))

/** The folders in `parent` whose names begin like that and whose processes are gone. One that nobody has claimed yet is being made. */
export async function abandonedFolders(parent: string, prefix = ''): Promise<string[]> {
  const dirs = (await readdir(parent).catch(() => [])).filter((name) => name.startsWith(prefix)).map((name) => path.join(parent, name))
  const owners = await Promise.all(dirs.map(async (dir) => Number(await readFile(path.join(dir, FILE), 'utf8').catch(() => ''))))
  return dirs.filter((_, at) => owners[at]! > 0 && !isAlive(owners[at]!))
}
