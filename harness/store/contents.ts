/**
 * Files of runs, compressed (gzip: `zcat`, `splitbrain check` and browsers read it), under the hash of what they hold,
 * each once. They lie in a folder when the database is on this machine or a shared folder is named, and in the
 * database's own rows otherwise, so that what a worker saw far away is there for everybody.
 */
import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { Database } from './database.ts'
import { DatabaseError } from './errors.ts'

/** A file as it is kept. */
export interface Content {
  /** Of the file itself, hexadecimal. */
  readonly sha256: string
  readonly bytes: number
  readonly compressed: Uint8Array
}

/** Where files are kept. */
export interface Contents {
  /** What `artifacts.place` says of files kept here. */
  readonly place: string
  /** Keeps a file; again is no harm. */
  put(content: Content): Promise<void>
}

/** Rows hold this many bytes at most. */
const PART = 4 << 20

/** Compresses a file. Equal bytes give equal content. */
export function contentOf(bytes: Uint8Array): Content {
  return { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length, compressed: gzipSync(bytes) }
}

/** A folder: `ab/abcdef....gz`. Whoever reads finds a file whole or not at all. */
export function folderContents(dir: string): Contents {
  return {
    place: dir,
    async put({ sha256, compressed }) {
      const target = fileOf(dir, sha256)
      if (existsSync(target)) return
      await mkdir(path.dirname(target), { recursive: true })
      const part = `${target}.${randomUUID()}.part`
      await writeFile(part, compressed)
      await rename(part, target)
    },
  }
}

/** The database's own rows. */
export function databaseContents(database: Database): Contents {
  return {
    place: 'database',
    async put({ sha256, compressed }) {
      const parts = Array.from({ length: Math.max(1, Math.ceil(compressed.length / PART)) }, (_, part) => Buffer.from(compressed.subarray(part * PART, (part + 1) * PART)))
      await database.transaction(async (tx) => {
        for (const [part, bytes] of parts.entries()) await tx`insert into splitbrain.contents (sha256, part, bytes) values (${sha256}, ${part}, ${bytes}) on conflict do nothing`
      })
    },
  }
}

/** Reads a file back. Rejects with DatabaseError when it is gone or not what was kept. */
export async function readContent(database: Database, { sha256, place }: { readonly sha256: string; readonly place: string }): Promise<Uint8Array> {
  const compressed = place === 'database' ? await fromRows(database, sha256) : await fromFolder(place, sha256)
  let bytes: Uint8Array
  try {
    bytes = gunzipSync(compressed)
  } catch (error) {
    throw new DatabaseError(`The file ${sha256} in ${place} is damaged: ${(error as Error).message}.`)
  }
  if (createHash('sha256').update(bytes).digest('hex') !== sha256) throw new DatabaseError(`The file ${sha256} in ${place} is not what was kept there: its hash differs.`)
  return bytes
}

async function fromRows(database: Database, sha256: string): Promise<Uint8Array> {
  const rows = await database.run((sql) => sql<{ bytes: Buffer }[]>`select bytes from splitbrain.contents where sha256 = ${sha256} order by part`)
  if (rows.length === 0) throw new DatabaseError(`The file ${sha256} is no longer in the database.`)
  return Buffer.concat(rows.map(({ bytes }) => bytes))
}

async function fromFolder(dir: string, sha256: string): Promise<Uint8Array> {
  return readFile(fileOf(dir, sha256)).catch((error: NodeJS.ErrnoException) => {
    throw new DatabaseError(`The file ${sha256} cannot be read from ${dir}: ${error.message}. Files that a worker kept in a folder can only be read where that folder is.`)
  })
}

const fileOf = (dir: string, sha256: string): string => path.join(dir, sha256.slice(0, 2), `${sha256}.gz`)
