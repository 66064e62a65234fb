/** What lies in a node's data folder, as `NodeFiles`. */
import { open, readdir, readFile, stat, truncate } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { NodeFiles } from '../../cluster.ts'

/** How it is done, in words for the doctor. */
export const DATA_FOLDER = "the files in the node's data folder"

/** The files in `dir`, by their paths in it. */
export function filesIn(dir: string): NodeFiles {
  return {
    list: async () => {
      const entries = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
      const files = await Promise.all(entries.map(async (entry) => {
        const path = join(entry.parentPath, entry.name)
        return { path: relative(dir, path), bytes: (await stat(path)).size }
      }))
      return files.filter(({ bytes }) => bytes > 0)
    },
    read: (path) => readFile(join(dir, path)),
    write: async (path, offset, bytes) => {
      const file = await open(join(dir, path), 'r+')
      try {
        await file.write(bytes, 0, bytes.length, offset)
        await file.sync()
      } finally {
        await file.close()
      }
    },
    truncate: (path, bytes) => truncate(join(dir, path), bytes),
  }
}
