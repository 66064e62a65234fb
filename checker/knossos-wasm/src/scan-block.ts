/**
 * Blocks of scanned events, as the byte scanner leaves them: columns one after the other, in WebAssembly's memory or in
 * memory that threads share.
 */
import type { ScanEngine } from './engine.ts'

export const EVENTS_MAX = 1 << 14
/** How many blocks may wait for the thread that appends them. */
export const SLOTS = 8
export const BLOCK_BYTES = EVENTS_MAX * 34

export interface Block {
  readonly times: Float64Array
  readonly processes: Int32Array
  readonly functions: Int32Array
  readonly keys: Int32Array
  readonly values: Int32Array
  readonly seconds: Int32Array
  readonly nodes: Int32Array
  readonly types: Uint8Array
  readonly pairs: Uint8Array
}

/** The block in a slot of a ring. */
export function blockAt(ring: SharedArrayBuffer, slot: number): Block {
  let at = slot * BLOCK_BYTES
  const take = (bytes: number): number => {
    at += bytes * EVENTS_MAX
    return at - bytes * EVENTS_MAX
  }
  const ints = (): Int32Array => new Int32Array(ring, take(4), EVENTS_MAX)
  return { times: new Float64Array(ring, take(8), EVENTS_MAX), processes: ints(), functions: ints(), keys: ints(), values: ints(), seconds: ints(), nodes: ints(), types: new Uint8Array(ring, take(1), EVENTS_MAX), pairs: new Uint8Array(ring, take(1), EVENTS_MAX) }
}

/** The events of the last scan, where they are. */
export function blockOf(engine: ScanEngine, n: number): Block {
  const { buffer } = engine.memory
  const ints = (at: number): Int32Array => new Int32Array(buffer, at >>> 0, n)
  return {
    times: new Float64Array(buffer, engine.columnTimes() >>> 0, n), processes: ints(engine.columnProcesses()), functions: ints(engine.columnFunctions()), keys: ints(engine.columnKeys()),
    values: ints(engine.columnValues()), seconds: ints(engine.columnSeconds()), nodes: ints(engine.columnNodes()),
    types: new Uint8Array(buffer, engine.columnTypes() >>> 0, n), pairs: new Uint8Array(buffer, engine.columnPairs() >>> 0, n),
  }
}

/** Copies events into a slot's block. */
export function copyBlock(from: Block, to: Block): void {
  for (const column of Object.keys(from) as (keyof Block)[]) (to[column] as Int32Array).set(from[column])
}
