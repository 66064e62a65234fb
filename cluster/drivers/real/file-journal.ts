/**
 * A journal as files: each mark begins a new one, and a cut removes whole files.
 *
 * A record is written by the thread that asks for it, without a turn through libuv's threads. That takes a few
 * microseconds, as it ends in the page cache; to wake a thread and be woken by it takes longer on an idle machine, and
 * milliseconds on a busy one (Redis writes its append-only file like this). What has to wait for the disk is left to the threads.
 *
 * A record: its length u32 | the complement of its length u32 | its bytes. A file that ends within a record was being
 * written to when the process or the power failed: what comes from there on was confirmed to nobody, since files are made
 * safe in their order. Nothing is appended to a file of a former life.
 */
import { closeSync, fdatasync, openSync, writevSync } from 'node:fs'
import { mkdir, open, readFile, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Journal } from '../../../harness/env.ts'

const HEADER_BYTES = 8
const NAME_DIGITS = 12
const dataSync = promisify(fdatasync)

/** A file of this life. */
interface Part {
  readonly number: number
  readonly fd: number
  isSafe: boolean
}

/** A journal in a folder of its own. */
export class FileJournal implements Journal {
  readonly #dir: string
  /** What a former life left. */
  #former: number[]
  #parts: Part[] = []
  /** Where the next file belongs if there is to be a new one. */
  #next: number
  #isMarked = true
  #folderIsSafe = true
  /** Syncs, cuts and the end, one after the other. Once one has failed, nobody can say what is safe, and all fail. */
  #queue: Promise<void> = Promise.resolve()

  private constructor(dir: string, former: number[]) {
    this.#dir = dir
    this.#former = former
    this.#next = (former.at(-1) ?? 0) + 1
  }

  /** Opens the journal that lies in the folder, or begins one. */
  static async open(dir: string): Promise<FileJournal> {
    await mkdir(dir, { recursive: true })
    await syncFolder(join(dir, '..'))
    const numbers = (await readdir(dir)).filter((name) => /^\d+$/.test(name)).map(Number).sort((a, b) => a - b)
    // Files are removed in their order. Where one is missing, those before it were to go as well.
    const gap = numbers.findLastIndex((number, i) => i > 0 && numbers[i - 1] !== number - 1)
    const cut = numbers.splice(0, Math.max(0, gap))
    for (const number of cut) await unlink(join(dir, nameOf(number)))
    return new FileJournal(dir, numbers)
  }

  async *read(): AsyncIterable<Uint8Array> {
    for (const number of this.#former) {
      const bytes = await readFile(this.#path(number))
      const end = yield* recordsOf(nameOf(number), bytes)
      if (end < bytes.length) return
    }
  }

  append(record: Uint8Array, { sync }: { readonly sync: boolean }): Promise<void> {
    try {
      const part = this.#isMarked ? this.#begin() : this.#parts.at(-1)!
      part.isSafe = false
      const written = writevSync(part.fd, [headerOf(record), record])
      if (written < HEADER_BYTES + record.length) throw new Error(`ENOSPC: no space left on device, only ${written} bytes of a record were written`)
    } catch (error) {
      return Promise.reject(error)
    }
    return sync ? this.sync() : Promise.resolve()
  }

  sync(): Promise<void> {
    return this.#enqueue(async () => {
      for (const part of this.#parts) {
        if (part.isSafe) continue
        part.isSafe = true
        await dataSync(part.fd)
      }
      if (this.#folderIsSafe) return
      this.#folderIsSafe = true
      await syncFolder(this.#dir)
    })
  }

  mark(): number {
    this.#isMarked = true
    return this.#next
  }

  cut(mark: number): Promise<void> {
    return this.#enqueue(async () => {
      for (const number of this.#former.filter((one) => one < mark)) await unlink(this.#path(number))
      this.#former = this.#former.filter((number) => number >= mark)
      const gone = this.#parts.filter(({ number }) => number < mark)
      this.#parts = this.#parts.filter(({ number }) => number >= mark)
      for (const { number, fd } of gone) {
        closeSync(fd)
        await unlink(this.#path(number))
      }
    })
  }

  close(): Promise<void> {
    return this.#enqueue(async () => {
      for (const { fd } of this.#parts.splice(0)) closeSync(fd)
      this.#isMarked = true
    })
  }

  #begin(): Part {
    const part = { number: this.#next, fd: openSync(this.#path(this.#next), 'ax'), isSafe: false }
    this.#next++
    this.#isMarked = false
    this.#folderIsSafe = false
    this.#parts.push(part)
    return part
  }

  #path(number: number): string {
    return join(this.#dir, nameOf(number))
  }

  #enqueue(job: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(job)
    this.#queue = done
    // Whoever asked for it hears of a failure, and everyone after.
    done.catch(() => undefined)
    return done
  }
}

/** The records of a file; returns where the last whole one ends. Throws when it cannot tell how long one is. */
function* recordsOf(name: string, bytes: Buffer): Generator<Uint8Array, number> {
  let at = 0
  while (at + HEADER_BYTES <= bytes.length) {
    const length = bytes.readUInt32LE(at)
    const complement = bytes.readUInt32LE(at + 4)
    // A file system may have made the file longer before it had what was to stand there.
    if (length === 0 && complement === 0) break
    if (~length >>> 0 !== complement) throw new Error(`the journal's file ${name} is corrupt at byte ${at}`)
    const end = at + HEADER_BYTES + length
    if (end > bytes.length) break
    yield bytes.subarray(at + HEADER_BYTES, end)
    at = end
  }
  return at
}

function headerOf({ length }: Uint8Array): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES)
  header.writeUInt32LE(length, 0)
  header.writeUInt32LE(~length >>> 0, 4)
  return header
}

function nameOf(number: number): string {
  return String(number).padStart(NAME_DIGITS, '0')
}

/** Makes the names in a folder safe. */
async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
