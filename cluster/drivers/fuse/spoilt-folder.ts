/**
 * The files of a folder as the kernel asks for them, passed through to the folder itself, on a disk that can be spoilt.
 * Paths are relative to the working directory, which is the folder from before it was mounted over.
 */
import { chmodSync, closeSync, fdatasync, fstatSync, fsync, ftruncateSync, linkSync, lstatSync, mkdirSync, openSync, readdirSync, readlinkSync, readSync, renameSync, rmdirSync, statfsSync, statSync, symlinkSync, truncateSync, unlinkSync, utimesSync, writeSync, constants, type BigIntStats, type Dirent } from 'node:fs'
import { promisify } from 'node:util'
import type { Clock } from '../../../harness/env.ts'
import { sleep } from '../../../harness/clock.ts'
import type { DiskFault } from '../../cluster.ts'
import { ErrorNumber, Inodes } from './inodes.ts'
import { Unsynced } from './unsynced.ts'
import { attributesReply, countReply, directoryReply, entryReply, initReply, namesOf, opcodes, openReply, roomReply, SET, type FuseRequest } from './wire.ts'

const [ENOENT, EIO, ENOSPC, EROFS, ENOSYS] = [-2, -5, -28, -30, -38]
/** What a program may ask for when it opens a file, and we do for it: the rest the kernel has done. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_WRONLY | constants.O_RDWR
const none = Buffer.alloc(0)

/** The types of entries of a folder, as the kernel numbers them. */
const entryType = (entry: Dirent): number => (entry.isDirectory() ? 4 : entry.isSymbolicLink() ? 10 : 8)

