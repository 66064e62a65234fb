/**
 * The thread that reads a file and scans its bytes for read-file.ts, as long as lines are plain.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { instantiateNow } from './engine.ts'
import { BASE, PIECE_MAX, teach } from './scanner.ts'
import { blockAt, blockOf, copyBlock, EVENTS_MAX, SLOTS } from './scan-block.ts'
import type { ScanEngine } from './engine.ts'
import type { ScanOrder, ScannedBlock } from './read-file.ts'

const { path, from, names, ring, full } = workerData as ScanOrder
const flags = new Int32Array(full)
let slot = 0

function send(engine: ScanEngine, events: number, upTo: number, done: boolean): void {
  Atomics.wait(flags, slot, 1)
  copyBlock(blockOf(engine, events), blockAt(ring, slot))
  Atomics.store(flags, slot, 1)
  parentPort!.postMessage({ slot, events, upTo, done } satisfies ScannedBlock)
  slot = (slot + 1) % SLOTS
}

/** Scans piece after piece; ends at the first line that is odd, torn, or longer than a piece. */
function scanFile(engine: ScanEngine, file: number): void {
  const input = engine.alloc(PIECE_MAX + 8) >>> 0
  for (const name of names) teach(engine, input, name)
  // The file is read straight to where it is scanned.
  const piece = Buffer.from(engine.memory.buffer, input, PIECE_MAX)
  let at = from
  for (;;) {
    const read = readSync(file, piece, 0, PIECE_MAX, at)
    const whole = piece.subarray(0, read).lastIndexOf(10) + 1
    let next = input
    let events: number
    do {
      events = engine.scan(next, input + whole, EVENTS_MAX)
      next = engine.scanned() >>> 0
      send(engine, events, at + next - input, whole === 0 || (events < EVENTS_MAX && next < input + whole))
    } while (events === EVENTS_MAX)
    if (whole === 0 || next < input + whole) return
    at += whole
  }
}

const engine = instantiateNow()
if (engine !== undefined) {
  engine.reset(BASE, 0xffff0000)
  const file = openSync(path, 'r')
  if (engine.scanStart(EVENTS_MAX) !== 0) scanFile(engine, file)
  closeSync(file)
}
