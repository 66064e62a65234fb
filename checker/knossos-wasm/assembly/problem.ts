/**
 * What the engine is given: the history of one key, written into its memory by the host (src/problem.ts), and how far the walk
 * over its events has come.
 */

// Operation types: flags.
export const PURE: i32 = 1 // never changes the state
export const TOTAL: i32 = 2 // possible in every state
export const CONSTANT: i32 = 4 // overwrites: possible in every state, and the state after does not depend on the one before
export const CRASHED: i32 = 8

export let events: usize = 0 // i32: operation * 2 + (1 for a response)
export let eventCount: i32 = 0
export let opType: usize = 0 // i32 by operation
export let opSlot: usize = 0 // i32 by operation; -1 for crashed ones
export let opReturn: usize = 0 // i32 by operation: event of the response
export let opKeep: usize = 0 // u8 by operation: whether its effect, made visible at its response, can still be of use
export let typeFlags: usize = 0 // i32 by type
export let typeNeeds: usize = 0 // i32 by type: the state it needs; -1 any; -2 - s any but s
export let typeMakes: usize = 0 // i32 by type: the state after; -1 unchanged
export let typeCrash: usize = 0 // i32 by type: index among the crashed types; -1
export let crashType: usize = 0 // i32 by crashed type: the type
export let crashCount: i32 = 0
export let stateCount: i32 = 0
export let nextMake: usize = 0 // i32 by operation that makes a state: event of the next invocation of one that makes the same
export let lastNeed: usize = 0 // i32 by such operation: last event before that at which an operation is invoked that nobody later can serve
export let isRegister: bool = false
export let forced: usize = 0 // i32 by event: type of the read that must come next, before an overwriting operation is invoked; -1
/** The event that the walk has come to. */
export let at: i32 = 0

/** Moves the walk to an event. */
export function moveTo(event: i32): void {
  at = event
}

export function bind(
  events_: usize, eventCount_: i32, opType_: usize, opSlot_: usize, opReturn_: usize, opKeep_: usize,
  typeFlags_: usize, typeNeeds_: usize, typeMakes_: usize, typeCrash_: usize,
  crashType_: usize, crashCount_: i32, stateCount_: i32, nextMake_: usize, lastNeed_: usize, isRegister_: i32, forced_: usize,
): void {
  events = events_
  eventCount = eventCount_
  opType = opType_
  opSlot = opSlot_
  opReturn = opReturn_
  opKeep = opKeep_
  typeFlags = typeFlags_
  typeNeeds = typeNeeds_
  typeMakes = typeMakes_
  typeCrash = typeCrash_
  crashType = crashType_
  crashCount = crashCount_
  stateCount = stateCount_
  nextMake = nextMake_
  lastNeed = lastNeed_
  isRegister = isRegister_ != 0
  forced = forced_
}
