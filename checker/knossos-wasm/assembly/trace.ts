/**
 * The order in which operations took effect, on request: entries of a parent and an operation, one chain for each configuration.
 */
import { scratch, traceAt, tracing } from './configuration'
import { alloc, breakOff, get, put } from './memory'

let trace: usize = 0
let traceCapacity: i32 = 0
let traceCount: i32 = 0

/** Begins with no entries; false when memory does not suffice. */
export function startTrace(): bool {
  traceCapacity = 65536
  traceCount = 0
  trace = tracing ? alloc(<usize>traceCapacity * 8) : 8
  return trace != 0
}

export function traceEntries(): usize {
  return trace
}

/** An operation took effect in the scratch record. */
export function note(op: i32): void {
  if (!tracing) return
  if (traceCount == traceCapacity) {
    const larger = alloc(<usize>traceCapacity * 16)
    if (larger == 0) {
      breakOff()
      return
    }
    memory.copy(larger, trace, <usize>traceCapacity * 8)
    trace = larger
    traceCapacity *= 2
  }
  put(trace, traceCount * 2, get(scratch, traceAt))
  put(trace, traceCount * 2 + 1, op)
  put(scratch, traceAt, traceCount)
  traceCount++
}

/** In the trace a hidden operation is ~op: its place is directly before the last overwriting one. */
export function noteHidden(op: i32): void {
  note(~op)
}
