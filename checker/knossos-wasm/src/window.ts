/**
 * Runs the general engine (assembly/engine.ts) on one problem, in slices, within limits of time and memory.
 */
import { AGAIN, HOLDS, OUT_OF_MEMORY, engineBytes, put } from './engine.ts'
import { NEVER } from './register.ts'
import { CONSTANT, PURE } from './problem.ts'
import type { Engine } from './engine.ts'
import type { Problem } from './problem.ts'
import type { Json } from './values.ts'

export interface WindowLimits {
  readonly memoryLimitMb: number
  /** Milliseconds on any clock, and when to give up on it. */
  readonly elapsedMs: () => number
  readonly deadlineMs: number
  /** For tests and small checks: give up after so many visited configurations. */
  readonly visitsMax?: number
  readonly onProgress?: (events: number) => void
}

export interface WindowResult {
  readonly type: 'holds' | 'violated' | 'unknown'
  readonly reason?: string
  /** How many events were decided: the longest linearizable prefix ends before event `events`. */
  readonly events: number
  /** When violated: the operation whose response no configuration survives. */
  readonly stuck?: number
  /** States possible just before it. */
  readonly states: readonly Json[]
  readonly visits: number
  readonly peak: number
  readonly bytes: number
  /** When asked for: operations in an order that explains the history; crashed ones that took effect included. */
  readonly linearization?: readonly number[]
}

/** How many configurations are visited between two looks at the clock: so many that a look comes about every five milliseconds. */
const SLICE_MIN = 50
const SLICE_MAX = 20_000
const SLICE_MS = 5
const BASE = 1024
const NONE = -1

/** Decides a problem. Throws nothing: what cannot be decided within the limits is unknown. */
export function runWindow(engine: Engine, problem: Problem, limits: WindowLimits, trace = false): WindowResult {
  engine.reset(BASE, engineBytes(limits.memoryLimitMb))
  if (!load(engine, problem, trace)) return unknown(engine, `the memory limit of ${limits.memoryLimitMb} MB`)
  let slice = 1_000
  let before = limits.elapsedMs()
  for (;;) {
    const outcome = engine.run(slice)
    if (outcome !== AGAIN && outcome !== OUT_OF_MEMORY) return finished(engine, problem, outcome === HOLDS, trace)
    if (outcome === OUT_OF_MEMORY || (engine.bytesUsed() >>> 0) + problem.hostBytes() > limits.memoryLimitMb * 1e6) return unknown(engine, `the memory limit of ${limits.memoryLimitMb} MB`)
    limits.onProgress?.(engine.position())
    const now = limits.elapsedMs()
    if (now > limits.deadlineMs) return unknown(engine, 'the time limit')
    if (limits.visitsMax !== undefined && engine.visited() > limits.visitsMax) return unknown(engine, `the limit of ${limits.visitsMax} configurations`)
    slice = now - before > SLICE_MS ? Math.max(SLICE_MIN, slice >> 1) : Math.min(SLICE_MAX, slice * 2)
    before = now
  }
}

function unknown(engine: Engine, reason: string): WindowResult {
  return { type: 'unknown', reason, events: engine.position(), states: [], visits: engine.visited(), peak: engine.peakSize(), bytes: engine.bytesUsed() >>> 0 }
}

function finished(engine: Engine, problem: Problem, holds: boolean, trace: boolean): WindowResult {
  const events = engine.position()
  return {
    type: holds ? 'holds' : 'violated', events, states: frontStates(engine, problem), visits: engine.visited(), peak: engine.peakSize(), bytes: engine.bytesUsed() >>> 0,
    ...(holds ? {} : { stuck: problem.events[events]! >> 1 }),
    ...(holds && trace ? { linearization: linearization(engine, problem) } : {}),
  }
}

function frontStates(engine: Engine, problem: Problem): Json[] {
  const memory = new Int32Array(engine.memory.buffer)
  const size = engine.recordSize()
  const base = (engine.frontRecords() >>> 0) >> 2
  const states = new Set<number>()
  for (let i = 0; i < engine.frontCount() && states.size < 32; i++) {
    if (memory[base + i * size + size - 1] === 0) states.add(memory[base + i * size]!)
  }
  return [...states].map(problem.stateAt)
}

