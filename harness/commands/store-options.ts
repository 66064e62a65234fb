/** The options that say where campaigns are kept, and the store that they stand for. */
import path from 'node:path'
import { realClock } from '../clock.ts'
import type { Arguments, Option } from '../command.ts'
import { runsDir } from '../run-folder.ts'
import { databaseContents, folderContents, type Contents } from '../store/contents.ts'
import { openDatabase, type Database } from '../store/database.ts'
import { openQueue, type Queue } from '../store/queue.ts'

/** For every command that reads or writes campaigns. */
export const databaseOption: Readonly<Record<string, Option>> = {
  database: { value: 'URL', describes: 'the PostgreSQL server that keeps campaigns, as postgres://user:password@host:5432/name', default: "SPLITBRAIN_DATABASE, else one of our own under runs/" },
}

/** For every command that carries out runs of campaigns. */
export const workOptions: Readonly<Record<string, Option>> = {
  ...databaseOption,
  histories: { value: 'DIR', describes: "where compressed histories are kept: a folder that all machines share", default: 'runs/histories; with --database, the database' },
  concurrency: { value: 'N', describes: 'runs at once on this machine', default: 'its processors' },
}

/** A command line without the server's address, which may hold a password. */
export const withoutDatabase = (words: readonly string[]): string[] => words.filter((word, index) => word !== '--database' && !word.startsWith('--database=') && words[index - 1] !== '--database')

/** The server that was named, or undefined. */
export const databaseUrl = (args: Arguments): string | undefined => args.text('database') ?? (process.env['SPLITBRAIN_DATABASE'] || undefined)

/** Does something with the database and closes it, whatever happens. */
export async function withDatabase<T>(args: Arguments, options: { readonly migrates: boolean; readonly connections?: number; readonly tell?: (line: string) => void }, work: (database: Database) => Promise<T>): Promise<T> {
  const database = await openDatabase({ url: databaseUrl(args), clock: realClock(), tell: (line) => console.error(line), ...options })
  try {
    return await work(database)
  } finally {
    await database.close()
  }
}

/** What carrying out runs takes. */
export interface WorkStore {
  readonly database: Database
  readonly queue: Queue
  readonly contents: Contents
}

/** The same with the queue, and the place for histories. */
export function withStore<T>(args: Arguments, options: { readonly migrates: boolean; readonly connections: number; readonly tell: (line: string) => void }, work: (store: WorkStore) => Promise<T>): Promise<T> {
  return withDatabase(args, options, async (database) => {
    const folder = args.text('histories') ?? (database.embedded ? path.join(runsDir(), 'histories') : undefined)
    const contents = folder === undefined ? databaseContents(database) : folderContents(path.resolve(folder))
    return work({ database, queue: await openQueue(database, options.migrates), contents })
  })
}
