/**
 * The general engine: just-in-time linearization (Lowe, "Testing for linearizability", 2017) over a window.
 *
 * A configuration is what may be true at one moment of the history: the state of the object, which of the
 * operations that are open at that moment have taken effect, and how many crashed operations of each type have.
 * The engine walks over the events and keeps the set of all possible configurations (the frontier). It does
 * nothing at an invocation; at the response of X it extends every configuration until X has taken effect.
 * The history is linearizable exactly if the frontier never runs empty. Nothing grows with the history's length.
 *
 * What keeps the frontier small (each step exact; the arguments are in README.md, "The general engine"):
 *  - operations that never change the state (reads) take effect as soon as they can;
 *  - operations of the same type are interchangeable: the one that returns first goes first; crashed ones are counted;
 *  - an operation that is possible in every state may be hidden directly before one that overwrites the state
 *    (HIDEABLE): it needs no further search when it returns;
 *  - a configuration that is dominated (same state, fewer effects left to choose from) is dropped;
 *  - registers only: a write is made visible only if an open operation needs its value, and a value is not left
 *    behind while an operation still needs it that nobody else can serve in time.
 *
 * No allocation but a bump pointer, no data segments, no imports but the memory, `step` and `reaches`. What is where: memory.ts,
 * problem.ts (what the host wrote), configuration.ts, configuration-set.ts (dominance), open.ts (the window), transitions.ts,
 * need.ts (registers), search.ts, trace.ts.
 */

import { copyRecord, deadAt, layOut, recordBytes, recordWords, scratch, traceAt, tracing } from './configuration'
import { advance, COUNT, front, insert, LIVE, makeSets, out, RECORDS, seen } from './configuration-set'
import { broken, get, NONE, put } from './memory'
import { noteInvoked, startNeeds } from './need'
import { enter, leave, openWindow, respondTo, slotOp } from './open'
import { at, eventCount, events, isRegister, moveTo, opType, PURE, typeFlags, typeMakes } from './problem'
import { eager, expand, settle } from './search'
import { startTrace } from './trace'
import { forgetTransitions } from './transitions'

export { alloc, bytesUsed, reset } from './memory'
export { stateLastAt, stateNextAt } from './need'
export { bind } from './problem'
export { traceEntries } from './trace'

// Outcomes of run().
const HOLDS: i32 = 0
const VIOLATED: i32 = 1
const AGAIN: i32 = 2
const OUT_OF_MEMORY: i32 = 3

let visits: i64 = 0
let peak: i32 = 0
let cursor: usize = 0 // of the search at the current response
let searching: bool = false

export function position(): i32 {
  return at
}
export function visited(): f64 {
  return <f64>visits
}
export function peakSize(): i32 {
  return peak
}
export function frontSize(): i32 {
  return <i32>load<usize>(front + LIVE)
}
export function frontCount(): i32 {
  return <i32>load<usize>(front + COUNT)
}
export function frontRecords(): usize {
  return load<usize>(front + RECORDS)
}
export function recordSize(): i32 {
  return recordWords
}
export function traceColumn(): i32 {
  return traceAt
}
export function slots(): usize {
  return slotOp
}

/** Prepares the walk; false when memory does not suffice. */
export function start(initial: i32, slotCount: i32, tracing_: i32): i32 {
  if (!layOut(slotCount, tracing_ != 0) || !makeSets() || !openWindow() || !startNeeds() || !forgetTransitions() || !startTrace()) return 0
  moveTo(0)
  visits = 0
  peak = 1
  searching = false
  put(scratch, 0, initial)
  if (tracing) put(scratch, traceAt, NONE)
  insert(front)
  return 1
}

/** Walks on until the end, a violation, the end of the memory, or about `budget` visited configurations. */
export function run(budget: f64): i32 {
  const stop = visits + <i64>budget
  while (at < eventCount) {
    const event = get(events, at)
    if ((event & 1) == 0) {
      invoke(event >> 1)
      visits++
    } else {
      const result = respond(event >> 1, stop)
      if (result != HOLDS) return result
    }
    moveTo(at + 1)
    if (visits >= stop) return AGAIN
  }
  return HOLDS
}

function invoke(op: i32): void {
  if (isRegister) {
    const type = get(opType, op)
    const makes = get(typeMakes, type)
    if (makes >= 0 && (get(typeFlags, type) & PURE) == 0) noteInvoked(op, makes)
  }
  enter(op)
}

function respond(op: i32, stop: i64): i32 {
  if (!searching) {
    beginSearch(op)
    if (broken) return OUT_OF_MEMORY
  }
  while (cursor < load<usize>(seen + COUNT)) {
    if (visits >= stop) return AGAIN
    const index = cursor++
    if (get(load<usize>(seen + RECORDS) + index * recordBytes, deadAt) != 0) continue
    visits++
    expand(index)
    if (broken) return OUT_OF_MEMORY
  }
  const live = <i32>load<usize>(out + LIVE)
  if (live == 0) return VIOLATED
  searching = false
  if (live > peak) peak = live
  advance()
  leave()
  return HOLDS
}

/** The frontier's records become the roots of the search; those in which X is done already go straight on. */
function beginSearch(op: i32): void {
  searching = true
  cursor = 0
  respondTo(op)
  const count = load<usize>(front + COUNT)
  for (let i: usize = 0; i < count; i++) {
    const record = load<usize>(front + RECORDS) + i * recordBytes
    if (get(record, deadAt) != 0) continue
    visits++
    copyRecord(scratch, record)
    eager()
    settle(false)
    if (broken) return
  }
}
