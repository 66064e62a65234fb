/**
 * Reads a JSONL file with two threads (Node only): a worker reads the file and scans its bytes, this thread appends
 * what was scanned, so that pairing and interning overlap with scanning. Blocks of events travel through a small ring
 * of shared memory, in order, so that memory beyond the history is constant and the history is the one that
 * `JsonlReader` would make. The worker knows plain lines only: at the first line that is odd beyond the names that
 * were learned from the file's beginning it stops, and the rest is read here, piece by piece.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { JsonlReader } from './jsonl.ts'
import type { History } from './history.ts'
import type { ReadOptions } from './jsonl.ts'
import type { Name } from './scanner.ts'
import { BLOCK_BYTES, blockAt, SLOTS } from './scan-block.ts'

const PIECE = 1 << 20
/** Smaller files are read before a thread has started. */
const WORTHWHILE = 1 << 22

/** What the thread is told. */
export interface ScanOrder {
  readonly path: string
  readonly from: number
  readonly names: readonly Name[]
  readonly ring: SharedArrayBuffer
  /** By slot: 1 while it holds a block that was not appended yet. */
  readonly full: SharedArrayBuffer
}

/** A block of events; `done`: there are no more, and the file is scanned up to `upTo`. */
export interface ScannedBlock {
  readonly slot: number
  readonly events: number
  readonly upTo: number
  readonly done: boolean
}

/** Reads a whole file. Rejects with the HistoryError of the first mistake. */
export async function readJsonlFile(path: string, options: ReadOptions = {}): Promise<History> {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const reader = new JsonlReader(options)
    const piece = Buffer.alloc(PIECE)
    let at = readSync(file, piece, 0, PIECE, 0)
    reader.push(piece.subarray(0, at))
    if (at > 0) reserve(reader.history, (size / at) * 1.02)
    if (size >= WORTHWHILE && reader.plain) {
      const from = at - reader.pending
      reader.restartLine()
      const { upTo, lines } = await scanElsewhere(path, from, reader)
      at = afterLines(file, upTo, lines)
    }
    for (;;) {
      const read = readSync(file, piece, 0, PIECE, at)
      if (read === 0) return reader.end()
      reader.push(piece.subarray(0, read))
      at += read
    }
  } finally {
    closeSync(file)
  }
}

/** Makes room for so many times what was read: growing leaves copies behind. */
function reserve(history: History, times: number): void {
  history.values.reserve(Math.ceil(history.values.size * times))
  history.reserve(Math.ceil(history.length * times))
}

/** Where lines begin that follow this many others; they are counted in the file. */
function afterLines(file: number, from: number, lines: number): number {
  const piece = Buffer.alloc(PIECE)
  let [at, left] = [from, lines]
  while (left > 0) {
    const read = readSync(file, piece, 0, PIECE, at)
    if (read === 0) break
    let end = -1
    while (left > 0) {
      const newline = piece.subarray(0, read).indexOf(10, end + 1)
      if (newline < 0) break
      end = newline
      left--
    }
    at += left > 0 ? read : end + 1
  }
  return at
}

interface Progress {
  /** The end of the last block that was appended as a whole. */
  readonly upTo: number
  /** Lines of the next block that were appended before one that needs care. */
  readonly lines: number
}

/** Lets a thread scan from a line's beginning; returns how far it came. */
async function scanElsewhere(path: string, from: number, reader: JsonlReader): Promise<Progress> {
  const ring = new SharedArrayBuffer(BLOCK_BYTES * SLOTS)
  const full = new SharedArrayBuffer(SLOTS * 4)
  const flags = new Int32Array(full)
  const blocks = Array.from({ length: SLOTS }, (_, slot) => blockAt(ring, slot))
  const order: ScanOrder = { path, from, names: reader.names, ring, full }
  const thread = new Worker(new URL('./scan-worker.js', import.meta.url), { workerData: order })
  const scanned = new Promise<Progress>((resolve, reject) => {
    let upTo = from
    let ended = false
    const end = (lines: number): void => {
      ended = true
      resolve({ upTo, lines })
    }
    // A thread that cannot start or dies leaves the rest of the file to this one.
    thread.on('error', () => end(0))
    thread.on('exit', () => end(0))
    thread.on('message', (block: ScannedBlock) => {
      if (ended) return
      let lines = 0
      try {
        lines = reader.append(blocks[block.slot]!, block.events)
      } catch (error) {
        reject(error)
        return
      }
      if (lines < block.events) return end(lines)
      upTo = block.upTo
      Atomics.store(flags, block.slot, 0)
      Atomics.notify(flags, block.slot)
      if (block.done) end(0)
    })
  })
  try {
    return await scanned
  } finally {
    await thread.terminate()
  }
}
