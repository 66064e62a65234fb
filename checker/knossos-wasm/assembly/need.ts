/**
 * Registers only: who needs a state, and who can still make it. A value that nobody needs is not made visible, and one that
 * somebody needs and nobody can make again in time is not left behind (README.md, "The general engine", 6).
 */
import { crashedIn, doneAt, scratch, words } from './configuration'
import { alloc, get, NONE, put } from './memory'
import { crashedSoFar, openMask, pureMask, slotOp, xBit, xWord } from './open'
import { at, crashCount, crashType, isRegister, lastNeed, nextMake, opReturn, opType, PURE, stateCount, typeFlags, typeMakes, typeNeeds } from './problem'

let stateNext: usize = 0 // i32 by state: nextMake now
let stateLast: usize = 0 // i32 by state: lastNeed now
let wanted: usize = 0 // i32 by state: stamp
let offered: usize = 0 // i32 by state: stamp
let stamp: i32 = 0
let anyWanted: bool = false // an open operation (a failed compare-and-set) needs any state but the present one

/** Makes room for all states; false when memory does not suffice. */
export function startNeeds(): bool {
  const bytes: usize = isRegister ? <usize>stateCount << 2 : 4
  stateNext = alloc(bytes)
  stateLast = alloc(bytes)
  wanted = alloc(bytes)
  offered = alloc(bytes)
  if (stateNext == 0 || stateLast == 0 || wanted == 0 || offered == 0) return false
  memory.fill(wanted, 0, bytes)
  memory.fill(offered, 0, bytes)
  stamp = 0
  return true
}

/** Where the host writes the needs of states before anything has been invoked (registers only). */
export function stateNextAt(): usize {
  return stateNext
}
export function stateLastAt(): usize {
  return stateLast
}

/** An operation that makes a state is invoked: who makes it next, and until when it is needed, changes. */
export function noteInvoked(op: i32, makes: i32): void {
  put(stateNext, makes, get(nextMake, op))
  put(stateLast, makes, get(lastNeed, op))
}

/** As of the last survey: whether an operation that may take effect needs a state other than the present one, and this one. */
// @ts-ignore: decorator
@inline
export function isSurveyedWanted(next: i32, state: i32): bool {
  return get(wanted, next) == stamp || (anyWanted && next != state)
}

/** As of the last survey: whether an operation that may take effect makes the state. */
// @ts-ignore: decorator
@inline
export function isOffered(state: i32): bool {
  return get(offered, state) == stamp
}

/** Whether an open or crashed operation that has not taken effect could use this state (registers). */
export function isWanted(state: i32): bool {
  for (let w = 0; w < words; w++) {
    let rest = (get(pureMask, w) | get(openMask, w)) & ~get(scratch, doneAt + w)
    while (rest != 0) {
      const needs = get(typeNeeds, get(opType, get(slotOp, (w << 5) + ctz(rest))))
      rest &= rest - 1
      if (needs == state || needs < NONE) return true
    }
  }
  for (let c = 0; c < crashCount; c++) {
    if (get(typeNeeds, get(crashType, c)) == state && crashedIn(scratch, c) < crashedSoFar(c)) return true
  }
  return false
}

/** Whether an operation needs this state that nothing invoked from now on can serve in time; `but` is left out. */
export function stillNeeded(state: i32, but: i32): bool {
  if (at < get(stateLast, state)) return true
  const next = get(stateNext, state)
  for (let w = 0; w < words; w++) {
    let rest = (get(pureMask, w) | get(openMask, w)) & ~get(scratch, doneAt + w)
    if (w == xWord) rest &= ~xBit
    while (rest != 0) {
      const slot = (w << 5) + ctz(rest)
      rest &= rest - 1
      if (slot == but) continue
      const op = get(slotOp, slot)
      if (get(typeNeeds, get(opType, op)) == state && get(opReturn, op) < next) return true
    }
  }
  return false
}

/** Whether an open or crashed operation that has not taken effect could still make this state. */
export function canBeMade(state: i32): bool {
  for (let w = 0; w < words; w++) {
    let rest = get(openMask, w) & ~get(scratch, doneAt + w)
    if (w == xWord) rest &= ~xBit
    while (rest != 0) {
      const slot = (w << 5) + ctz(rest)
      rest &= rest - 1
      if (get(typeMakes, get(opType, get(slotOp, slot))) == state) return true
    }
  }
  for (let c = 0; c < crashCount; c++) {
    if (get(typeMakes, get(crashType, c)) == state && crashedIn(scratch, c) < crashedSoFar(c)) return true
  }
  return false
}

/** Marks the states that open operations (X included) or available crashed ones need, and those that open mutators offer. */
export function survey(record: usize): void {
  stamp++
  anyWanted = false
  for (let w = 0; w < words; w++) {
    let rest = (get(pureMask, w) | get(openMask, w)) & ~get(record, doneAt + w)
    while (rest != 0) {
      const slot = (w << 5) + ctz(rest)
      rest &= rest - 1
      const type = get(opType, get(slotOp, slot))
      const needs = get(typeNeeds, type)
      if (needs >= 0) put(wanted, needs, stamp)
      else if (needs != NONE) anyWanted = true
      if ((get(typeFlags, type) & PURE) == 0) {
        const makes = get(typeMakes, type)
        if (makes >= 0) put(offered, makes, stamp)
      }
    }
  }
  for (let c = 0; c < crashCount; c++) {
    if (crashedIn(record, c) >= crashedSoFar(c)) continue
    const type = get(crashType, c)
    const needs = get(typeNeeds, type)
    if (needs >= 0) put(wanted, needs, stamp)
    const makes = get(typeMakes, type)
    if (makes >= 0) put(offered, makes, stamp)
  }
}

/** As stillNeeded, for a state that is about to be left by the operation in `slot`; X itself counts. */
export function neededWithout(state: i32, slot: i32): bool {
  if (at < get(stateLast, state)) return true
  const next = get(stateNext, state)
  for (let w = 0; w < words; w++) {
    let rest = (get(pureMask, w) | get(openMask, w)) & ~get(scratch, doneAt + w)
    while (rest != 0) {
      const other = (w << 5) + ctz(rest)
      rest &= rest - 1
      if (other == slot) continue
      const op = get(slotOp, other)
      if (get(typeNeeds, get(opType, op)) == state && get(opReturn, op) < next) return true
    }
  }
  return false
}
