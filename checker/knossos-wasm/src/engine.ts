/**
 * The WebAssembly engine as the host sees it: compiled once, instantiated with a memory of its own per check.
 */
import { engineBase64 } from './generated/engine.ts'

/** What assembly/engine.ts exports. Pointers are byte offsets into `memory`. */
export interface Engine {
  readonly memory: WebAssembly.Memory
  /** Set before use: the transition function of the model at hand (see hostStep in assembly/engine.ts). */
  step: (state: number, type: number) => number
  reaches: (state: number, type: number) => number
  reset(base: number, bytes: number): void
  alloc(bytes: number): number
  bind(...args: number[]): void
  start(initial: number, slots: number, tracing: number): number
  run(budget: number): number
  position(): number
  visited(): number
  peakSize(): number
  frontSize(): number
  frontCount(): number
  frontRecords(): number
  recordSize(): number
  traceColumn(): number
  traceEntries(): number
  stateNextAt(): number
  stateLastAt(): number
  slots(): number
  bytesUsed(): number
}

/** The byte scanner of assembly/scan.ts, in the same module. */
export interface ScanEngine {
  readonly memory: WebAssembly.Memory
  reset(base: number, bytes: number): void
  alloc(bytes: number): number
  scanStart(capacity: number): number
  scan(from: number, to: number, capacity: number): number
  scanned(): number
  learn(space: number, from: number, length: number, code: number): void
  columnTypes(): number
  columnProcesses(): number
  columnFunctions(): number
  columnKeys(): number
  columnValues(): number
  columnSeconds(): number
  columnPairs(): number
  columnTimes(): number
  columnNodes(): number
}

/** What `run` returns. */
export const HOLDS = 0
export const AGAIN = 2
export const OUT_OF_MEMORY = 3

const PAGE = 65_536
const PAGES_MAX = 65_536

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

let compiled: Promise<WebAssembly.Module> | undefined

/** A fresh engine with an empty memory. */
export async function createEngine(): Promise<Engine> {
  compiled ??= WebAssembly.compile(bytesOf(engineBase64))
  const memory = new WebAssembly.Memory({ initial: 1, maximum: PAGES_MAX, shared: true })
  const engine = { memory, step: () => -1, reaches: () => 1 } as unknown as Engine
  const instance = await WebAssembly.instantiate(await compiled, { env: { memory, step: (state: number, type: number) => engine.step(state, type), reaches: (state: number, type: number) => engine.reaches(state, type) } })
  return Object.assign(engine, instance.exports) as Engine
}

/** Beyond this an engine is not kept for the next check: a WebAssembly memory never shrinks. */
const KEEP_BYTES = 256e6
let idle: Engine | undefined

/** An engine for one stretch of synchronous work; between such stretches it holds nothing. */
export async function sharedEngine(): Promise<Engine> {
  if (idle === undefined || idle.memory.buffer.byteLength > KEEP_BYTES) idle = await createEngine()
  return idle
}

/** What the scanner reserves when it starts (a table, a block of events, a piece of the file), so that its memory does not grow in a dozen steps. */
const SCANNER_PAGES = 64
let compiledNow: WebAssembly.Module | undefined

/** An instance without waiting; undefined where that is not allowed (browsers refuse it for large modules on the main thread). */
export function instantiateNow(): ScanEngine | undefined {
  try {
    const memory = new WebAssembly.Memory({ initial: SCANNER_PAGES, maximum: PAGES_MAX, shared: true })
    compiledNow ??= new WebAssembly.Module(bytesOf(engineBase64))
    const instance = new WebAssembly.Instance(compiledNow, { env: { memory, step: () => -1, reaches: () => 1 } })
    return Object.assign({ memory }, instance.exports) as unknown as ScanEngine
  } catch {
    return undefined
  }
}

/** Copies a column into the engine's memory; undefined when it does not fit. */
export function put(engine: Engine, column: Int32Array | Uint8Array): number | undefined {
  const at = engine.alloc(Math.max(column.byteLength, 8)) >>> 0
  if (at === 0) return undefined
  if (column instanceof Int32Array) new Int32Array(engine.memory.buffer, at, column.length).set(column)
  else new Uint8Array(engine.memory.buffer, at, column.length).set(column)
  return at
}

/** The bytes that a limit in MB leaves to the engine. */
export function engineBytes(memoryLimitMb: number): number {
  return Math.min(PAGES_MAX * PAGE - PAGE, Math.max(1, Math.floor(memoryLimitMb * 1e6)))
}
