/**
 * A journal as files: each mark begins a new one, and a cut removes whole files.
 *
 * A record is written by the thread that asks for it, without a turn through libuv's threads. That takes a few
 * microseconds, as it ends in the page cache; to wake a thread and be woken by it takes longer on an idle machine, and
 * milliseconds on a busy one (Redis writes its append-only file like this). What has to wait for the disk is left to the threads.
 *
 * Records that are synced one by one are written over zeros that were written before, as in etcd's log: a sync that makes
 * a file longer has to make its length safe as well, which takes the file system half as long again.
 *
 * A record: its length u32 | the complement of its length u32 | the checksum of its bytes u32 | how many sectors of them are
 * zeros u32 | its bytes | a byte that says that it ends here, and whether zeros may follow | zeros up to a multiple of eight,
 * so that no sector ends within a length.
 *
 * A file that ends within a record was being written to when the process or the power failed: what comes from there on was
 * confirmed to nobody, since files are made safe in their order. A record that was written over zeros in part lacks its last
 * byte, or has more sectors of zeros than it was given, and nothing comes after it; one that is spoilt in another way is
 * handed out, and its reader's to refuse. Nothing is appended to a file of a former life.
 */
import { closeSync, fdatasync, openSync, writevSync } from 'node:fs'
import { mkdir, open, readFile, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import type { Journal } from '../../../harness/env.ts'

const HEADER_BYTES = 16
const ALIGNED_TO = 8
const SECTOR_BYTES = 512
/** How a record ends: behind one that was synced zeros may follow. */
const END = 0x5a
const SYNCED_END = 0xa5
/** Zeros behind the last record: about as many bytes as there are before them, within these. */
const ROOM_BYTES_MIN = 16 * 1024
const ROOM_BYTES_MAX = 256 * 1024
const zeros = Buffer.alloc(ROOM_BYTES_MAX)
const NAME_DIGITS = 12
const dataSync = promisify(fdatasync)

/** A file of this life. */
interface Part {
  readonly number: number
  readonly fd: number
  isSafe: boolean
  /** Where the next record belongs, and how long the file is. */
  end: number
  bytes: number
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
      const { isWhole } = yield* recordsOf(nameOf(number), await readFile(this.#path(number)), number === this.#former.at(-1))
      if (!isWhole) return
    }
  }

  append(record: Uint8Array, { sync }: { readonly sync: boolean }): Promise<void> {
    try {
      const part = this.#isMarked ? this.#begin() : this.#parts.at(-1)!
      part.isSafe = false
      write(part, record, sync)
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
    const part = { number: this.#next, fd: openSync(this.#path(this.#next), 'wx'), isSafe: false, end: 0, bytes: 0 }
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

/** Writes the record behind the last one, and zeros behind it where a sync follows and none are left. */
function write(part: Part, record: Uint8Array, sync: boolean): void {
  const frame = [headerOf(record, part.end), record, trailerOf(record, sync)]
  const bytes = endOf(record.length)
  if (sync && part.end + bytes > part.bytes) frame.push(zeros.subarray(0, Math.min(ROOM_BYTES_MAX, Math.max(ROOM_BYTES_MIN, part.end))))
  const written = writevSync(part.fd, frame, part.end)
  if (written < bytes) throw new Error(`ENOSPC: no space left on device, only ${written} bytes of a record were written`)
  part.bytes = Math.max(part.bytes, part.end + written)
  part.end += bytes
}

/** The records of a file; returns whether no more of them were in it. Throws when it cannot tell how long one is. In the last file alone one may be torn: before another file begins, this one is whole. */
function* recordsOf(name: string, file: Buffer, isLast: boolean): Generator<Uint8Array, { readonly isWhole: boolean }> {
  let at = 0
  let mayZerosFollow = false
  while (at + HEADER_BYTES <= file.length) {
    const length = file.readUInt32LE(at)
    const complement = file.readUInt32LE(at + 4)
    if (length === 0 && complement === 0) return { isWhole: mayZerosFollow }
    if (~length >>> 0 !== complement) {
      // The last byte of the complement is no zero: a record cannot be as long as that.
      if (file[at + 7] === 0 && isZero(file, at + ALIGNED_TO, file.length)) return { isWhole: mayZerosFollow }
      throw new Error(`the journal's file ${name} is corrupt at byte ${at}`)
    }
    const from = at + HEADER_BYTES
    const end = at + endOf(length)
    if (end > file.length) return { isWhole: false }
    const record = file.subarray(from, from + length)
    const trailer = file[from + length]
    const isTorn = trailer === 0 || (crc32(record) !== file.readUInt32LE(at + 8) && zeroSectors(record, from) > file.readUInt32LE(at + 12))
    if (isTorn && isLast && isZero(file, end, file.length)) return { isWhole: false }
    if (trailer !== END && trailer !== SYNCED_END) throw new Error(`the journal's file ${name} is corrupt at byte ${from + length}`)
    yield record
    at = end
    mayZerosFollow = trailer === SYNCED_END
  }
  return { isWhole: at === file.length || (mayZerosFollow && isZero(file, at, file.length)) }
}

/** How many sectors that lie within these bytes, which begin at `from` in their file, are zeros. */
function zeroSectors(bytes: Uint8Array, from: number): number {
  let found = 0
  for (let at = Math.ceil(from / SECTOR_BYTES) * SECTOR_BYTES - from; at + SECTOR_BYTES <= bytes.length; at += SECTOR_BYTES) {
    if (isZero(bytes, at, at + SECTOR_BYTES)) found++
  }
  return found
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) return false
  return true
}

/** How many bytes a record of that length takes. */
function endOf(length: number): number {
  return Math.ceil((HEADER_BYTES + length + 1) / ALIGNED_TO) * ALIGNED_TO
}

/** The header of a record that is to begin at `at` in its file. */
function headerOf(record: Uint8Array, at: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES)
  header.writeUInt32LE(record.length, 0)
  header.writeUInt32LE(~record.length >>> 0, 4)
  header.writeUInt32LE(crc32(record), 8)
  header.writeUInt32LE(zeroSectors(record, at + HEADER_BYTES), 12)
  return header
}

function trailerOf({ length }: Uint8Array, sync: boolean): Buffer {
  const trailer = Buffer.alloc(endOf(length) - HEADER_BYTES - length)
  trailer[0] = sync ? SYNCED_END : END
  return trailer
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
