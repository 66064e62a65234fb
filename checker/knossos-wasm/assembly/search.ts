/**
 * The search at one response: every configuration of the frontier is extended, in all ways that matter, until the operation that
 * responds has taken effect.
 */
import { copyRecord, crashedIn, deadAt, doneAt, hideAt, recordBytes, scratch, useCrashed, words } from './configuration'
import { COUNT, front, insert, out, RECORDS, seen } from './configuration-set'
import { broken, get, NONE, put } from './memory'
import { canBeMade, isOffered, isSurveyedWanted, isWanted, neededWithout, stillNeeded, survey } from './need'
import { crashedSoFar, openMask, pureMask, slotOp, totalMask, xBit, xOp, xSlot, xWord } from './open'
import { CONSTANT, crashCount, crashType, isRegister, opKeep, opReturn, opType, typeFlags, typeMakes } from './problem'
import { note, noteHidden } from './trace'
import { after, isDeadEnd } from './transitions'

/** Tries every operation that may take effect next in the index-th configuration of the search. */
export function expand(index: usize): void {
  let from = load<usize>(seen + RECORDS) + index * recordBytes
  const state = get(from, 0)
  let needed = 0 // 1: the state is still needed and nobody can make it again
  if (isRegister) {
    survey(from)
    copyRecord(scratch, from)
    if (!isOffered(state)) needed = 1
  }
  for (let w = 0; w < words; w++) {
    let rest = get(openMask, w) & ~get(from, doneAt + w)
    while (rest != 0) {
      const slot = (w << 5) + ctz(rest)
      rest &= rest - 1
      const op = get(slotOp, slot)
      const type = get(opType, op)
      const next = after(state, type)
      if (next == NONE) continue
      if (isRegister) {
        // A write that nobody needs now can be hidden before, or delayed until, one that somebody does.
        if (slot != xSlot && (get(typeFlags, type) & CONSTANT) != 0 && !isSurveyedWanted(next, state)) continue
        if (needed != 0 && next != state) {
          copyRecord(scratch, from)
          if (neededWithout(state, slot)) continue
        }
      }
      if (hasEarlierTwin(from, slot, type, op)) continue
      apply(index, next, type, slot, op)
      if (broken) return
      from = load<usize>(seen + RECORDS) + index * recordBytes
    }
  }
  for (let c = 0; c < crashCount; c++) {
    if (crashedIn(from, c) >= crashedSoFar(c)) continue
    const type = get(crashType, c)
    const next = after(state, type)
    if (next == NONE) continue
    // Overwriting a state by itself still hides what is open.
    if (next == state && ((get(typeFlags, type) & CONSTANT) == 0 || !hidesAny(from))) continue
    if (isRegister) {
      if (!isSurveyedWanted(next, state)) continue
      if (needed != 0 && next != state) {
        copyRecord(scratch, from)
        if (neededWithout(state, NONE)) continue
      }
    }
    apply(index, next, type, -2 - c, NONE)
    if (broken) return
    from = load<usize>(seen + RECORDS) + index * recordBytes
  }
}

/** Whether an overwriting effect would make an open operation hideable that is not yet. */
function hidesAny(record: usize): bool {
  for (let w = 0; w < words; w++) {
    if ((get(totalMask, w) & get(openMask, w) & ~get(record, doneAt + w) & ~get(record, hideAt + w)) != 0) return true
  }
  return false
}

/** Whether another open operation of the same type that has not taken effect returns earlier. */
function hasEarlierTwin(record: usize, slot: i32, type: i32, op: i32): bool {
  const mine = get(opReturn, op)
  const overwrites = (get(typeFlags, type) & CONSTANT) != 0
  const hidden = (get(record, hideAt + (slot >> 5)) & (1 << (slot & 31))) != 0
  for (let w = 0; w < words; w++) {
    let rest = get(openMask, w) & ~get(record, doneAt + w)
    while (rest != 0) {
      const other = (w << 5) + ctz(rest)
      rest &= rest - 1
      if (other == slot) continue
      const twin = get(slotOp, other)
      if (get(opType, twin) != type) continue
      // A hidden twin may stay hidden, unless this effect hides the other one as well.
      if (!overwrites && (get(record, hideAt + w) & (1 << (other & 31))) != 0 && !hidden) continue
      const theirs = get(opReturn, twin)
      if (theirs < mine || (theirs == mine && other < slot)) return true
    }
  }
  return false
}

