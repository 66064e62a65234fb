/**
 * What an operation does to a state: registers are a table, every other model is asked through the host, once for each
 * state and type.
 */
import { crashedIn, doneAt, scratch, words } from './configuration'
import { alloc, breakOff, get, NONE } from './memory'
import { constantMask, crashedSoFar } from './open'
import { at, CONSTANT, crashCount, crashType, forced, isRegister, typeFlags, typeMakes, typeNeeds } from './problem'

/** Asks the host for a transition: a state, -1 (impossible), or -3 - i (several states: length and states from word i of the memory). */
// @ts-ignore: decorator
@external('env', 'step')
declare function hostStep(state: i32, type: i32): i32
/** Asks the host whether an operation of this type may still become possible from a state that nothing overwrites. */
// @ts-ignore: decorator
@external('env', 'reaches')
declare function hostReaches(state: i32, type: i32): i32

// Transitions already asked for (models other than registers): open addressing on state and type.
let memo: usize = 0
let memoMask: i32 = 0
let memoCount: i32 = 0
const REACHES: i32 = 0x40000000 // marks questions to hostReaches among the memo's types

/** Forgets all transitions; false when memory does not suffice. */
export function forgetTransitions(): bool {
  memo = alloc(4096 * 12)
  if (memo == 0) return false
  memory.fill(memo, 0xff, 4096 * 12)
  memoMask = 4095
  memoCount = 0
  return true
}

// @ts-ignore: decorator
@inline
function memoHash(state: i32, type: i32): i32 {
  const h = (<u32>state * 0x9e3779b1) ^ (<u32>type * 0x85ebca77)
  return <i32>((h ^ (h >> 15)) * 0x2c1b3c6d >> 5)
}

function memoize(state: i32, type: i32): i32 {
  let slot = memoHash(state, type) & memoMask
  for (;;) {
    const entry = memo + <usize>slot * 12
    const found = load<i32>(entry)
    if (found == NONE) break
    if (found == state && load<i32>(entry, 4) == type) return load<i32>(entry, 8)
    slot = (slot + 1) & memoMask
  }
  const result = type >= REACHES ? hostReaches(state, type - REACHES) : hostStep(state, type)
  const entry = memo + <usize>slot * 12
  store<i32>(entry, state)
  store<i32>(entry, type, 4)
  store<i32>(entry, result, 8)
  if (++memoCount * 2 > memoMask) growMemo()
  return result
}

function growMemo(): void {
  const size = (memoMask + 1) * 2
  const larger = alloc(<usize>size * 12)
  if (larger == 0) {
    breakOff()
    return
  }
  memory.fill(larger, 0xff, <usize>size * 12)
  for (let i = 0; i <= memoMask; i++) {
    const from = memo + <usize>i * 12
    const state = load<i32>(from)
    if (state == NONE) continue
    let slot = memoHash(state, load<i32>(from, 4)) & (size - 1)
    while (load<i32>(larger + <usize>slot * 12) != NONE) slot = (slot + 1) & (size - 1)
    memory.copy(larger + <usize>slot * 12, from, 12)
  }
  memo = larger
  memoMask = size - 1
}

/**
 * Whether a read that must still come, before anything not yet invoked can overwrite the state, is out of reach in
 * the scratch record for good (models that know what is out of reach).
 */
export function isDeadEnd(): bool {
  if (forced == 0) return false
  const type = get(forced, at)
  if (type == NONE) return false
  for (let w = 0; w < words; w++) if ((get(constantMask, w) & ~get(scratch, doneAt + w)) != 0) return false
  for (let c = 0; c < crashCount; c++) {
    if ((get(typeFlags, get(crashType, c)) & CONSTANT) != 0 && crashedIn(scratch, c) < crashedSoFar(c)) return false
  }
  return memoize(get(scratch, 0), type + REACHES) == 0
}

/** The state after an operation of this type: -1 impossible, -3 - i several (see hostStep). */
// @ts-ignore: decorator
@inline
export function after(state: i32, type: i32): i32 {
  if (!isRegister) return memoize(state, type)
  const needs = get(typeNeeds, type)
  if (needs >= 0) {
    if (state != needs) return NONE
  } else if (needs != NONE && state == -2 - needs) return NONE
  const makes = get(typeMakes, type)
  return makes == NONE ? state : makes
}
