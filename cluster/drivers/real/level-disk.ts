/**
 * A node's disk: tables as LevelDB databases in a folder, and journals as files beside them.
 */
import { join } from 'node:path'
import type { ClassicLevel } from 'classic-level'
import type { Disk, Journal, Table } from '../../../harness/env.ts'
import { FileJournal } from './file-journal.ts'

/** The database of one table. */
export type Level = ClassicLevel<string, Uint8Array>

/** Opens (or makes) the table `name` in the folder. `cacheBytes` is LevelDB's, of blocks that it has uncompressed; its default is 8 MiB. */
export async function openLevel(dir: string, name: string, options: { readonly cacheBytes?: number } = {}): Promise<Level> {
  const { ClassicLevel } = await import('classic-level')
  const level: Level = new ClassicLevel(join(dir, name), { keyEncoding: 'utf8', valueEncoding: 'view', ...(options.cacheBytes === undefined ? {} : { cacheSize: options.cacheBytes }) })
  await level.open()
  return level
}

/** An open database as a table. */
export function tableOf(level: Level): Table {
  return {
    get: (key) => level.get(key),
    // A chained batch: one operation costs a third of what it costs in an array, which is copied and looked up by name.
    write: (writes, { sync }) => {
      const batch = level.batch()
      for (const { key, value } of writes) {
        if (value === undefined) batch.del(key)
        else batch.put(key, value)
      }
      return batch.write({ sync })
    },
    scan: ({ from, to, limit }) => level.iterator({ ...(from === undefined ? {} : { gte: from }), ...(to === undefined ? {} : { lt: to }), ...(limit === undefined ? {} : { limit }) }),
    close: () => level.close(),
  }
}

/** Tables and journals in a folder. `close` closes all that were opened. */
export class LevelDisk implements Disk {
  readonly #dir: string
  readonly #open: (Table | Journal)[] = []

  constructor(dir: string) {
    this.#dir = dir
  }

  async open(name: string): Promise<Table> {
    const table = tableOf(await openLevel(this.#dir, name))
    this.#open.push(table)
    return table
  }

  async openJournal(name: string): Promise<Journal> {
    const journal = await FileJournal.open(join(this.#dir, `${name}.journal`))
    this.#open.push(journal)
    return journal
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((opened) => opened.close()))
  }
}