/** Lets one operation take effect (slot, or -2 - c for a crashed type) and keeps what comes of it. */
function apply(index: usize, next: i32, type: i32, slot: i32, op: i32): void {
  if (next >= 0) {
    applyOne(index, next, type, slot, op)
    return
  }
  const list: usize = <usize>(-3 - next) << 2
  const length = get(list, 0)
  for (let i = 1; i <= length; i++) {
    applyOne(index, get(list, i), type, slot, op)
    if (broken) return
  }
}

function applyOne(index: usize, next: i32, type: i32, slot: i32, op: i32): void {
  copyRecord(scratch, load<usize>(seen + RECORDS) + index * recordBytes)
  const wasHidden = (get(scratch, hideAt + xWord) & xBit) != 0
  put(scratch, 0, next)
  if (slot >= 0) {
    const word = slot >> 5
    const bit = 1 << (slot & 31)
    put(scratch, doneAt + word, get(scratch, doneAt + word) | bit)
    put(scratch, hideAt + word, get(scratch, hideAt + word) & ~bit)
    note(op)
  } else {
    useCrashed(scratch, -2 - slot)
    note(-2 - slot + 0x40000000)
  }
  if ((get(typeFlags, type) & CONSTANT) != 0) {
    for (let w = 0; w < words; w++) put(scratch, hideAt + w, (get(totalMask, w) & get(openMask, w)) & ~get(scratch, doneAt + w))
  }
  eager()
  settle(wasHidden)
}

/** Lets every open operation that never changes the state take effect that can. */
export function eager(): void {
  const state = get(scratch, 0)
  for (let w = 0; w < words; w++) {
    let rest = get(pureMask, w) & ~get(scratch, doneAt + w)
    let done = get(scratch, doneAt + w)
    while (rest != 0) {
      const slot = (w << 5) + ctz(rest)
      const op = get(slotOp, slot)
      if (after(state, get(opType, op)) != NONE) {
        done |= 1 << (slot & 31)
        note(op)
      }
      rest &= rest - 1
    }
    put(scratch, doneAt + w, done)
  }
}

/**
 * Sends the scratch record where it belongs. X has taken effect: on to the new frontier. X is hidden: on to the
 * new frontier (once), and, if X made visible now could be of use, on with the search as well.
 */
export function settle(wasHidden: bool): void {
  if (isDeadEnd()) return
  if ((get(scratch, doneAt + xWord) & xBit) != 0) {
    emit()
    return
  }
  if ((get(scratch, hideAt + xWord) & xBit) != 0) {
    const keep = load<u8>(opKeep + <usize>xOp) != 0 || isWanted(get(typeMakes, get(opType, xOp)))
    if (keep) insert(seen)
    if (wasHidden) return
    noteHidden(xOp)
    emit()
    return
  }
  insert(seen)
}

/** X has taken effect in the scratch record: it leaves the window, and the record joins the new frontier. */
function emit(): void {
  put(scratch, doneAt + xWord, get(scratch, doneAt + xWord) & ~xBit)
  put(scratch, hideAt + xWord, get(scratch, hideAt + xWord) & ~xBit)
  if (isRegister) {
    // The window loses X: if X was the last that could make a value that is still needed, this is a dead end.
    const makes = get(typeMakes, get(opType, xOp))
    if (makes >= 0 && makes != get(scratch, 0) && stillNeeded(makes, NONE) && !canBeMade(makes)) return
  }
  insert(out)
}
