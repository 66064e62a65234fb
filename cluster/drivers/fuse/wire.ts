/**
 * The protocol in which the kernel asks a file system in user space (linux/fuse.h, version 7.31): requests as the
 * kernel writes them, replies as it reads them. Little-endian, as every machine that we run on is.
 */
import type { BigIntStats } from 'node:fs'

/** What is asked; the numbers are the kernel's. */
export const opcodes = {
  lookup: 1, forget: 2, getattr: 3, setattr: 4, readlink: 5, symlink: 6, mknod: 8, mkdir: 9, unlink: 10, rmdir: 11, rename: 12, link: 13,
  open: 14, read: 15, write: 16, statfs: 17, release: 18, fsync: 20, flush: 25, init: 26, opendir: 27, readdir: 28, releasedir: 29, fsyncdir: 30,
  create: 35, interrupt: 36, destroy: 38, batchForget: 42, rename2: 45,
} as const

/** Which attributes a `setattr` sets. */
export const SET = { mode: 1, size: 8, atime: 16, mtime: 32, handle: 64, atimeNow: 128, mtimeNow: 256 } as const

const IN_HEADER_BYTES = 40
const OUT_HEADER_BYTES = 16
/** The largest write that the kernel may send at once. */
const WRITE_BYTES_MAX = 128 * 1024
/** Room for any request. */
export const REQUEST_BYTES_MAX = WRITE_BYTES_MAX + 64 * 1024
/** The kernel may send writes larger than a page. */
const BIG_WRITES = 32

/** One request: its head, and its body as far as it is the same for nobody. */
export interface FuseRequest {
  readonly opcode: number
  readonly unique: bigint
  /** The file or folder that is meant, by the number that we gave it. */
  readonly inode: number
  readonly body: Buffer
}

/** What the kernel has written; the body is a copy. */
export function decodeRequest(bytes: Buffer): FuseRequest {
  return { opcode: bytes.readUInt32LE(4), unique: bytes.readBigUInt64LE(8), inode: Number(bytes.readBigUInt64LE(16)), body: Buffer.from(bytes.subarray(IN_HEADER_BYTES)) }
}

/** A reply: a body, or a negative error number. */
export function encodeReply(unique: bigint, error: number, body: Uint8Array = new Uint8Array()): Buffer {
  const bytes = Buffer.alloc(OUT_HEADER_BYTES + body.length)
  bytes.writeUInt32LE(bytes.length, 0)
  bytes.writeInt32LE(error, 4)
  bytes.writeBigUInt64LE(unique, 8)
  bytes.set(body, OUT_HEADER_BYTES)
  return bytes
}

/** The names at the end of a request, each ended by a zero byte. */
export function namesOf(body: Buffer, from = 0): string[] {
  return body.subarray(from).toString('utf8').split('\0').slice(0, -1)
}

/** What we say to the kernel's first request. */
export function initReply(): Buffer {
  const body = Buffer.alloc(64)
  body.writeUInt32LE(7, 0)
  body.writeUInt32LE(31, 4)
  body.writeUInt32LE(WRITE_BYTES_MAX, 8)
  body.writeUInt32LE(BIG_WRITES, 12)
  body.writeUInt32LE(WRITE_BYTES_MAX, 20)
  body.writeUInt32LE(1, 24)
  return body
}

function attributes(inode: number, stats: BigIntStats): Buffer {
  const body = Buffer.alloc(88)
  const words = [BigInt(inode), stats.size, stats.blocks, stats.atimeNs / 1_000_000_000n, stats.mtimeNs / 1_000_000_000n, stats.ctimeNs / 1_000_000_000n]
  for (const [i, word] of words.entries()) body.writeBigUInt64LE(BigInt.asUintN(64, word), i * 8)
  const numbers = [stats.atimeNs % 1_000_000_000n, stats.mtimeNs % 1_000_000_000n, stats.ctimeNs % 1_000_000_000n, stats.mode, stats.nlink, stats.uid, stats.gid, 0n, 4_096n, 0n]
  for (const [i, number] of numbers.entries()) body.writeUInt32LE(Number(number), 48 + i * 4)
  return body
}

/** Nothing is remembered by the kernel: files may change behind it. */
export function attributesReply(inode: number, stats: BigIntStats): Buffer {
  return Buffer.concat([Buffer.alloc(16), attributes(inode, stats)])
}

export function entryReply(inode: number, stats: BigIntStats): Buffer {
  const head = Buffer.alloc(40)
  head.writeBigUInt64LE(BigInt(inode), 0)
  return Buffer.concat([head, attributes(inode, stats)])
}

export function openReply(handle: number): Buffer {
  const body = Buffer.alloc(16)
  body.writeBigUInt64LE(BigInt(handle), 0)
  return body
}

export function countReply(count: number): Buffer {
  const body = Buffer.alloc(8)
  body.writeUInt32LE(count, 0)
  return body
}

/** Entries of a folder from `offset` on, as many as fit. */
export function directoryReply(entries: readonly { readonly name: string; readonly type: number }[], offset: number, bytesMax: number): Buffer {
  const parts: Buffer[] = []
  let room = bytesMax
  for (let i = offset; i < entries.length; i++) {
    const { name, type } = entries[i]!
    const text = Buffer.from(name)
    const part = Buffer.alloc(24 + Math.ceil(text.length / 8) * 8)
    if (part.length > room) break
    part.writeBigUInt64LE(BigInt(i + 1), 0)
    part.writeBigUInt64LE(BigInt(i + 1), 8)
    part.writeUInt32LE(text.length, 16)
    part.writeUInt32LE(type, 20)
    part.set(text, 24)
    parts.push(part)
    room -= part.length
  }
  return Buffer.concat(parts)
}

/** Room on the disk, in blocks. */
export function roomReply({ blocks, bfree, bavail, files, ffree, bsize }: { readonly blocks: number; readonly bfree: number; readonly bavail: number; readonly files: number; readonly ffree: number; readonly bsize: number }): Buffer {
  const body = Buffer.alloc(80)
  for (const [i, word] of [blocks, bfree, bavail, files, ffree].entries()) body.writeBigUInt64LE(BigInt(word), i * 8)
  for (const [i, number] of [bsize, 255, bsize].entries()) body.writeUInt32LE(number, 40 + i * 4)
  return body
}