/** A folder as a file system. */
export class SpoiltFolder {
  fault: DiskFault | undefined
  readonly unsynced: Unsynced
  readonly #clock: Clock
  readonly #inodes = new Inodes()
  readonly #folders = new Map<number, { name: string; type: number }[]>()
  #lastFolder = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.unsynced = new Unsynced(() => clock.now())
  }

  /** The body of the reply; undefined for what is not answered. Throws errors with an `errno` that the program is to see. */
  async answer({ opcode, inode, body }: FuseRequest): Promise<Buffer | undefined> {
    const inodes = this.#inodes
    const [name = '', other = ''] = opcode === opcodes.lookup || opcode === opcodes.unlink || opcode === opcodes.rmdir || opcode === opcodes.symlink ? namesOf(body) : []
    switch (opcode) {
      case opcodes.init:
        return initReply()
      case opcodes.forget:
        inodes.forget(inode, Number(body.readBigUInt64LE(0)))
        return undefined
      case opcodes.batchForget:
        for (let i = 0; i < body.readUInt32LE(0); i++) inodes.forget(Number(body.readBigUInt64LE(8 + i * 16)), Number(body.readBigUInt64LE(16 + i * 16)))
        return undefined
      case opcodes.interrupt:
        return undefined
      case opcodes.lookup:
        return this.#entry(inode, name)
      case opcodes.getattr:
        return attributesReply(inode, (body.readUInt32LE(0) & 1) === 1 ? fstatSync(Number(body.readBigUInt64LE(8)), { bigint: true }) : lstatSync(inodes.path(inode), { bigint: true }))
      case opcodes.setattr:
        return this.#setAttributes(inode, body)
      case opcodes.readlink:
        return Buffer.from(readlinkSync(inodes.path(inode)))
      case opcodes.symlink:
        this.#refuse('names')
        symlinkSync(other, inodes.child(inode, name))
        return this.#entry(inode, name)
      case opcodes.mknod:
      case opcodes.mkdir:
      case opcodes.create:
        return this.#make(opcode, inode, body)
      case opcodes.link: {
        this.#refuse('names')
        const [linked = ''] = namesOf(body, 8)
        linkSync(inodes.path(Number(body.readBigUInt64LE(0))), inodes.child(inode, linked))
        return this.#entry(inode, linked)
      }
      case opcodes.unlink:
      case opcodes.rmdir:
        this.#refuse('removal')
        ;(opcode === opcodes.unlink ? unlinkSync : rmdirSync)(inodes.child(inode, name))
        inodes.removed(inode, name)
        return none
      case opcodes.rename:
      case opcodes.rename2:
        return this.#rename(inode, body, opcode === opcodes.rename ? 8 : 16)
      default:
        return this.#ofOpened({ opcode, inode, body })
    }
  }

  /** What is asked about files and folders that are open, and about the whole. */
  async #ofOpened({ opcode, inode, body }: Pick<FuseRequest, 'opcode' | 'inode' | 'body'>): Promise<Buffer> {
    const inodes = this.#inodes
    switch (opcode) {
      case opcodes.open:
        return openReply(openSync(inodes.path(inode), body.readUInt32LE(0) & OPEN_FLAGS))
      case opcodes.read: {
        const bytes = Buffer.alloc(body.readUInt32LE(16))
        return bytes.subarray(0, readSync(Number(body.readBigUInt64LE(0)), bytes, 0, bytes.length, Number(body.readBigUInt64LE(8))))
      }
      case opcodes.write:
        return countReply(this.write(inodes.path(inode), Number(body.readBigUInt64LE(0)), Number(body.readBigUInt64LE(8)), body.subarray(40, 40 + body.readUInt32LE(16))))
      case opcodes.statfs:
        return this.#room()
      case opcodes.flush:
      case opcodes.destroy:
        return none
      case opcodes.release:
        closeSync(Number(body.readBigUInt64LE(0)))
        return none
      case opcodes.fsync:
        return this.#sync(Number(body.readBigUInt64LE(0)), (body.readUInt32LE(8) & 1) === 1)
      case opcodes.fsyncdir:
        return this.#syncNames()
      case opcodes.opendir:
        this.#folders.set(++this.#lastFolder, readdirSync(inodes.path(inode), { withFileTypes: true }).map((entry) => ({ name: entry.name, type: entryType(entry) })))
        return openReply(this.#lastFolder)
      case opcodes.readdir:
        return directoryReply(this.#folders.get(Number(body.readBigUInt64LE(0))) ?? [], Number(body.readBigUInt64LE(8)), body.readUInt32LE(16))
      case opcodes.releasedir:
        this.#folders.delete(Number(body.readBigUInt64LE(0)))
        return none
      default:
        throw new ErrorNumber(ENOSYS)
    }
  }

  /** Writes to an open file, and keeps what that overwrites until it is synced. */
  write(path: string, file: number, offset: number, bytes: Buffer): number {
    this.#refuse('bytes')
    this.unsynced.before(path, offset, bytes.length)
    return writeSync(file, bytes, 0, bytes.length, offset)
  }

  #room(): Buffer {
    const { blocks, bfree, bavail, files, ffree, bsize } = statfsSync('.')
    const isFull = this.fault?.type === 'full'
    return roomReply({ blocks, bfree: isFull ? 0 : bfree, bavail: isFull ? 0 : bavail, files, ffree, bsize })
  }

  /** Throws what a program is told when the disk does not take this. */
  #refuse(what: 'bytes' | 'names' | 'removal'): void {
    if (this.fault?.type === 'read-only') throw new ErrorNumber(EROFS)
    if (this.fault?.type === 'full' && what !== 'removal') throw new ErrorNumber(ENOSPC)
  }

  #entry(parent: number, name: string): Buffer {
    const stats: BigIntStats = lstatSync(this.#inodes.child(parent, name), { bigint: true })
    return entryReply(this.#inodes.tell(parent, name), stats)
  }

  #make(opcode: number, parent: number, body: Buffer): Buffer {
    this.#refuse('names')
    const [flags, mode] = [body.readUInt32LE(0), body.readUInt32LE(opcode === opcodes.create ? 4 : 0)]
    const [name = ''] = namesOf(body, opcode === opcodes.mkdir ? 8 : 16)
    const path = this.#inodes.child(parent, name)
    if (opcode === opcodes.mkdir) {
      mkdirSync(path, mode)
      return this.#entry(parent, name)
    }
    const file = openSync(path, opcode === opcodes.create ? (flags & (OPEN_FLAGS | constants.O_EXCL)) | constants.O_CREAT : constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, mode & 0o7777)
    if (opcode === opcodes.create) return Buffer.concat([this.#entry(parent, name), openReply(file)])
    closeSync(file)
    return this.#entry(parent, name)
  }

  #rename(parent: number, body: Buffer, namesAt: number): Buffer {
    this.#refuse('removal')
    const [from = '', to = ''] = namesOf(body, namesAt)
    const newParent = Number(body.readBigUInt64LE(0))
    if (namesAt === 16 && body.readUInt32LE(8) !== 0) throw new ErrorNumber(ENOSYS)
    renameSync(this.#inodes.child(parent, from), this.#inodes.child(newParent, to))
    this.#inodes.renamed(parent, from, newParent, to)
    return none
  }

  #setAttributes(inode: number, body: Buffer): Buffer {
    this.#refuse('removal')
    const valid = body.readUInt32LE(0)
    const path = this.#inodes.path(inode)
    if ((valid & SET.size) !== 0) {
      const size = Number(body.readBigUInt64LE(16))
      this.unsynced.before(path, Math.min(size, statSync(path).size), 0, true)
      if ((valid & SET.handle) !== 0) ftruncateSync(Number(body.readBigUInt64LE(8)), size)
      else truncateSync(path, size)
    }
    if ((valid & SET.mode) !== 0) chmodSync(path, body.readUInt32LE(68) & 0o7777)
    if ((valid & (SET.atime | SET.mtime)) !== 0) {
      const { atimeMs, mtimeMs } = statSync(path)
      const wall = this.#clock.wall()
      const time = (bit: number, now: number, at: number, before: number): number => ((valid & bit) === 0 ? before : (valid & now) !== 0 ? wall : Number(body.readBigUInt64LE(at)) * 1e3) / 1e3
      utimesSync(path, time(SET.atime, SET.atimeNow, 32, atimeMs), time(SET.mtime, SET.mtimeNow, 40, mtimeMs))
    }
    return attributesReply(inode, lstatSync(path, { bigint: true }))
  }

  async #sync(file: number, onlyData: boolean): Promise<Buffer> {
    if (this.fault?.type === 'failing-sync') throw new ErrorNumber(EIO)
    const upTo = this.unsynced.last
    const { ino } = fstatSync(file, { bigint: true })
    await promisify(onlyData ? fdatasync : fsync)(file)
    if (this.fault?.type === 'slow') await sleep(this.#clock, this.fault.ms)
    this.unsynced.synced(ino, upTo)
    return none
  }

  async #syncNames(): Promise<Buffer> {
    if (this.fault?.type === 'failing-sync') throw new ErrorNumber(EIO)
    if (this.fault?.type === 'slow') await sleep(this.#clock, this.fault.ms)
    return none
  }
}

/** The number that a program is to see for an error. */
export function errorNumber(error: unknown): number {
  const { errno } = error as { errno?: unknown }
  return typeof errno === 'number' ? errno : error instanceof RangeError ? ENOENT : EIO
}
