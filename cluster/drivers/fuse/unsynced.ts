/**
 * What was written to files and not synced: how to take it back. Before a write changes a file, what it overwrites is
 * kept; a sync of the file forgets it, and so does time, as the operating system writes back by itself. A power cut keeps
 * of every file a prefix of its unsynced writes and takes back the rest; the first of these may be torn. Names (files
 * made, renamed, removed) count as safe at once, as on a file system with an ordered journal.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import type { Random } from '../../../harness/env.ts'

/** The operating system writes back what is older than this. */
const WRITE_BACK_NS = 30e9

/** How to take one write back. */
interface Undo {
  readonly sequence: number
  readonly time: number
  readonly offset: number
  readonly overwritten: Buffer
  /** Of the write. */
  readonly bytes: number
  readonly sizeBefore: number
}

/** The file through a descriptor of our own: it may be renamed or closed meanwhile. */
interface Dirty {
  readonly file: number
  undos: Undo[]
}

/** What every file of a disk has not yet on the platter. */
export class Unsynced {
  readonly #files = new Map<bigint, Dirty>()
  readonly #now: () => number
  #sequence = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** Keeps what a write of so many bytes is about to change. `truncates`: the file ends at `offset` after it. */
  before(path: string, offset: number, bytes: number, truncates = false): void {
    const file = openSync(path, 'r+')
    const { ino, size } = fstatSync(file, { bigint: true })
    const known = this.#files.get(ino)
    if (known !== undefined) closeSync(file)
    const dirty = known ?? { file, undos: [] }
    this.#files.set(ino, dirty)
    const sizeBefore = Number(size)
    const overwritten = Buffer.alloc(Math.max(0, (truncates ? sizeBefore : Math.min(sizeBefore, offset + bytes)) - offset))
    readSync(dirty.file, overwritten, 0, overwritten.length, offset)
    const time = this.#now()
    if (dirty.undos[0] !== undefined && dirty.undos[0].time < time - 2 * WRITE_BACK_NS) dirty.undos = dirty.undos.filter((undo) => undo.time >= time - WRITE_BACK_NS)
    dirty.undos.push({ sequence: ++this.#sequence, time, offset, overwritten, bytes: truncates ? 0 : bytes, sizeBefore })
  }

  /** The last write so far, of any file; a sync that begins now makes its file safe up to it. */
  get last(): number {
    return this.#sequence
  }

  /** A file's writes up to this one are safe. */
  synced(ino: bigint, upTo: number): void {
    const dirty = this.#files.get(ino)
    if (dirty === undefined) return
    dirty.undos = dirty.undos.filter(({ sequence }) => sequence > upTo)
    if (dirty.undos.length > 0) return
    closeSync(dirty.file)
    this.#files.delete(ino)
  }

  /** Takes back of every file what chance decides, of `certain` all of it; the first write that is lost keeps a part when it is to be torn. Returns how many writes are gone or torn. */
  lose(random: Random, tear: boolean, certain: bigint): number {
    let lost = 0
    for (const [ino, { file, undos }] of this.#files) {
      const kept = ino === certain ? 0 : random.int(undos.length + 1)
      if (ino !== certain) lost += undos.length - kept
      for (let i = undos.length - 1; i >= kept; i--) {
        const torn = tear && i === kept && undos[i]!.bytes > 1 ? 1 + random.int(undos[i]!.bytes - 1) : 0
        takeBack(file, undos[i]!, torn)
      }
      closeSync(file)
    }
    this.#files.clear()
    return lost
  }
}

/** Takes a write back, but for its first `kept` bytes. */
function takeBack(file: number, { offset, overwritten, sizeBefore }: Undo, kept: number): void {
  const part = Buffer.alloc(kept)
  readSync(file, part, 0, kept, offset)
  writeSync(file, overwritten, 0, overwritten.length, offset)
  ftruncateSync(file, sizeBefore)
  writeSync(file, part, 0, kept, offset)
}