function load(engine: Engine, problem: Problem, trace: boolean): boolean {
  const chances = problem.register ? registerChances(problem) : { nextMake: new Int32Array(0), lastNeed: new Int32Array(0), keep: new Uint8Array(problem.row.length).fill(1), firstMake: new Int32Array(0), firstNeed: new Int32Array(0) }
  const columns = [problem.events, problem.type, problem.slot, problem.returns, chances.keep, problem.flags, problem.needs, problem.makes, problem.crash, problem.crashTypes, chances.nextMake, chances.lastNeed, problem.forced ?? new Int32Array(0)]
  const at = columns.map((column) => put(engine, column))
  if (at.includes(undefined)) return false
  const [events, type, slot, returns, keep, flags, needs, makes, crash, crashTypes, nextMake, lastNeed, forced] = at as number[]
  engine.bind(events!, problem.events.length, type!, slot!, returns!, keep!, flags!, needs!, makes!, crash!, crashTypes!, problem.crashTypes.length, problem.states, nextMake!, lastNeed!, problem.register ? 1 : 0, problem.forced === undefined ? 0 : forced!)
  if (engine.start(problem.initial, problem.slots, trace ? 1 : 0) === 0) return false
  if (problem.register) {
    new Int32Array(engine.memory.buffer, engine.stateNextAt() >>> 0, problem.states).set(chances.firstMake)
    new Int32Array(engine.memory.buffer, engine.stateLastAt() >>> 0, problem.states).set(chances.firstNeed)
  }
  engine.step = (state, kind) => transition(engine, problem.successors(state, kind))
  engine.reaches = (state, kind) => (problem.reaches(state, kind) ? 1 : 0)
  return true
}

/** How the engine wants successors: -1 none, a state, or -3 - word of a list that stays in its memory. */
function transition(engine: Engine, states: readonly number[]): number {
  if (states.length === 0) return -1
  if (states.length === 1) return states[0]!
  const at = put(engine, Int32Array.of(states.length, ...states))
  if (at === undefined) throw new RangeError('the engine ran out of memory for transitions')
  return -3 - (at >> 2)
}

/**
 * What the future holds for the values of a register, by event. For each value and each moment: when an operation is
 * next invoked that makes it (`nextMake`), and the last moment before that at which an operation is invoked that
 * needs it and returns too early to be served by that one (`lastNeed`). And for each write: whether its value, made
 * visible at its response, could be seen by an operation invoked later, before another must have overwritten it (`keep`).
 */
function registerChances(problem: Problem) {
  const { events, type, needs, makes, flags, returns, states } = problem
  const n = problem.row.length
  const nextMake = new Int32Array(n).fill(NEVER)
  const lastNeed = new Int32Array(n).fill(-1)
  const keep = new Uint8Array(n)
  const make = new Int32Array(states).fill(NEVER) // next invocation that makes each value
  const need = new Int32Array(states).fill(-1) // last urgent need before that
  const soon = new Int32Array(states).fill(NEVER) // next invocation that needs each value
  let anyNeed = NEVER // next invocation of a failed compare-and-set, which may need any value
  let overwritten = NEVER // earliest response among mutators invoked later
  for (let event = events.length - 1; event >= 0; event--) {
    const op = events[event]! >> 1
    const t = type[op]!
    if ((events[event]! & 1) === 1) {
      const made = makes[t]!
      keep[op] = made >= 0 && (soon[made]! < overwritten || anyNeed < overwritten) ? 1 : 0
      continue
    }
    const needed = needs[t]!
    const crashed = returns[op] === NEVER
    if (needed >= 0) {
      soon[needed] = event
      if (!crashed && returns[op]! < make[needed]! && need[needed] === -1) need[needed] = event
    } else if (needed < NONE) {
      anyNeed = event
    }
    const made = makes[t]!
    if (made >= 0 && (flags[t]! & PURE) === 0) {
      nextMake[op] = make[made]!
      lastNeed[op] = need[made]!
      make[made] = event
      need[made] = -1
      if (!crashed && returns[op]! < overwritten) overwritten = returns[op]!
    }
  }
  return { nextMake, lastNeed, keep, firstMake: make, firstNeed: need }
}

/** Reads the trace backwards from one surviving configuration. */
function linearization(engine: Engine, problem: Problem): number[] {
  const memory = new Int32Array(engine.memory.buffer)
  const size = engine.recordSize()
  const base = (engine.frontRecords() >>> 0) >> 2
  const entries = (engine.traceEntries() >>> 0) >> 2
  let record = 0
  while (memory[base + record * size + size - 1] !== 0) record++
  const path: number[] = []
  for (let entry = memory[base + record * size + engine.traceColumn()]!; entry >= 0; entry = memory[entries + entry * 2]!) path.push(memory[entries + entry * 2 + 1]!)
  return placed(path.reverse(), problem)
}

const CRASH_BASE = 0x40000000

/** Turns trace entries into operations: hidden ones (~op) go before the last overwriting one, crashed types become operations. */
function placed(path: readonly number[], problem: Problem): number[] {
  const order: number[] = []
  const crashed = problem.crashTypes.length === 0 ? [] : crashedByType(problem)
  let overwriting = 0
  for (const entry of path) {
    if (entry < 0) {
      order.splice(overwriting++, 0, ~entry)
      continue
    }
    const op = entry >= CRASH_BASE ? crashed[entry - CRASH_BASE]!.shift()! : entry
    if ((problem.flags[problem.type[op]!]! & CONSTANT) !== 0) overwriting = order.length
    order.push(op)
  }
  return order
}

function crashedByType(problem: Problem): number[][] {
  const lists: number[][] = Array.from(problem.crashTypes, () => [])
  for (let op = 0; op < problem.row.length; op++) if (problem.returns[op] === NEVER) lists[problem.crash[problem.type[op]!]!]!.push(op)
  return lists
}
